"""A pull: what was asked for, checked against metadata, brought by the cheapest API, as a typed frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from typing import Any

from ...errors import ApiError, AuthError, QueryError, ThrottledError
from ...http.responses import parse_json
from .. import limits
from ..api_version import API
from ..coql.lexical import find_parameters
from ..coql.parser import build_query, parse_condition, parse_order_by
from ..coql.query import CoqlQuery, ParsedCondition
from ..metadata import RECORD_ID, Field, Metadata
from ..progress import Progress
from . import by_id, coql, records
from . import planner as plan
from .planner import Plan
from .record_query import CONVERTED, SINGLE_RECORD_TYPES, CallCounter, RecordQuery
from .routes import routes_for_scopes
from .statement_parts import resolve_filter
from .stream import CrmReader, RecordStream

__all__ = [
    "Confirm",
    "ask_before",
    "begin_count",
    "build_record_query",
    "ids_only",
    "make_plan",
    "parse_since",
    "stream",
]


def build_record_query(
    metadata: Metadata,
    module: str,
    *,
    fields: Sequence[str] | None = None,
    where: str | None = None,
    order_by: str | None = None,
    limit: int | None = None,
    since: str | date | datetime | None = None,
    converted: str | bool = False,
    ids: Any = None,
    full: bool = False,
    view: str | None = None,
) -> tuple[RecordQuery, list[str]]:
    """The reading a person asks for, and what it leaves out. Raises QueryError, before any record is asked for."""
    name = metadata.module(module).name
    known = metadata.fields(name)
    if limit is not None and limit < 1:
        raise QueryError("A limit is a whole number from 1.", hint="Leave it out for every row.")
    if since is not None and "Modified_Time" not in known:
        raise QueryError(f"{name} does not tell when a record was modified.", hint="Leave out `since`.")
    if ids is not None and (order_by or limit is not None):
        raise QueryError("`ids` goes with neither `order_by` nor `limit`.", hint="Rows come in the order of the ids.")
    _refuse_with_view(view, where=where, order_by=order_by, ids=ids, full=full or None)
    chosen, left_out = _select_complete(metadata, name, fields) if full else _select_fields(metadata, name, fields)
    filter_, named = _where(where, name, metadata)
    listed = ids is not None and str(converted).lower() == "false" and CONVERTED in known
    shown, hidden = _converted("both" if listed else converted, name, known, named)
    return RecordQuery(
        module=name,
        fields=tuple(chosen),
        where=filter_,
        order=_order(order_by, name, metadata),
        limit=limit,
        since=parse_since(since),
        converted="" if view and shown == "false" else shown,  # Zoho's list leaves converted leads out by itself
        bulk_unsupported_reason=_home_currency(known, named),
        has_converted=CONVERTED in known,
        ids=None if ids is None else by_id.normalize_ids(ids),
        is_full=full,
        view=view or "",
    ), left_out + hidden


def _refuse_with_view(view: str | None, **others: Any) -> None:
    given = [name for name, value in others.items() if value is not None]
    if view and given:
        hint = "A view has criteria and an order of its own: leave one of the two out."
        raise QueryError(f"`view` does not go with `{given[0]}`.", hint=hint)


def begin_count(
    client: CrmReader,
    api: CallCounter,
    module: str,
    via: str,
    *,
    where: str | None = None,
    since: str | date | datetime | None = None,
    limit: int | None = None,
    converted: str | bool = False,
    view: str | None = None,
    **_: Any,
) -> None:
    """Ask for the number of rows beside the metadata: the query that counts is known without it, in most cases.

    What is wrong with the arguments is said by `build_record_query`.
    """
    if view:
        return
    try:
        filter_ = _condition(where).to_coql(enclosed=True) if where and where.strip() else ""
        shown = str(converted).lower() if module == "Leads" and CONVERTED not in filter_ else ""
        guess = RecordQuery(module, (), where=filter_, limit=limit, since=parse_since(since), converted=shown)
        if "(select" in "".join(filter_.lower().split()):
            return
        if "coql" in routes_for_scopes(client.scopes) and plan.needs_count(guess, via):
            coql.begin_count(api, _counted(guess))
    except (QueryError, KeyError):
        return


def make_plan(client: CrmReader, reading: RecordQuery, via: str, api: CallCounter) -> Plan:
    """The plan for a query; spends one count, or one page, at most."""
    if reading.ids is not None:
        return by_id.make_plan(client, reading, via, len(reading.ids))
    if reading.is_full:
        return _plan_complete(client, reading, via, api)
    allowed = routes_for_scopes(client.scopes)
    planned = partial(plan.plan, reading, via, allowed, concurrency=client.max_concurrency())
    rough = planned(rows=None, credits_left=client.credits_left)
    rows = _estimate_rows(api, reading, allowed) if plan.needs_count(reading, via) else None
    if rows is None:
        return rough
    if not reading.view:
        client.row_counts[reading.module, reading.criteria] = rows
    found = planned(rows=rows, credits_left=client.credits_left)
    return replace(found, notes=(*found.notes, _CUT_COUNT)) if "select" in reading.where.lower() else found


_CUT_COUNT = (
    f"Zoho counts with the first {limits.COQL_SUB_QUERY_ROWS} records of a sub-query only; a pull uses all of them, "
    "and may bring more rows."
)


def _plan_complete(client: CrmReader, reading: RecordQuery, via: str, api: CallCounter) -> Plan:
    """The plan for every matching record complete: their ids by the best API, then one call each."""
    unknown = by_id.make_plan(client, reading, via, 0)
    first = make_plan(client, ids_only(reading), "auto", api)
    if first.rows is None:
        return replace(unknown, rows=None, calls=None, credits=None, seconds=None, total=None)
    found = by_id.make_plan(client, reading, via, first.rows)
    calls, credits = found.calls or 0, found.credits or 0
    note = f"Their ids come first, by {first.api}."
    return replace(
        found, calls=calls + (first.calls or 0), credits=credits + (first.credits or 0), notes=(*found.notes, note)
    )


def ids_only(reading: RecordQuery) -> RecordQuery:
    """The query that brings the ids alone."""
    return replace(reading, fields=(RECORD_ID,), is_full=False)


_ONE_CREDIT_ROWS = 180
"""About how many rows one credit brings, with room for some more."""


def _begin_rows(client: CrmReader, reading: RecordQuery, via: str, api: CallCounter, order: str) -> None:
    """Ask for the first rows beside their number, where an earlier pull of this session tells what it will be.

    With another filter than then, 200 rows are asked for: what turns out not to be needed costs one credit.
    """
    expected = client.row_counts.get((reading.module, reading.criteria))
    others = (rows for (module, _), rows in client.row_counts.items() if module == reading.module)
    rows = min(max(others, default=0), _ONE_CREDIT_ROWS) if expected is None else expected
    if not rows or reading.view or not plan.needs_count(reading, via):
        return
    allowed, columns = routes_for_scopes(client.scopes), client.metadata.columns
    try:
        likely = plan.plan(reading, via, allowed, rows, client.max_concurrency(), client.credits_left)
    except QueryError:  # what is refused is refused by the real number
        return
    order = order if reading.limit is None else "id desc"
    if likely.api == "coql":
        coql.begin_rows(api, reading.listed, columns, likely.rows or rows, order)
    elif likely.api == "records" and rows <= limits.RECORDS_PER_PAGE:
        records.begin_page(api, reading.listed)


Confirm = Callable[[Plan], bool]


def stream(
    client: CrmReader,
    reading: RecordQuery,
    warnings: list[str],
    api: CallCounter,
    *,
    via: str,
    progress: Progress,
    order: str,
    confirm: Confirm | None = None,
) -> RecordStream:
    """The rows as they arrive.

    Args:
        client: the session.
        reading, warnings: from `build_record_query`.
        api: counts the calls, and makes those that are asked for beside others.
        via: auto, records, coql or bulk.
        progress: is told how many rows will come, and how many have.
        order: COQL's order where the reading has none.
        confirm: is asked before more than half of the day's API credits are spent.

    Raises:
        QueryError, AuthError, ThrottledError, ApiError, TransportError: Zoho refused; or `confirm` said no.
    """
    reading, notes = resolve_filter(client, api, reading)
    warnings = [*warnings, *notes]
    _begin_rows(client, reading, via, api, order)
    found = make_plan(client, reading, via, api)
    ask_before(client, found, confirm)
    progress.expect(found.rows)
    return RecordStream(client, api, reading, found, warnings, order, progress)


def ask_before(client: CrmReader, found: Plan, confirm: Confirm | None) -> None:
    """Ask before more than half of the day's API credits are spent. Raises QueryError where `confirm` says no."""
    if confirm is not None and is_expensive(found, client) and not confirm(found):
        raise QueryError(f"Stopped before {found.credits:,} API credits were spent.", hint="Nothing was read.")


