"""`sync`: a copy of a module made equal to Zoho, through updates, deletions, restores, field changes and kills.

1. The start is Zoho's clock, taken before anything is read. 2. What was modified since the last start, less a lookback.
3. What was deleted, asked afterwards. 4. Both and the new state in one transaction. 5. A count; where it differs, the
ids of all records are compared. 6. What does not move Modified_Time is read on a schedule. 7. A first read is committed
page by page. 8. Fields are told by their ids. 9. One writer, and only for the same organisation, filter and field list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyarrow as pa

from ..crm.metadata import Field
from ..crm.progress import Progress
from ..crm.read import arrow as frames
from ..crm.read import bulk_read as bulk
from ..crm.read import pull
from ..crm.read.record_query import CallCounter, RecordQuery
from ..crm.read.stream import CrmReader
from ..errors import ApiError, ConfigurationError, QueryError
from . import field_changes
from .copy import HISTORY_COLUMNS, Copy, check_replaceable, open_copy
from .duckdb_file import quote
from .field_changes import FieldChanges
from .merge import Counts, current, merge, name_users, take_fresh_columns
from .source import LOOKBACK, Source, zoho_time
from .state import SyncState
from .sync_options import SyncOptions
from .sync_report import SyncReport
from .target import Target

__all__ = ["Identity", "check_same", "sync"]

SWEEP_AFTER = timedelta(days=60)
"""A deleted record stays in the recycle bin so long; afterwards its trace tells less."""
REFRESH_AFTER = timedelta(hours=24)
TOKEN_LIFETIME = timedelta(hours=23)
"""Zoho keeps a page token for a day."""
MAX_BY_ID = 2_000
MAX_MISSING_SHARE = 200
VERSION = "1"


@dataclass(frozen=True)
class Identity:
    """Which organisation a session is connected to."""

    org: str
    data_centre: str


def sync(
    home: CrmReader,
    module: str,
    target: Target,
    options: SyncOptions,
    identity: Callable[[], Identity],
    progress: Progress,
) -> SyncReport:
    """Make the copy equal to the module; see `ZohoSession.sync`."""
    began = time.monotonic()
    with CallCounter(home) as api, open_copy(target, full=options.full) as copy:
        source = Source(home, api, home.metadata.module(module).name, options.where, options.via, progress)
        report = _run(copy, source, options, identity())
    return replace(report, path=target.text, seconds=time.monotonic() - began, calls=api.calls, credits=api.credits)


def _run(copy: Copy, source: Source, options: SyncOptions, identity: Identity) -> SyncReport:
    start = _now(source)
    state = copy.load_state()
    is_new = state is None or not state.cursor or options.full
    if state is not None and options.full:
        check_replaceable(state)
    if is_new:
        source.fields = _fields(source, options, None)
        state = _first_read(copy, source, _new_state(source, options, identity), state, start)
    assert state is not None
    check_same(state, source.module, options, identity)
    source.fields = source.fields or _fields(source, options, state)
    report = _update(copy, source, options, state, start, is_new)
    return replace(report, added=report.rows, changed=0, deleted=0) if is_new else report


def check_same(state: SyncState, module: str, options: SyncOptions, identity: Identity) -> None:
    """Raise ConfigurationError where the copy is of something else than what is asked for."""
    pairs = {
        "the module": (state.module, module),
        "the organisation": (state.org, identity.org),
        "the data centre": (state.data_centre, identity.data_centre),
        "where": (state.where, options.where),
        "fields": (state.chosen, options.fields),
        "history": (state.history, options.history or state.history),
    }
    different = [name for name, (before, now) in pairs.items() if before != now]
    if different:
        name = different[0]
        before, now = pairs[name]
        raise ConfigurationError(
            f"The copy was made with {name} {_text(before)}, not {_text(now)}.",
            hint="Ask as before, name another target, or write it anew with full=True (--full).",
        )


def _text(value: object) -> str:
    return "left out" if value in ("", None) else ", ".join(value) if isinstance(value, tuple) else repr(value)


def _fields(source: Source, options: SyncOptions, state: SyncState | None) -> tuple[Field, ...]:
    """The fields to keep; those that were chosen once are found by their ids, whatever they are called now."""
    known = source.home.metadata.fields(source.module)
    names = options.fields
    if names is not None and state is not None:
        by_id = {field.id: field.name for field in known.values() if field.id}
        kept = (by_id.get(field.id) if field.id else field.name for field in state.fields)
        names = tuple(name for name in kept if name in known)
    elif names is not None and "Modified_Time" in known:
        names = (*names, "Modified_Time")
    reading, notes = pull.build_record_query(
        source.home.metadata, source.module, fields=names, where=options.where or None
    )
    source.warn(note for note in notes if "converted" not in note.lower())
    return reading.fields


def _new_state(source: Source, options: SyncOptions, identity: Identity) -> SyncState:
    return SyncState(
        module=source.module,
        org=identity.org,
        data_centre=identity.data_centre,
        fields=tuple(map(field_changes.stored, source.fields)),
        chosen=options.fields,
        where=options.where,
        history=options.history,
        version=VERSION,
    )


# The first read


def _first_read(copy: Copy, source: Source, state: SyncState, before: SyncState | None, start: datetime) -> SyncState:
    """The whole module into a stage, page by page, which becomes the table."""
    reading = source.describe()
    query = bulk.describe_query(reading, source.home.metadata)
    stage = dict(before.stage) if before is not None else {}
    if not _is_usable(copy, stage, query, start):
        stage = {"query": query, "started": start.isoformat(), "token": "", "made": "", "done": ""}
        with copy.transaction():
            copy.create(copy.stage, frames.arrow_schema(reading.fields))
            _save_stage(copy, before or state, stage)
    if not stage["done"]:
        _fill_stage(copy, source, reading, before or state, stage)
    return _adopt_stage(copy, state, stage)


def _is_usable(copy: Copy, stage: dict[str, str], query: str, now: datetime) -> bool:
    """Whether a read that was interrupted can go on: the same question, and its page token is still alive."""
    if stage.get("query") != query or not (stage["token"] or stage["done"]):
        return False
    if not copy.exists(copy.stage.strip('"')):
        return False
    return now - datetime.fromisoformat(stage["made"]) < TOKEN_LIFETIME


def _save_stage(copy: Copy, state: SyncState, stage: dict[str, str]) -> None:
    copy.save_state(replace(state, stage=dict(stage)))


def _fill_stage(copy: Copy, source: Source, reading: RecordQuery, state: SyncState, stage: dict[str, str]) -> None:
    found = pull.make_plan(source.home, reading, source.via, source.api)
    if found.api == "bulk" or stage["token"]:
        source.progress.expect(found.rows)
        _fill_by_pages(copy, source, reading, state, stage)
        return
    with copy.transaction():  # few rows: all of them or none
        for rows in source.rows(reading):
            copy.insert(copy.stage, rows)
        stage |= {"done": "yes", "made": stage["started"]}
        _save_stage(copy, state, stage)


def _fill_by_pages(copy: Copy, source: Source, reading: RecordQuery, state: SyncState, stage: dict[str, str]) -> None:
    """Each page of 200,000 rows is committed with the token of the next one: a crash costs one page."""
    people = [each for each in reading.fields if frames.is_user_lookup(each)]
    users, _ = source.home.known_users()
    for rows, token, is_last in bulk.pages(source.api, reading, source.home.metadata, stage["token"], source.warnings):
        with copy.transaction():
            for part in rows:
                copy.insert(copy.stage, frames.fill_user_names(part, people, users))
                source.progress.add(len(part))
            stage |= {"token": token, "done": "yes" if is_last else "", "made": _now(source).isoformat()}
            stage["api"] = "bulk"
            _save_stage(copy, state, stage)


def _now(source: Source) -> datetime:
    """Zoho's clock now, by a call that costs nothing more than a credit."""
    return zoho_time(source.home.metadata.ask_for_fields(source.module, source.api)[1])


