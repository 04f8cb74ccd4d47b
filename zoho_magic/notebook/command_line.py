"""`python -m zoho_magic sync Leads --to crm.duckdb`: `%zoho_sync` for cron and CI.

Exit codes: 0 done; 1 Zoho refused, or a module of several failed; 2 the line or a setting is wrong; 75 Zoho was not
reached or is throttling: try again later; 130 interrupted. The copy is whole after each of them.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from IPython.core.error import UsageError

from ..errors import ConfigurationError, MissingDependency, ThrottledError, TransportError, ZohoError
from .lazy_session import get_session
from .magic_parser import parser_of
from .magics.mirroring import MirroringMagics, run_line

__all__ = ["main"]

EXIT_REFUSED, EXIT_USAGE, EXIT_TRY_LATER, EXIT_INTERRUPTED = 1, 2, 75, 130


def main(arguments: Sequence[str]) -> int:
    """Run a command line; its exit code."""
    if not arguments or arguments[0] != "sync":
        print("usage: python -m zoho_magic sync MODULE... --to PATH [-h]", file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    try:
        return _sync(arguments[1:])
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (UsageError, ConfigurationError, MissingDependency) as error:
        problem, code = str(error), EXIT_USAGE
    except (ThrottledError, TransportError) as error:
        problem, code = str(error), EXIT_TRY_LATER
    except ZohoError as error:
        problem, code = str(error), EXIT_REFUSED
    print(problem, file=sys.stderr)  # noqa: T201
    return code


def _sync(words: Sequence[str]) -> int:
    line = parser_of(MirroringMagics.zoho_sync).read(shlex.join(words))
    if line is None:  # -h was printed
        return 0
    found = run_line(get_session(line.profile), line, progress=sys.stderr.isatty())
    for report in found if isinstance(found, list) else [found] if found is not None else []:
        print(report)  # noqa: T201
    return 0
