"""Rows and field metadata -> one typed Arrow table -> a DataFrame.

Types come from metadata, never from guessing, so an empty column and an empty result have theirs too. To add a field
type, add one line to `_KINDS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas

    from .crm.metadata import Field

__all__ = ["columns", "table", "to_pandas"]

_TEXT, _INTEGER, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_DATE, _MOMENT, _LIST = pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.list_(pa.string())

Read = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """One column of the frame: its name, the field it is read from, its Arrow type, how a JSON value becomes its."""

    name: str
    field: str
    type: pa.DataType
    read: Read


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _same(value: Any) -> Any:
    return value


def _part(key: str) -> Read:
    return lambda value: _text(value.get(key)) if isinstance(value, dict) else None


def _names(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [str(item.get("name")) if isinstance(item, dict) else str(item) for item in value]


_LOOKUP = (("", _TEXT, _part("name")), (".id", _TEXT, _part("id")))
_PERSON = (*_LOOKUP, (".email", _TEXT, _part("email")))

# Zoho's data_type -> the columns it becomes: suffix, Arrow type, how a value is read.
_KINDS: dict[str, tuple[tuple[str, pa.DataType, Read], ...]] = {
    "integer": (("", _INTEGER, _same),),
    "double": (("", _NUMBER, _same),),
    "currency": (("", _NUMBER, _same),),
    "percent": (("", _NUMBER, _same),),
    "boolean": (("", _FLAG, _same),),
    "date": (("", _DATE, _same),),
    "datetime": (("", _MOMENT, _same),),
    "event_reminder": (("", _MOMENT, _same),),
    "lookup": _LOOKUP,
    "multi_module_lookup": _LOOKUP,
    "profilelookup": _LOOKUP,
    "layout": _LOOKUP,
    "userlookup": _PERSON,
    "ownerlookup": _PERSON,
    "multiselectpicklist": (("", _LIST, _names),),
}
_JSON_ARRAY_OF_NAMES = (("", _LIST, _names),)
_PLAIN_TEXT = (("", _TEXT, _text),)


def columns(fields: Iterable[Field]) -> list[Column]:
    """The columns these fields become, in order: a lookup `X` gives `X` and `X.id`, a user also `X.email`."""
    return [
        Column(field.name + suffix, field.name, type_, read) for field in fields for suffix, type_, read in _kind(field)
    ]


def _kind(field: Field) -> tuple[tuple[str, pa.DataType, Read], ...]:
    # Tag says data_type text, but its value is an array of objects.
    if field.json_type == "jsonarray" and field.kind == "text":
        return _JSON_ARRAY_OF_NAMES
    return _KINDS.get(field.kind, _PLAIN_TEXT)


def table(rows: Sequence[dict[str, Any]], fields: Iterable[Field]) -> pa.Table:
    """An Arrow table of records as the CRM's JSON carries them; without rows it has the same columns and types."""
    found = columns(fields)
    arrays = [_array([column.read(row.get(column.field)) for row in rows], column.type) for column in found]
    return pa.Table.from_arrays(arrays, schema=pa.schema([(column.name, column.type) for column in found]))


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    # Arrow reads ISO 8601 with any offset, and converts to UTC, when it casts from text.
    return pa.array(values, _TEXT).cast(type_) if pa.types.is_timestamp(type_) else pa.array(values, type_)


def to_pandas(data: pa.Table) -> pandas.DataFrame:
    """A DataFrame: text as strings, integers Int64, numbers Float64, flags boolean, lists as Python lists."""
    import pandas as pd

    nullable = {
        _INTEGER: pd.Int64Dtype(),
        _NUMBER: pd.Float64Dtype(),
        _FLAG: pd.BooleanDtype(),
        _TEXT: pd.Series([], dtype=str if pd.__version__ >= "3" else "string").dtype,
    }
    frame: pd.DataFrame = data.to_pandas(types_mapper=nullable.get)
    for name, type_ in zip(data.schema.names, data.schema.types, strict=True):
        if type_ == _LIST:
            frame[name] = pd.Series(data.column(name).to_pylist(), index=frame.index, dtype=object)
    return frame