def _adopt_stage(copy: Copy, state: SyncState, stage: dict[str, str]) -> SyncState:
    started = stage["started"]
    from_bulk = stage.get("api") == "bulk"
    state = replace(state, cursor=started, formulas_at=started, swept_at=started, stage={}, from_bulk=from_bulk)
    with copy.transaction():
        _delete_doubles(copy, copy.stage)
        for column in HISTORY_COLUMNS if state.history else ():
            copy.run(f"ALTER TABLE {copy.stage} ADD COLUMN {column} TIMESTAMPTZ")
        if state.history:
            copy.run(f"UPDATE {copy.stage} SET valid_from = CAST(? AS TIMESTAMPTZ)", started)
        copy.run(f"DROP TABLE IF EXISTS {copy.name}")
        copy.run(f"ALTER TABLE {copy.stage} RENAME TO {copy.name}")
        copy.save_state(state)
    return state


# Every run


def _update(
    copy: Copy, source: Source, options: SyncOptions, state: SyncState, start: datetime, is_new: bool
) -> SyncReport:
    with copy.transaction():
        changes = _changed_fields(copy, source, options, state)
        reading = source.describe()
        swept = _collect(copy, source, options, state, start, reading, is_new)
        columns = frames.arrow_schema(reading.fields).names
        if changes.added:
            _refresh(copy, source, columns, changes.added, state)
        formulas_at = _refresh_formulas(copy, source, options, state, start, columns)
        counts = merge(copy, columns, history=state.history, moment=start.isoformat())
        _take_users(copy, source, state)
        state = replace(
            state,
            fields=changes.fields,
            stage={},
            cursor=start.isoformat(),
            formulas_at=formulas_at,
            swept_at=start.isoformat() if swept else state.swept_at,
        )
        copy.save_state(state)
        rows = copy.value(f"SELECT count(*) FROM {current(copy, state.history)}")
    return _report(source, state, counts, rows, changes.notes, swept)


