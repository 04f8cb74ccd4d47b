"""`coql`: a person's own query, its parameters bound, completed to what Zoho insists on, every row brought."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pyarrow as pa

from ...errors import ApiError, QueryError
from .. import limits
from ..coql.conditions import FieldPath
from ..coql.parameters import bind
from ..coql.parser import parse_query
from ..coql.query import Column, CoqlQuery, UnparsedQuery
from ..metadata import RECORD_ID, Field, Metadata
from ..parallel import map_parallel, submit
from ..progress import Progress
from . import arrow as frames
from . import coql
from .planner import Plan
from .record_query import CONVERTED, CallCounter, QueryResult, RecordQuery, coql_credits
from .routes import ROUTES, Cost
from .stream import Home, add_target_names, with_people

__all__ = ["make_plan", "run"]

_NOT_SELECTABLE = frozenset({"subform", "multiselectlookup", "multiuserlookup", "fileupload", "imageupload", "linetax"})
_COUNTS = Field("", data_type="integer", json_type="integer")
_SUMS = Field("", data_type="double", json_type="double")


def run(home: Home, query: str, params: Mapping[str, Any], *, frame: frames.Frame, progress: Progress) -> Any:
    """The frame. Raises QueryError, AuthError, ThrottledError, ApiError, TransportError."""
    written = parse_query(query)  # refuses a parameter where no value may stand
    statement = parse_query(bind(query, params))
    if isinstance(statement, CoqlQuery):
        _prefetch(home, statement.module)
        statement = _completed(home, statement)
    with CallCounter(home, progress.add) as api:
        result = _understood(home, api, statement) if isinstance(statement, CoqlQuery) else _as_written(api, statement)
    attrs = {
        "module": statement.module if isinstance(statement, CoqlQuery) else "",
        "api": "coql",
        "query": result.query,
        "calls": api.calls,
        "credits": api.credits,
        "pulled_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "warnings": [*_converted_notes(home.metadata, written), *result.warnings],
    }
    return frames.to_backend(result.rows, frame, attrs)


def _prefetch(home: Home, module: str) -> None:
    """Ask at the same time what would be asked one after the other; `users` and its like are no modules."""
    asked: list[Callable[[], Any]] = [partial(home.metadata.fields, module), home.max_concurrency]
    with suppress(QueryError):
        list(map_parallel(asked, len(asked)))


def make_plan(home: Home, query: str, params: Mapping[str, Any]) -> Plan:
    """What a query would take; it spends one count at most. Raises QueryError and, for metadata, as `run`."""
    written = parse_query(query)
    statement = parse_query(bind(query, params))
    notes = tuple(_converted_notes(home.metadata, written))
    if isinstance(statement, UnparsedQuery):
        cost = Cost(1, coql_credits(limits.COQL_ROWS_PER_CALL), (0.5, 2.0))
        return _plan(home, None, 0, cost, "it is sent as written, because it is not understood in full", notes)
    statement = _completed(home, statement)
    columns = len(_fields(home.metadata, statement))
    with CallCounter(home) as api:
        rows = _expected_rows(api, statement)
    _check_reach(statement, rows)
    cost_of = partial(_cost_of, home, statement)
    return _plan(home, rows, columns, None if rows is None else cost_of(rows), "a query of your own", notes)


def _expected_rows(api: CallCounter, statement: CoqlQuery) -> int | None:
    """How many rows will come; None where groups, or Zoho, hide it."""
    if statement.is_aggregate:
        return None if statement.group_by else 1
    if statement.limit is not None and statement.limit <= limits.COQL_ROWS_PER_CALL:
        return statement.limit
    found = coql.estimate(api, statement)
    left = None if found is None else max(0, found - statement.offset)
    return left if left is None or statement.limit is None else min(left, statement.limit)


def _check_reach(statement: CoqlQuery, rows: int | None) -> None:
    by_id = [term.text for term in statement.order_by] in ([], ["id"]) and not statement.aliases
    if not by_id and rows is not None and statement.offset + rows > limits.COQL_MAX_OFFSET:
        raise coql.beyond_reach()


def _cost_of(home: Home, statement: CoqlQuery, rows: int) -> Cost:
    """The calls for the rows, and a count for each sub-query."""
    found = ROUTES["coql"].cost(RecordQuery(statement.module, ()), rows, rows, home.max_concurrency())
    extra = len(statement.sub_queries)
    return Cost(found.calls + extra, found.credits + extra, found.seconds)


def _plan(home: Home, rows: int | None, columns: int, cost: Cost | None, reason: str, notes: tuple[str, ...]) -> Plan:
    left = home.credits_left
    if cost is not None and left is not None and cost.credits > left:
        notes = (*notes, f"It needs about {cost.credits:,} API credits, and {left:,} are left today.")
    calls, credits, seconds = (None, None, None) if cost is None else (cost.calls, cost.credits, cost.seconds)
    return Plan("coql", rows, columns, calls, credits, seconds, reason, notes, (), rows)


def _completed(home: Home, query: CoqlQuery) -> CoqlQuery:
    return query.complete(lambda module: _selectable(home.metadata, module))


def _selectable(metadata: Metadata, module: str) -> list[str]:
    return [field.name for field in metadata.fields(module).values() if field.data_type not in _NOT_SELECTABLE]


def _understood(home: Home, api: CallCounter, statement: CoqlQuery) -> QueryResult:
    fields = _fields(home.metadata, statement)
    users = submit(home.known_users) if any(map(frames.is_user_lookup, fields)) else None
    resolved, notes = _with_fetched_sub_queries(home, api, statement)
    result = coql.fetch_rows(api, resolved, fields, home.max_concurrency(), statement.limit, None)
    rows, warnings = with_people(users.result if users else home.known_users, result.rows, fields, always=True)
    for field in filter(frames.has_targets, fields):
        rows, missing = add_target_names(api, rows, field, home.max_concurrency())
        warnings += missing
    query = result.query if resolved is statement else statement.text
    return QueryResult(rows, query, [*notes, *result.warnings, *api.warnings, *_absent(api, fields), *warnings])


def _with_fetched_sub_queries(home: Home, api: CallCounter, statement: CoqlQuery) -> tuple[CoqlQuery, list[str]]:
    """The query with values instead of each sub-query that has more records than Zoho retrieves, and notes on them.

    It costs one credit for each count. https://www.zoho.com/crm/developer/docs/api/v8/COQL-subquery.html
    """
    notes: list[str] = []
    for place in reversed(range(len(statement.sub_queries))):
        written = _completed(home, statement.sub_queries[place].query)
        inner, inside = _with_fetched_sub_queries(home, api, written)
        if inner is written and not _is_large(api, inner):
            continue
        values = _values_of(home, api, inner)
        notes += [*inside, f"A sub-query has {len(values):,} values; they were fetched first."]
        statement = statement.replace_sub_query(place, values or [NO_VALUE])
    return statement, notes


NO_VALUE = "0"
"""In a list it stands for no value: no record has this id."""


def _is_large(api: CallCounter, inner: CoqlQuery) -> bool:
    few = inner.limit is not None and inner.limit <= limits.COQL_SUB_QUERY_ROWS
    one = inner.is_aggregate and not inner.group_by
    return not (few or one) and coql.count(api, inner) > limits.COQL_SUB_QUERY_ROWS


def _values_of(home: Home, api: CallCounter, inner: CoqlQuery) -> list[str]:
    fields = _fields(home.metadata, inner)
    found = coql.fetch_rows(CallCounter(api), inner, fields, home.max_concurrency(), inner.limit, None)
    key = inner.columns[0].key
    column = f"{key}.id" if f"{key}.id" in found.rows.schema.names else key
    return [str(value) for value in found.rows.column(column).unique().to_pylist() if value is not None]


# Converted leads


def _converted_notes(metadata: Metadata, query: CoqlQuery | UnparsedQuery) -> list[str]:
    """What a query leaves out because it does not name `Converted__s`, and the query that brings it."""
    if isinstance(query, UnparsedQuery):
        return _note_of_unparsed(metadata, query)
    inner = [note for sub in query.sub_queries for note in _converted_notes(metadata, sub.query)]
    if not _hides_converted(metadata, query):
        return inner
    both = f"({query.alias_prefix}{CONVERTED} = true or {query.alias_prefix}{CONVERTED} = false)"
    note = f"Converted {query.module} are not included; with them: {query.and_where(both).text}"
    return [note, *inner]


def _hides_converted(metadata: Metadata, query: CoqlQuery) -> bool:
    return not query.names_field(CONVERTED) and _has_converted(metadata, query.module)


def _has_converted(metadata: Metadata, module: str) -> bool:
    return module in metadata.modules() and CONVERTED in metadata.fields(module)


def _note_of_unparsed(metadata: Metadata, query: UnparsedQuery) -> list[str]:
    found = _FROM.search(_QUOTED.sub("", query.text))
    if found is None or CONVERTED in query.text or not _has_converted(metadata, found[1]):
        return []
    return [f"Converted {found[1]} are not included unless the query names {CONVERTED}."]


def _absent(api: CallCounter, fields: Sequence[Field]) -> list[str]:
    """A warning that names the columns whose key was in no row: they are empty here, but were not sent as null."""
    names = [field.name for field in fields if field.name in api.absent]
    return [f"COQL left {', '.join(names)} out of its answer; empty here. %zoho_pull reads it."] if names else []


def _fields(metadata: Metadata, statement: CoqlQuery) -> list[Field]:
    """A field for every column, named like its key; `id`, which Zoho adds, first where rows are records."""
    _refuse_unknown(metadata, statement)
    fields = [_field(metadata, column) for column in statement.columns]
    if not statement.is_aggregate and not statement.aliases and all(field.name != "id" for field in fields):
        fields.insert(0, RECORD_ID)
    # `Owner` brings `Owner.id` with it: asked for as well, it would stand twice.
    brought = {name for field in fields for name in frames.extra_columns(field)}
    return [field for field in fields if field.name not in brought]


def _refuse_unknown(metadata: Metadata, statement: CoqlQuery) -> None:
    """Raise QueryError for a module or field that metadata does not know, before a call is spent on it."""
    modules = [statement.module, *statement.aliases.values(), *(path.module for path in statement.field_paths)]
    for module in dict.fromkeys(modules):
        if module not in _UNDESCRIBED:
            metadata.module(module)
    for path in statement.field_paths:
        _at(metadata, path)


# https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html lists users among the modules of
# COQL; settings/modules does not tell their fields.
_UNDESCRIBED = ("users", "Users")


def _at(metadata: Metadata, path: FieldPath) -> Field | None:
    """What metadata says of a field; None where it says nothing."""
    return metadata.resolve_path(path.module, path.path) if path.module not in _UNDESCRIBED else None


def _field(metadata: Metadata, column: Column) -> Field:
    if column.function == "COUNT":
        found = _COUNTS
    elif column.function in ("SUM", "AVG"):
        found = _SUMS
    else:
        found = (_at(metadata, column.field) if column.field else None) or Field(column.path)
    return replace(found, name=column.key)


def _as_written(api: CallCounter, query: UnparsedQuery) -> QueryResult:
    body, more = coql.run_raw(api, query.text)
    if more and not _LIMIT.search(_QUOTED.sub("", query.text)):
        raise QueryError(
            "The query was sent as written, and Zoho has more rows than it sends at once.",
            hint="Add 'limit 2000' for as many as it sends, or write it as a plain select to get all.",
        )
    reason = f"{query.problem.args[0]} {query.problem.hint}"
    warning = f"The query was sent as written, because it is not understood in full; column types are guessed. {reason}"
    return QueryResult(_guessed(body), query.text, [warning])


_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
_QUOTED, _LIMIT = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\""""), re.compile(r"\blimit\b", re.IGNORECASE)


def _guessed(body: bytes) -> pa.Table:
    rows: Sequence[Mapping[str, Any]] = json.loads(body).get("data", []) if body else []
    try:
        return pa.Table.from_pylist([dict(row) for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # raised below, outside the handler
    raise ApiError("A column of the answer mixes types.", hint="Select fewer columns to find it.")
