"""Which API a pull uses, and what it will cost.

Records: few rows and few fields, one call. COQL: a filter, an order, or up to some ten thousand rows. Bulk read: more,
or more fields than COQL takes. Costs: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from ...errors import QueryError
from .. import limits
from . import arrow as frames
from . import coql, records
from .record_query import RecordQuery, coql_credits

__all__ = ["ROUTES", "VIA", "Plan", "plan"]

ROUTES = ("records", "coql", "bulk")
VIA = ("auto", *ROUTES)

# From here on a bulk read job (50 credits) costs less than COQL (3 credits for 2,000 rows).
BULK_FROM_ROWS = 33_000

# Rough, from public measurements of single calls; a plan is an estimate.
_PAGE_SECONDS, _WINDOW_SECONDS, _JOB_SECONDS, _BULK_ROWS_A_SECOND = 0.15, 1.0, 4.0, 30_000


@dataclass(frozen=True)
class Plan:
    """How a pull will run. `print(plan)` or a notebook shows it as a table.

    Attributes:
        api: records, coql or bulk.
        rows: expected rows; None when unknown.
        columns: fields asked for.
        calls, credits: what it will take, without the count behind the estimate; None when the rows are unknown.
        seconds: rough expected time; None when unknown.
        reason: why, in a sentence.
        notes: what would be faster, or is left out.
        fallbacks: the routes to try should Zoho not serve this module or filter on the chosen one.

    Example::

        plan = zoho.plan("Leads")
        plan.api, plan.credits
    """

    api: str
    rows: int | None
    columns: int
    calls: int | None
    credits: int | None
    seconds: float | None
    reason: str
    notes: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows a plan."""
        unknown = "unknown"
        return {
            "API used": self.api,
            "Because": self.reason,
            "Rows": unknown if self.rows is None else f"about {self.rows:,}",
            "Fields": str(self.columns),
            "Calls": unknown if self.calls is None else str(self.calls),
            "API credits": unknown if self.credits is None else str(self.credits),
            "Time": unknown if self.seconds is None else f"about {self.seconds:.1f} s at Zoho's usual pace",
            "Notes": " ".join(self.notes),
        }

    def __str__(self) -> str:
        return "\n".join(f"{label + ':':13}{text}" for label, text in self.details.items() if text)

    __repr__ = __str__


@dataclass(frozen=True)
class Cost:
    """Calls, credits and seconds of a route."""

    calls: int
    credits: int
    seconds: float


def plan(
    reading: RecordQuery,
    via: str,
    allowed: Collection[str],
    rows: int | None,
    concurrency: int,
    credits_left: int | None = None,
) -> Plan:
    """The plan for a reading.

    Args:
        reading: what to bring.
        via: auto, records, coql or bulk.
        allowed: the routes the token's scopes open.
        rows: about how many there are, before `limit`; None when unknown.
        width: calls at once.
        left: API credits left today; None when Zoho has not told.

    Raises:
        QueryError: `via` is unknown, or cannot do what is asked.
    """
    if via not in VIA:
        raise QueryError(f"Unknown value for `via`: {via!r}.", hint=f"Use one of {', '.join(VIA)}.")
    wanted = rows if reading.limit is None else reading.limit if rows is None else min(rows, reading.limit)
    cost_of, is_open = (
        partial(_cost, reading, wanted, rows, concurrency),
        partial(_is_available, reading, rows, allowed),
    )
    route, why, notes = (
        (via, "you chose it", ()) if via != "auto" else _choice(reading, wanted, is_open, cost_of, credits_left)
    )
    _check_possible(route, reading, rows)
    cost = cost_of(route)
    if cost and credits_left is not None and cost.credits > credits_left:
        notes = (*notes, f"It needs about {cost.credits:,} API credits, and {credits_left:,} are left today.")
    return Plan(
        api=route,
        rows=wanted,
        columns=len(reading.fields),
        calls=cost.calls if cost else None,
        credits=cost.credits if cost else None,
        seconds=cost.seconds if cost else None,
        reason=why,
        notes=notes,
        fallbacks=tuple(filter(is_open, _FALLBACKS[route])) if via == "auto" else (),
    )


def _cost(reading: RecordQuery, wanted: int | None, rows: int | None, concurrency: int, route: str) -> Cost | None:
    # Bulk read brings all there is; its limit is ours.
    bring = rows if route == "bulk" and rows is not None else wanted
    return _COSTS[route](reading, bring, concurrency) if bring is not None else None


def needs_count(reading: RecordQuery, via: str) -> bool:
    """Whether the number of rows decides anything: not when a small limit bounds it already."""
    return via != "bulk" and (reading.limit is None or reading.limit > 2 * limits.COQL_ROWS_PER_CALL)


def _choice(
    reading: RecordQuery,
    rows: int | None,
    is_open: Callable[[str], bool],
    cost_of: Callable[[str], Cost | None],
    credits_left: int | None,
) -> tuple[str, str, tuple[str, ...]]:
    best, why = _best(reading, rows)
    routes = list(filter(is_open, (best, *_FALLBACKS[best])))
    affordable = [
        route
        for route in routes
        if credits_left is None or (cost := cost_of(route)) is None or cost.credits <= credits_left
    ]
    route = next(iter(affordable or routes), best)
    if route == best:
        return best, why, ()
    if affordable and routes[0] == best:
        return route, f"{best} would need more than the {credits_left:,} API credits left today", ()
    return route, f"the scope for {best} is missing", (f"With {_SCOPES[best]} it would use {best}.",)