def is_expensive(found: Plan, client: CrmReader) -> bool:
    """Whether the plan takes more than half of the credits of a day, or of what Zoho says is left of it."""
    left = client.daily_credits if client.credits_left is None else min(client.credits_left, client.daily_credits)
    return found.credits is not None and found.credits > left / 2


def _select_fields(metadata: Metadata, module: str, wanted: Sequence[str] | None) -> tuple[list[Field], list[str]]:
    if wanted is not None:
        return _select_named(metadata, module, wanted)
    known = metadata.fields(module).values()
    if len(known) == 1:
        raise QueryError(f"Zoho describes no fields of {module}.", hint='Name them: fields=["Name", ...].')
    left_out = [field.name for field in known if field.data_type in SINGLE_RECORD_TYPES]
    listed = [field for field in known if field.data_type not in SINGLE_RECORD_TYPES]
    return listed, [f"Only single records carry {', '.join(left_out)}."] if left_out else []


def _select_complete(metadata: Metadata, module: str, wanted: Sequence[str] | None) -> tuple[list[Field], list[str]]:
    known = metadata.fields(module)
    return metadata.get_fields(module, ["id", *(wanted if wanted is not None else known)]), []


def _select_named(metadata: Metadata, module: str, wanted: Sequence[str]) -> tuple[list[Field], list[str]]:
    """The fields of these names, and a warning for each that no list of records carries."""
    chosen = metadata.get_fields(module, ["id", *wanted])
    untyped = [field.name for field in chosen if not field.data_type and not field.name.startswith("$")]
    notes = [f"Zoho describes no fields of {module}: {', '.join(untyped)} as text."] if untyped else []
    return chosen, notes + [_where_to_get(module, field) for field in chosen if field.data_type in SINGLE_RECORD_TYPES]


