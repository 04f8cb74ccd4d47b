"""Tables that are read in full: every row, and nothing where there is no value."""

from __future__ import annotations

import shutil
from typing import Any

import pandas as pd

__all__ = ["ReadableTable", "readable"]


MAX_TEXT_COLUMN = 40
"""Characters of a cell that a terminal shows; a page shows them all."""


class ReadableTable(pd.DataFrame):
    """A frame that shows all rows, empty cells as nothing and lists as words; its values stay as they are."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def __repr__(self) -> str:
        width = shutil.get_terminal_size().columns
        with pd.option_context("display.max_colwidth", MAX_TEXT_COLUMN):
            return _as_shown(self).to_string(index=False, line_width=width)

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return str(_as_shown(self).to_html(index=False, border=0, escape=True))


def readable(frame: pd.DataFrame) -> ReadableTable:
    """The frame, with its `attrs`, as a table that shows itself in full."""
    table = ReadableTable(frame)
    table.attrs = dict(frame.attrs)
    return table


def _as_shown(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([_cell(value) for value in frame[name]], dtype=object) for name in frame.columns}
    )


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} ({dtype})" for name, dtype in value.items())
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, (bool, type(pd.Series([True]).iloc[0]))):
        return "yes" if value else ""
    return str(value)
