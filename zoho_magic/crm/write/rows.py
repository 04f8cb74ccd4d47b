"""A frame as rows to write: columns mapped to fields, cells to JSON, what cannot be said kept as the row's problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import PushError
from ..metadata import Field, did_you_mean
from .cell_encoders import InvalidCellError, encoder_for, record_id
from .input_table import Table, is_blank, is_empty
from .references import LookupClient, resolve_references

__all__ = ["ACTIONS", "Row", "RowError", "WriteOperation", "rows_of", "writable"]

ACTIONS = ("insert", "update", "upsert", "delete")

_TARGET_MODULE = Field("$se_module", "Module of the record that What_Id names")
_NOTHING_TO_WRITE = "every cell of this row is empty: there is nothing to write (clear_empty=True empties the fields)"


@dataclass(frozen=True)
class RowError:
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
        grows: whether sending it twice would add something twice (rows of a subform, links to other records).
        note: what a dry run has to say about a row that can be written.
    """

    index: int
    data: dict[str, Any] = field(default_factory=dict)
    problem: RowError | None = None
    is_append: bool = False
    note: str = ""


@dataclass(frozen=True)
class WriteOperation:
    """What to do with the rows.

    Attributes:
        module: API name.
        action: insert, update, upsert or delete.
        on: fields that find the record to upsert, first match first; () for Zoho's own choice.
        triggers: automations to run; None for all, () for none.
        clear_empty: whether an empty cell empties the field; otherwise it leaves the field alone.
        finds: every field that may find the record of an upsert: `on`, or those Zoho chooses from.
    """

    module: str
    action: str
    match_fields: tuple[str, ...] = ()
    triggers: tuple[str, ...] | None = None
    clear_empty: bool = False
    lookup_fields: tuple[str, ...] = ()


def writable(known: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of a module, and with a lookup to several modules the key that names the module it points into."""
    several = any(each.value_type == "multi_module_lookup" for each in known.values())
    return {**known, **({_TARGET_MODULE.name: _TARGET_MODULE} if several else {})}


def rows_of(
    table: Table, order: WriteOperation, known: Mapping[str, Field], client: LookupClient
) -> tuple[list[Row], list[str]]:
    """The rows, and what of the frame is left out.

    Args:
        table: the frame.
        order: what to do.
        known: the module's fields, as `writable` gives them.
        client: looks up records and users that are named otherwise than by id.

    Raises:
        PushError: a column is no field, an id is a float, or the column that the action needs is missing.
    """
    _refuse_missing(table, order, known)
    _refuse_float_ids(table)
    if order.action == "delete":
        return [_deletion(place, value) for place, value in enumerate(table.columns["id"])], []
    table, unseen = resolve_references(table, known, client)
    columns, left_out = _mapped(table, order, known)
    rows = [Row(place) for place in range(len(table))]
    for target, cells in columns:
        _fill(rows, cells, target, order)
    for row in rows:
        row.problem = row.problem or _missing_id_or_data(row, order)
    return rows, left_out + unseen


def _refuse_missing(table: Table, order: WriteOperation, known: Mapping[str, Field]) -> None:
    for name in ("id",) if order.action in ("update", "delete") else order.match_fields:
        if name not in known:
            meant = did_you_mean(name, {word: f.name for f in known.values() for word in (f.name, f.label)})
            raise PushError(f"{order.module} has no field {name!r}.{meant}", hint=f"%zoho_fields {order.module}")
        if order.action == "upsert" and known[name].read_only:
            raise PushError(
                f"An upsert cannot find records by {name!r}: nobody can write it, so new records would not have it.",
                hint="Use --update with the column id, or --upsert --on a field that can be written.",
            )
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
    if is_blank(value):
        return Row(place, {}, RowError("MANDATORY_NOT_FOUND", "a row to delete needs the id of its record", "id"))
    try:
        return Row(place, {"id": record_id(value)})
    except InvalidCellError as error:
        return Row(place, {}, RowError("INVALID_DATA", f"id: expected {error}", "id"))


def _mapped(
    table: Table, order: WriteOperation, known: Mapping[str, Field]
) -> tuple[list[tuple[Field, list[Any]]], list[str]]:
    """Which column writes which field, and what is said about columns that write none."""
    columns: list[tuple[Field, list[Any]]] = []
    left_out: list[str] = []
    for name, cells in table.columns.items():
        target = known.get(name)
        if target is None:
            raise _unknown(name, order.module, known)
        if target.read_only and target.name != "id":
            left_out.append(name)
        elif target.name != "id" or order.action == "update":
            columns.append((target, cells))
    notes = [f"Zoho does not let anyone write {', '.join(left_out)}; left out."] if left_out else []
    if order.action in ("insert", "upsert") and "id" in table.columns:
        notes.append(f"The ids in the frame play no part in an {order.action}.")
    return columns, notes


def _unknown(name: str, module: str, known: Mapping[str, Field]) -> PushError:
    meant = did_you_mean(name, {word: f.name for f in known.values() for word in (f.name, f.label)})
    return PushError(
        f"{module} has no field {name!r}.{meant}", hint="Rename the column to the field's API name, or drop it."
    )


def _fill(rows: Iterable[Row], cells: Sequence[Any], target: Field, order: WriteOperation) -> None:
    clears = order.clear_empty and target.name != "id" and target is not _TARGET_MODULE
    grows = target.json_type == "jsonarray" and target.value_type not in ("multiselectpicklist", "text", "tag")
    write = _writer(target)
    for row, cell in zip(rows, cells, strict=True):
        if is_blank(cell):
            if clears:
                row.data[target.name] = None
            continue
        try:
            if isinstance(cell, InvalidCellError):
                raise cell
            row.data[target.name] = write(cell)
        except InvalidCellError as error:
            row.problem = row.problem or RowError("INVALID_DATA", f"{target.name}: expected {error}", target.name)
        else:
            row.is_append = row.is_append or grows


def _writer(target: Field) -> Callable[[Any], Any]:
    return record_id if target.name == "id" else encoder_for(target)


def _missing_id_or_data(row: Row, order: WriteOperation) -> RowError | None:
    if order.action == "update" and "id" not in row.data:
        return RowError("MANDATORY_NOT_FOUND", "a row to update needs the id of its record", "id")
    if row.data.keys() <= {"id", _TARGET_MODULE.name}:
        return RowError("MANDATORY_NOT_FOUND", _NOTHING_TO_WRITE)
    return None
