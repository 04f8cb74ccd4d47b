"""A push: a frame checked, turned into rows, written by the cheaper API, and a report on every row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...errors import QueryError
from .. import limits
from ..metadata import Field, Metadata
from ..parallel import map_parallel
from ..progress import Progress
from ..read.record_query import CallCounter
from . import bulk_write
from . import records as calls
from .input_table import Table, table_of
from .insert_history import InsertHistory
from .planner import VIA, Route, choose_route
from .push_state import PushState
from .record_keys import is_repeatable, match_fields, record_keys
from .report import PushReport, build_report
from .retry import Retry, RetryContext
from .row_messages import is_transient
from .row_result import FAILED, UNKNOWN, VALID, RowResult, aborted, not_sent, rejected
from .rows import ACTIONS, Row, WriteOperation, rows_of, writable
from .validation import check

__all__ = ["VIA", "PushReport", "WriteClient", "push"]

_BULK_AUTOMATION_NOTE = "Zoho does not say whether bulk write runs workflows; calls (--via records) do."
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


def push(
    client: WriteClient, frame: Any, order: WriteOperation, *, via: str, dry_run: bool, progress: Progress
) -> PushReport:
    """See `ZohoSession.push`; `progress` is told of every row."""
    _refuse_unknown(order, via)
    table = table_of(frame)
    if not dry_run and len(table) > limits.WRITE_ROWS_PER_CALL:  # side by side, not one after the other
        list(map_parallel([lambda: client.metadata.fields(order.module), client.max_concurrency], 2))
    fields = writable(client.metadata.fields(order.module))
    order = replace(order, lookup_fields=match_fields(order, fields))
    if not dry_run:
        return PushRun(client, order, via, progress, fields)(table, RetryContext(table, range(len(table))))
    rows, warnings = rows_of(table, order, fields, client)
    check(rows, order, fields, list(table.index))
    warnings += _already_inserted(client, order, table)
    results = [rejected(row.problem) if row.problem else RowResult(VALID, message=row.note) for row in rows]
    return build_report(results, table, _attrs(order, Route("dry run", ""), warnings), None)


class PushRun:
    """Pushes tables in one way; a report keeps it for `retry`."""

    def __init__(
        self, client: WriteClient, order: WriteOperation, via: str, progress: Progress, fields: Mapping[str, Field]
    ) -> None:
        self._client, self._order, self._via, self._progress, self._fields = client, order, via, progress, fields

    def __call__(self, table: Table, past: RetryContext) -> PushReport:
        """Push a table."""
        rows, warnings = rows_of(table, self._order, self._fields, self._client)
        if len(past.positions) == len(past.first):
            warnings += _already_inserted(self._client, self._order, table)
        api = CallCounter(self._client)
        initial = {row.index: rejected(row.problem) if row.problem else not_sent("Not sent yet.") for row in rows}
        writing = PushState(api, self._order, self._progress, initial, dict(past.jobs), set(past.maybe_written))
        route = self._written(writing, [row for row in rows if row.problem is None], warnings)
        if writing.halt_reason:
            warnings.insert(0, writing.halt_reason)
        results = [writing.results[row.index] for row in rows]
        if self._order.action == "insert":
            self._client.insert_history.record(self._order.module, table, results)
        attrs = _attrs(self._order, route, warnings) | {"calls": api.calls, "credits": api.credits}
        again = self._again(table, rows, writing, past)
        return build_report(results, table, attrs, again)

    def run_again(self, table: Table, past: RetryContext) -> PushReport:
        """The same, with a progress bar of its own."""
        with self._progress:
            return self(table, past)

    def _written(self, writing: PushState, sound: Sequence[Row], warnings: list[str]) -> Route:
        route = Route("", "")
        writing.progress.expect(len(sound))
        try:
            _poll_jobs(writing, sound)
            new = [row for row in sound if row.index not in writing.jobs]
            # What finds the records is told even where no row says it: bulk write wants it mapped.
            names = dict.fromkeys((*self._order.match_fields, *(name for row in new for name in row.data)))
            columns = [self._fields[name] for name in names]
            route = choose_route(self._client, self._order, self._via, columns, new)
            route = self._by(route, writing, new, columns, warnings)
        except KeyboardInterrupt:
            writing.halt("Interrupted: report.retry() sends the rows that were not sent.")
        return route

    def _by(
        self, route: Route, writing: PushState, rows: Sequence[Row], columns: Sequence[Field], warnings: list[str]
    ) -> Route:
        """Write by the route, and return the one used: where bulk write is refused, the Records API may still serve."""
        if route.name == "bulk":
            refusal = bulk_write.write(writing, rows, columns, route.upload_target)
            if refusal is None:
                warnings.append(_BULK_AUTOMATION_NOTE)
                return route
            if self._via == "bulk" or refusal.code == _EVERY_ROW_FAILS:
                writing.settle(rows, [aborted(refusal)] * len(rows))
                return route
            route = Route("records", f"bulk write was refused: {refusal.args[0]} {refusal.hint}".strip())
            warnings.append(f"Went by calls, because {route.reason}")
        calls.write(writing, rows, self._client.max_concurrency() if len(rows) > limits.WRITE_ROWS_PER_CALL else 1)
        return route

    def _again(self, table: Table, rows: Sequence[Row], writing: PushState, past: RetryContext) -> Retry | None:
        overtaken = self._superseded_rows(rows, writing)
        places = [row.index for row in rows if row.index not in overtaken and self._is_retryable(row, writing)]
        status = {row.index: writing.results[row.index].status for row in rows}
        failed = [place for place in status if status[place] == FAILED]
        if not places and not failed:
            return None
        unclear = {place for place in status if status[place] == UNKNOWN}
        jobs = {place: job for place, job in writing.jobs.items() if place in unclear}
        # A retry asks a known job what became of its rows, and sends nothing: what the job says is the first answer.
        lost = frozenset(unclear & (writing.lost | (unclear - jobs.keys())))
        return Retry(self.run_again, table, places, failed, replace(past, jobs=jobs, maybe_written=lost))

    def _superseded_rows(self, rows: Sequence[Row], writing: PushState) -> set[int]:
        """Rows after which another one wrote the same record: sent again, they would undo that."""
        written: set[tuple[str, str]] = set()
        overtaken = set()
        for row in reversed(rows):
            keys = record_keys(row, self._order)
            if not written.isdisjoint(keys):
                overtaken.add(row.index)
            if writing.results[row.index].status != FAILED:
                written.update(keys)
        return overtaken

    def _is_retryable(self, row: Row, writing: PushState) -> bool:
        result = writing.results[row.index]
        if result.status == UNKNOWN:
            return row.index in writing.jobs or is_repeatable(row, self._order)
        return result.status == FAILED and is_transient(result.code)


def _poll_jobs(writing: PushState, rows: Sequence[Row]) -> None:
    """Ask what became of the rows of jobs, instead of writing them."""
    by_job: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.index in writing.jobs:
            by_job[writing.jobs[row.index][0]].append(row)
    for job_id, its_rows in by_job.items():
        bulk_write.follow(writing, job_id, its_rows)


def _already_inserted(client: WriteClient, order: WriteOperation, table: Table) -> list[str]:
    count = client.insert_history.count(order.module, table) if order.action == "insert" else 0
    return [f"{count:,} of these rows are equal to rows that an earlier push inserted."] if count else []


def _attrs(order: WriteOperation, route: Route, warnings: Sequence[str]) -> dict[str, Any]:
    return {
        "module": order.module,
        "action": order.action,
        "on": list(order.match_fields),
        "api": route.name,
        "reason": route.reason,
        "warnings": list(warnings),
    }


def _refuse_unknown(order: WriteOperation, via: str) -> None:
    if order.action not in ACTIONS:
        raise QueryError(f"There is no action {order.action!r}.", hint=f"Use one of {', '.join(ACTIONS)}.")
    if via not in VIA:
        raise QueryError(f"Unknown value for `via`: {via!r}.", hint=f"Use one of {', '.join(VIA)}.")
    if order.match_fields and order.action != "upsert":
        raise QueryError(f"'on' is for an upsert, not for {order.action}.", hint="Leave it out, or upsert.")