def _where_to_get(module: str, field: Field) -> str:
    rows = f"pull({field.related_module!r}) reads its rows, and " if field.related_module else ""
    return (
        f"{field.name} ({field.data_type}) is empty here, because lists of records do not carry it: {rows}"
        f"pull({module!r}, ids=..., full=True) reads complete records."
    )


def _where(text: str | None, module: str, metadata: Metadata) -> tuple[str, set[str]]:
    """The filter, nested in pairs, and the fields of the module that it names."""
    if not text or not text.strip():
        return "", set()
    condition = _condition(text)
    for path in condition.field_paths:
        metadata.resolve_path(path.module or module, path.path)
    return condition.to_coql(enclosed=True), {path.path for path in condition.field_paths if not path.module}


def _condition(text: str) -> ParsedCondition:
    if any(not parameter.is_quoted for parameter in find_parameters(text)):
        raise QueryError("A $name in a filter is not bound.", hint="Write the value itself, text in quotes.")
    try:
        return parse_condition(text)
    except QueryError as error:
        problem = error
    message = f"The filter {text[:80]!r} is not a COQL condition: {problem.args[0]}"
    raise QueryError(message, hint=problem.hint)


def _home_currency(known: Mapping[str, Field], named: Collection[str]) -> str:
    # https://www.zoho.com/crm/developer/docs/api/v8/bulk-read/create-job.html
    amounts = sorted(name for name in named if name in known and known[name].value_type == "currency")
    if not amounts or "Exchange_Rate" not in known:
        return ""
    return f"Bulk read compares {', '.join(amounts)} in the home currency, COQL in each record's own."


