"""Any kind of frame as plain columns of Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...errors import PushError

__all__ = ["Table", "is_blank", "is_empty", "shortest_float", "table_of"]

_SHORT_FLOATS = ("float32", "float16", "float", "halffloat", "float[pyarrow]", "halffloat[pyarrow]")
_TABLES = ("polars.DataFrame", "pyarrow.Table", "pyarrow.RecordBatch")


@dataclass(frozen=True)
class Table:
    """Columns by name, each as long as `index`, the labels of the rows."""

    columns: Mapping[str, list[Any]]
    index: pd.Index[Any]

    def __len__(self) -> int:
        return len(self.index)

    def take(self, places: Sequence[int]) -> Table:
        """Only the rows at these places, in this order."""
        columns = {name: [cells[place] for place in places] for name, cells in self.columns.items()}
        return Table(columns, self.index[list(places)])


def table_of(frame: Any) -> Table:
    """A pandas, polars or Arrow frame, or a list of dicts, as a `Table`.

    Raises:
        PushError: it is something else, or a column stands twice.

    Example::

        >>> table_of([{"Last_Name": "Li"}]).columns
        {'Last_Name': ['Li']}
    """
    kind = f"{type(frame).__module__.split('.')[0]}.{type(frame).__name__}"
    if isinstance(frame, pd.DataFrame):
        return _pandas(frame)
    if kind in _TABLES:
        _check_unique_columns(frame.columns if kind.startswith("polars") else frame.schema.names)
        columns = frame.to_dict(as_series=False) if kind.startswith("polars") else frame.to_pydict()
        types = (
            frame.schema.items()
            if kind.startswith("polars")
            else zip(frame.schema.names, frame.schema.types, strict=True)
        )
        columns |= {name: _shortest(columns[name]) for name, kind in types if str(kind).lower() in _SHORT_FLOATS}
        return Table(columns, pd.RangeIndex(frame.shape[0] if hasattr(frame, "shape") else frame.num_rows))
    if isinstance(frame, (list, tuple)) and all(isinstance(row, Mapping) for row in frame):
        names = dict.fromkeys(name for row in frame for name in row)
        return Table({str(name): [row.get(name) for row in frame] for name in names}, pd.RangeIndex(len(frame)))
    raise PushError(
        f"A {type(frame).__name__} cannot be pushed.",
        hint="Pass a pandas, polars (collected) or Arrow table, or a list of dicts.",
    )


def _pandas(frame: pd.DataFrame) -> Table:
    names = [str(name) for name in frame.columns]
    _check_unique_columns(names)
    columns = {name: frame.iloc[:, place].astype(object).tolist() for place, name in enumerate(names)}
    types = zip(names, frame.dtypes, strict=True)
    columns |= {name: _shortest(columns[name]) for name, kind in types if str(kind).lower() in _SHORT_FLOATS}
    return Table(columns, frame.index)


def _shortest(cells: list[Any]) -> list[Any]:
    return [cell if is_empty(cell) else shortest_float(np.float32(cell)) for cell in cells]


def shortest_float(value: Any) -> float:
    """The float that prints like a numpy float: 1.1 for a float32 of 1.1, not 1.100000023841858.

    Example::

        >>> shortest_float(np.float32(1.1))
        1.1
    """
    return float(str(value))


def _check_unique_columns(names: Sequence[str]) -> None:
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise PushError(f"The column {twice} stands twice in the frame.", hint="Rename or drop one of them.")


def is_blank(value: Any) -> bool:
    """Whether a cell writes nothing: it is empty, or a text without characters.

    Example::

        >>> is_blank(""), is_blank(" ")
        (True, False)
    """
    return (type(value) is str and not value) or is_empty(value)


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT or pd.NA, of whatever library.

    Example::

        >>> is_empty(float("nan")), is_empty("")
        (True, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (str, int)) or hasattr(value, "__len__"):
        return False
    try:
        return bool(value != value)  # only what is not a number, or not a time, differs from itself
    except (ArithmeticError, TypeError, ValueError):  # a signalling NaN, an object that compares to nothing
        return False
