"""A frame as rows to write: columns mapped to fields, cells to JSON, what cannot be said kept as the row's problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import PushError
from ..metadata import Field, Metadata, suggestion
from .cells import Unfit, record_id, written
from .table import Table, is_empty

__all__ = ["ACTIONS", "Order", "Problem", "Row", "rows_of"]

ACTIONS = ("insert", "update", "upsert", "delete")


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be written."""

    code: str
    message: str
    field: str = ""


@dataclass
class Row:
    """One row of the frame.

    Attributes:
        place: its position in the frame.
        data: what is sent.
        problem: why it is not sent, if it is not.
    """

    place: int
    data: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None


@dataclass(frozen=True)
class Order:
    """What to do with the rows.

    Attributes:
        module: API name.
        action: insert, update, upsert or delete.
        on: fields that find the record to upsert, first match first; () for Zoho's own choice.
        triggers: automations to run; None for all, () for none.
        clear_empty: whether an empty cell empties the field; otherwise it leaves the field alone.
    """

    module: str
    action: str
    on: tuple[str, ...] = ()
    triggers: tuple[str, ...] | None = None
    clear_empty: bool = False


Person = Callable[[str], str]


def rows_of(table: Table, order: Order, metadata: Metadata, person: Person) -> tuple[list[Row], list[str]]:
    """The rows, and what of the frame is left out.

    Args:
        table: the frame.
        order: what to do.
        metadata: the fields.
        person: e-mail address or id of a user -> id; raises Unfit.

    Raises:
        PushError: a column is no field, an id is a float, or the column that the action needs is missing.
    """
    known = metadata.fields(order.module)
    _refuse_missing(table, order, known)
    _refuse_float_ids(table)
    if order.action == "delete":
        return [_deletion(place, value) for place, value in enumerate(table.columns["id"])], []
    columns, left_out = _mapped(table, order, known)
    rows = [Row(place) for place in range(len(table.index))]
    for target, cells in columns:
        _fill(rows, cells, target, order, person)
    if order.action == "update":
        _demand_ids(rows)
    return rows, left_out


def _refuse_missing(table: Table, order: Order, known: Mapping[str, Field]) -> None:
    needed = ("id",) if order.action in ("update", "delete") else order.on
    for name in needed:
        if name not in known:
            meant = suggestion(name, {word: f.name for f in known.values() for word in (f.name, f.label)})
            raise PushError(f"{order.module} has no field {name!r}.{meant}", hint=f"%zoho_fields {order.module}")
        if name not in table.columns:
            raise PushError(
                f"To {order.action}, the frame needs the column {name!r}.",
                hint="Pull the records first: every frame that was pulled has 'id'." if name == "id" else "Add it.",
            )


def _refuse_float_ids(table: Table) -> None:
    for name, cells in table.columns.items():
        if name == "id" or name.endswith(".id"):
            found = next((cell for cell in cells if isinstance(cell, float) and not is_empty(cell)), None)
            if found is not None:
                raise PushError(
                    f"The column {name!r} holds floats: record ids have 18 or 19 digits, and a float loses the last.",
                    hint="Read ids as text (dtype=str) where they come from; pull them again if they are lost.",
                )


def _deletion(place: int, value: Any) -> Row:
    try:
        return Row(place, {"id": record_id(value)})
    except Unfit as unfit:
        return Row(place, {}, Problem("INVALID_DATA", f"id: expected {unfit}", "id"))


def _mapped(table: Table, order: Order, known: Mapping[str, Field]) -> tuple[list[tuple[Field, list[Any]]], list[str]]:
    """Which column writes which field: `X.id` stands for the lookup X, whose name beside it is not needed."""
    columns: list[tuple[Field, list[Any]]] = []
    left_out: list[str] = []
    for name, cells in table.columns.items():
        base, _, part = name.rpartition(".")
        if base in known and part in ("id", "email") and f"{base}.id" in table.columns and part == "email":
            continue
        target = known.get(base if base in known and part in ("id", "email") else name)
        if target is None:
            raise _unknown(name, order.module, known)
        if name in known and f"{name}.id" in table.columns:
            continue
        if target.read_only and target.name != "id":
            left_out.append(name)
        elif target.name != "id" or order.action == "update":
            columns.append((target, cells))
    notes = [f"Zoho does not let anyone write {', '.join(left_out)}; left out."] if left_out else []
    if order.action in ("insert", "upsert") and "id" in table.columns:
        notes.append(f"The ids in the frame play no part in an {order.action}.")
    return columns, notes


def _unknown(name: str, module: str, known: Mapping[str, Field]) -> PushError:
    meant = suggestion(name, {word: f.name for f in known.values() for word in (f.name, f.label)})
    return PushError(
        f"{module} has no field {name!r}.{meant}", hint="Rename the column to the field's API name, or drop it."
    )


def _fill(rows: Iterable[Row], cells: Sequence[Any], target: Field, order: Order, person: Person) -> None:
    for row, cell in zip(rows, cells, strict=True):
        if is_empty(cell):
            if order.clear_empty and target.name != "id":
                row.data[target.name] = None
            continue
        try:
            row.data[target.name] = _cell(cell, target, person)
        except Unfit as unfit:
            row.problem = row.problem or Problem("INVALID_DATA", f"{target.name}: expected {unfit}", target.name)


def _cell(cell: Any, target: Field, person: Person) -> Any:
    if target.name == "id":
        return record_id(cell)
    if target.data_type in ("ownerlookup", "userlookup") and isinstance(cell, str):
        return {"id": person(cell)}
    return written(cell, target)


def _demand_ids(rows: Iterable[Row]) -> None:
    for row in rows:
        if "id" not in row.data and row.problem is None:
            row.problem = Problem("MANDATORY_NOT_FOUND", "a row to update needs the id of its record", "id")
