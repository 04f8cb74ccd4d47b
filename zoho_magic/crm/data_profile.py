"""What the records of a module hold, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

__all__ = ["profile_frame"]

TOP_VALUES = 3


def profile_frame(frame: pandas.DataFrame) -> pandas.DataFrame:
    """One row a column of the frame, with the frame's `attrs`: fill rate, distinct values, commonest ones, range."""
    import pandas as pd

    names = ["column", "dtype", "fill_rate", "distinct", "top", "minimum", "maximum"]
    found = pd.DataFrame([_row(str(name), frame[name]) for name in frame.columns], columns=names)
    found["fill_rate"] = found["fill_rate"].astype("Float64")
    found["distinct"] = found["distinct"].astype("Int64")
    found.attrs = dict(frame.attrs)
    return found


def _row(name: str, cells: pandas.Series[Any]) -> tuple[Any, ...]:
    import pandas as pd

    filled = cells.dropna()
    plain = filled.map(str) if filled.dtype == object else filled
    counts = plain.value_counts()
    top = [f"{value} ({count:,})" for value, count in counts.head(TOP_VALUES).items()]
    is_ordered = pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells)
    has_range = is_ordered and not pd.api.types.is_bool_dtype(cells) and len(filled) > 0
    low, high = (filled.min(), filled.max()) if has_range else (None, None)
    rate = round(len(filled) / len(cells), 4) if len(cells) else None
    return name, str(cells.dtype), rate, len(counts), top, low, high
