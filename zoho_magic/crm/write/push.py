"""A push: a frame checked, turned into rows, written by the better road, and a report on every row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...errors import QueryError
from ..metadata import Field, Metadata
from ..parallel import side_by_side
from ..progress import Progress
from ..read.record_query import Meter
from . import bulk_write
from . import records as calls
from .input_table import Table, table_of
from .planner import VIA, Road, chosen
from .push_state import Writing
from .record_keys import finders, is_repeatable, keys_of
from .report import PushReport, report_of
from .retry import Again, Past
from .row_messages import is_passing
from .row_result import FAILED, UNKNOWN, VALID, Fate, refused, turned_away, unsent
from .rows import ACTIONS, Order, Row, rows_of, writable
from .user_directory import Directory
from .validation import check

__all__ = ["VIA", "Home", "PushReport", "push"]

_UNTOLD = "Zoho does not say whether bulk write runs workflows; calls (--via records) do."
_EVERY_ROW_FAILS = "MANDATORY_FIELDS_NOT_MAPPED"


class Home(Protocol):
    """What a push needs of a session."""

    @property
    def metadata(self) -> Metadata: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...

    def request(self, method: str, path: str, **options: Any) -> Any: ...

    def width(self) -> int: ...

    def people(self) -> Mapping[str, tuple[str, str]]: ...

    def upload_hosts(self) -> tuple[str, str]: ...


def push(home: Home, frame: Any, order: Order, *, via: str, dry_run: bool, progress: Progress) -> PushReport:
    """See `ZohoSession.push`; `progress` is told of every row."""
    _refuse_unknown(order, via)
    table = table_of(frame)
    if not dry_run and len(table) > calls.ROWS_A_CALL:  # at the same time what would be asked one after the other
        list(side_by_side([lambda: home.metadata.fields(order.module), home.width], 2))
    fields = writable(home.metadata.fields(order.module))
    order = replace(order, finds=finders(order, fields))
    if not dry_run:
        return _Push(home, order, via, progress, fields)(table, Past(range(len(table)), len(table)))
    rows, warnings = rows_of(table, order, fields, Directory(home.people).id_of)
    check(rows, order, fields, list(table.index))
    fates = [refused(row.problem) if row.problem else Fate(VALID, message=row.note) for row in rows]
    return report_of(fates, table, _attrs(order, Road("dry run", ""), warnings), None)


class _Push:
    """Pushes tables in one way; a report keeps it for `retry`."""

    def __init__(self, home: Home, order: Order, via: str, progress: Progress, fields: Mapping[str, Field]) -> None:
        self._home, self._order, self._via, self._progress, self._fields = home, order, via, progress, fields

    def __call__(self, table: Table, past: Past) -> PushReport:
        """Push a table."""
        rows, warnings = rows_of(table, self._order, self._fields, Directory(self._home.people).id_of)
        api = Meter(self._home)
        fates = {row.place: refused(row.problem) if row.problem else unsent("Not sent yet.") for row in rows}
        writing = Writing(api, self._order, self._progress, fates, dict(past.jobs), set(past.lost))
        road = self._written(writing, [row for row in rows if row.problem is None], warnings)
        if writing.why:
            warnings.append(writing.why)
        attrs = _attrs(self._order, road, warnings) | {"calls": api.calls, "credits": api.credits}
        again = self._again(table, rows, writing, past)
        return report_of([writing.fates[row.place] for row in rows], table, attrs, again)

    def once_more(self, table: Table, past: Past) -> PushReport:
        """The same, with a progress bar of its own."""
        with self._progress:
            return self(table, past)

    def _written(self, writing: Writing, sound: Sequence[Row], warnings: list[str]) -> Road:
        road = Road("", "")
        writing.progress.expect(len(sound))
        try:
            _follow(writing, sound)
            new = [row for row in sound if row.place not in writing.jobs]
            # What finds the records is told even where no row says it: bulk write wants it mapped.
            names = dict.fromkeys((*self._order.on, *(name for row in new for name in row.data)))
            columns = [self._fields[name] for name in names]
            road = chosen(self._home, self._order, self._via, columns, new)
            road = self._by(road, writing, new, columns, warnings)
        except KeyboardInterrupt:
            writing.halt("Interrupted: report.retry() sends the rows that were not sent.")
        return road

    def _by(
        self, road: Road, writing: Writing, rows: Sequence[Row], columns: Sequence[Field], warnings: list[str]
    ) -> Road:
        """Take the road, and tell which one it was in the end: where bulk write is refused, calls may still go."""
        if road.name == "bulk":
            refusal = bulk_write.write(writing, rows, columns, road.hosts)
            if refusal is None:
                warnings.append(_UNTOLD)
                return road
            if self._via == "bulk" or refusal.code == _EVERY_ROW_FAILS:
                writing.settle(rows, [turned_away(refusal)] * len(rows))
                return road
            road = Road("records", f"bulk write was refused: {refusal.args[0]} {refusal.hint}".strip())
            warnings.append(f"Went by calls, because {road.why}")
        calls.write(writing, rows, self._home.width() if len(rows) > calls.ROWS_A_CALL else 1)
        return road

    def _again(self, table: Table, rows: Sequence[Row], writing: Writing, past: Past) -> Again | None:
        overtaken = self._overtaken(rows, writing)
        places = [row.place for row in rows if row.place not in overtaken and self._may_repeat(row, writing)]
        status = {row.place: writing.fates[row.place].status for row in rows}
        failed = [place for place in status if status[place] == FAILED]
        if not places and not failed:
            return None
        unclear = {place for place in status if status[place] == UNKNOWN}
        jobs = {place: job for place, job in writing.jobs.items() if place in unclear}
        # A retry asks a known job what became of its rows, and sends nothing: what the job says is the first answer.
        lost = frozenset(unclear & (writing.lost | (unclear - jobs.keys())))
        return Again(self.once_more, table.at(places), places, failed, replace(past, jobs=jobs, lost=lost))

    def _overtaken(self, rows: Sequence[Row], writing: Writing) -> set[int]:
        """Rows after which another one wrote the same record: sent again, they would undo that."""
        written: set[tuple[str, str]] = set()
        overtaken = set()
        for row in reversed(rows):
            keys = keys_of(row, self._order)
            if not written.isdisjoint(keys):
                overtaken.add(row.place)
            if writing.fates[row.place].status != FAILED:
                written.update(keys)
        return overtaken

    def _may_repeat(self, row: Row, writing: Writing) -> bool:
        fate = writing.fates[row.place]
        if fate.status == UNKNOWN:
            return row.place in writing.jobs or is_repeatable(row, self._order)
        return fate.status == FAILED and is_passing(fate.code)


def _follow(writing: Writing, rows: Sequence[Row]) -> None:
    """Ask what became of the rows of jobs, instead of writing them."""
    by_job: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.place in writing.jobs:
            by_job[writing.jobs[row.place][0]].append(row)
    for job_id, its_rows in by_job.items():
        bulk_write.follow(writing, job_id, its_rows)


def _attrs(order: Order, road: Road, warnings: Sequence[str]) -> dict[str, Any]:
    return {
        "module": order.module,
        "action": order.action,
        "on": list(order.on),
        "road": road.name,
        "why": road.why,
        "warnings": list(warnings),
    }


def _refuse_unknown(order: Order, via: str) -> None:
    if order.action not in ACTIONS:
        raise QueryError(f"There is no action {order.action!r}.", hint=f"Use one of {', '.join(ACTIONS)}.")
    if via not in VIA:
        raise QueryError(f"There is no road {via!r} for writing.", hint=f"Use one of {', '.join(VIA)}.")
    if order.on and order.action != "upsert":
        raise QueryError(f"'on' is for an upsert, not for {order.action}.", hint="Leave it out, or upsert.")
