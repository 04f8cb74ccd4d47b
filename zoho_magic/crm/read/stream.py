"""The rows of a pull while they arrive: what a frame, an export, a sync and `batches` are made of.

Each API hands on tables of some thousand rows. Here they get what did not come with them: columns that COQL leaves out,
and the names of users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import ApiError, AuthError, QueryError, ThrottledError, TransportError, ZohoError
from ...http.responses import CrmApi
from .. import limits
from ..coql.parser import build_query
from ..metadata import RECORD_ID, Field, Metadata, display_field
from ..parallel import map_parallel, submit
from ..progress import Progress
from . import arrow as frames
from . import bulk_read as bulk
from . import coql, memory, records
from .planner import Plan
from .record_query import CONVERTED, CallCounter, RecordQuery
from .routes import ROUTES, is_unsupported

__all__ = ["CrmReader", "RecordStream", "add_target_names", "is_not_the_users", "with_people"]

MAX_FILLED_ROWS = 20_000
"""Columns that COQL or bulk read leave out are read by record id, 50 records a call: up to so many rows."""

Users = Mapping[str, tuple[str | None, str | None]]


class CrmReader(CrmApi, Protocol):
    """What a pull needs of a session beside its calls."""

    @property
    def metadata(self) -> Metadata: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...

    @property
    def credits_left(self) -> int | None: ...

    @property
    def daily_credits(self) -> int: ...

    @property
    def row_counts(self) -> dict[tuple[str, str], int]: ...

    def max_concurrency(self) -> int: ...

    def known_users(self) -> tuple[Users, list[ZohoError]]: ...


class RecordStream:
    """The records of a reading as Arrow tables, one after the other; can be read once.

    The first table has arrived when this is made, so that Zoho's refusals come at once. Leaving its `with` block ends
    all calls.

    Args:
        client: the session.
        api: counts the calls.
        reading: what to bring.
        found: the plan; its fallbacks are tried where Zoho does not serve the module or the filter.
        warnings: what is known already.
        order: COQL's order where the reading has none: "id asc" or "id desc". Bulk read is always by ascending id.
        progress: the progress bar, for what else it can show.

    Attributes:
        module: API name.
        plan: the API that was taken, and what it was expected to cost.
        schema: names and Arrow types of the columns.
        query: what was asked, in the API's own words.
        warnings: complete when the last table has been read.

    Raises:
        QueryError, AuthError, ThrottledError, ApiError, TransportError: Zoho refused or was not reached.
    """

    def __init__(
        self,
        client: CrmReader,
        api: CallCounter,
        reading: RecordQuery,
        found: Plan,
        warnings: list[str],
        order: str,
        progress: Progress,
    ) -> None:
        self.module, self.progress = reading.module, progress
        self._client, self._api, self._reading, self._order = client, api, reading.listed, order
        self._fields = reading.fields
        self._late: list[str] = []
        self._unfilled: set[str] = set()
        self._before = [*warnings, *found.notes]
        self._users: Future[tuple[Users, list[ZohoError]]] | None = None
        self.schema = frames.arrow_schema(reading.fields)
        # COQL and bulk read bring ids of users only: their names are asked for beside the rows.
        if found.api != "records" and found.rows != 0 and any(map(frames.is_user_lookup, reading.fields)):
            self._begin_users()
        self.plan, self.query, self._tables = self._open(found)

    def __enter__(self) -> RecordStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[pa.Table]:
        with self._api:
            for rows in self._tables:
                named = self._named(self._with_target_names(self._filled(rows)))
                yield frames.with_all_columns(named, self._fields)
            self._describe_missing()

    def close(self) -> None:
        """Make no further call."""
        self._api.__exit__(None, None, None)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the columns are made of."""
        return self._fields

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the rows that have come so far."""
        return list(dict.fromkeys([*self._before, *self._late, *self._api.warnings]))

    @property
    def attrs(self) -> dict[str, Any]:
        """What a frame's `attrs` hold: module, api, query, calls, credits, pulled_at and warnings."""
        return {
            "module": self._reading.module,
            "api": self.plan.api,
            "query": self.query,
            **self._api.cost,
            "warnings": self.warnings,
        }

    def collect(self, *, check_memory: bool = True) -> pa.Table:
        """Everything as one table: in the reading's order, else newest first.

        Raises:
            QueryError: by the number of rows and the size of the first ones, it would not fit into free memory.
        """
        arriving, limit = self._in_memory() if check_memory else iter(self), self._reading.limit
        if self._reading.order:
            return pa.concat_tables(arriving)[:limit]
        # Turned round piece by piece as they arrive, never the whole is in memory twice.
        parts = [frames.sort_by_id_desc(rows) for rows in arriving if len(rows)] or [self.schema.empty_table()]
        ascending = self.plan.api == "bulk" or self._order == "id asc"
        return frames.sort_by_id_desc(pa.concat_tables(parts[::-1] if ascending else parts))[:limit]

    def _in_memory(self) -> Iterator[pa.Table]:
        """The tables, once the first one has shown that all of them fit."""
        arriving = iter(self)
        for rows in arriving:
            yield rows
            if len(rows):
                memory.check(self.module, rows, self.plan.rows)
                break
        yield from arriving

    def _open(self, found: Plan) -> tuple[Plan, str, Iterator[pa.Table]]:
        """The plan that works, its query and tables; the next API where Zoho does not serve the module or filter.

        Where none does, the first refusal is raised.
        """
        first: ZohoError | None = None
        for api in (found.api, *found.fallbacks):
            plan, known = replace(found, api=api), len(self._late)
            try:
                query, tables = _OPEN[api](self._client, self._api, self._reading, plan, self._late, self._order)
                return plan, query, chain([next(tables)], tables)
            except (ApiError, AuthError, QueryError) as error:
                if not (is_unsupported(error.code) or is_not_the_users(error, self._reading)):
                    raise
                first = first or error
                del self._late[known:]
                self._before.append(f"{ROUTES[api].label} is not available here ({error.code}).")
        if first is not None and self._may_leave_out_converted(first):
            return self._open(found)
        raise first or QueryError("There is no API to read with.")

    def _may_leave_out_converted(self, error: ZohoError) -> bool:
        """Whether Zoho refused only the criterion that hides converted records, which is then left out, with a note.

        One organisation was seen whose COQL does not know the field; it hides converted records by itself.
        """
        if error.details.get("column_name") != CONVERTED or self._reading.converted != "false":
            return False
        self._reading = replace(self._reading, converted="")
        self._before.append(f"COQL does not know {CONVERTED} here: converted records may be among these.")
        return True

    # What does not come with the rows

    @property
    def _absent_fields(self) -> list[Field]:
        """The fields that no answer has had so far."""
        return [field for field in self._reading.fields if field.name in self._api.absent and field.name != "id"]

    @property
    def _is_filled(self) -> bool:
        return self.plan.api != "records" and (self.plan.rows or 0) <= MAX_FILLED_ROWS

    def _filled(self, rows: pa.Table) -> pa.Table:
        """The rows with the columns whose key came in no row (URL fields, some others): a null is sent as null."""
        absent = self._absent_fields
        if not absent or not len(rows) or not self._is_filled:
            return rows
        try:
            rows, left = records.fill_columns(self._api, self._reading, rows, absent, self._client.max_concurrency())
        except (ApiError, AuthError, QueryError, ThrottledError, TransportError) as error:
            self._note(f"{_listed(absent)} could not be read by record id, and may be empty here: {error.args[0]}")
            return rows
        self._unfilled |= {field.name for field in left}
        return rows

    def _describe_missing(self) -> None:
        """Warn of the columns that came in no row and were not read another way, by what Zoho has in the module now."""
        missing = self._unfilled if self._is_filled else {field.name for field in self._absent_fields}
        if not missing:
            return
        metadata, module = self._client.metadata, self._reading.module
        known = set(metadata.fields(module))
        try:
            now = set(metadata.ask_for_fields(module, self._api)[0])
        except (ApiError, AuthError, QueryError, ThrottledError, TransportError):
            now = known
        for note in _missing_notes(module, missing, known, now):
            self._note(note)

    def _with_target_names(self, rows: pa.Table) -> pa.Table:
        for field in filter(frames.has_targets, self._reading.fields):
            rows, notes = add_target_names(self._api, rows, field, self._client.max_concurrency())
            for note in notes:
                self._note(note)
        return rows

    def _note(self, text: str) -> None:
        self._late += [text] if text not in self._late else []

    def _named(self, rows: pa.Table) -> pa.Table:
        rows, notes = with_people(self._known_users, rows, self._reading.fields, always=self.plan.api != "records")
        self._late += [note for note in notes if note not in self._late]
        return rows

    def _known_users(self) -> tuple[Users, list[ZohoError]]:
        return self._begin_users().result()

    def _begin_users(self) -> Future[tuple[Users, list[ZohoError]]]:
        self._users = self._users or submit(self._client.known_users)
        return self._users