def _take_users(copy: Copy, source: Source, state: SyncState) -> None:
    """Names and addresses of users as they are now, in every row."""
    users = source.users() if source.user_fields else None
    if users is not None:
        copy.fill("users_", users.schema, [users])
        name_users(copy, source.user_fields, history=state.history)


def _changed_fields(copy: Copy, source: Source, options: SyncOptions, state: SyncState) -> FieldChanges:
    copy.run(f"DROP TABLE IF EXISTS {copy.stage}")  # of a full read that nobody went on with
    changes = field_changes.compare(state.fields, source.fields, prune=options.prune)
    field_changes.apply(copy, changes)
    return changes


def _empty_text_as_null(copy: Copy, table: str, schema: pa.Schema) -> None:
    """What COQL tells and a bulk CSV cannot: so a row stays as it is when it comes the other way."""
    for name in (each.name for each in schema if pa.types.is_string(each.type)):
        copy.run(f"UPDATE {table} SET {quote(name)} = NULL WHERE {quote(name)} = ''")


def _collect(
    copy: Copy,
    source: Source,
    options: SyncOptions,
    state: SyncState,
    start: datetime,
    reading: RecordQuery,
    is_new: bool,
) -> bool:
    """Fill `changed_` and `gone_`; whether the ids of all records were compared."""
    schema = frames.arrow_schema(reading.fields)
    copy.create("changed_", schema, temporary=True)
    copy.create("gone_", pa.schema([("id", pa.string())]), temporary=True)
    swept = True
    if source.has_modified_time:
        swept = _collect_changes(copy, source, options, state, start, reading, is_new)
    elif not is_new:
        _collect_everything(copy, source, state, reading)
    if state.from_bulk:
        _empty_text_as_null(copy, "changed_", schema)
    return swept


