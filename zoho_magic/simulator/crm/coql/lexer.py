"""COQL text as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import unexpected

__all__ = ["Token", "tokens"]

PATTERN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d][\w$]*)
      | (?P<sign>->|>=|<=|!=|[=<>(),.\#*!])""",
    re.VERBOSE,
)
WORDS = {"select", "from", "where", "and", "or", "not", "in", "like", "is", "null", "between", "order", "group", "by",
         "limit", "offset", "as", "left", "join", "on", "asc", "desc"}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A piece of the query: `kind` is string, number, name, word (a keyword, `text` in lower case), sign or end."""

    kind: str
    text: str
    start: int
    line: int
    column: int
    raw: str


def tokens(text: str) -> list[Token]:
    """The tokens of a query, an `end` token last."""
    found, place = [], 0
    while place < len(text):
        match = PATTERN.match(text, place)
        if match is None:
            line, column = _position(text, place)
            raise unexpected(line, column, text[place])
        if match.lastgroup != "space":
            found.append(_token(text, match))
        place = match.end()
    line, column = _position(text, place)
    return [*found, Token("end", "", place, line, column, "")]


def _token(text: str, match: re.Match[str]) -> Token:
    kind, raw = match.lastgroup or "", match.group()
    line, column = _position(text, match.start())
    value = raw
    if kind == "string":
        value = raw[1:-1].replace(raw[0] * 2, raw[0])
    elif kind == "name" and raw.lower() in WORDS:
        kind, value = "word", raw.lower()
    return Token(kind, value, match.start(), line, column, raw)


def _position(text: str, place: int) -> tuple[int, int]:
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
