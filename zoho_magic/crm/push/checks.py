"""A dry run: what metadata alone can say against a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..metadata import Field
from .rows import Order, Problem, Row

__all__ = ["check", "key_of"]


def check(rows: Iterable[Row], order: Order, fields: Mapping[str, Field]) -> None:
    """Give every row that Zoho would refuse its problem: missing, too long, not a choice, twice on the upsert key.

    Example::

        check(rows, Order("Leads", "insert"), metadata.fields("Leads"))
    """
    required = [f.name for f in fields.values() if f.required and not f.read_only and f.name != "id"]
    seen: dict[Any, int] = {}
    for row in rows:
        row.problem = row.problem or _missing(row, order, required) or _unfit(row, fields) or _twice(row, order, seen)


def _missing(row: Row, order: Order, required: Iterable[str]) -> Problem | None:
    if order.action not in ("insert", "upsert"):
        return None
    name = next((name for name in required if row.data.get(name) in (None, "")), None)
    return Problem("MANDATORY_NOT_FOUND", "required field not found", name) if name else None


def _unfit(row: Row, fields: Mapping[str, Field]) -> Problem | None:
    for name, value in row.data.items():
        field = fields[name]
        if isinstance(value, str) and field.length and len(value) > field.length and name != "id":
            return Problem("INVALID_DATA", f"{len(value)} characters; at most {field.length} are allowed", name)
        chosen = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        wrong = [item for item in chosen if field.choices and isinstance(item, str) and item not in field.choices]
        if wrong:
            return Problem("INVALID_DATA", f"{wrong[0]!r} is none of the choices", name)
    return None


def _twice(row: Row, order: Order, seen: dict[Any, int]) -> Problem | None:
    key = key_of(row, order)
    if key is None:
        return None
    first = seen.setdefault(key, row.place)
    return None if first == row.place else Problem("DUPLICATE_DATA", f"the same as row {first}", order.on[0])


def key_of(row: Row, order: Order) -> Any:
    """What two rows must share to be the same record: the id, or the first `on` field that has a value."""
    if order.action in ("update", "delete"):
        return row.data.get("id")
    if order.action == "upsert":
        for name in order.on:
            if row.data.get(name) not in (None, ""):
                return name, str(row.data[name]).lower()
    return None
