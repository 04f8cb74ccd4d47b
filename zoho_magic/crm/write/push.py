"""A push: a frame checked, turned into rows, written by the cheaper API, and a report with the result of every row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pandas as pd

from ...errors import QueryError, ZohoError
from ...http.backoff import wait_budget
from .. import limits
from ..metadata import Field, Metadata
from ..parallel import map_parallel
from ..progress import Progress
from ..read.record_query import CallCounter
from . import bulk_write
from . import records as calls
from .choices import resend_refused_choices
from .columns import check_columns
from .comparison import diff_frame
from .current_values import Records, find_records, read_records, readable_fields
from .input_table import Table, table_of
from .insert_history import InsertHistory
from .keeper import Keeper
from .kept_pushes import MAX_KEPT_ROWS
from .operation import ACTIONS, WriteOperation
from .planner import VIA, Route, choose_route
from .push_state import PushState
from .record_keys import is_always_new, is_repeatable, match_fields, record_keys
from .references import LookupClient, LookupCounter, resolve_references
from .report import PushReport, build_report
from .retry import Retry, RetryContext
from .row_messages import is_transient
from .row_result import FAILED, UNCHANGED, UNKNOWN, VALID, RowResult, aborted, not_sent, rejected
from .rows import Row, RowError, rows_of, with_target_module, writable
from .validation import check, with_values_named

__all__ = ["VIA", "PushOptions", "PushReport", "WriteClient", "diff", "push"]

_BULK_AUTOMATION_NOTE = "Zoho does not say whether bulk write runs workflows; calls (via='records') do."
SUPERSEDED = RowError(
    "SUPERSEDED", "not sent: a later row of the frame wrote the same record; push this row by itself if it should win"
)
_EVERY_ROW_FAILS = "MANDATORY_FIELDS_NOT_MAPPED"


class WriteClient(Protocol):
    """What a push needs of `CrmClient`, which imports this module."""

    @property
    def metadata(self) -> Metadata: ...

    @property
    def insert_history(self) -> InsertHistory: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...

    def request(self, method: str, path: str, **options: Any) -> Any: ...

    def max_concurrency(self) -> int: ...

    def users(self) -> Mapping[str, tuple[str, str]]: ...

    def coql(self, query: str, *, params: Mapping[str, Any], frame: Any, show: bool) -> Any: ...

    def upload_target(self) -> tuple[str, str]: ...

    def identity(self) -> tuple[str, str]: ...


@dataclass(frozen=True)
class PushOptions:
    """How rows are written.

    Attributes:
        via: auto, records or bulk.
        only_changes: whether rows that would change nothing are left out.
        keep: whether previous values are kept; None for updates, upserts and deletions up to `MAX_KEPT_ROWS` rows.
    """

    via: str = "auto"
    only_changes: bool = False
    keep: bool | None = None

    def keeps(self, operation: WriteOperation, rows: int) -> bool:
        """Whether the previous values of so many rows are kept."""
        return self.keep if self.keep is not None else operation.action != "insert" and rows <= MAX_KEPT_ROWS


def diff(client: WriteClient, frame: Any, operation: WriteOperation, progress: Progress) -> pd.DataFrame:
    """What a push would change, see `ZohoSession.push`."""
    _refuse_unknown_values(operation, "auto")
    table = table_of(frame)
    fields = _writable_fields(client.metadata, operation.module, table)
    operation = replace(operation, lookup_fields=match_fields(operation, fields))
    lookups, api = LookupCounter(client), CallCounter(client, progress.add)
    rows, warnings = _prepared(table, operation, fields, lookups)
    check(rows, operation, fields, list(table.index))
    sound = [row for row in rows if row.problem is None]
    found, current = _current_values(client, api, lookups, sound, operation, fields)
    changes = diff_frame(rows, found, current, fields, table.index, operation.action)
    counts = {kind: int(changes.loc[changes["action"] == kind].index.nunique()) for kind in changes["action"].unique()}
    changes.attrs = _attrs(operation, Route("diff", ""), warnings) | {"counts": counts}
    changes.attrs |= {"calls": api.calls + lookups.calls, "credits": api.credits + lookups.credits}
    return changes


def _current_values(
    client: WriteClient,
    api: CallCounter,
    lookups: LookupClient,
    rows: Sequence[Row],
    operation: WriteOperation,
    fields: Mapping[str, Field],
) -> tuple[dict[int, list[str]], Records]:
    """Which records the rows may change, and what the CRM holds of them."""
    width = client.max_concurrency() if len(rows) > limits.IDS_PER_CALL else 1
    found = find_records(rows, operation, lookups, width)
    names = (
        [each.name for each in fields.values() if not each.read_only]
        if operation.action == "delete"
        else list(dict.fromkeys(name for row in rows for name in row.data))
    )
    ids = [record for each in found.values() for record in each]
    names = readable_fields(names, fields)
    return found, read_records(api, operation.module, ids, names, width) if ids else {}


def push(
    client: WriteClient,
    frame: Any,
    operation: WriteOperation,
    *,
    options: PushOptions,
    dry_run: bool,
    progress: Progress,
) -> PushReport:
    """See `ZohoSession.push`; `progress` counts every row."""
    via = options.via
    _refuse_unknown_values(operation, via)
    table = table_of(frame)
    if not dry_run and len(table) > limits.WRITE_ROWS_PER_CALL:  # side by side, not one after the other
        list(map_parallel([lambda: client.metadata.fields(operation.module), client.max_concurrency], 2))
    fields = _writable_fields(client.metadata, operation.module, table)
    operation = replace(operation, lookup_fields=match_fields(operation, fields))
    if not dry_run:
        return PushRun(client, operation, options, progress, fields)(table, RetryContext(table, range(len(table))))
    lookups = LookupCounter(client)
    rows, warnings = _prepared(table, operation, fields, lookups)
    check(rows, operation, fields, list(table.index))
    warnings += _already_inserted(client, operation, table)
    results = [rejected(row.problem) if row.problem else RowResult(VALID, message=row.note) for row in rows]
    attrs = _attrs(operation, Route("dry run", ""), warnings) | {"calls": lookups.calls, "credits": lookups.credits}
    return build_report(results, table, attrs, None)


def _writable_fields(metadata: Metadata, module: str, table: Table) -> dict[str, Field]:
    """The module's fields; Zoho is asked again where a column is none of them, as it may be new."""
    known = metadata.fields(module)
    if any(name not in known and name.partition(".")[0] not in known for name in table.columns):
        known = metadata.refresh_fields(module)
    return writable(known)