def _collect_everything(copy: Copy, source: Source, state: SyncState, reading: RecordQuery) -> None:
    """Of a module that tells no Modified_Time."""
    for rows in source.rows(reading):
        copy.insert("changed_", rows)
    _delete_doubles(copy, "changed_")
    missing = f"SELECT t.id FROM {current(copy, state.history)} t ANTI JOIN changed_ c ON c.id = t.id"
    copy.run(f"INSERT INTO gone_ {missing}")


def _collect_changes(
    copy: Copy,
    source: Source,
    options: SyncOptions,
    state: SyncState,
    start: datetime,
    reading: RecordQuery,
    is_new: bool,
) -> bool:
    """What was modified and deleted since the last run; whether the ids of all records were compared."""
    cursor = datetime.fromisoformat(state.cursor)
    since = cursor - LOOKBACK
    # A record that leaves the filter is among those modified, and not among those that match.
    touched = source.changed(source.describe(["id"], where=""), since) if state.where else []
    for rows in source.changed(reading, since):
        copy.insert("changed_", rows)
    _delete_doubles(copy, "changed_")
    for rows in touched:
        copy.fill("touched_", rows.schema, [rows])
        copy.run("INSERT INTO gone_ SELECT id FROM touched_ WHERE id NOT IN (SELECT id FROM changed_)")
    is_told = _take_deletions(copy, source, state, since)
    count = source.count()
    # Bulk read may leave rows out: where nobody counts them, their ids are compared.
    is_unsure = (is_new and state.from_bulk) or not is_told
    differs = is_unsure if count is None else count != _expected(copy, state)
    return (options.check or differs or start - cursor > SWEEP_AFTER) and _sweep(copy, source, state, count)


def _delete_doubles(copy: Copy, table: str) -> None:
    """Of rows with the same id only the last stays."""
    if copy.run(f"SELECT id FROM {table} GROUP BY id HAVING count(*) > 1 LIMIT 1"):
        copy.run(f"DELETE FROM {table} WHERE rowid NOT IN (SELECT max(rowid) FROM {table} GROUP BY id)")


def _take_deletions(copy: Copy, source: Source, state: SyncState, since: datetime) -> bool:
    """What was deleted after it was modified last is gone. False where the module has no list of deletions."""
    schema = pa.schema([("id", pa.string()), ("deleted_time", pa.timestamp("us", "UTC"))])
    try:
        found = list(source.deleted(since))
    except (ApiError, QueryError) as error:
        source.warn([f"{source.module} has no list of deleted records ({error.code}); its ids are compared instead."])
        return False
    rows = pa.Table.from_pylist([{"id": key, "deleted_time": when} for key, when in found], schema)
    copy.fill("deleted_", schema, [rows])
    copy.run(
        "INSERT INTO gone_ SELECT d.id FROM (SELECT id, max(deleted_time) AS moment FROM deleted_ GROUP BY id) d "
        f"JOIN {_expected_rows(copy, state)} r ON r.id = d.id "
        'WHERE d.moment >= r."Modified_Time" OR r."Modified_Time" IS NULL'
    )
    copy.run("DELETE FROM changed_ WHERE id IN (SELECT id FROM gone_)")
    return True


def _expected_rows(copy: Copy, state: SyncState) -> str:
    """For SQL: id and Modified_Time of what the copy would hold with `changed_` and `gone_` taken over."""
    return (
        '(SELECT id, "Modified_Time" FROM changed_ UNION ALL '
        f'SELECT id, "Modified_Time" FROM {current(copy, state.history)} t '
        "WHERE t.id NOT IN (SELECT id FROM changed_) AND t.id NOT IN (SELECT id FROM gone_))"
    )


def _expected(copy: Copy, state: SyncState) -> int:
    return int(copy.value(f"SELECT count(*) FROM {_expected_rows(copy, state)} r"))