def _listed(fields: Sequence[Field]) -> str:
    return ", ".join(field.name for field in fields)


def _missing_notes(module: str, missing: set[str], known: set[str], now: set[str]) -> Iterator[str]:
    gone, here = sorted(missing & known - now), sorted(missing - (known - now))
    if gone:
        new = f"; new there: {', '.join(sorted(now - known))}" if now - known else ""
        yield f"Zoho no longer has {', '.join(gone)} in {module}: empty here{new}."
    if here:
        yield f"Zoho sent no value and no null for {', '.join(here)}: hidden, or not part of this API; empty here."


def is_not_the_users(error: ZohoError, reading: RecordQuery) -> bool:
    """Whether Zoho rejected a part of the query that only we wrote: the user cannot fix it, another API may serve."""
    if error.code not in ("SYNTAX_ERROR", "INVALID_QUERY"):
        return False
    return not (reading.where or reading.order) or error.details.get("column_name") == CONVERTED


def _by_records(
    client: CrmReader, api: CallCounter, reading: RecordQuery, found: Plan, warnings: list[str], order: str
) -> tuple[str, Iterator[pa.Table]]:
    result = records.read(api, reading, client.max_concurrency(), found.rows)
    warnings += result.warnings
    newest_first = order == "id desc" or reading.limit is not None
    return result.query, iter([result.rows if newest_first else frames.sort_by_id_asc(result.rows)])


