"""The recycle bin: deleted records stay 60 days, their trace 120."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from ..options import Options
from . import datetimes
from .answers import refusal
from .schema import Module
from .serialization import UserView

__all__ = ["DeletedRecord", "RecycleBin"]

DAY = 86_400
IN_BIN, TRACE = 60 * DAY, 120 * DAY


@dataclass(frozen=True)
class DeletedRecord:
    """A record that was deleted."""

    id: int
    name: str | None
    created_by: int | None
    deleted_by: int
    when: int
    columns: tuple[tuple[str, Any], ...] = ()  # what a restore puts back


class RecycleBin:
    """What was deleted, by module."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rows: dict[str, list[DeletedRecord]] = {}
        self._lock = threading.Lock()

    def put(self, module: Module, row: DeletedRecord) -> None:
        """Remember a deleted record."""
        with self._lock:
            self._rows.setdefault(module.name, []).append(row)

    def take(self, module: Module, key: int, keep: bool) -> DeletedRecord:
        """A record that is being restored; it stays in the list with `keep`. Raises KeyError."""
        with self._lock:
            rows = self._rows.get(module.name, [])
            found = next((row for row in reversed(rows) if row.id == key and row.columns), None)
            if found is None:
                raise KeyError(key)
            if not keep:
                rows.remove(found)
            return found

    def list(self, module: Module, kind: str, now: int, since: str | None) -> list[tuple[DeletedRecord, str]]:
        """The module's deleted records with their type, latest first; `since` is an If-Modified-Since header."""
        earliest = max(now - TRACE, _since(since))
        found = [
            (row, "recycle" if row.when > now - IN_BIN else "permanent")
            for row in self._rows.get(module.name, ())
            if earliest <= row.when <= now - self._options.deleted_lag
        ]
        chosen = [each for each in found if kind in ("all", each[1])]
        return sorted(chosen, key=lambda each: (-each[0].when, -each[0].id))

    def show(self, each: tuple[DeletedRecord, str], view: UserView) -> dict[str, Any]:
        """One of them as the API shows it; of what is gone for good only the id, the time and the type are known."""
        row, kind = each
        kept = kind == "recycle"
        return {
            "deleted_by": _name_and_id(view, row.deleted_by) if kept else None, "id": str(row.id),
            "display_name": row.name if kept else None, "type": kind,
            "created_by": _name_and_id(view, row.created_by) if kept else None,
            "deleted_time": datetimes.render(row.when, view.zone),
        }  # fmt: skip


def _name_and_id(view: UserView, user_id: int | None) -> dict[str, Any] | None:
    person = view.user(user_id)
    return person and {"name": person["name"], "id": person["id"]}


def _since(text: str | None) -> int:
    if not text:
        return 0
    try:
        return datetimes.parse(text)
    except ValueError:
        details = {"header_name": "If-Modified-Since"}
        message = "Please check whether the input values are correct"
        raise refusal("PATTERN_NOT_MATCHED", message, details) from None
