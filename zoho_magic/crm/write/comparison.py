"""What a push would change: the value of each cell that is written, beside the value that the CRM holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from ..metadata import Field
from .current_values import Records
from .rows import TARGET_MODULE, Row

__all__ = ["changed_fields", "diff_frame", "has_same_value"]

COLUMNS = ("id", "action", "field", "old", "new")
_EMPTY: tuple[Any, ...] = (None, "", "-None-", [])


def has_same_value(new: Any, old: Any, field: Field) -> bool:
    """Whether writing `new` would leave `old` as it is.

    Example::

        >>> has_same_value({"id": "5"}, {"name": "Li", "id": "5"}, Field("Owner", data_type="ownerlookup"))
        True
    """
    if new in _EMPTY or old in _EMPTY:
        return new in _EMPTY and old in _EMPTY
    return bool(_comparable(new, field) == _comparable(old, field))


def _comparable(value: Any, field: Field) -> Any:
    if isinstance(value, Mapping):
        return str(value.get("id") or value)
    if isinstance(value, list):
        return sorted(str(item.get("name") if isinstance(item, Mapping) else item) for item in value)
    if isinstance(value, bool):
        return value
    if field.value_type in ("integer", "double", "currency", "percent"):
        return float(value)
    if field.value_type == "datetime":
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    labels = dict(zip(field.picklist_labels, field.picklist_values, strict=True))
    return labels.get(str(value), str(value))


def changed_fields(row: Row, record: Mapping[str, Any], known: Mapping[str, Field]) -> list[str]:
    """The fields of a row whose value differs from the record's; one that the CRM did not show counts as changed."""
    return [
        name
        for name, new in row.data.items()
        if name not in ("id", TARGET_MODULE.name)
        and not (name in record and has_same_value(new, record[name], known[name]))
    ]


def diff_frame(
    rows: Sequence[Row],
    found: Mapping[int, Sequence[str]],
    current: Records,
    known: Mapping[str, Field],
    index: pd.Index[Any],
    action: str,
) -> pd.DataFrame:
    """One line for each cell that would change, one for each row that changes nothing; labelled as the frame.

    Columns, all text but old and new: id, action (insert, update, delete, unchanged, failed), field, old, new.
    """
    labels, lines = [], []
    for row in rows:
        for line in _lines(row, found.get(row.index, ()), current, known, action):
            labels.append(index[row.index])
            lines.append(line)
    names = pd.Index(labels, name=index.name)
    return pd.DataFrame(lines, index=names, columns=list(COLUMNS), dtype=object)


def _lines(
    row: Row, ids: Sequence[str], current: Records, known: Mapping[str, Field], action: str
) -> Iterator[tuple[Any, ...]]:
    record_id = next((each for each in ids if each in current), "")
    if row.problem is not None:
        yield record_id, "failed", row.problem.field, None, row.problem.message
    elif not record_id and action in ("update", "delete"):
        yield ids[0] if ids else "", "failed", "id", None, "there is no such record, or you may not see it"
    elif action == "delete":
        yield record_id, "delete", "", None, None
    elif not record_id:
        yield from (("", "insert", name, None, new) for name, new in row.data.items())
    else:
        names = changed_fields(row, current[record_id], known)
        old = current[record_id]
        yield from ((record_id, "update", name, old.get(name), row.data[name]) for name in names)
        if not names:
            yield record_id, "unchanged", "", None, None