def _prepared(
    table: Table, operation: WriteOperation, fields: Mapping[str, Field], client: LookupClient
) -> tuple[list[Row], list[str]]:
    """The rows to write, and what is said about the frame."""
    table, renamed = check_columns(with_target_module(table, fields), operation, fields, client)
    unseen: list[str] = []
    if operation.action != "delete":
        table, unseen = resolve_references(table, fields, client)
    rows, left_out = rows_of(table, operation, fields)
    new = sum(is_always_new(row, operation) for row in rows if not row.problem)
    finds = " or ".join(operation.lookup_fields)
    notes = [f"Rows without a value in {finds}: {new:,}. Each of them becomes a new record."] if new else []
    return rows, renamed + left_out + unseen + notes


class PushRun:
    """Pushes tables in one way; a report keeps it for `retry`."""

    def __init__(
        self,
        client: WriteClient,
        operation: WriteOperation,
        options: PushOptions,
        progress: Progress,
        fields: Mapping[str, Field],
    ) -> None:
        self._client, self._operation, self._options, self._via = client, operation, options, options.via
        self._progress, self._fields = progress, fields

    def __call__(self, table: Table, past: RetryContext) -> PushReport:
        """Push a table."""
        lookups = LookupCounter(self._client)
        rows, warnings = _prepared(table, self._operation, self._fields, lookups)
        for row in rows:
            row.problem = row.problem or (SUPERSEDED if self._is_superseded(row, past) else None)
        if len(past.positions) == len(past.first):
            warnings += _already_inserted(self._client, self._operation, table)
        api = CallCounter(self._client)
        results = {row.index: rejected(row.problem) if row.problem else not_sent("Not sent yet.") for row in rows}
        state = PushState(api, self._operation, self._progress, results, dict(past.jobs), set(past.maybe_written))
        sound = [row for row in rows if row.problem is None]
        keeper = Keeper(self._client, self._operation, table.index, self._fields)
        sound = self._compared(keeper, state, sound, lookups, warnings)
        route = self._written(state, sound, warnings)
        if state.halt_reason:
            warnings.insert(0, state.halt_reason)
        final = [with_values_named(state.results[row.index], row, self._fields) for row in rows]
        self._client.insert_history.record(self._operation, table, rows, final)
        undo = keeper.finish(rows, final, warnings)
        attrs = _attrs(self._operation, route, warnings)
        attrs |= {"calls": api.calls + lookups.calls, "credits": api.credits + lookups.credits}
        report = build_report(final, table, attrs, self._again(table, rows, state, past))
        report._undo = undo
        return report

    def _compared(
        self, keeper: Keeper, state: PushState, rows: list[Row], lookups: LookupClient, warnings: list[str]
    ) -> list[Row]:
        """The rows to send, after what they change was read and kept, as far as that is wanted."""
        keeps = self._options.keeps(self._operation, len(rows))
        reads = self._options.only_changes or (keeps and self._operation.action != "insert")
        new = [row for row in rows if row.index not in state.jobs]
        if reads and new:
            try:
                found, current = _current_values(
                    self._client, CallCounter(state.api), lookups, new, self._operation, self._fields
                )
            except ZohoError as error:
                if self._options.only_changes or self._options.keep:
                    raise
                warnings.append(f"Previous values were not kept, so this push cannot be undone: {error.args[0]}")
                return rows
            keeper.current, keeper.found = current, found
        if keeps:
            keeper.begin(new, warnings)
        return self._changing(keeper, state, rows) if self._options.only_changes else rows

    def _changing(self, keeper: Keeper, state: PushState, rows: list[Row]) -> list[Row]:
        unchanged = [row for row in rows if keeper.is_unchanged(row)]
        for row in unchanged:
            record = keeper.found[row.index][0]
            state.results[row.index] = RowResult(UNCHANGED, id=record, message="the record has these values already")
        left_out = {row.index for row in unchanged}
        return [row for row in rows if row.index not in left_out]

    def run_again(self, table: Table, past: RetryContext) -> PushReport:
        """The same, with a progress bar of its own."""
        with wait_budget(None), self._progress:
            return self(table, past)

    def _written(self, state: PushState, sound: Sequence[Row], warnings: list[str]) -> Route:
        route = Route("", "")
        state.progress.expect(len(sound))
        try:
            _poll_jobs(state, sound)
            new = [row for row in sound if row.index not in state.jobs]
            # What finds the records is a column even where no row has a value: bulk write wants it mapped.
            names = dict.fromkeys((*self._operation.match_fields, *(name for row in new for name in row.data)))
            columns = [self._fields[name] for name in names]
            route = choose_route(self._client, self._operation, self._via, columns, new)
            route = self._by(route, state, new, columns, warnings)
            resend_refused_choices(state, new, self._fields, self._client.max_concurrency)
        except KeyboardInterrupt:
            state.halt("Interrupted: report.retry() sends the rows that were not sent.")
        return route

    def _by(
        self, route: Route, state: PushState, rows: Sequence[Row], columns: Sequence[Field], warnings: list[str]
    ) -> Route:
        """Write, and tell which API it was in the end: where bulk write is refused, calls may still go."""
        if route.name == "bulk":
            refusal = bulk_write.write(state, rows, columns, route.upload_target)
            if refusal is None:
                warnings.append(_BULK_AUTOMATION_NOTE)
                return route
            if self._via == "bulk" or refusal.code == _EVERY_ROW_FAILS:
                state.settle(rows, [aborted(refusal)] * len(rows))
                return route
            route = Route("records", f"bulk write was refused: {refusal.args[0]} {refusal.hint}".strip())
            warnings.append(f"Went by calls, because {route.reason}")
        calls.write(state, rows, self._client.max_concurrency() if len(rows) > limits.WRITE_ROWS_PER_CALL else 1)
        return route

    def _again(self, table: Table, rows: Sequence[Row], state: PushState, past: RetryContext) -> Retry | None:
        past = replace(past, last_writers=self._last_writers(rows, state, past))
        places = [row.index for row in rows if self._is_retryable(row, state) and not self._is_superseded(row, past)]
        status = {row.index: state.results[row.index].status for row in rows}
        failed = [place for place in status if status[place] == FAILED]
        if not places and not failed:
            return None
        unclear = {place for place in status if status[place] == UNKNOWN}
        jobs = {place: job for place, job in state.jobs.items() if place in unclear}
        # A retry asks a known job what became of its rows, and sends nothing: what the job says is the first answer.
        lost = frozenset(unclear & (state.lost | (unclear - jobs.keys())))
        return Retry(self.run_again, table, places, failed, replace(past, jobs=jobs, maybe_written=lost))

    def _last_writers(self, rows: Sequence[Row], state: PushState, past: RetryContext) -> dict[tuple[str, str], int]:
        """What finds a record -> position, in the table that was pushed first, of the last row that wrote it."""
        writers = dict(past.last_writers)
        for row in rows:
            if state.results[row.index].status != FAILED:
                position = past.positions[row.index]
                for key in record_keys(row, self._operation):
                    writers[key] = max(position, writers.get(key, -1))
        return writers

    def _is_superseded(self, row: Row, past: RetryContext) -> bool:
        """Whether a later row of the frame wrote the same record: sent now, this one would undo that."""
        position = past.positions[row.index]
        return any(past.last_writers.get(key, -1) > position for key in record_keys(row, self._operation))

    def _is_retryable(self, row: Row, state: PushState) -> bool:
        result = state.results[row.index]
        if result.status == UNKNOWN:
            return row.index in state.jobs or is_repeatable(row, self._operation)
        return result.status == FAILED and is_transient(result.code)


