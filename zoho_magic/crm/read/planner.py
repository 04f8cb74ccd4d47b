"""Which API a pull uses, and what each would cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...errors import QueryError
from .. import limits
from . import arrow as frames
from .record_query import RecordQuery
from .routes import ROUTES, Route

__all__ = ["VIA", "Estimate", "Plan", "needs_count", "plan", "shortage_notes"]

VIA = ("auto", *ROUTES)


@dataclass(frozen=True)
class Estimate:
    """What one API would take.

    Attributes:
        api: records, coql or bulk.
        calls, credits: None when the number of rows is unknown.
        seconds: at best and at worst; None when the number of rows is unknown.
        obstacle: why it cannot be used; "" where it can.
    """

    api: str
    calls: int | None = None
    credits: int | None = None
    seconds: tuple[float, float] | None = None
    obstacle: str = ""

    def __str__(self) -> str:
        if self.obstacle:
            return f"not possible: {self.obstacle}"
        if self.calls is None or self.seconds is None:
            return "possible; its cost is unknown, because the number of rows is"
        calls, credits = _plural(self.calls, "call"), _plural(self.credits or 0, "API credit")
        return f"{calls}, {credits}, {_duration(self.seconds)}"


@dataclass(frozen=True)
class Plan:
    """How a pull or a query will run. `print(plan)` or a notebook shows it as a table.

    Attributes:
        api: records, coql or bulk.
        rows: expected rows; None when unknown. With a small `limit` nothing is counted, and this is the limit.
        columns: fields asked for.
        calls, credits: what it will take, without the count behind the estimate; None when the rows are unknown.
        seconds: expected time, at best and at worst; None when the rows are unknown.
        reason: why, in a sentence.
        notes: what would be faster, or is left out.
        fallbacks: the APIs to try should Zoho not serve this module or filter on the chosen one.
        total: records that match before `limit`; None when they were not counted.
        routes: what every API would take, or why it cannot be used.

    Example::

        plan = zoho.plan("Leads")
        plan.api, plan.credits
    """

    api: str
    rows: int | None
    columns: int
    calls: int | None
    credits: int | None
    seconds: tuple[float, float] | None
    reason: str
    notes: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    total: int | None = None
    routes: tuple[Estimate, ...] = ()

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows a plan."""
        unknown = "unknown"
        about = "about" if self.total is not None else "at most"
        others = {f"With {each.api}": str(each) for each in self.routes if each.api != self.api}
        return {
            "API used": self.api,
            "Reason": self.reason,
            "Rows": unknown if self.rows is None else f"{about} {self.rows:,}",
            "Fields": str(self.columns),
            "Calls": unknown if self.calls is None else f"{self.calls:,}",
            "API credits": unknown if self.credits is None else f"{self.credits:,}",
            "Time": unknown if self.seconds is None else _duration(self.seconds),
            **others,
            "Notes": " ".join(self.notes),
        }

    def __str__(self) -> str:
        return "\n".join(f"{label + ':':14}{text}" for label, text in self.details.items() if text)

    __repr__ = __str__


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _duration(seconds: tuple[float, float]) -> str:
    low, high = (max(1, round(each)) for each in seconds)
    if high >= 120:
        return f"{low:,} s to {round(high / 60):,} min"
    return f"about {low} s" if low == high else f"{low} to {high} s"


def plan(
    reading: RecordQuery,
    via: str,
    allowed: Collection[str],
    rows: int | None,
    concurrency: int,
    credits_left: int | None = None,
) -> Plan:
    """The plan for a query.

    Args:
        reading: what to bring.
        via: auto, records, coql or bulk.
        allowed: the APIs that the token's scopes open.
        rows: about how many records match, before `limit`; None when unknown.
        concurrency: calls at once.
        credits_left: API credits left today; None when Zoho has not told.

    Raises:
        QueryError: `via` is unknown, or cannot do what is asked.
    """
    if via not in VIA:
        raise QueryError(f"Unknown value for `via`: {via!r}.", hint=f"Use one of {', '.join(VIA)}.")
    wanted = rows if reading.limit is None else reading.limit if rows is None else min(rows, reading.limit)
    found = {name: _estimate(route, reading, allowed, wanted, rows, concurrency) for name, route in ROUTES.items()}
    asked = (via, "you chose it", ())
    api, reason, notes = _choose(reading, wanted, found, credits_left) if via == "auto" else asked
    ROUTES[api].check(reading, rows)
    chosen = found[api]
    return Plan(
        api=api,
        rows=wanted,
        columns=len(reading.fields),
        calls=chosen.calls,
        credits=chosen.credits,
        seconds=chosen.seconds,
        reason=reason,
        notes=notes + shortage_notes(chosen.credits, credits_left),
        fallbacks=_fallbacks(api, found) if via == "auto" else (),
        total=rows,
        routes=tuple(found.values()),
    )


