"""The previous values of the records that a push writes: kept while it runs, and handed to its undo."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pandas as pd

from ...errors import ZohoError
from ..metadata import Field
from ..progress import Progress
from .comparison import changed_fields
from .current_values import Records
from .kept_pushes import KeptPush, KeptRecord, new_name, save_kept
from .operation import WriteOperation
from .report import PushReport
from .row_result import SUCCEEDED, UNKNOWN, RowResult
from .rows import Row
from .undo import Undo, UndoClient

__all__ = ["Keeper"]


class KeeperClient(UndoClient, Protocol):
    """What keeping values needs of `CrmClient`."""

    def identity(self) -> tuple[str, str]: ...


class Keeper:
    """Keeps what a push overwrites.

    Attributes:
        found: position of a row -> ids of the records that it may change, the most likely first.
        current: record id -> the values that the CRM held before the push.
    """

    def __init__(
        self, client: KeeperClient, operation: WriteOperation, index: pd.Index[Any], fields: Mapping[str, Field]
    ) -> None:
        self._client, self._operation, self._index, self._fields = client, operation, index, fields
        self.found: Mapping[int, Sequence[str]] = {}
        self.current: Records = {}
        self._file: KeptPush | None = None
        self._is_kept = False

    def is_unchanged(self, row: Row) -> bool:
        """Whether the record of a row has its values already; never for rows that append, or that add a record."""
        ids = self.found.get(row.index, ())
        record = self.current.get(ids[0]) if ids else None
        return record is not None and not row.is_append and not changed_fields(row, record, self._fields)

    def begin(self, rows: Sequence[Row], warnings: list[str]) -> None:
        """Write the file before the push, so that it is there whatever becomes of this process."""
        self._is_kept = True
        self._file = self._push([self._record(row, RowResult(UNKNOWN)) for row in rows])
        self._save(warnings)

    def finish(
        self, rows: Sequence[Row], results: Sequence[RowResult], warnings: list[str]
    ) -> Callable[[], PushReport] | None:
        """Add what Zoho did to the file, and give what undoes the push; None where values are missing for that."""
        pairs = [pair for pair in zip(rows, results, strict=True) if pair[1].status in (SUCCEEDED, UNKNOWN)]
        if not pairs or not (self._is_kept or self._operation.action == "insert"):
            return None
        name = self._file.name if self._file else ""
        push = self._push([self._record(row, result) for row, result in pairs], name)
        is_saved = self._file is not None
        if is_saved:
            self._file = push
            self._save(warnings)
        undo = Undo(
            self._client, self._file or push, self._index[[row.index for row, _ in pairs]], self._file is not None
        )
        return lambda: undo(Progress("Undoing", False))

    def _push(self, records: Sequence[KeptRecord], name: str = "") -> KeptPush:
        now = time.time()
        module = self._operation.module
        return KeptPush(name or new_name(module, now), module, self._operation.action, "", now, tuple(records))

    def _save(self, warnings: list[str]) -> None:
        if self._file is None:
            return
        try:
            org = " ".join(self._client.identity())
            self._file = replace(self._file, org=org)  # an undo saves it again
            save_kept(self._file)
        except (OSError, ZohoError) as error:
            self._file = None
            warnings.append(f"Previous values are kept in this kernel only, not in a file: {error}")

    def _record(self, row: Row, result: RowResult) -> KeptRecord:
        ids = self.found.get(row.index, ())
        record_id = result.id or str(row.data.get("id") or "") or (ids[0] if len(ids) == 1 else "")
        record = self.current.get(record_id, {})
        names = [name for name in record if name in self._fields and not self._fields[name].read_only]
        before = {name: record[name] for name in names}
        action = result.action or (self._operation.action if self._operation.action != "upsert" else "")
        if not action and record_id:
            action = "update"
        label = str(self._index[row.index])
        return KeptRecord(label, record_id, action, result.modified, before, dict(row.data))
