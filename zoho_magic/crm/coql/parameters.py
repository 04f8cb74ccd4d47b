"""`$name` in a query becomes a literal, bound and escaped; nothing is ever pasted in as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from ...errors import QueryError
from .edits import Edit, apply_edits
from .lexical import check_text, find_parameters

__all__ = ["bind", "literal"]


def bind(text: str, parameters: Mapping[str, Any]) -> str:
    """The query with every `$name` outside quotes replaced by the literal of that parameter.

    Args:
        text: COQL.
        parameters: name -> str, int, float, Decimal, bool, date, datetime with a time zone, or a list of those.

    Raises:
        QueryError: a name is not there or stands inside quotes, a value has no literal in COQL, or the query has a
            comment or an open quote.

    Example::

        >>> bind("select id from Leads where Email = $email", {"email": "o'hara@example.com"})
        "select id from Leads where Email = 'o''hara@example.com'"
    """

    # A quote that is not closed would turn the value of a parameter inside out: into text of the query.
    check_text(text)
    used = []
    for parameter in find_parameters(text):
        if not parameter.is_quoted:
            used.append(parameter)
        elif parameter.name in parameters:
            raise _quoted(parameter.name)
    return apply_edits(text, [Edit(p.start, p.end, _bound(p.name, parameters)) for p in used])


def _quoted(name: str) -> QueryError:
    return QueryError(
        f"${name} stands inside quotes, where it is text and not the parameter.",
        hint="Leave out the quotes: a value brings its own. With more text around it, build the whole text in Python "
        "and bind that.",
    )


def _bound(name: str, parameters: Mapping[str, Any]) -> str:
    if name not in parameters:
        raise QueryError(f"The query uses ${name}, which is not defined.", hint=f"Set {name} in a cell above.")
    return literal(parameters[name], f"${name}")


def literal(value: Any, name: str = "the value") -> str:
    """A value as COQL writes it. Raises QueryError where it has no such form.

    Example::

        >>> literal(["a", "b"])
        "('a', 'b')"
    """
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)) and getattr(value, "ndim", 1) == 1:
        return _list(list(value), name)
    return _single(value, name)


def _single(value: Any, name: str) -> str:
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
    raise QueryError(
        f"{name} is {type(value).__name__}, which COQL has no literal for.",
        hint="Use text, a number, a date, a datetime with a time zone, or a list of those; for nothing: 'is null'.",
    )


def _plain(value: Any) -> Any:
    """numpy's and pandas' scalars as Python's own."""
    kind = type(value).__name__
    if kind == "Timestamp":
        return value.floor("us").to_pydatetime()
    if kind == "datetime64":
        return value.astype("datetime64[us]").item()
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _moment(value: datetime, name: str) -> str:
    if value != value:  # NaT
        raise QueryError(f"{name} is NaT.", hint="For nothing write 'is null'.")
    if value.tzinfo is None:
        raise QueryError(
            f"{name} is a datetime without a time zone.",
            hint="Say which one: value.replace(tzinfo=timezone.utc), or pandas tz_localize.",
        )
    # In UTC: an offset may have seconds, as local time had before there were time zones.
    return f"'{value.astimezone(timezone.utc).replace(microsecond=0).isoformat()}'"


def _number(value: Any, name: str) -> str:
    if not _is_finite(value):
        shown = "an integer of thousands of digits" if isinstance(value, Integral) else value
        raise QueryError(f"{name} is {shown}, which COQL has no literal for.", hint="For nothing write 'is null'.")
    if isinstance(value, Integral):
        return str(int(value))
    return format(value if isinstance(value, Decimal) else Decimal(str(float(value))), "f")


def _is_finite(value: Any) -> bool:
    """Whether it is a number that can be written down; a signaling NaN and an integer beyond any float are not."""
    try:
        return math.isfinite(value)
    except (ValueError, OverflowError):
        return False


def _list(values: list[Any], name: str) -> str:
    if not values:
        raise QueryError(f"{name} has 0 values; a list in COQL has at least one.", hint="Leave the condition out.")
    return "(" + ", ".join(_single(value, name) for value in values) + ")"
