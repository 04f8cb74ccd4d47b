"""The APIs that records are read by: what each can do, and what it costs. To add one, add a row to `ROUTES`.

Costs: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html. Times are rough, from public measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ...errors import QueryError
from .. import limits
from . import records
from .record_query import RecordQuery, coql_credits

__all__ = ["ROUTES", "Cost", "Route", "is_unsupported", "routes_for_scopes"]


@dataclass(frozen=True)
class Cost:
    """Calls, API credits, and the seconds they take: at best, at worst."""

    calls: int
    credits: int
    seconds: tuple[float, float]


@dataclass(frozen=True)
class Route:
    """One API.

    Attributes:
        name: what `via` calls it.
        label: what messages call it.
        scope: the OAuth scope it needs.
        fallbacks: the routes to try next, where Zoho does not serve a module or a filter by this one.
        check: raises QueryError where it cannot read a query with so many records (None: unknown).
        cost: of a query, rows to bring, records that match before `limit`, and calls at once.
    """

    name: str
    label: str
    scope: str
    fallbacks: tuple[str, ...]
    check: Callable[[RecordQuery, int | None], None]
    cost: Callable[[RecordQuery, int, int, int], Cost]

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that open it, in lower case."""
        read = self.scope.lower()
        return frozenset({read, read.replace(".read", ".all")})


def routes_for_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """The routes these scopes open; all of them where Zoho did not say what it granted."""
    lower = frozenset(scope.lower() for scope in scopes)
    return tuple(name for name, route in ROUTES.items() if not lower or name == "records" or route.scopes & lower)


def is_unsupported(code: str) -> bool:
    """Whether Zoho's code means that an API does not serve the module, the filter or this org at all."""
    return code in _UNSUPPORTED or code.startswith("MODULE_NOT_") or "_IN_CRITERIA" in code


_UNSUPPORTED = frozenset(
    """
    INVALID_MODULE NOT_SUPPORTED NOT_ALLOWED FEATURE_NOT_SUPPORTED FEATURE_NOT_ENABLED FEATURE_PERMISSION
    JOB_NOT_SUPPORTED QUERY_NOT_SUPPORTED OPERATION_NOT_SUPPORTED API_NOT_SUPPORTED LICENSE_NOT_SUPPORTED
    CRITERIA_LIMIT_EXCEEDED AMBIGUOUS_CRITERIA INVALID_CRITERIA GROUP_OPERATOR_NOT_SUPPORTED CVID_NOT_SUPPORTED
    INVALID_URL_PATTERN INVALID_REQUEST_METHOD NO_PERMISSION OAUTH_SCOPE_MISMATCH
    """.split()  # noqa: SIM905  # a list of words is read more easily than a list of literals
)


# What each can do


def _check_records(query: RecordQuery, total: int | None) -> None:
    if query.where or query.order:
        raise QueryError("The Records API supports neither `where` nor `order_by`.", hint='Use via="coql".')
    if _wanted(query, total) > limits.RECORDS_MAX_ROWS:
        raise QueryError(
            f"The Records API ends at {limits.RECORDS_MAX_ROWS:,} rows, and this asks for {_wanted(query, total):,}.",
            hint="Write its criteria in `where`." if query.view else 'Use via="bulk" or via="coql".',
        )


def _refuse_view(query: RecordQuery) -> None:
    # COQL and bulk read take no view that is shared: https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html
    if query.view:
        raise QueryError("A custom view is read by the Records API only.", hint="Leave out `via`.")


def _check_coql(query: RecordQuery, total: int | None) -> None:
    _refuse_view(query)
    if len(query.fields) > limits.COQL_MAX_COLUMNS:
        raise QueryError(f"COQL takes {limits.COQL_MAX_COLUMNS} fields at most.", hint="Name fewer in `fields`.")
    if query.order and _wanted(query, total) > limits.COQL_MAX_OFFSET:
        raise QueryError(
            f"Zoho gives at most {limits.COQL_MAX_OFFSET:,} rows in an order of your own, and this asks for "
            f"{_wanted(query, total):,}.",
            hint="Leave out `order_by` and sort the frame, or set a `limit`.",
        )


