"""A push: a frame checked, turned into rows, written by the better road, and a report on every row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from ...errors import PushError, QueryError
from ...progress import Progress
from ..metadata import Field, Metadata
from ..reading import Meter
from . import bulk_write, calls
from .cells import Unfit, record_id
from .checks import check
from .fates import VALID, Fate, refused, unsent
from .report import PushReport, report_of
from .rows import ACTIONS, Order, Row, rows_of
from .table import Table, table_of

__all__ = ["VIA", "Home", "PushReport", "push"]

VIA = ("auto", "records", "bulk")


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


def push(
    home: Home, frame: Any, order: Order, *, via: str, dry_run: bool, progress: Progress, places: Sequence[int] = ()
) -> PushReport:
    """See `ZohoSession.push`. `places` are the rows to write, by position; all without any."""
    _refuse_unknown(order, via)
    table = _only(table_of(frame), places)
    fields = home.metadata.fields(home.metadata.module(order.module).name)
    rows, warnings = rows_of(table, order, home.metadata, _Directory(home).id_of)
    if dry_run:
        check(rows, order, fields)
        fates = [refused(row.problem) if row.problem else Fate(VALID) for row in rows]
        return report_of(fates, table.index, _attrs(order, "dry run", warnings), None)
    return _pushed(home, frame, table, rows, order, via, warnings, progress)


def _pushed(
    home: Home,
    frame: Any,
    table: Table,
    rows: Sequence[Row],
    order: Order,
    via: str,
    warnings: list[str],
    progress: Progress,
) -> PushReport:
    sound = [row for row in rows if row.problem is None]
    fates = {row.place: refused(row.problem) if row.problem else unsent("Not sent yet.") for row in rows}
    api, columns = Meter(home), _columns(home.metadata.fields(order.module), sound)
    road, why = _road(order, via, columns, sound, home.scopes)
    progress.expect(len(sound))
    try:
        if road == "bulk":
            bulk_write.write(api, sound, order, columns, home.upload_hosts(), progress, fates)
        else:
            calls.write(api, sound, order, home.width(), progress, fates)
    except KeyboardInterrupt:
        warnings = [*warnings, "Interrupted: rows that were not sent are marked so; report.retry() sends them."]
    attrs = _attrs(order, road, warnings) | {"why": why, "calls": api.calls}

    def again(mended: Any, places: Sequence[int]) -> PushReport:
        return push(
            home, frame if mended is None else mended, order, via=via, dry_run=False, progress=progress, places=places
        )

    return report_of([fates[place] for place in range(len(rows))], table.index, attrs, again)


def _attrs(order: Order, road: str, warnings: Sequence[str]) -> dict[str, Any]:
    repeatable = order.action == "update" or (order.action == "upsert" and bool(order.on))
    return {
        "module": order.module,
        "action": order.action,
        "road": road,
        "repeatable": repeatable,
        "warnings": list(warnings),
    }


def _refuse_unknown(order: Order, via: str) -> None:
    if order.action not in ACTIONS:
        raise QueryError(f"There is no action {order.action!r}.", hint=f"Use one of {', '.join(ACTIONS)}.")
    if via not in VIA:
        raise QueryError(f"There is no road {via!r} for writing.", hint=f"Use one of {', '.join(VIA)}.")


def _only(table: Table, places: Sequence[int]) -> Table:
    if not places:
        return table
    if places[-1] >= len(table.index):
        raise PushError("The mended frame has fewer rows than the one that was pushed.", hint="Keep every row in it.")
    columns = {name: [cells[place] for place in places] for name, cells in table.columns.items()}
    return Table(columns, [table.index[place] for place in places])


def _columns(fields: Mapping[str, Field], rows: Sequence[Row]) -> list[Field]:
    names = dict.fromkeys(name for row in rows for name in row.data)
    return [fields[name] for name in names]


def _road(
    order: Order, via: str, columns: Sequence[Field], rows: Sequence[Row], scopes: Collection[str]
) -> tuple[str, str]:
    """records or bulk, and why."""
    cannot = bulk_write.carries(order, columns, rows) if via != "records" else ""
    if via == "bulk" and cannot:
        raise PushError(f"Not by this road: {cannot}.", hint="Use --via records.")
    if via != "auto":
        return via, "you chose it"
    jobs = -(-len(rows) // bulk_write.ROWS_A_FILE)
    by_calls, by_jobs = round(len(rows) * calls.CREDITS_A_ROW), jobs * bulk_write.CREDITS_A_JOB
    if by_jobs >= by_calls or cannot or not _opens_bulk(scopes):
        return "records", cannot or f"about {by_calls:,} API credits"
    return "bulk", f"{by_jobs:,} API credits instead of {by_calls:,}"


def _opens_bulk(scopes: Collection[str]) -> bool:
    lower = [scope.lower() for scope in scopes]
    return not lower or all(any(s.startswith(start) for s in lower) for start in ("zohocrm.bulk.", "zohofiles.files."))


class _Directory:
    """Finds users by e-mail address, asking for them only when an address is used."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def id_of(self, text: str) -> str:
        """The id for an address or an id. Raises Unfit."""
        if "@" not in text:
            return record_id(text)
        by_mail = {mail.lower(): user for user, (_, mail) in self._home.people().items()}
        found = by_mail.get(text.strip().lower())
        if found is None:
            raise Unfit("the e-mail address or id of a CRM user")
        return found
