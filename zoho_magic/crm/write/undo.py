"""Undo of a push: previous values are written back, new records deleted, deleted ones restored from the recycle bin.

https://www.zoho.com/crm/developer/docs/api/v8/restore-recycle-bin-records.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import pandas as pd

from ...errors import PushError, ZohoError
from ...http.backoff import wait_budget
from ...http.responses import parse_json
from .. import limits
from ..api_version import API
from ..metadata import Field, Metadata
from ..progress import Progress
from ..read.record_query import CallCounter
from . import records as calls
from .choices import resend_refused_choices
from .comparison import changed_fields
from .current_values import Records, read_records, readable_fields
from .input_table import Table
from .kept_pushes import KeptPush, KeptRecord, load_kept, save_kept
from .operation import WriteOperation
from .push_state import PushState
from .report import PushReport, build_report
from .row_result import SKIPPED, SUCCEEDED, RowResult, from_error, from_results, not_sent
from .rows import TARGET_MODULE, Row, writable

__all__ = ["Undo", "undo_kept"]

_CUT_LENGTHS = range(500, 504)
"""Lengths at which Zoho's lists cut a rich text: such a value may not be the whole one."""


class UndoClient(Protocol):
    """What an undo needs of `CrmClient`."""

    @property
    def metadata(self) -> Metadata: ...

    def request(self, method: str, path: str, **options: Any) -> Any: ...

    def max_concurrency(self) -> int: ...


@dataclass
class Undo:
    """Undoes a push; records that were put back once are not touched again.

    Attributes:
        client: makes the calls.
        push: what was written.
        index: labels of the rows.
        is_saved: whether the push has a file.
    """

    client: UndoClient
    push: KeptPush
    index: pd.Index[Any]
    is_saved: bool

    def __call__(self, progress: Progress) -> PushReport:
        """See `PushReport.undo`."""
        left = [(place, each) for place, each in enumerate(self.push.records) if not each.undone]
        if not left:
            raise PushError("Every row of this push is undone already.")
        api = CallCounter(self.client)
        fields = writable(self.client.metadata.fields(self.push.module))
        run = _UndoRun(api, self.push.module, fields, self.client.max_concurrency(), progress)
        with wait_budget(None), progress:
            results = run.results([each for _, each in left])
        done = {place: result for (place, _), result in zip(left, results, strict=True) if result.status == SUCCEEDED}
        self._remember(done, run.warnings)
        attrs: dict[str, Any] = {"module": self.push.module, "action": "undo", "on": [], "api": "records", "reason": ""}
        attrs |= {"warnings": run.warnings, "calls": api.calls, "credits": api.credits}
        return build_report(results, Table({}, self.index[[place for place, _ in left]]), attrs, None)

    def _remember(self, done: Mapping[int, RowResult], warnings: list[str]) -> None:
        records = [replace(each, undone=each.undone or place in done) for place, each in enumerate(self.push.records)]
        self.push = self.push.with_records(records)
        if self.is_saved:
            try:
                save_kept(self.push)
            except OSError as error:
                warnings.append(f"The file of the kept push could not be updated: {error}.")


