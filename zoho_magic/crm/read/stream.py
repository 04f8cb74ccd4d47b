"""The rows of a pull while they arrive: what a frame, an export, a sync and `batches` are made of.

Each API hands on tables of some thousand rows. Here they get what did not come with them: columns that COQL leaves out,
and the names of users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa

from ...errors import ApiError, QueryError, ZohoError
from ...http.responses import CrmApi
from ..metadata import Field, Metadata
from ..progress import Progress
from . import arrow as frames
from . import bulk_read as bulk
from . import coql, memory, records
from . import planner as plan
from .planner import Plan
from .record_query import CallCounter, RecordQuery

__all__ = ["API_LABELS", "Home", "RecordStream", "with_people"]

API_LABELS = {"records": "the Records API", "coql": "COQL", "bulk": "bulk read"}
MAX_FILLED_ROWS = 20_000
"""Columns that COQL leaves out are read by record id, 50 records a call: up to so many rows."""

Users = Mapping[str, tuple[str | None, str | None]]


class Home(CrmApi, Protocol):
    """What a pull needs of a session beside its calls."""

    @property
    def metadata(self) -> Metadata: ...

    @property
    def scopes(self) -> tuple[str, ...]: ...

    @property
    def credits_left(self) -> int | None: ...

    @property
    def daily_credits(self) -> int: ...

    def max_concurrency(self) -> int: ...

    def known_users(self) -> tuple[Users, list[ZohoError]]: ...


class RecordStream:
    """The records of a reading as Arrow tables, one after the other; can be read once.

    The first table has arrived when this is made, so that Zoho's refusals come at once. Leaving its `with` block ends
    all calls.

    Args:
        home: the session.
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
        home: Home,
        api: CallCounter,
        reading: RecordQuery,
        found: Plan,
        warnings: list[str],
        order: str,
        progress: Progress,
    ) -> None:
        self.module, self.progress = reading.module, progress
        self._home, self._api, self._reading, self._order = home, api, reading, order
        self._late: list[str] = []
        self._before = [*warnings, *found.notes]
        self._users: tuple[Users, list[ZohoError]] | None = None
        self.schema = frames.arrow_schema(reading.fields)
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
                yield self._named(self._filled(rows))

    def close(self) -> None:
        """Make no further call."""
        self._api.__exit__(None, None, None)

    @property
    def warnings(self) -> list[str]:
        """What the user should know of the rows that have come so far."""
        absent = [field.name for field in self._reading.fields if field.name in self._left_out]
        note = f"Zoho sent no value and no null for {', '.join(absent)}: renamed, hidden, or not part of this API; "
        notes = [*self._before, *self._late, *self._api.warnings, *([note + "empty here."] if absent else [])]
        return list(dict.fromkeys(notes))

    @property
    def attrs(self) -> dict[str, Any]:
        """What a frame's `attrs` hold: module, api, query, calls, credits, pulled_at and warnings."""
        return {
            "module": self._reading.module,
            "api": self.plan.api,
            "query": self.query,
            "calls": self._api.calls,
            "credits": self._api.credits,
            "pulled_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "warnings": self.warnings,
        }

    def collect(self, *, check_memory: bool = True) -> pa.Table:
        """Everything as one table: in the reading's order, else newest first.

        Raises:
            QueryError: by the number of rows and the size of the first ones, it would not fit into free memory.
        """
        tables, limit = list(self._in_memory() if check_memory else self), self._reading.limit
        if self._reading.order:
            return pa.concat_tables(tables)[:limit]
        # Turned round piece by piece, never the whole is in memory twice.
        parts = [frames.sort_by_id_desc(rows) for rows in tables if len(rows)] or tables[:1]
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
        """The plan that works, its query and tables; the next API where Zoho does not serve the module or filter."""
        try:
            query, tables = _OPEN[found.api](self._home, self._api, self._reading, found.rows, self._late, self._order)
            return found, query, chain([next(tables)], tables)
        except (ApiError, QueryError) as error:
            if not found.fallbacks or not (plan.is_unsupported(error.code) or _is_not_the_users(error, self._reading)):
                raise
            api, *others = found.fallbacks
            note = f"{API_LABELS[found.api]} is not available here ({error.code}); used {API_LABELS[api]} instead."
            self._before.append(note)
        return self._open(replace(found, api=api, fallbacks=tuple(others), notes=(*found.notes, note)))

    # What does not come with the rows

    @property
    def _left_out(self) -> frozenset[str]:
        """Names of fields that no answer has had so far, and that are not read another way."""
        return frozenset() if self._is_filled else self._api.absent - {"id"}

    @property
    def _is_filled(self) -> bool:
        return self.plan.api == "coql" and (self.plan.rows or 0) <= MAX_FILLED_ROWS

    def _filled(self, rows: pa.Table) -> pa.Table:
        """The rows with the columns whose key COQL left out: URL fields, some others; a null is always sent as null."""
        absent = [field for field in self._reading.fields if field.name in self._api.absent and field.name != "id"]
        if not absent or not len(rows) or not self._is_filled:
            return rows
        rows, left = records.fill_columns(self._api, self._reading.module, rows, absent, self._home.max_concurrency())
        names = ", ".join(field.name for field in left)
        note = f"Zoho sent no value and no null for {names}: renamed, hidden, or not part of this API; empty here."
        self._late += [note] if left and note not in self._late else []
        return rows

    def _named(self, rows: pa.Table) -> pa.Table:
        rows, notes = with_people(self._known_users, rows, self._reading.fields, always=self.plan.api != "records")
        self._late += [note for note in notes if note not in self._late]
        return rows

    def _known_users(self) -> tuple[Users, list[ZohoError]]:
        self._users = self._users or self._home.known_users()
        return self._users


def _is_not_the_users(error: ZohoError, reading: RecordQuery) -> bool:
    """Whether Zoho rejected a part of the query that only we wrote: the user cannot fix it, another API may serve."""
    if error.code not in ("SYNTAX_ERROR", "INVALID_QUERY"):
        return False
    return not (reading.where or reading.order) or error.details.get("column_name") == "Converted__s"


def _by_records(
    home: Home, api: CallCounter, reading: RecordQuery, rows: int | None, warnings: list[str], order: str
) -> tuple[str, Iterator[pa.Table]]:
    found = records.read(api, reading, home.max_concurrency(), rows)
    warnings += found.warnings
    newest_first = order == "id desc" or reading.limit is not None
    return found.query, iter([found.rows if newest_first else frames.sort_by_id_asc(found.rows)])


def _by_coql(
    home: Home, api: CallCounter, reading: RecordQuery, rows: int | None, warnings: list[str], order: str
) -> tuple[str, Iterator[pa.Table]]:
    order = "id desc" if reading.limit is not None else order
    return coql.stream(api, reading, home.max_concurrency(), rows, warnings, order)


def _by_bulk(
    home: Home, api: CallCounter, reading: RecordQuery, rows: int | None, warnings: list[str], _order: str
) -> tuple[str, Iterator[pa.Table]]:
    query = bulk.describe_query(reading, home.metadata)
    # With a limit, the plan's number of rows is a bound and not a count.
    if reading.limit is None:
        return query, bulk.stream(api, reading, home.metadata, rows, warnings)
    found = bulk.read(api, reading, home.metadata, None)  # the newest come last
    warnings += found.warnings
    return query, iter([found.rows])


_Open = Callable[[Home, CallCounter, RecordQuery, "int | None", "list[str]", str], tuple[str, Iterator[pa.Table]]]
_OPEN: dict[str, _Open] = {"records": _by_records, "coql": _by_coql, "bulk": _by_bulk}


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
