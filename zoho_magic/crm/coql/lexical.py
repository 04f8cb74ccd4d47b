"""What can be said of COQL text before it is parsed: comments, quotes that are not closed, parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import QueryError

__all__ = ["Parameter", "check_text", "find_parameters", "locate"]

# A quoted text is one piece: what looks like a comment or a parameter inside it is text.
PIECES = re.compile(
    r"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | \$(?P<name>[A-Za-z_]\w*)
      | (?P<quote>['"])
      | (?P<comment>--|/\*|(?<!\w)\#|\#(?!\d))""",
    re.VERBOSE,
)
_INSIDE = re.compile(r"\$([A-Za-z_]\w*)")
_BEFORE_A_LIST = re.compile(r"\bin\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Parameter:
    """A `$name` in a query.

    Attributes:
        name: without the dollar sign.
        start, end: where it stands in the text.
        is_quoted: it stands inside quotes, where it is text and no parameter.
        is_list: it stands right after `in`, for all values at once.
    """

    name: str
    start: int
    end: int
    is_quoted: bool
    is_list: bool


def find_parameters(text: str) -> list[Parameter]:
    """Every `$name`, also those inside quotes.

    Example::

        >>> [(p.name, p.is_quoted, p.is_list) for p in find_parameters("a in $ids and b = '$x'")]
        [('ids', False, True), ('x', True, False)]
    """
    found = []
    for piece in PIECES.finditer(text):
        if piece["name"]:
            before = text[: piece.start()]
            found.append(Parameter(piece["name"], *piece.span(), False, bool(_BEFORE_A_LIST.search(before))))
        elif piece["text"]:
            names = _INSIDE.finditer(text, *piece.span())
            found += [Parameter(name[1], *name.span(), True, False) for name in names]
    return found


def check_text(text: str) -> None:
    """Raise QueryError for a comment or a quote that is not closed: Zoho can take neither."""
    for piece in PIECES.finditer(text):
        near = text[piece.start() : piece.start() + 40].partition("\n")[0]
        if piece["quote"]:
            raise QueryError(
                f"A quote is not closed {locate(text, piece.start())}: {near!r}.",
                hint="Double a quote inside text: 'O''Hara'; or put the text in the other quotes: \"O'Hara\".",
            )
        if piece["comment"]:
            raise QueryError(
                f"COQL has no comments, but one stands {locate(text, piece.start())}: {near!r}.", hint=_instead(piece)
            )


def _instead(piece: re.Match[str]) -> str:
    if piece["comment"] == "#":
        return "Delete it. For a custom view, write its id right after the module: Leads#554023000000093005."
    return "Delete it, from here to the end of the comment."


def locate(text: str, place: int) -> str:
    """A place in a text, for a message.

    Example::

        >>> locate("select id", 7)
        'at line 1, column 8'
    """
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    return f"at line {line}, column {column}"