def _sweep(copy: Copy, source: Source, state: SyncState, count: int | None) -> bool:
    """Compare the ids of all records both ways: what sharing hid or showed, merges, restores that nobody reported."""
    reading = source.describe(["id", "Modified_Time"])
    copy.fill("ids_", frames.arrow_schema(reading.fields), source.rows(reading))
    found = int(copy.value("SELECT count(DISTINCT id) FROM ids_"))
    expected = _expected_rows(copy, state)
    unlike = (
        f"SELECT DISTINCT i.id FROM ids_ i LEFT JOIN {expected} r ON r.id = i.id "
        'WHERE r.id IS NULL OR i."Modified_Time" IS DISTINCT FROM r."Modified_Time"'
    )
    missing = [row[0] for row in copy.run(unlike)]
    if count is not None and count - found > max(20, count // MAX_MISSING_SHARE):
        source.warn([f"Zoho counts {count:,} records and lists {found:,} ids: nothing was deleted by that list."])
    else:
        copy.run(f"INSERT INTO gone_ SELECT r.id FROM {expected} r ANTI JOIN ids_ i ON i.id = r.id")
        copy.run("DELETE FROM changed_ WHERE id IN (SELECT id FROM gone_)")
    if missing:
        _fetch(copy, source, missing)
    return True


def _fetch(copy: Copy, source: Source, ids: Sequence[str]) -> None:
    """Whole rows of records that the copy lacks or has in an older form."""
    for rows in _rows_of(source, ids):
        copy.fill("arrived_", rows.schema, [rows])
        copy.run("DELETE FROM changed_ WHERE id IN (SELECT id FROM arrived_)")
        copy.run("DELETE FROM gone_ WHERE id IN (SELECT id FROM arrived_)")
        copy.insert("changed_", rows)


def _rows_of(source: Source, ids: Sequence[str]) -> Iterator[pa.Table]:
    if len(ids) <= MAX_BY_ID:
        yield source.by_id(ids)
        return
    arrived: set[str] = set()
    for rows in source.rows(source.describe()):
        arrived.update(rows.column("id").to_pylist())
        yield rows
    if left := [key for key in ids if key not in arrived]:  # bulk read may leave rows out
        yield source.by_id(left)


# What does not move Modified_Time


def _refresh(copy: Copy, source: Source, columns: Sequence[str], fields: Sequence[Field], state: SyncState) -> None:
    """The values of these fields for every record, into `changed_` where they differ."""
    reading = source.describe(["id", *(each.name for each in fields)])
    schema = frames.arrow_schema(reading.fields)
    copy.fill("fresh_", schema, source.rows(reading))
    if state.from_bulk:
        _empty_text_as_null(copy, "fresh_", schema)
    take_fresh_columns(copy, columns, [name for name in schema.names if name != "id"], history=state.history)


def _refresh_formulas(
    copy: Copy, source: Source, options: SyncOptions, state: SyncState, start: datetime, columns: Sequence[str]
) -> str:
    """When formulas, roll-ups and names of lookups were read last: now, if it was asked for or a day has passed."""
    fields = source.unmarked_fields
    is_due = start - datetime.fromisoformat(state.formulas_at) >= REFRESH_AFTER
    if not fields or not source.has_modified_time:
        return start.isoformat()
    if options.refresh == "formulas" or (options.refresh == "due" and is_due):
        _refresh(copy, source, columns, fields, state)
        return start.isoformat()
    return state.formulas_at


def _report(
    source: Source, state: SyncState, counts: Counts, rows: int, notes: Sequence[str], swept: bool
) -> SyncReport:
    return SyncReport(
        module=source.module,
        rows=rows,
        added=counts.added,
        changed=counts.changed,
        deleted=counts.deleted,
        columns=tuple(notes),
        cursor=state.cursor,
        formulas_as_of=state.formulas_at,
        checked=swept,
        warnings=tuple(source.warnings),
    )
