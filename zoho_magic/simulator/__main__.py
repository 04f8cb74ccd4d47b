"""python -m zoho_magic.simulator: serve until stopped."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import threading
from datetime import datetime
from typing import Any

from .data_centres import LOCATIONS
from .options import BEHAVIOURS, Options
from .simulator import REDIRECT_URI, Simulator

DESCRIPTION = """\
A local Zoho on loopback: accounts server (OAuth), CRM API v8, COQL and bulk jobs, with sample data, over real HTTP.
It prints its address, a client id and secret, a grant code (ten minutes) and a refresh token, and serves until Ctrl-C.
It is no Zoho: nothing reaches Zoho, and everything is forgotten when it stops."""
EXAMPLES = """\
examples:
  python -m zoho_magic.simulator --rows 100 --port 8000
  python -m zoho_magic.simulator --json --behaviour worst --option job_seconds=0.5 --record calls.jsonl
  python -m zoho_magic.simulator --data-centre us --data-centre eu --own-secrets

options for --option NAME=VALUE, with their defaults (and, in brackets, what --behaviour worst sets):
"""


def main(arguments: list[str] | None = None) -> int:
    """Start a simulator, say how to reach it, and serve until interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        simulator = _simulator(given)
    except ValueError as error:
        parser.error(str(error))
    try:
        with simulator:
            _announce(simulator, given.json)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"cannot serve on port {given.port}: {error.strerror}\n")
        return 1
    return 0


def _simulator(given: argparse.Namespace) -> Simulator:
    named = {"edition": given.edition, "latency": given.latency}
    return Simulator(
        rows=given.rows,
        seed=given.seed,
        port=given.port,
        data_centres=given.data_centre or ("us",),
        redirect_uri=given.redirect_uri,
        options=Options(**{**named, **dict(map(_option, given.option))}),
        multi_dc=not given.single_dc,
        own_secrets=given.own_secrets,
        separate_api=given.separate_api,
        begin=given.begin,
        behaviour=given.behaviour,
        record=given.record,
    )


def _option(text: str) -> tuple[str, Any]:
    """`name=value` with the value as JSON where it is JSON (`true`, `5`, `null`, `["website"]`), else as text."""
    name, sign, value = text.partition("=")
    defaults = {each: default for each, default, *_ in Options.rows()}
    if not sign or name not in defaults:
        raise ValueError(f"--option {text}: no option of that name; --help lists them")
    try:
        parsed = value if isinstance(defaults[name], str) else json.loads(value)
    except ValueError:
        parsed = value
    if isinstance(defaults[name], tuple):
        parsed = tuple(parsed) if isinstance(parsed, list) else (str(parsed),)
    if defaults[name] is not None and not isinstance(parsed, _kinds(defaults[name])):
        raise ValueError(f"--option {text}: it takes a value like {json.dumps(defaults[name])}")
    return name, parsed


def _kinds(default: Any) -> tuple[type, ...]:
    return (int, float) if type(default) is float else (type(default),)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zoho_magic.simulator",
        description=DESCRIPTION,
        epilog=EXAMPLES + "\n".join(map(_described, Options.rows())),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server_arguments(parser)
    _add_account_arguments(parser)
    return parser


def _add_server_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--port", type=int, default=0, help="port of the first data centre, further ones follow (default: any)")
    add("--rows", type=int, default=2000, help="leads of the demo org; other modules follow (default: %(default)s)")
    add(
        "--seed",
        type=int,
        default=7,
        help="seed of the demo data: the same one gives the same rows (default: %(default)s)",
    )
    add("--json", action="store_true", help="print the connection as one JSON object")
    add("--behaviour", choices=BEHAVIOURS, default="documented",
        help="worst: answer as the least kind report about Zoho says (default: %(default)s)")  # fmt: skip
    add("--option", action="append", default=[], metavar="NAME=VALUE",
        help="set an option of the list below; may be given several times")  # fmt: skip
    add("--record", metavar="FILE", help="append every call to this file as a line of JSON, without secrets")


def _add_account_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data-centre", action="append", choices=LOCATIONS, help="us when left out; may be given several times")
    add("--redirect-uri", default=REDIRECT_URI, help="registered for the client (default: %(default)s)")
    add("--single-dc", action="store_true", help="the client is known in its home data centre only")
    add("--own-secrets", action="store_true", help="the client has another secret in each data centre")
    add("--separate-api", action="store_true", help="the API has an origin of its own beside the accounts server")
    add("--begin", type=datetime.fromisoformat, metavar="TIME",
        help="what the simulator's clock says at first, such as 2026-03-29T00:59:00+00:00 (default: now)")  # fmt: skip
    add("--edition", default=Options.edition, help="the CRM's edition (default: %(default)s)")
    add("--latency", type=float, default=0.0, help="seconds added to every answer")


def _described(row: tuple[str, Any, Any, str]) -> str:
    name, default, worst, doc = row
    value = json.dumps(default) + ("" if worst is None else f" [{json.dumps(worst)}]")
    text = textwrap.fill(doc, 110, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {name}={value}\n{text}"


def _announce(simulator: Simulator, as_json: bool) -> None:
    connection = simulator.connection()
    lines = [f"{name}: {value}" for name, value in connection.items()]
    sys.stdout.write((json.dumps(connection) if as_json else "\n".join(lines)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
