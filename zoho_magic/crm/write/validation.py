"""A dry run: what metadata alone can say against a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..metadata import Field
from .record_keys import record_keys
from .rows import Row, RowError, WriteOperation

__all__ = ["check"]

_NOTHING = (None, "", "-None-")


def check(rows: Iterable[Row], order: WriteOperation, fields: Mapping[str, Field], labels: Sequence[Any]) -> None:
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
        row.problem = row.problem or _missing(row, order, required) or _invalid_value(row, fields)
        row.problem = row.problem or _duplicate(row, order, unique, seen, labels)


def _missing(row: Row, order: WriteOperation, required: Iterable[str]) -> RowError | None:
    absent = [name for name in required if row.data.get(name) in _NOTHING]
    emptied = [name for name in absent if name in row.data]
    if order.action == "delete" or not absent:
        return None
    if order.action == "insert" or emptied:
        name = (emptied or absent)[0]
        return RowError("MANDATORY_NOT_FOUND", "the field is required, and this row has no value for it", name)
    if order.action == "upsert":  # fine for a record that exists already
        row.note = f"a new record would lack {', '.join(absent)}"
    return None


def _invalid_value(row: Row, fields: Mapping[str, Field]) -> RowError | None:
    for name, value in row.data.items():
        problem = _too_long(value, fields[name]) or _no_choice(value, fields[name])
        if problem and name != "id":
            return RowError("INVALID_DATA", problem, name)
    return None


def _too_long(value: Any, field: Field) -> str:
    if not field.length:
        return ""
    if isinstance(value, str):
        size, what = len(value.removeprefix("-") if field.value_type in ("bigint", "long") else value), "characters"
    elif field.value_type == "integer" and isinstance(value, int):
        size, what = len(str(abs(value))), "digits"
    else:
        return ""
    return f"{size} {what}; at most {field.length} are allowed" if size > field.length else ""


def _no_choice(value: Any, field: Field) -> str:
    chosen = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    wrong = [
        item for item in chosen if field.picklist_values and isinstance(item, str) and item not in field.picklist_values
    ]
    return f"{wrong[0]!r} is none of the choices" if wrong else ""


def _duplicate(
    row: Row, order: WriteOperation, unique: Sequence[str], seen: dict[Any, int], labels: Sequence[Any]
) -> RowError | None:
    for key in record_keys(row, order) or record_keys(row, order, unique):
        first = seen.setdefault(key, row.index)
        if first != row.index:
            return RowError("DUPLICATE_DATA", f"the same {key[0]} as row {labels[first]}", key[0])
    return None