def _order(text: str | None, module: str, metadata: Metadata) -> str:
    if not text or not text.strip():
        return ""
    for term in parse_order_by(text):
        metadata.resolve_path(module, term.field.path)
    return text.strip()


def _converted(value: str | bool, module: str, known: Collection[str], named: Collection[str]) -> tuple[str, list[str]]:
    """Which records count, in the words of `Reading.converted`, and what a person should know about it."""
    text = str(value).lower()
    if text not in ("true", "false", "both"):
        raise QueryError("converted is true, false or both.", hint="false, the default, is what Zoho lists.")
    if CONVERTED not in known:
        if text != "false":
            raise QueryError(f"{module} has no converted records.", hint="Leave out `converted`; it is for Leads.")
        return "", []
    if text != "false":
        return text, []
    if CONVERTED in named:  # the filter says it itself
        return "", []
    return text, ["Converted records are not included, as Zoho lists them; converted='both' brings them."]


def parse_since(value: str | date | datetime | None) -> datetime | None:
    """`since` as a datetime with a time zone, local time where it has none. Raises QueryError for what is no moment."""
    if value is None:
        return None
    try:
        found = _read_moment(value)
        return found.astimezone() if found.tzinfo is None else found
    except (ValueError, OverflowError, OSError):
        pass
    raise QueryError(f"since={value!r} is not a date.", hint="Write 2026-01-31 or 2026-01-31T08:00:00+01:00.")


def _read_moment(value: Any) -> datetime:
    """Raises ValueError."""
    if type(value).__name__ == "datetime64":
        value = value.astype("datetime64[us]").item()
    if value != value:  # NaT
        raise ValueError
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    if isinstance(value, datetime):
        return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise ValueError


def _counted(reading: RecordQuery) -> CoqlQuery:
    return build_query(reading.module, ["id"], reading.criteria)


def _estimate_rows(api: CallCounter, reading: RecordQuery, allowed: Collection[str]) -> int | None:
    """About how many records match; None where Zoho does not say: the rows come without it too."""
    found = coql.estimate(api, _counted(reading)) if "coql" in allowed and not reading.view else None
    if found is not None or reading.where or reading.order:
        return found
    try:
        return _count_records(api, reading)
    except (ApiError, AuthError, QueryError, ThrottledError):
        return None


def _count_records(api: CallCounter, reading: RecordQuery) -> int | None:
    """The number of records, by Zoho's count or where one page of the list holds them all."""
    converted = {"converted": reading.converted} if reading.converted else {}
    view = {"cvid": reading.view} if reading.view else {}
    if reading.since is None:
        try:
            answer = parse_json(api.request("GET", f"{API}/{reading.module}/actions/count", params=view or converted))
            return int(answer["count"])
        except (ApiError, AuthError, QueryError, KeyError, TypeError, ValueError):
            pass  # it needs a scope of its own, ZohoSearch.securesearch.READ
    params = {"fields": "Created_Time", "per_page": limits.RECORDS_PER_PAGE, **converted, **view}
    since = {"If-Modified-Since": reading.since_text} if reading.since else {}
    cost = {"credits": records.page_credits(reading)}
    page = parse_json(api.request("GET", f"{API}/{reading.module}", params=params, headers=since, **cost))
    more = (page.get("info") or {}).get("more_records")
    return None if more else len(page.get("data") or ())
