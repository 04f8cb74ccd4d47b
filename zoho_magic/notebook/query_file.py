"""`%%zoho_coql --file report.coql`: a query that is kept in a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError

__all__ = ["allow_empty_cells", "read_query", "register", "unregister"]

_ONLY_A_FILE = re.compile(r"\s*%%zoho_coql\b[^\n]*--file\b[^\n]*\s*")


def allow_empty_cells(lines: list[str]) -> list[str]:
    """Give a cell that only names a file a blank line, because IPython refuses a cell magic without a body."""
    return [*lines, " \n"] if _ONLY_A_FILE.fullmatch("".join(lines)) else lines


def read_query(file: str, cell: str) -> str:
    """The text of the file.

    Raises:
        UsageError: the cell holds a query as well, or the file cannot be read.
    """
    if cell.strip():
        raise UsageError("%%zoho_coql: write the query in the cell or name --file FILE, not both.")
    try:
        return Path(file).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"%%zoho_coql: {file} cannot be read: {reason}.") from None


def register(ip: Any) -> None:
    """Let a cell of this shell be `%%zoho_coql --file FILE` and nothing else."""
    if allow_empty_cells not in ip.input_transformers_cleanup:
        ip.input_transformers_cleanup.append(allow_empty_cells)


def unregister(ip: Any) -> None:
    """Undo `register`."""
    if allow_empty_cells in ip.input_transformers_cleanup:
        ip.input_transformers_cleanup.remove(allow_empty_cells)
