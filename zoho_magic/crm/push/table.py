"""Any kind of frame as plain columns of Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import PushError

__all__ = ["Table", "is_empty", "table_of"]


@dataclass(frozen=True)
class Table:
    """Columns by name, each as long as `index`, the labels of the rows."""

    columns: Mapping[str, list[Any]]
    index: Sequence[Any]


def table_of(frame: Any) -> Table:
    """A pandas, polars or Arrow frame, or a list of dicts, as a `Table`. Raises PushError for anything else.

    Example::

        >>> table_of([{"Last_Name": "Li"}]).columns
        {'Last_Name': ['Li']}
    """
    kind = f"{type(frame).__module__.split('.')[0]}.{type(frame).__name__}"
    if hasattr(frame, "to_dict") and hasattr(frame, "iloc"):
        return _pandas(frame)
    if kind in ("polars.DataFrame", "pyarrow.Table"):
        data = frame.to_dict(as_series=False) if kind.startswith("polars") else frame.to_pydict()
        return Table(data, range(len(next(iter(data.values()), []))))
    if isinstance(frame, Sequence) and all(isinstance(row, Mapping) for row in frame):
        names = dict.fromkeys(str(name) for row in frame for name in row)
        return Table({name: [row.get(name) for row in frame] for name in names}, range(len(frame)))
    raise PushError(
        f"A {type(frame).__name__} cannot be pushed.", hint="Pass a pandas, polars or Arrow table, or a list of dicts."
    )


def _pandas(frame: Any) -> Table:
    names = [str(name) for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PushError(f"The column {twice} stands twice in the frame.", hint="Rename or drop one of them.")
    columns = {name: frame.iloc[:, place].astype(object).tolist() for place, name in enumerate(names)}
    return Table(columns, list(frame.index))


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT or pd.NA.

    Example::

        >>> is_empty(float("nan")), is_empty("")
        (True, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value
