"""A frame as rows to write: columns mapped to fields, cells to JSON, what cannot be said kept as the row's problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..metadata import Field
from ..read.arrow import extra_columns
from .cell_encoders import InvalidCellError, encoder_for, record_id
from .input_table import Table, is_blank, is_empty
from .operation import WriteOperation

__all__ = ["TARGET_MODULE", "Row", "RowError", "rows_of", "shortened", "with_target_module", "writable"]

MAX_SHOWN_CHARACTERS = 80
_TEXTS = ("text", "phone", "picklist")
TARGET_MODULE = Field("$se_module", "Module of the record that What_Id names")
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
        index: its position in the frame.
        data: what is sent.
        problem: why it is not sent, if it is not.
        is_append: whether sending it twice would add something twice (rows of a subform, links to other records).
        note: what a dry run has to say about a row that can be written.
    """

    index: int
    data: dict[str, Any] = field(default_factory=dict)
    problem: RowError | None = None
    is_append: bool = False
    note: str = ""


def writable(known: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of a module, and with a lookup to several modules the key that names the module it points into."""
    several = any(each.value_type == "multi_module_lookup" for each in known.values())
    return {**known, **({TARGET_MODULE.name: TARGET_MODULE} if several else {})}


def with_target_module(table: Table, known: Mapping[str, Field]) -> Table:
    """The table with the column `What_Id.module` of a pull as the key `$se_module` that Zoho takes."""
    columns = dict(table.columns)
    for each in known.values():
        cells = columns.pop(f"{each.name}.module", None) if each.value_type == "multi_module_lookup" else None
        if cells is not None and not each.read_only:
            columns.setdefault(TARGET_MODULE.name, cells)
    return Table(columns, table.index)


def rows_of(table: Table, operation: WriteOperation, known: Mapping[str, Field]) -> tuple[list[Row], list[str]]:
    """The rows, and what of the frame is left out.

    Args:
        table: the frame, its columns checked and its lookups resolved to ids.
        operation: what to do.
        known: the module's fields, as `writable` gives them.
    """
    if operation.action == "delete":
        return _deletions(table), []
    columns, left_out = _mapped(table, operation, known)
    rows = [Row(place) for place in range(len(table))]
    for target, cells in columns:
        _fill(rows, cells, target, operation)
    for row in rows:
        row.problem = row.problem or _missing_id_or_data(row, operation)
    return rows, left_out


def _deletions(table: Table) -> list[Row]:
    rows = [_deletion(place, value) for place, value in enumerate(table.columns["id"])]
    first: dict[str, int] = {}
    for row in rows:
        before = first.setdefault(row.data.get("id", ""), row.index)
        if before != row.index and not row.problem:
            row.problem = RowError("INVALID_DATA", f"row {table.index[before]} deletes the same record", "id")
    return rows


def _deletion(place: int, value: Any) -> Row:
    if is_blank(value):
        return Row(place, {}, RowError("MANDATORY_NOT_FOUND", "a row to delete needs the id of its record", "id"))
    try:
        return Row(place, {"id": record_id(value)})
    except InvalidCellError as error:
        return Row(place, {}, RowError("INVALID_DATA", _expected("id", error, value), "id"))


def _mapped(
    table: Table, operation: WriteOperation, known: Mapping[str, Field]
) -> tuple[list[tuple[Field, list[Any]]], list[str]]:
    """Which column writes which field, and what is said about columns that write none."""
    columns: list[tuple[Field, list[Any]]] = []
    left_out: list[str] = []
    beside = {column for field in known.values() if field.read_only for column in extra_columns(field)}
    for name, cells in table.columns.items():
        target = known.get(name)
        if name in beside or target is None or (target.read_only and target.name != "id"):
            left_out.append(name)
        elif target.name != "id" or operation.action == "update":
            columns.append((target, cells))
    notes = [f"Zoho does not let anyone write {', '.join(left_out)}; left out."] if left_out else []
    notes += _notes_on_numbers(columns)
    if operation.action in ("insert", "upsert") and "id" in table.columns:
        notes.append(f"The ids in the frame play no part in an {operation.action}.")
    return columns, notes


def _notes_on_numbers(columns: Iterable[tuple[Field, list[Any]]]) -> list[str]:
    """A text field whose cells are all numbers: readers of CSV and Excel files make numbers of zip codes and phones."""
    names = [target.name for target, cells in columns if target.value_type in _TEXTS and _are_numbers(cells)]
    verb = "holds" if len(names) == 1 else "hold"
    advice = "leading zeros are lost if a file had them; read it with dtype=str"
    return [f"{', '.join(names)} {verb} numbers and is written as text: {advice}."] if names else []


def _are_numbers(cells: Iterable[Any]) -> bool:
    kinds = {type(cell) for cell in cells if not is_empty(cell)}
    return bool(kinds) and kinds <= {int, float}


def _fill(rows: Iterable[Row], cells: Sequence[Any], target: Field, operation: WriteOperation) -> None:
    clears = operation.clear_empty and target.name != "id" and target is not TARGET_MODULE
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
            row.problem = row.problem or RowError("INVALID_DATA", _expected(target.name, error, cell), target.name)
        else:
            row.is_append = row.is_append or grows


def _expected(name: str, error: InvalidCellError, value: Any) -> str:
    """What a field takes, and the value that it got instead; of a long one the beginning."""
    got = "" if isinstance(value, InvalidCellError) else f", not {shortened(value)}"
    return f"{name}: expected {error}{got}"


def shortened(value: Any) -> str:
    """A value as a message shows it.

    Example::

        >>> shortened("many")
        "'many'"
    """
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}..."


def _writer(target: Field) -> Callable[[Any], Any]:
    return record_id if target.name == "id" else encoder_for(target)


def _missing_id_or_data(row: Row, operation: WriteOperation) -> RowError | None:
    if operation.action == "update" and "id" not in row.data:
        return RowError("MANDATORY_NOT_FOUND", "a row to update needs the id of its record", "id")
    if row.data.keys() <= {"id", TARGET_MODULE.name}:
        return RowError("MANDATORY_NOT_FOUND", _NOTHING_TO_WRITE)
    return None