def _best(reading: RecordQuery, rows: int | None) -> tuple[str, str]:
    many = rows is not None and rows > BULK_FROM_ROWS
    if reading.order:
        return "coql", "only COQL brings records in an order of your own"
    if len(reading.fields) > limits.COQL_MAX_COLUMNS:
        return "bulk", f"COQL takes {limits.COQL_MAX_COLUMNS} fields at most"
    if many and _is_possible("bulk", reading, None):
        if any(frames.is_lookup(field) and field.data_type != "lookup" for field in reading.fields):
            return "coql", "bulk read does not bring the names of every lookup"
        return "bulk", "for so many rows a job costs the fewest credits"
    if reading.where:
        return "coql", "a filter needs COQL"
    if rows is not None and rows <= limits.RECORDS_PER_PAGE and len(reading.fields) <= limits.FIELDS_PER_CALL:
        return "records", "it fits one call"
    return "coql", "windows of 2,000 rows side by side"


_FALLBACKS = {"records": ("coql", "bulk"), "coql": ("bulk", "records"), "bulk": ("coql", "records")}
_SCOPES = {"records": "ZohoCRM.modules.READ", "coql": "ZohoCRM.coql.READ", "bulk": "ZohoCRM.bulk.READ"}


def is_unsupported(code: str) -> bool:
    """Whether Zoho's code means that an API does not serve the module, or the filter, at all."""
    return code in ("INVALID_MODULE", "NOT_SUPPORTED") or code.startswith("MODULE_NOT_") or "_IN_CRITERIA" in code


def _is_available(reading: RecordQuery, rows: int | None, allowed: Collection[str], route: str) -> bool:
    return route in allowed and _is_possible(route, reading, rows)


def _is_possible(route: str, reading: RecordQuery, rows: int | None) -> bool:
    try:
        _check_possible(route, reading, rows)
    except QueryError:
        return False
    return True


def _check_possible(route: str, reading: RecordQuery, rows: int | None) -> None:
    if route == "records" and (reading.where or reading.order):
        raise QueryError(
            "The Records API supports neither `where` nor `order_by`.", hint="Use --via coql, or leave them out."
        )
    if route == "records" and min(rows or 0, reading.limit or rows or 0) > limits.RECORDS_MAX_ROWS:
        raise QueryError(
            f"The Records API ends at {limits.RECORDS_MAX_ROWS:,} rows, and there are about {rows:,}.",
            hint="Use --via bulk or --via coql.",
        )
    if route == "coql" and len(reading.fields) > limits.COQL_MAX_COLUMNS:
        raise QueryError(
            f"COQL takes {limits.COQL_MAX_COLUMNS} fields at most.", hint="Name fewer --fields, or --via bulk."
        )
    if route == "bulk" and reading.order:
        raise QueryError(
            "Bulk read does not support `order_by`.", hint="Leave out --order-by and sort the frame, or --via coql."
        )
    if route == "bulk" and reading.bulk_unsupported_reason:
        raise QueryError(reading.bulk_unsupported_reason, hint="Use --via coql for this filter.")
    if route == "bulk" and reading.where:
        from .bulk_criteria import to_bulk_criteria

        to_bulk_criteria(reading.where)


def _records(reading: RecordQuery, rows: int, concurrency: int) -> Cost:
    batches, pages = len(records.batches_of(reading.fields)), max(1, -(-rows // limits.RECORDS_PER_PAGE))
    numbered = records.parallel_pages(reading, rows)
    recheck_calls = int(numbered > 1)
    # The last numbered page comes first and is looked at again at the end; then one page after the other.
    rounds = (
        2 * recheck_calls + -(-max(1, numbered - recheck_calls) * batches // concurrency) + max(0, pages - numbered)
    )
    return Cost((pages + recheck_calls) * batches, (pages + recheck_calls) * batches, rounds * _PAGE_SECONDS)


def _coql(_: RecordQuery, rows: int, concurrency: int) -> Cost:
    sizes = [
        size for start in range(0, max(1, rows), limits.COQL_MAX_OFFSET) for _, size in coql.windows(rows - start, 0)
    ]
    return Cost(len(sizes), sum(map(coql_credits, sizes)), -(-len(sizes) // concurrency) * _WINDOW_SECONDS)


def _bulk(_: RecordQuery, rows: int, __: int) -> Cost:
    jobs = max(1, -(-rows // limits.BULK_READ_ROWS_PER_JOB))
    seconds = jobs * _JOB_SECONDS + rows / _BULK_ROWS_A_SECOND
    return Cost(5 * jobs, jobs * limits.BULK_READ_CREDITS, seconds)


_COSTS: dict[str, Callable[[RecordQuery, int, int], Cost]] = {"records": _records, "coql": _coql, "bulk": _bulk}


def routes_for_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """The routes these scopes open; all of them where Zoho did not say what it granted."""
    lower = [scope.lower() for scope in scopes]
    opened = {route: {f"zohocrm.{route}.read", f"zohocrm.{route}.all"} for route in ("coql", "bulk")}
    return tuple(route for route in ROUTES if not lower or route == "records" or opened[route].intersection(lower))