@dataclass
class _UndoRun:
    api: CallCounter
    module: str
    fields: Mapping[str, Field]
    width: int
    progress: Progress

    def __post_init__(self) -> None:
        self.warnings: list[str] = []
        self._results: dict[int, RowResult] = {}

    def results(self, records: Sequence[KeptRecord]) -> list[RowResult]:
        """The result of each record, in their order."""
        self.progress.expect(len(records))
        deleted = [(place, each) for place, each in enumerate(records) if each.action == "delete"]
        written = [(place, each) for place, each in enumerate(records) if each.action in ("insert", "update")]
        self._results = {
            place: RowResult(SKIPPED, message="not undone: it is not known what the push did")
            for place in range(len(records))
        }
        current = self._current([each for _, each in written])
        last = _last_written([each for _, each in written])
        sound = [pair for pair in written if self._is_untouched(*pair, current, last)]
        self._write("update", [self._previous_row(*pair) for pair in sound if pair[1].action == "update"])
        self._write("delete", [Row(place, {"id": each.id}) for place, each in sound if each.action == "insert"])
        for start in range(0, len(deleted), limits.RESTORE_IDS_PER_CALL):
            self._restore(deleted[start : start + limits.RESTORE_IDS_PER_CALL])
        return [self._results[place] for place in range(len(records))]

    def _current(self, records: Sequence[KeptRecord]) -> Records:
        names = dict.fromkeys(name for each in records for name in (*each.before, *each.written))
        ids = [each.id for each in records if each.id]
        return read_records(self.api, self.module, ids, readable_fields(names, self.fields), self.width) if ids else {}

    def _is_untouched(self, place: int, kept: KeptRecord, current: Records, last: Mapping[str, KeptRecord]) -> bool:
        """Whether the record is as the push left it; otherwise it is skipped, and its result says why."""
        record = current.get(kept.id)
        if record is None:
            why = "the record is gone" if kept.id else "its id is not known"
        elif kept.action == "update" and not kept.before:
            why = "its previous values were not kept"
        else:
            why = _change_since(last[kept.id], record, self.fields)
        if why:
            self._results[place] = RowResult(SKIPPED, id=kept.id, message=f"not undone: {why}")
        return not why

    def _previous_row(self, place: int, kept: KeptRecord) -> Row:
        data: dict[str, Any] = {"id": kept.id}
        lost = [name for name in kept.written if name not in (*kept.before, "id", TARGET_MODULE.name)]
        for name, value in kept.before.items():
            if isinstance(value, str) and self.fields[name].value_type == "textarea" and len(value) in _CUT_LENGTHS:
                lost.append(name)
            elif name in kept.written:
                data[name] = _for_writing(value, self.fields[name])
        if lost:
            told = f"Not put back, because lists of records do not carry the whole value: {', '.join(lost)}."
            self.warnings += [told] if told not in self.warnings else []
        return Row(place, data)

    def _write(self, action: str, rows: list[Row]) -> None:
        operation = WriteOperation(self.module, action, triggers=(), clear_empty=True)
        state = PushState(self.api, operation, self.progress, {row.index: not_sent("Not sent yet.") for row in rows})
        try:
            calls.write(state, rows, self.width)
            resend_refused_choices(state, rows, self.fields, lambda: self.width)
        except KeyboardInterrupt:
            state.halt("Interrupted: undo() again does the rest.")
        if state.halt_reason:
            self.warnings.append(state.halt_reason)
        self._results |= state.results

    def _restore(self, deleted: Sequence[tuple[int, KeptRecord]]) -> None:
        rows = [Row(place, {"id": each.id}) for place, each in deleted]
        body = {"ids": [row.data["id"] for row in rows]}
        path = f"{API}/settings/recycle_bin/actions/restore"
        try:
            answer = parse_json(self.api.request("POST", path, json=body, retry=False))
            found = from_results(answer.get("recycle_bin"), rows, "restore", self.module)
        except ZohoError as error:
            found = [from_error(error)] * len(rows)
        self._results |= {row.index: result for row, result in zip(rows, found, strict=True)}
        self.progress.add(len(rows))


def _last_written(records: Sequence[KeptRecord]) -> dict[str, KeptRecord]:
    """Record id -> what the last of its rows left: several rows of one push may write the same record."""
    last: dict[str, KeptRecord] = {}
    for each in records:
        before = last.get(each.id)
        written = {**(before.written if before else {}), **each.written}
        last[each.id] = replace(each, written=written, modified=each.modified if not before or before.modified else "")
    return last


def _change_since(kept: KeptRecord, record: Mapping[str, Any], fields: Mapping[str, Field]) -> str:
    if kept.modified and record.get("Modified_Time"):
        now = str(record["Modified_Time"])
        return "" if _instant(now) == _instant(kept.modified) else f"somebody changed the record since (at {now})"
    changed = changed_fields(Row(0, {**kept.written}), record, fields)
    listed = [name for name in changed if name in record]
    return f"somebody changed {', '.join(listed)} since" if listed else ""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _for_writing(value: Any, field: Field) -> Any:
    """A value as Zoho's list gave it, as its write calls take it."""
    if isinstance(value, Mapping) and "id" in value:
        return {key: value[key] for key in ("id", "module") if key in value}
    if isinstance(value, list):
        return [{"name": item["name"]} if isinstance(item, Mapping) and "name" in item else item for item in value]
    if value is None and field.json_type == "jsonarray":
        return []
    return value


class KeptClient(UndoClient, Protocol):
    """What undoing a kept push needs of `CrmClient`."""

    def identity(self) -> tuple[str, str]: ...


def undo_kept(client: KeptClient, name: str, progress: Progress) -> PushReport:
    """Undo the kept push of that name. Raises PushError where it belongs to another organisation."""
    push = load_kept(name)
    org = " ".join(client.identity())
    if push.org != org:
        raise PushError(
            f"The kept push {name!r} belongs to another organisation ({push.org}); this session is connected to {org}.",
            hint="Use the profile that pushed it.",
        )
    return Undo(client, push, pd.Index([each.label for each in push.records]), True)(progress)
