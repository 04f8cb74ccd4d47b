"""Cells of formats that are not typed: CSV and Excel."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["MAX_CELL_CHARACTERS", "excel_value", "text_table"]

_STARTS_A_FORMULA = r"^[=+\-@\t\r]"
MAX_CELL_CHARACTERS = 32_767
_EXCEL_EPOCH = datetime(1900, 3, 1)  # earlier days are off by one in Excel
_EXACT_NUMBER = 10**15
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def text_table(rows: pa.Table, *, safe: bool) -> pa.Table:
    """The rows as a CSV can hold them: lists as JSON, moments as ISO 8601 in UTC, days without a time.

    Args:
        rows: what a pull brings.
        safe: put an apostrophe before text that a spreadsheet would run as a formula.
    """
    columns = [_text_column(column, safe) for column in rows.columns]
    return pa.table(columns, names=rows.schema.names)


def _text_column(column: pa.ChunkedArray, safe: bool) -> pa.ChunkedArray:
    type_ = column.type
    if pa.types.is_list(type_):
        return pa.chunked_array([_as_json(chunk) for chunk in column.chunks], pa.string())
    if pa.types.is_timestamp(type_):
        pattern = "%Y-%m-%dT%H:%M:%SZ" if type_.tz else "%Y-%m-%d"
        return pc.strftime(column.cast(pa.timestamp("s", type_.tz), safe=False), pattern)
    if safe and pa.types.is_string(type_):
        return pc.if_else(pc.match_substring_regex(column, _STARTS_A_FORMULA), _quoted(column), column)
    return column


def _quoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise("'", column, "")


def _as_json(lists: pa.Array) -> pa.Array:
    values = (None if value is None else json.dumps(value, ensure_ascii=False) for value in lists.to_pylist())
    return pa.array(values, pa.string())


def excel_value(value: Any, notes: dict[str, int]) -> Any:
    """The value as an Excel cell holds it: no time zone (UTC), text that is too long cut, and each change counted.

    Args:
        value: a Python value of a row.
        notes: sentence about a kind of change -> how many cells.
    """
    if isinstance(value, datetime):
        return _excel_moment(value, notes)
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT_NUMBER:
        return str(value)  # Excel keeps 15 digits
    return _excel_text(value, notes) if isinstance(value, str) else value


def _excel_moment(value: datetime, notes: dict[str, int]) -> datetime | date | str:
    moment = value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if moment < _EXCEL_EPOCH:
        _count(notes, "dates before March 1900 are text, for Excel has none")
        return moment.isoformat()
    return moment if value.tzinfo else moment.date()


def _excel_text(text: str, notes: dict[str, int]) -> str:
    if _CONTROL.search(text):
        _count(notes, "cells lost control characters, which Excel refuses")
        text = _CONTROL.sub("", text)
    if len(text) > MAX_CELL_CHARACTERS:
        _count(notes, f"cells were cut to the {MAX_CELL_CHARACTERS:,} characters that Excel holds")
        text = text[:MAX_CELL_CHARACTERS]
    return text


def _count(notes: dict[str, int], sentence: str) -> None:
    notes[sentence] = notes.get(sentence, 0) + 1
