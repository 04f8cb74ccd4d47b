"""The page of the error codes, made from the catalogue and from the messages of a push's rows."""

from __future__ import annotations

import string

from .markdown import escaped, table

HEAD = """\
# Error codes

An error is one line and a next step (`error.hint`); `error.code` is Zoho's code. In a script catch the class of the third
column, or `zoho_magic.ZohoError` for all of them: see [exceptions](exceptions.md). `ZOHO_MAGIC_DEBUG=1` shows whole
tracebacks. A code that is not in the table is raised as `ApiError` with Zoho's own message.

## Errors of a call
"""
ROWS = """
## Results of a row in a push

`report.failed` has these in its column `code`. Other codes keep Zoho's own message. *Sent again* says whether
`report.retry()` sends the row as it is, because what stood in the way was not in the row.

"""
LONG_CODE = 22
_WORDS = {
    "dc": "your data centre",
    "console": "Zoho's API console",
    "environment": "your environment",
    "operation": "the call",
    "zoho_message": "Zoho's reason",
    "permissions": "",
    "likely": "",
    "scope": "SCOPE",
    "wait": "a few minutes",
}


def make() -> str:
    """Every code: what happened, the next step, the exception."""
    from zoho_magic.error_catalog import CATALOGUE

    rows = [
        (
            f'<span id="{code.partition("@")[0].replace(" ", "-")}"></span>{_code(code)}',
            escaped(_filled(entry.message)),
            f"[`{entry.error_class.__name__}`](exceptions.md#zoho_magic.errors.{entry.error_class.__name__})",
            escaped(_filled(entry.hint)),
        )
        for code, entry in CATALOGUE.items()
    ]
    calls = table(("Zoho's code", "What happened", "Exception", "What to do"), rows)
    return HEAD + "\n" + calls + ROWS + table(("Code", "What happened", "Sent again"), _row_results())


def _row_results() -> list[tuple[str, str, str]]:
    from zoho_magic.crm.write import row_messages

    codes = dict.fromkeys([*row_messages._MESSAGES, *sorted(row_messages._TRANSIENT)])
    return [
        (f"`{code}`", escaped(row_messages.message_for(code)), "yes" if row_messages.is_transient(code) else "no")
        for code in codes
    ]


def _code(code: str) -> str:
    name, _, operation = code.partition("@")
    return _breakable(name) + (f" ({escaped(operation)})" if operation else "")


def _breakable(name: str) -> str:
    """A code that may be broken at an underscore where it is long, so that the table fits the page."""
    return f"<code>{name.replace('_', '_<wbr>')}</code>" if len(name) > LONG_CODE else f"`{name}`"


def _filled(text: str) -> str:
    names = {name: f"<{name}>" for _, name, _, _ in string.Formatter().parse(text) if name}
    return " ".join(text.format_map({**names, **_WORDS}).split())
