"""The history of tracked fields: one row a period that a record spent with one value."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from typing import Any

from ..demo import User
from ..org import Crm
from ..schema import Module
from ..store import quoted

__all__ = ["track"]

COPIED = ("Amount", "Probability", "Expected_Revenue", "Closing_Date", "Currency", "Exchange_Rate")
DAY = 86_400


def track(crm: Crm, module: Module, key: int, columns: dict[str, Any], user: User) -> None:
    """Close the record's open period and begin a new one, for each tracked field that these columns change."""
    for tracker in crm.schema.rows():
        if tracker.parent == module.name and tracker.tracks in columns:
            _begin_period(crm, module, tracker, key, columns[tracker.tracks], user)


def _begin_period(crm: Crm, module: Module, tracker: Module, key: int, value: Any, user: User) -> None:
    history, now = quoted(tracker.name), crm.now()
    where = f"{quoted(tracker.display)} = ? AND Moved_To__s IS NULL"
    newest = crm.store.read(
        f"SELECT id, {quoted(tracker.tracks)}, Modified_Time FROM {history} WHERE {where} ORDER BY id DESC LIMIT 1",
        (key,),
    )
    if newest and newest[0][1] == value:
        return
    for row, _value, since in newest:
        days = max(0, now - since) // DAY
        sql = f"UPDATE {history} SET Moved_To__s = ?, Stage_Duration_Calendar_Days = ? WHERE id = ?"
        crm.store.write(sql, (value, days, row))
    names = ", ".join(map(quoted, COPIED))
    [copied] = crm.store.read(f"SELECT {names} FROM {quoted(module.name)} WHERE id = ?", (key,))
    period = {"id": crm.store.new_id(tracker), tracker.display: key, tracker.tracks: value, "Modified_Time": now,
              "Modified_By": user.id, **dict(zip(COPIED, copied, strict=True))}  # fmt: skip
    marks = ", ".join("?" * len(period))
    crm.store.write(
        f"INSERT INTO {history} ({', '.join(map(quoted, period))}) VALUES ({marks})", tuple(period.values())
    )