def _check_bulk(query: RecordQuery, _: int | None) -> None:
    _refuse_view(query)
    if query.order:
        raise QueryError("Bulk read does not support `order_by`.", hint="Leave it out and sort the frame.")
    if query.bulk_unsupported_reason:
        raise QueryError(query.bulk_unsupported_reason, hint='Use via="coql" for this filter.')
    if query.where:
        from .bulk_criteria import to_bulk_criteria

        to_bulk_criteria(query.where)


def _wanted(query: RecordQuery, total: int | None) -> int:
    """Rows to bring; 0 where nothing was counted, for a limit may be above the number of records."""
    return 0 if total is None else min(total, query.limit or total)


# What each costs

_PAGE_SECONDS, _WINDOW_SECONDS, _JOB_SECONDS = (0.15, 1.0), (0.5, 2.0), (4.0, 300.0)
_BULK_ROWS_A_SECOND = 30_000


def _records_cost(query: RecordQuery, rows: int, _: int, concurrency: int) -> Cost:
    batches, pages = len(records.batches_of(query.fields)), max(1, -(-rows // limits.RECORDS_PER_PAGE))
    numbered = records.parallel_pages(query, rows)
    recheck_calls = int(numbered > 1)
    # The last numbered page comes first and is looked at again at the end; then one page after the other.
    parallel = -(-max(1, numbered - recheck_calls) * batches // concurrency)
    rounds = 2 * recheck_calls + parallel + max(0, pages - numbered)
    calls = (pages + recheck_calls) * batches
    return Cost(calls, calls * records.page_credits(query), _times(rounds, _PAGE_SECONDS))


def _coql_cost(_: RecordQuery, rows: int, __: int, concurrency: int) -> Cost:
    """Windows overlap by one row, and begin anew where offsets end."""
    spans, rest = divmod(rows, limits.COQL_MAX_OFFSET)
    full, last = _span_cost(limits.COQL_MAX_OFFSET), _span_cost(rest) if rest or not spans else (0, 0)
    calls, credits = spans * full[0] + last[0], spans * full[1] + last[1]
    return Cost(calls, credits, _times(-(-calls // concurrency), _WINDOW_SECONDS))


def _span_cost(rows: int) -> tuple[int, int]:
    step = limits.COQL_ROWS_PER_CALL - 1
    sizes = [min(limits.COQL_ROWS_PER_CALL, rows - start) for start in range(0, max(1, rows - 1), step)]
    return len(sizes), sum(map(coql_credits, sizes))


def _bulk_cost(_: RecordQuery, __: int, total: int, ___: int) -> Cost:
    """Bulk read brings all records that match; `limit` is applied here."""
    jobs = max(1, -(-total // limits.BULK_READ_ROWS_PER_JOB))
    reading = total / _BULK_ROWS_A_SECOND
    low, high = _times(jobs, _JOB_SECONDS)
    return Cost(5 * jobs, jobs * limits.BULK_READ_CREDITS, (low + reading, high + reading))


def _times(rounds: int, seconds: tuple[float, float]) -> tuple[float, float]:
    return rounds * seconds[0], rounds * seconds[1]


_ROWS = (
    Route("records", "the Records API", "ZohoCRM.modules.READ", ("coql", "bulk"), _check_records, _records_cost),
    Route("coql", "COQL", "ZohoCRM.coql.READ", ("bulk", "records"), _check_coql, _coql_cost),
    Route("bulk", "bulk read", "ZohoCRM.bulk.READ", ("coql", "records"), _check_bulk, _bulk_cost),
)
ROUTES = {route.name: route for route in _ROWS}
