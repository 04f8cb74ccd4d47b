"""What people paste as an id, a secret, a code or a token: taken out of its wrapping, or recognised as something else.

Nothing here sends anything or shows a value: a mistake is found before a grant code is spent, and named by its kind.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ..errors import ConfigurationError
from ..secret import Secret

__all__ = [
    "check_client_id",
    "check_client_secret",
    "check_stored_token",
    "check_token",
    "clean",
    "kind_of",
    "parse_grant",
]

_QUOTES = "'\"`<>\u00b4\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb"  # as on keyboards and in word processors
_ASSIGNMENT = re.compile(
    r"(?:export\s+|set\s+|\$env:)?[\"']?(?:ZOHO_[A-Z_]+|code|grant[ _-]?code|client[ _-]?id|client[ _-]?secret|"
    r"refresh[ _-]?token|access[ _-]?token|scopes?|soid|dc)[\"']?\s*(?:=|:(?!/))\s*",
    re.IGNORECASE,
)
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (  # the first pattern that fits the whole text names it
    ("the name of a variable, which is not expanded here", re.compile(r"\$\{?\w+\}?|\{\w+\}|%\w+%")),
    ("JSON", re.compile(r"[{\[].*", re.DOTALL)),
    ("a grant code or a token", re.compile(r"100\d\.[0-9a-z]+\.[0-9a-z]+", re.IGNORECASE)),
    ("a client ID", re.compile(r"100\d\.[0-9A-Z]{6,}")),
    ("cut short (two parts follow 1000.)", re.compile(r"100\d\.?[0-9a-f]*\.?", re.IGNORECASE)),
    ("a client secret", re.compile(r"[0-9a-f]{30,}", re.IGNORECASE)),
    ("an address", re.compile(r"(?:https?:)?//\S+|(?:www|accounts|api-console)\.\S+", re.IGNORECASE)),
    ("a list of scopes", re.compile(r"(?:Zoho\w+|AaaServer)\.\w[\s\S]*")),
    ("the name of a file", re.compile(r"[^\n]*\.(?:json|txt|env)", re.IGNORECASE)),
    ("a placeholder", re.compile(r".*(?:…|\.\.\.|xxx|your[ _-]|example).*", re.IGNORECASE | re.DOTALL)),
)
_TOKEN = re.compile(r"100\d\.[0-9a-z]+\.[0-9a-z]+", re.IGNORECASE)  # Zoho's are hexadecimal, so far
_TOKEN_OF_ANOTHER_FORM = re.compile(r"100\d\.[\w.-]{4,}", re.ASCII)
_CLIENT_ID = re.compile(r"100\d\.\w+", re.ASCII)
_FIELDS = {"client_id": "client_id", "client_secret": "client_secret", "code": "grant_code", "scope": "scopes"}


def clean(text: str) -> str:
    """The text without what copying adds: blanks, invisible characters, quotes, brackets, `code=`, a comma at the end.

    Example::

        >>> clean(' code="1000.ab.cd", ')
        '1000.ab.cd'
    """
    before, text = "", "".join(c for c in text if unicodedata.category(c) != "Cf")
    while before != text:
        before = text
        text = text.strip().rstrip(",;\\").strip().strip(_QUOTES)
        text = _ASSIGNMENT.sub("", text, count=1) if _ASSIGNMENT.match(text) else text
    return text


def kind_of(text: str) -> str:
    """What the text looks like, for a message; "" where it looks like nothing in particular.

    Example::

        >>> kind_of("1000.ABCDEFGH12")
        'a client ID'
    """
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), "")


def check_client_id(text: str) -> tuple[str, str]:
    """The client ID in a text, and what is wrong with it ("" if nothing)."""
    return _check(text, _CLIENT_ID, "a client ID", "does not begin with '1000.'")


def check_client_secret(text: str) -> tuple[str, str]:
    """The client secret in a text, and what is wrong with it ("" if nothing)."""
    return _check(text, re.compile(r"(?!100\d\.)[\w.-]+", re.ASCII), "a client secret", _STRANGE)


def check_token(text: str) -> tuple[str, str]:
    """The grant code or token in a text, and what is wrong with it ("" if nothing).

    What begins as one and is nothing else that is known is left to Zoho to judge: the form may change.
    """
    value, problem = _check(text, _TOKEN, "a grant code or a token", "does not look like 1000.<hex>.<hex>")
    return value, "" if problem.startswith("does ") and _TOKEN_OF_ANOTHER_FORM.fullmatch(value) else problem


def check_stored_token(text: str) -> tuple[str, str]:
    """As `check_token`, but only what is recognised as something else is wrong: Zoho may change how tokens look."""
    value, problem = check_token(text)
    strange = problem == _STRANGE or not problem.startswith(("does ", "is cut", "is a placeholder"))
    return value, problem if problem and strange else ""


_STRANGE = "has spaces or characters that no such value has"


def _check(text: str, shape: re.Pattern[str], expected: str, otherwise: str) -> tuple[str, str]:
    value = clean(text)
    joined = re.sub(r"\s+", "", value)
    if _TOKEN.fullmatch(joined) and shape is _TOKEN:  # wrapped over two lines by a terminal or a mail
        return joined, ""
    kind = kind_of(value)
    if shape.fullmatch(value) and (kind in ("", expected) or (shape is _CLIENT_ID and kind.startswith("cut"))):
        return value, ""
    if kind and kind != expected:
        return value, f"is {kind}"
    return value, otherwise if value.isascii() and value.isprintable() and " " not in value else _STRANGE


def parse_grant(pasted: Secret) -> dict[str, Any]:
    """What a pasted grant code brings: `grant_code`, and of a self_client.json client_id, client_secret and scopes.

    Args:
        pasted: a code in whatever wrapping, the address or the query a login ended on, the JSON of the file that
            Zoho's console offers for download, or that file's name.

    Raises:
        ConfigurationError: it is something else, which the message names; nothing was sent.
    """
    found = _parsed(pasted)
    if isinstance(found, str):
        error = ConfigurationError(
            f"The pasted text {found}, not a grant code." if found.startswith(("is ", "has ")) else found,
            hint="A grant code looks like 1000.<hex>.<hex>. Copy it again from Zoho's console (Generate Code); nothing "
            "was sent, so a code that is still valid can be used.",
        )
        error.details = {"setting": "grant_code"}
        raise error
    return found


def _parsed(pasted: Secret) -> dict[str, Any] | str:
    raw = pasted.reveal().strip().strip(_QUOTES)
    if ("?" in raw or "&" in raw) and ("code=" in raw or "error=" in raw) and raw[0] not in "{[":
        return _from_query(raw)
    text = clean(pasted.reveal())
    if text.lower().endswith(".json"):
        return _from_file(Path(text).expanduser())
    if text.startswith("{") and kind_of(text) == "JSON":
        return _from_json(text)
    code, problem = check_token(text)
    if not problem:
        return {"grant_code": Secret(code)}
    return problem if problem.startswith(("is ", "has ")) else f"The pasted text is not a grant code: it {problem}."


def _from_file(path: Path) -> dict[str, Any] | str:
    if not path.is_file():
        return f"There is no file {path.name} in {path.absolute().parent}."
    try:
        return _from_json(path.read_bytes()[:65_536].decode("utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError):
        return f"{path.name} cannot be read as text."


def _from_json(text: str, name: str = "The JSON") -> dict[str, Any] | str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return f"{name} is not complete: it cannot be parsed as JSON."
    if not isinstance(found, dict) or not isinstance(found.get("code"), str):
        return f"{name} has no grant code: it is not the file that Generate Code offers for download."
    scope = found.get("scope")
    found = {**found, "scope": ",".join(map(str, scope)) if isinstance(scope, list) else scope}
    given = {field: found[key].strip() for key, field in _FIELDS.items() if isinstance(found.get(key), str)}
    given["grant_code"], problem = check_token(given["grant_code"])
    if problem:
        return f"The code in {name} {problem}."
    return {key: Secret(value) if key in _SECRETS else value for key, value in given.items() if value}


_SECRETS = ("client_secret", "grant_code")


def _from_query(text: str) -> dict[str, Any] | str:
    query = html.unescape(text).partition("?")[2] or html.unescape(text)
    fields = dict(parse_qsl(query.lstrip("#&")))
    if "error" in fields and "code" not in fields:
        return "The address says that access was refused, so it has no grant code."
    code, problem = check_token(fields.get("code", ""))
    return f"The code in the address {problem}." if problem else {"grant_code": Secret(code)}