def shortage_notes(credits: int | None, left: int | None) -> tuple[str, ...]:
    """A sentence where more API credits are needed than are left today."""
    if credits is None or left is None or credits <= left:
        return ()
    return (f"It needs about {credits:,} API credits, and {left:,} are left today.",)


def _fallbacks(api: str, found: Mapping[str, Estimate]) -> tuple[str, ...]:
    """The other APIs that can do it, the cheapest first."""
    able = [name for name in ROUTES[api].fallbacks if not found[name].obstacle]
    return tuple(sorted(able, key=lambda name: _credits(found[name])))


def _estimate(
    route: Route, reading: RecordQuery, allowed: Collection[str], wanted: int | None, total: int | None, width: int
) -> Estimate:
    try:
        route.check(reading, total)
    except QueryError as error:
        return Estimate(route.name, obstacle=str(error.args[0]))
    obstacle = "" if route.name in allowed else f"the scope {route.scope} is missing."
    matching = wanted if total is None else total
    if wanted is None or matching is None or (route.name == "bulk" and total is None):
        return Estimate(route.name, obstacle=obstacle)
    cost = route.cost(reading, wanted, matching, width)
    return Estimate(route.name, cost.calls, cost.credits, cost.seconds, obstacle)


def needs_count(reading: RecordQuery, via: str) -> bool:
    """Whether the number of records decides anything: not when a small limit bounds what COQL or records bring."""
    return via == "bulk" or reading.limit is None or reading.limit > 2 * limits.COQL_ROWS_PER_CALL


def _choose(
    reading: RecordQuery, wanted: int | None, found: Mapping[str, Estimate], credits_left: int | None
) -> tuple[str, str, tuple[str, ...]]:
    """The API, why, and what to know about the choice."""
    able = [name for name, each in found.items() if not each.obstacle or "scope" in each.obstacle]
    possible = [name for name in able if not found[name].obstacle]
    best, reason = _best(reading, wanted, {name: found[name] for name in able or found})
    if best not in possible:
        note = f"With {ROUTES[best].scope} it would use {best}."
        others = _best(reading, wanted, {name: found[name] for name in possible or found})[0]
        best, reason, notes = others, f"the scope for {best} is missing", (note,) if possible else ()
    else:
        notes = ()
    cheap = [name for name in possible if _credits(found[name]) <= (credits_left or 0)]
    if credits_left is not None and best not in cheap and cheap:
        short = f"{best} would need more than the {credits_left:,} API credits left today"
        return min(cheap, key=lambda name: _credits(found[name])), short, notes
    return best, reason, notes


def _best(reading: RecordQuery, wanted: int | None, able: Mapping[str, Estimate]) -> tuple[str, str]:
    """The API to prefer among those that can, and why. COQL answers at once, where a bulk job may queue for minutes."""
    if reading.view:
        return "records", "a custom view is read by the Records API only"
    if "records" in able and able["records"].calls == 1:
        return "records", "it fits one call"
    if "coql" in able and reading.order:
        return "coql", "only COQL brings records in an order of your own"
    if "coql" in able and (wanted is None or wanted <= limits.COQL_MAX_OFFSET):
        return "coql", "a filter needs COQL" if reading.where else "windows of 2,000 rows side by side"
    if "coql" in able and any(frames.is_lookup(each) and each.data_type != "lookup" for each in reading.fields):
        return "coql", "bulk read does not bring the names of every lookup"
    if wanted is None:
        return next(name for name in ("coql", "bulk", "records") if name in able), "the number of rows is unknown"
    return min(able, key=lambda name: _credits(able[name])), "it costs the fewest API credits"


def _credits(estimate: Estimate) -> float:
    return float("inf") if estimate.credits is None else estimate.credits
