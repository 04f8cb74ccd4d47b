"""`coql`: a person's own query, its parameters bound, completed to what Zoho insists on, every row brought."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pyarrow as pa

from ...errors import ApiError, QueryError
from .. import limits
from ..coql.parameters import bind
from ..coql.parser import parse_query
from ..coql.query import CoqlQuery, UnparsedQuery
from ..metadata import Field
from ..parallel import map_parallel, submit
from ..progress import Progress
from . import arrow as frames
from . import coql
from .planner import Plan, shortage_notes
from .record_query import CallCounter, QueryResult, RecordQuery, coql_credits
from .routes import ROUTES, Cost
from .statement_parts import complete, converted_notes, fields_of, with_fetched_sub_queries
from .stream import CrmReader, add_target_names, with_people

__all__ = ["make_plan", "run"]


def run(client: CrmReader, query: str, params: Mapping[str, Any], *, frame: frames.Frame, progress: Progress) -> Any:
    """The frame. Raises QueryError, AuthError, ThrottledError, ApiError, TransportError."""
    written = parse_query(query)  # refuses a parameter where no value may stand
    statement = parse_query(bind(query, params))
    if isinstance(statement, CoqlQuery):
        _prefetch(client, statement.module)
        statement = complete(client, statement)
    with CallCounter(client, progress.add) as api:
        result = (
            _understood(client, api, statement) if isinstance(statement, CoqlQuery) else _as_written(api, statement)
        )
    attrs = {
        "module": statement.module if isinstance(statement, CoqlQuery) else "",
        "api": "coql",
        "query": result.query,
        **api.cost,
        "warnings": [*converted_notes(client.metadata, written), *result.warnings],
    }
    return frames.to_backend(result.rows, frame, attrs)


def _prefetch(client: CrmReader, module: str) -> None:
    """Ask at the same time what would be asked one after the other; `users` and its like are no modules."""
    asked: list[Callable[[], Any]] = [partial(client.metadata.fields, module), client.max_concurrency]
    with suppress(QueryError):
        list(map_parallel(asked, len(asked)))


def make_plan(client: CrmReader, query: str, params: Mapping[str, Any]) -> Plan:
    """What a query would take; it spends one count at most. Raises QueryError and, for metadata, as `run`."""
    written = parse_query(query)
    statement = parse_query(bind(query, params))
    notes = tuple(converted_notes(client.metadata, written))
    if isinstance(statement, UnparsedQuery):
        cost = Cost(1, coql_credits(limits.COQL_ROWS_PER_CALL), (0.5, 2.0))
        return _plan(client, None, 0, cost, "it is sent as written, because it is not understood in full", notes)
    statement = complete(client, statement)
    columns = len(fields_of(client.metadata, statement))
    with CallCounter(client) as api:
        rows = _expected_rows(api, statement)
    _check_reach(statement, rows)
    cost_of = partial(_cost_of, client, statement)
    return _plan(client, rows, columns, None if rows is None else cost_of(rows), "a query of your own", notes)


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


def _cost_of(client: CrmReader, statement: CoqlQuery, rows: int) -> Cost:
    """The calls for the rows, and a count for each sub-query."""
    found = ROUTES["coql"].cost(RecordQuery(statement.module, ()), rows, rows, client.max_concurrency())
    extra = len(statement.sub_queries)
    return Cost(found.calls + extra, found.credits + extra, found.seconds)


def _plan(
    client: CrmReader, rows: int | None, columns: int, cost: Cost | None, reason: str, notes: tuple[str, ...]
) -> Plan:
    calls, credits, seconds = (None, None, None) if cost is None else (cost.calls, cost.credits, cost.seconds)
    notes += shortage_notes(credits, client.credits_left)
    return Plan("coql", rows, columns, calls, credits, seconds, reason, notes, (), rows)


def _understood(client: CrmReader, api: CallCounter, statement: CoqlQuery) -> QueryResult:
    fields = fields_of(client.metadata, statement)
    users = submit(client.known_users) if any(map(frames.is_user_lookup, fields)) else None
    resolved, notes = with_fetched_sub_queries(client, api, statement)
    result = coql.fetch_rows(api, resolved, fields, client.max_concurrency(), statement.limit, None)
    rows, warnings = with_people(users.result if users else client.known_users, result.rows, fields, always=True)
    for field in filter(frames.has_targets, fields):
        rows, missing = add_target_names(api, rows, field, client.max_concurrency())
        warnings += missing
    query = result.query if resolved is statement else statement.text
    return QueryResult(rows, query, [*notes, *result.warnings, *api.warnings, *_absent(api, fields), *warnings])


def _absent(api: CallCounter, fields: Sequence[Field]) -> list[str]:
    """A warning that names the columns whose key was in no row: they are empty here, but were not sent as null."""
    names = [field.name for field in fields if field.name in api.absent]
    return [f"COQL left {', '.join(names)} out of its answer; empty here. %zoho_pull reads it."] if names else []


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


_QUOTED, _LIMIT = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\""""), re.compile(r"\blimit\b", re.IGNORECASE)


def _guessed(body: bytes) -> pa.Table:
    rows: Sequence[Mapping[str, Any]] = json.loads(body).get("data", []) if body else []
    try:
        return pa.Table.from_pylist([dict(row) for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # raised below, outside the handler
    raise ApiError("A column of the answer mixes types.", hint="Select fewer columns to find it.")