def _by_coql(
    client: CrmReader, api: CallCounter, reading: RecordQuery, found: Plan, warnings: list[str], order: str
) -> tuple[str, Iterator[pa.Table]]:
    order = "id desc" if reading.limit is not None else order
    return coql.stream(api, reading, client.metadata.columns, client.max_concurrency(), found.rows, warnings, order)


def _by_bulk(
    client: CrmReader, api: CallCounter, reading: RecordQuery, found: Plan, warnings: list[str], _order: str
) -> tuple[str, Iterator[pa.Table]]:
    recount = partial(coql.estimate, api, build_query(reading.module, ["id"], reading.criteria))
    tables = bulk.stream(api, reading, client.metadata, found.total, warnings, recount)
    if reading.limit is not None:  # the newest come last
        parts = [frames.sort_by_id_desc(rows) for rows in tables]
        tables = iter([frames.sort_by_id_desc(pa.concat_tables(parts[::-1]))[: reading.limit]])
    return bulk.describe_query(reading, client.metadata), tables


_Open = Callable[[CrmReader, CallCounter, RecordQuery, Plan, "list[str]", str], tuple[str, Iterator[pa.Table]]]
_OPEN: dict[str, _Open] = {"records": _by_records, "coql": _by_coql, "bulk": _by_bulk}


