"""A dry run: what metadata alone can say against a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..metadata import Field
from .record_keys import keys_of
from .rows import Order, Problem, Row

__all__ = ["check"]

_NOTHING = (None, "", "-None-")


def check(rows: Iterable[Row], order: Order, fields: Mapping[str, Field], labels: Sequence[Any]) -> None:
    """Give every row that Zoho would refuse its problem: missing, too long, not a choice, twice.

    Args:
        rows: changed in place.
        order: what would be done.
        fields: of the module.
        labels: of the frame's rows, to name one by.

    Example::

        check(rows, Order("Leads", "insert"), metadata.fields("Leads"), frame.index)
    """
    required = [f.name for f in fields.values() if f.required and not f.read_only and f.name != "id"]
    unique = tuple(f.name for f in fields.values() if f.unique)
    seen: dict[Any, int] = {}
    for row in rows:
        row.problem = row.problem or _missing(row, order, required) or _unfit(row, fields)
        row.problem = row.problem or _twice(row, order, unique, seen, labels)


def _missing(row: Row, order: Order, required: Iterable[str]) -> Problem | None:
    absent = [name for name in required if row.data.get(name) in _NOTHING]
    emptied = [name for name in absent if name in row.data]
    if order.action == "delete" or not absent:
        return None
    if order.action == "insert" or emptied:
        name = (emptied or absent)[0]
        return Problem("MANDATORY_NOT_FOUND", "the field is required, and this row has no value for it", name)
    if order.action == "upsert":  # fine for a record that exists already
        row.note = f"a new record would lack {', '.join(absent)}"
    return None


def _unfit(row: Row, fields: Mapping[str, Field]) -> Problem | None:
    for name, value in row.data.items():
        problem = _too_long(value, fields[name]) or _no_choice(value, fields[name])
        if problem and name != "id":
            return Problem("INVALID_DATA", problem, name)
    return None


def _too_long(value: Any, field: Field) -> str:
    if not field.length:
        return ""
    if isinstance(value, str):
        size, what = len(value.removeprefix("-") if field.kind in ("bigint", "long") else value), "characters"
    elif field.kind == "integer" and isinstance(value, int):
        size, what = len(str(abs(value))), "digits"
    else:
        return ""
    return f"{size} {what}; at most {field.length} are allowed" if size > field.length else ""


def _no_choice(value: Any, field: Field) -> str:
    chosen = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    wrong = [item for item in chosen if field.choices and isinstance(item, str) and item not in field.choices]
    return f"{wrong[0]!r} is none of the choices" if wrong else ""


def _twice(
    row: Row, order: Order, unique: Sequence[str], seen: dict[Any, int], labels: Sequence[Any]
) -> Problem | None:
    for key in keys_of(row, order) or keys_of(row, order, unique):
        first = seen.setdefault(key, row.place)
        if first != row.place:
            return Problem("DUPLICATE_DATA", f"the same {key[0]} as row {labels[first]}", key[0])
    return None
