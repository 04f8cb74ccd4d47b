"""`$name` in a query becomes a literal, bound and escaped; nothing is ever pasted in as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from ..errors import QueryError

__all__ = ["bind", "literal"]

MOST_IN_A_LIST = 100

# A quoted string is taken as one piece, so that a dollar sign inside it stays what it is.
_PIECES = re.compile(r"'(?:[^']|'')*'|\$(?P<name>[A-Za-z_]\w*)")


def bind(text: str, parameters: Mapping[str, Any]) -> str:
    """The query with every `$name` outside quotes replaced by the literal of that parameter.

    Args:
        text: COQL.
        parameters: name -> str, int, float, Decimal, bool, date, datetime with a time zone, or a list of those.

    Raises:
        QueryError: a name is not there, or a value has no literal in COQL.

    Example::

        >>> bind("select id from Leads where Email = $email", {"email": "o'hara@example.com"})
        "select id from Leads where Email = 'o''hara@example.com'"
    """

    def replaced(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match.group()
        if name not in parameters:
            raise QueryError(f"The query uses ${name}, which is not defined.", hint=f"Set {name} in a cell above.")
        return literal(parameters[name], f"${name}")

    return _PIECES.sub(replaced, text)


def literal(value: Any, name: str = "the value") -> str:
    """A value as COQL writes it. Raises QueryError where it has no such form.

    Example::

        >>> literal(["a", "b"])
        "('a', 'b')"
    """
    value = _plain(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment(value, name)
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    if isinstance(value, (Integral, Decimal, Real)):
        return _number(value, name)
    if isinstance(value, Iterable):
        return _list(list(value), name)
    raise QueryError(
        f"{name} is {type(value).__name__}, which COQL has no literal for.",
        hint="Use text, a number, a date, a datetime with a time zone, or a list of those; for nothing: 'is null'.",
    )


def _plain(value: Any) -> Any:
    """numpy's and pandas' scalars as Python's own."""
    for method in ("to_pydatetime", "item"):
        if hasattr(value, method) and not hasattr(value, "__len__"):
            return getattr(value, method)()
    return value


def _moment(value: datetime, name: str) -> str:
    if value != value:  # NaT
        raise QueryError(f"{name} is NaT.", hint="For nothing write 'is null'.")
    if value.tzinfo is None:
        raise QueryError(
            f"{name} is a datetime without a time zone.",
            hint="Say which one: value.replace(tzinfo=timezone.utc), or pandas tz_localize.",
        )
    return f"'{value.replace(microsecond=0).isoformat()}'"


def _number(value: Any, name: str) -> str:
    if not math.isfinite(value):
        raise QueryError(f"{name} is {value}, which COQL has no literal for.", hint="For nothing write 'is null'.")
    return str(int(value)) if isinstance(value, Integral) else format(Decimal(str(value)), "f")


def _list(values: list[Any], name: str) -> str:
    if not 1 <= len(values) <= MOST_IN_A_LIST:
        raise QueryError(
            f"{name} has {len(values)} values; COQL takes 1 to {MOST_IN_A_LIST} in a list.",
            hint="Pull more and filter in pandas, or run the query once per hundred values.",
        )
    return "(" + ", ".join(literal(value, name) for value in values) + ")"