MAX_TARGET_NAMES = 40_000
"""Names of records that `What_Id` points to are read 100 ids a call: up to so many."""


def add_target_names(api: CallCounter, rows: pa.Table, field: Field, max_workers: int) -> tuple[pa.Table, list[str]]:
    """The rows with the names behind a lookup into several modules, which COQL tells by id and module only."""
    ids, modules = rows.column(f"{field.name}.id"), rows.column(f"{field.name}.module")
    nameless = pc.and_(pc.is_null(rows.column(field.name)), pc.and_(pc.is_valid(ids), pc.is_valid(modules)))
    wanted = sorted(set(zip(modules.filter(nameless).to_pylist(), ids.filter(nameless).to_pylist(), strict=True)))
    if not wanted:
        return rows, []
    if len(wanted) > MAX_TARGET_NAMES:
        return rows, [f"COQL brings the id and module of {field.name}, not the name: too many records to look up."]
    calls = [partial(_names_of, CallCounter(api), module, part) for module, part in _parts_by_module(wanted)]
    answers = list(map_parallel(calls, max_workers))
    names = {key: name for found, _ in answers for key, name in found.items()}
    refused = sorted({module for _, module in answers if module})
    note = [f"Names of {field.name} are missing for records of {', '.join(refused)}."] if refused else []
    return frames.fill_target_names(rows, field, names), note


def _parts_by_module(wanted: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for module, pairs in groupby(wanted, key=itemgetter(0)):
        ids = [key for _, key in pairs]
        for start in range(0, len(ids), limits.COQL_VALUES_PER_IN):
            yield module, ids[start : start + limits.COQL_VALUES_PER_IN]


def _names_of(api: CallCounter, module: str, ids: Sequence[str]) -> tuple[dict[str, str | None], str]:
    """Record id -> name; and the module, where Zoho refuses to tell."""
    shown = Field(display_field(module))
    for read in (_named_by_coql, _named_by_records):
        try:
            found = read(api, module, shown, ids)
            return dict(zip(found.column("id").to_pylist(), found.column(shown.name).to_pylist(), strict=True)), ""
        except (ApiError, AuthError, QueryError, ThrottledError, TransportError):
            continue
    return {}, module


def _named_by_coql(api: CallCounter, module: str, shown: Field, ids: Sequence[str]) -> pa.Table:
    listed = ", ".join(f"'{key}'" for key in ids)
    everyone = f"({CONVERTED} = true or {CONVERTED} = false) and " if module == "Leads" else ""
    statement = build_query(module, ["id", shown.name], f"{everyone}id in ({listed})")
    return coql.fetch_rows(api, statement, [RECORD_ID, shown], 1, len(ids), None).rows


def _named_by_records(api: CallCounter, module: str, shown: Field, ids: Sequence[str]) -> pa.Table:
    query = RecordQuery(module, (RECORD_ID, shown), has_converted=module == "Leads")
    return records.read_by_ids(api, query, query.fields, ids, 1)


def with_people(
    known_users: Callable[[], tuple[Users, list[ZohoError]]], rows: pa.Table, fields: Sequence[Field], always: bool
) -> tuple[pa.Table, list[str]]:
    """The rows with names and addresses of users, and a warning if they may not be asked for.

    COQL and bulk read bring little more than ids (`always`); records bring all but some addresses.
    """
    users = [field for field in fields if frames.is_user_lookup(field)]
    missing = any(
        rows.column(f"{field.name}.email").null_count > rows.column(f"{field.name}.id").null_count for field in users
    )
    if not users or not len(rows) or not (always or missing):
        return rows, []
    known, errors = known_users()
    warnings = [f"Names of users are incomplete: {error.args[0]} {error.hint}".strip() for error in errors[:1]]
    return frames.fill_user_names(rows, users, known), warnings