def _poll_jobs(state: PushState, rows: Sequence[Row]) -> None:
    """Ask what became of the rows of jobs, instead of writing them."""
    by_job: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.index in state.jobs:
            by_job[state.jobs[row.index][0]].append(row)
    for job_id, its_rows in by_job.items():
        bulk_write.follow(state, job_id, its_rows)


def _already_inserted(client: WriteClient, operation: WriteOperation, table: Table) -> list[str]:
    count = client.insert_history.count(operation.module, operation.action, table)
    return [f"{count:,} of these rows are equal to rows that an earlier push inserted."] if count else []


def _attrs(operation: WriteOperation, route: Route, warnings: Sequence[str]) -> dict[str, Any]:
    return {
        "module": operation.module,
        "action": operation.action,
        "on": list(operation.match_fields),
        "api": route.name,
        "reason": route.reason,
        "warnings": list(warnings),
    }


def _refuse_unknown_values(operation: WriteOperation, via: str) -> None:
    if operation.action not in ACTIONS:
        raise QueryError(f"Unknown action {operation.action!r}.", hint=f"Use one of {', '.join(ACTIONS)}.")
    if via not in VIA:
        raise QueryError(f"Unknown value for `via`: {via!r}.", hint=f"Use one of {', '.join(VIA)}.")
    if operation.match_fields and operation.action != "upsert":
        raise QueryError(f"'on' is for an upsert, not for {operation.action}.", hint="Leave it out, or upsert.")
