"""COQL: windows of 2,000 rows side by side, joined so that no row is missing or stands twice.

https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, pairwise

import pyarrow as pa
import pyarrow.compute as pc
import requests

from ...errors import ApiError, AuthError, QueryError, ThrottledError, TransportError
from ...http.responses import list_of, object_of, parse_json
from .. import limits
from ..api_version import API
from ..coql.long_lists import spread_lists
from ..coql.parser import build_query
from ..coql.query import CoqlQuery
from ..metadata import RECORD_ID, ColumnMemory, Field
from ..parallel import map_parallel
from . import arrow as frames
from .record_query import CallCounter, QueryResult, RecordQuery, coql_credits, parse_page

__all__ = [
    "begin_count",
    "begin_rows",
    "beyond_reach",
    "count",
    "estimate",
    "fetch_rows",
    "open_rows",
    "run_raw",
    "stream",
    "windows",
]

MAX_ATTEMPTS = 3
MAX_COUNT = 1_000_000_000
"""A count beyond this is no count of records."""

_CREDIT_STEPS = (200, 1_000)
"""Rows a call may have for one and two credits; see `coql_credits`."""

FetchPage = Callable[[CoqlQuery, int, int], frames.Page]

# What comes after a record, by the order the query asks for; Zoho's own order is by id, oldest first.
_BY_ID = {(): ("id asc", ">"), (("id", False),): ("id asc", ">"), (("id", True),): ("id desc", "<")}


def stream(
    api: CallCounter,
    reading: RecordQuery,
    columns: ColumnMemory,
    max_workers: int,
    expected: int | None,
    warnings: list[str],
    order: str = "id desc",
) -> tuple[str, Iterator[pa.Table]]:
    """The query as sent, and the records of a query a page at a time; the first page has come when this returns.

    Args:
        api: counts the calls, and takes the names of fields that COQL does not select.
        reading: what to bring.
        columns: what COQL took and refused before.
        max_workers: calls at once.
        expected: about how many rows there are, if known.
        warnings: takes sentences about fields that COQL does not select.
        order: COQL's `order by` list where the query has none.

    Raises:
        QueryError: Zoho does not take the query, or ends before its last row.
        TransportError: records kept changing places.
    """
    module = reading.module
    fields = [field for field in reading.fields if not columns.is_refused("coql", module, field.name)]
    while True:
        names = [field.name for field in fields]
        statement = build_query(module, names, reading.criteria, reading.order or order)
        # A refused column is found with one window, and not with all of them.
        alone = not columns.are_accepted("coql", module, names)
        try:
            query, tables = open_rows(api, statement, fields, max_workers, reading.limit, expected, first_alone=alone)
        except (ApiError, QueryError) as error:
            refused = _refused(error, fields)
            if refused is None or _names(reading, refused):
                raise
            fields.remove(refused)
            columns.refuse("coql", module, refused.name)
        else:
            columns.accept("coql", module, names)
            _note_refused(api, [field.name for field in reading.fields if field not in fields], warnings)
            return query, (frames.with_all_columns(rows, reading.fields) for rows in tables)


def _note_refused(api: CallCounter, names: Sequence[str], warnings: list[str]) -> None:
    api.mark_absent(names)
    if names:
        warnings.append(f"COQL does not select {', '.join(names)}.")


def _names(reading: RecordQuery, field: Field) -> bool:
    """Whether the filter or the order names the field: without it in the select list, Zoho would refuse it again."""
    return re.search(rf"\b{re.escape(field.name)}\b", f"{reading.where} {reading.order}") is not None


def _refused(error: ApiError | QueryError, fields: Sequence[Field]) -> Field | None:
    name = error.details.get("column_name") if error.code == "INVALID_QUERY" else None
    return next((field for field in fields if field.name == name and name != "id"), None)


def fetch_rows(
    api: CallCounter,
    statement: CoqlQuery,
    fields: Sequence[Field],
    max_workers: int,
    limit: int | None,
    expected: int | None,
) -> QueryResult:
    """Every row of a query (or `limit` of them), whatever Zoho's limit a call.

    Args:
        fields: the query's columns as fields whose names are the keys of the answer.
        max_workers, limit, expected: as `stream`.

    Raises:
        As `stream`.
    """
    query, tables = open_rows(api, statement, fields, max_workers, limit, expected)
    return QueryResult(pa.concat_tables(tables), query)


def open_rows(
    api: CallCounter,
    statement: CoqlQuery,
    fields: Sequence[Field],
    max_workers: int,
    limit: int | None,
    expected: int | None,
    *,
    first_alone: bool = False,
) -> tuple[str, Iterator[pa.Table]]:
    """The query as sent, and the rows of `fetch_rows` a page at a time; the first page has come when this returns."""
    if statement.offset >= limits.COQL_MAX_OFFSET:
        raise beyond_reach()
    parts = spread_lists(statement)
    if len(parts) > 1:
        return statement.text, iter([_rows_of_parts(api, parts, fields, max_workers, limit)])
    [statement] = parts
    statement = statement.quote_columns(_reserved_words)
    tables = _rows_of(api, statement, fields, max_workers, limit, expected, first_alone)
    try:
        first = next(tables)
    except QueryError as error:
        if not _learns_reserved_word(error, statement):
            raise
    else:
        return statement.to_coql(
            min(limit or limits.COQL_ROWS_PER_CALL, limits.COQL_ROWS_PER_CALL), statement.offset
        ), chain([first], tables)
    return open_rows(api, statement, fields, max_workers, limit, expected, first_alone=first_alone)


def _rows_of_parts(
    api: CallCounter, parts: Sequence[CoqlQuery], fields: Sequence[Field], max_workers: int, limit: int | None
) -> pa.Table:
    """The rows of several queries, each once, by id as the queries say."""
    calls = [partial(fetch_rows, api, part, fields, 1, limit, None) for part in parts]
    rows = pa.concat_tables([found.rows for found in map_parallel(calls, max_workers)])
    newest_first = any(term.descending for term in parts[0].order_by)
    return (frames.sort_by_id_desc(rows) if newest_first else frames.sort_by_id_asc(rows))[:limit]


# Words that Zoho has refused without quotes, in lower case: they belong to the language and not to an org, so one
# refusal is enough for all that this process reads.
_reserved_words: set[str] = set()


def _learns_reserved_word(error: QueryError, statement: CoqlQuery) -> bool:
    """Whether a column of the query was refused because it is a reserved word, which is then known as one.

    https://help.zoho.com/portal/en/community/topic/kaizen-171-faqs-on-coql-api
    """
    word = str(error.details.get("near", "")).lower() if error.code == "SYNTAX_ERROR" else ""
    if not word or statement.quote_columns([word]).text == statement.text:
        return False
    _reserved_words.add(word)
    return True


def _rows_of(
    api: CallCounter,
    statement: CoqlQuery,
    fields: Sequence[Field],
    width: int,
    limit: int | None,
    expected: int | None,
    first_alone: bool,
) -> Iterator[pa.Table]:
    by_id = _by_id(statement)
    if statement.is_aggregate and not statement.group_by and limit is None:
        limit = 1  # one row, for one credit
    if by_id is None:
        yield _fetch_ordered(api, partial(_window, api, fields), statement, width, limit, expected)
        return
    window = partial(_window, api, fields if any(field.name == "id" for field in fields) else (RECORD_ID, *fields))
    ordered = _first_statement(statement)
    yield from _iter_by_id(api, window, ordered, by_id[1], width, limit, expected, first_alone)


def _by_id(statement: CoqlQuery) -> tuple[str, str] | None:
    """The order by id that a query has or may be given, and what comes after a record in it; None for another order."""
    if statement.is_aggregate or statement.aliases:
        return None
    return _BY_ID.get(tuple((term.text, term.descending) for term in statement.order_by))


def _first_statement(statement: CoqlQuery) -> CoqlQuery:
    """The query whose first rows are asked for first, with the order that they are read in."""
    by_id = _by_id(statement)
    if by_id is None:
        return _with_id(statement)
    return statement if statement.order_by else statement.add_order_by(by_id[0])


def begin_count(api: CallCounter, statement: CoqlQuery) -> None:
    """Ask beside other calls what `count` will ask."""
    if len(spread_lists(statement.count_query(), is_count=True)) == 1:
        text = _count_text(statement)
        api.begin(("count", text), partial(_post, api, text, 1))


def begin_rows(api: CallCounter, reading: RecordQuery, columns: ColumnMemory, rows: int, order: str) -> None:
    """Ask beside other calls what `stream` will ask first, if there are about so many rows."""
    names = [field.name for field in reading.fields if not columns.is_refused("coql", reading.module, field.name)]
    statement = build_query(reading.module, names, reading.criteria, reading.order or order)
    parts = spread_lists(statement)
    if len(parts) > 1:
        return
    statement = _first_statement(parts[0].quote_columns(_reserved_words))
    most = limits.COQL_ROWS_PER_CALL
    size = min(most, next((size for size in _CREDIT_STEPS if rows * 1.1 <= size), most))
    task = partial(_post, api, statement.to_coql(size, 0), coql_credits(size))
    api.begin(("rows", statement.text, 0), lambda: (size, task()))


def _count_text(statement: CoqlQuery) -> str:
    return spread_lists(statement.count_query().quote_columns(_reserved_words), is_count=True)[0].to_coql(1)


def count(api: CallCounter, statement: CoqlQuery) -> int:
    """How many rows a query has, for one credit; an estimate by the time the rows arrive.

    Raises:
        ApiError: what Zoho sent is no number of records.
    """
    counting = statement.count_query().quote_columns(_reserved_words)
    return sum(_count(api, part) for part in spread_lists(counting, is_count=True))


def _count(api: CallCounter, counting: CoqlQuery) -> int:
    begun = api.take(("count", counting.to_coql(1)))
    try:
        response = begun.result() if begun else _post(api, counting.to_coql(1), 1)
    except QueryError as error:
        if not _learns_reserved_word(error, counting):
            raise
        response = _post(api, counting.quote_columns(_reserved_words).to_coql(1), 1)
    rows = [row for row in parse_json(response).get("data") or [] if isinstance(row, dict)]
    values = [value for row in rows for value in row.values()]
    found = int(values[0]) if values and str(values[0]).isdecimal() else 0 if not values else -1
    if not 0 <= found <= MAX_COUNT:
        raise ApiError(f"Zoho counted {str(values[0])[:40]!r} records.", hint="Run it again.")
    return found


def estimate(api: CallCounter, statement: CoqlQuery) -> int | None:
    """`count`, or None where Zoho refuses to count or counts nonsense: the rows come without it too."""
    try:
        return count(api, statement)
    except (ApiError, AuthError, QueryError, ThrottledError):
        return None


def _rows_left(api: CallCounter, statement: CoqlQuery) -> int | None:
    found = estimate(api, statement)
    return None if found is None else max(0, found - statement.offset)


def run_raw(api: CallCounter, text: str) -> tuple[bytes, bool]:
    """One call with a query that was not understood: the answer, and whether Zoho has more rows than it sent."""
    response = _post(api, text, coql_credits(limits.COQL_ROWS_PER_CALL))
    return response.content, _has_more(response)


def _post(api: CallCounter, text: str, credits: int) -> requests.Response:
    # A select changes nothing, so it may be sent again.
    answer: requests.Response = api.request(
        "POST", f"{API}/coql", json={"select_query": text}, retry=True, credits=credits
    )
    return answer


def _window(api: CallCounter, fields: Sequence[Field], statement: CoqlQuery, limit: int, offset: int) -> frames.Page:
    response = _begun_answer(api, statement, limit, offset) or _post(
        api, statement.to_coql(limit, offset), coql_credits(limit)
    )
    answered = _as_answered(fields, statement, response)
    page = parse_page(response, answered)
    if len(page.rows) > limit:
        page = replace(page, rows=page.rows[:limit], has_more=True)
    absent = frozenset(field.name for field, key in zip(fields, answered, strict=True) if key.name in page.absent)
    page = replace(page, rows=page.rows.rename_columns(frames.empty_table(fields).schema.names), absent=absent)
    api.note_page(page, fields)
    api.on_rows(len(page.rows))
    return page


def _begun_answer(api: CallCounter, statement: CoqlQuery, limit: int, offset: int) -> requests.Response | None:
    """The answer that `begin_rows` asked for, if it reaches as far as this window, or to the end."""
    begun = api.take(("rows", statement.text, offset))
    size, response = begun.result() if begun else (0, None)
    return response if response is not None and (size >= limit or not _has_more(response)) else None


def _has_more(response: requests.Response) -> bool:
    return bool(object_of(parse_json(response), "info").get("more_records"))


def _as_answered(fields: Sequence[Field], statement: CoqlQuery, response: requests.Response) -> Sequence[Field]:
    """The fields with the keys of the answer, where these are not sure from the query."""
    if all(len(column.answer_keys) == 1 for column in statement.columns):
        return fields
    answered: Mapping[str, object] = next(iter(list_of(parse_json(response), "data")), {})
    candidates = Counter(key for column in statement.columns for key in column.answer_keys)
    keys = {
        column.key: next((k for k in column.answer_keys if k in answered and candidates[k] == 1), column.answer_key)
        for column in statement.columns
    }
    return [replace(field, name=keys.get(field.name, field.name)) for field in fields]


# Windows overlap by one row: if two neighbours do not meet there, records came or went while they were read


def windows(rows: int, start: int, page_rows: int | None = None) -> list[tuple[int, int]]:
    """Offset and size of windows that cover so many rows, as far as offsets reach, and overlap by one.

    Args:
        rows: how many.
        start: offset of the first.
        page_rows: of one window at most; None for what Zoho's pages say.

    Example::

        >>> windows(3000, 0)
        [(0, 2000), (1999, 1001)]
    """
    most, end = page_rows or limits.COQL_ROWS_PER_CALL, min(start + rows, limits.COQL_MAX_OFFSET)
    return [(offset, min(most, end - offset)) for offset in range(start, max(start + 1, end - 1), most - 1)]


# By id: what slipped between two windows is fetched


def _iter_by_id(
    api: CallCounter,
    window: FetchPage,
    statement: CoqlQuery,
    comparison: str,
    max_workers: int,
    limit: int | None,
    expected: int | None,
    first_alone: bool,
) -> Iterator[pa.Table]:
    rest, got, more = statement, 0, True
    if limit is not None and limit <= 2 * limits.COQL_ROWS_PER_CALL:
        expected = None  # one after the other they need not overlap, and no more than two are needed
    while more and (limit is None or got < limit):
        wanted = None if limit is None else limit - got
        if got and expected is None and (wanted is None or wanted > limits.COQL_ROWS_PER_CALL):
            expected = _rows_left(api, statement)
        left = limits.COQL_ROWS_PER_CALL if expected is None or expected <= got else expected - got
        last, rows = "", left if wanted is None else min(left, wanted)
        for page in _fetch_range(window, rest, comparison, max_workers, rows, first_alone and not got):
            more, last = page.has_more, _id(page.rows, -1) if len(page.rows) else last
            yield page.rows if limit is None else page.rows[: max(0, limit - got)]
            got += len(page.rows)
        if more and not last:
            raise TransportError(
                "Zoho says that there are more rows, and sends none.", hint="Run it again in a minute."
            )
        # Beyond the reach of offsets, or beyond what was expected: on from the last id.
        rest = statement.without_limit().and_where(f"id {comparison} '{last}'") if last else rest


def _fetch_range(
    window: FetchPage, statement: CoqlQuery, comparison: str, max_workers: int, rows: int, first_alone: bool
) -> Iterator[frames.Page]:
    """So many rows from the start on, as far as offsets reach: in order, complete, none twice. `more` on the last page
    tells whether there may be rows after it.
    """
    calls = [partial(window, statement, size, offset) for offset, size in windows(rows, statement.offset)]
    last, more = None, True
    alone = calls[:1] if first_alone else []
    pages = chain((call() for call in alone), map_parallel(calls[len(alone) :], max_workers))
    for page in pages:
        if len(page.rows) and last is not None and _has_gap(last, _id(page.rows, 0), comparison):
            yield from _fetch_gap(window, statement, comparison, last, _id(page.rows, 0))
        # An empty window tells nothing of what follows its neighbour: records may have gone between the two calls.
        more = page.has_more if len(page.rows) or last is None else more
        fresh = page.rows if last is None else _rows_after(page.rows, last, comparison)
        last = _id(fresh, -1) if len(fresh) else last
        yield replace(page, rows=fresh, has_more=more)


def _fetch_gap(window: FetchPage, statement: CoqlQuery, comparison: str, start: str, end: str) -> Iterator[frames.Page]:
    """What lies between two ids: records were deleted while the windows were read, and the later ones moved up."""
    more, before = True, "<" if comparison == ">" else ">"
    while more:
        gap = statement.without_limit().and_where(f"id {comparison} '{start}' and id {before} '{end}'")
        page = window(gap, limits.COQL_ROWS_PER_CALL, 0)
        yield replace(page, has_more=True)
        start, more = _id(page.rows, -1) if len(page.rows) else start, page.has_more and len(page.rows) > 0


def _has_gap(last: str, first: str, comparison: str) -> bool:
    return int(first) > int(last) if comparison == ">" else int(first) < int(last)


def _rows_after(rows: pa.Table, last: str, comparison: str) -> pa.Table:
    """The rows that come after an id."""
    if len(rows) and _id(rows, 0) == last:
        return rows[1:]
    ids = rows.column("id").combine_chunks().cast(pa.int64())
    return rows.filter(pc.greater(ids, int(last)) if comparison == ">" else pc.less(ids, int(last)))


def _id(rows: pa.Table, place: int) -> str:
    return str(rows.column("id")[place].as_py())


# In the order the query asks for: what does not meet is read again


def _fetch_ordered(
    api: CallCounter, window: FetchPage, statement: CoqlQuery, max_workers: int, limit: int | None, expected: int | None
) -> pa.Table:
    start = statement.offset
    wanted = min(limits.COQL_MAX_OFFSET - start, limits.COQL_MAX_OFFSET if limit is None else limit)
    ordered = _with_id(statement)
    asked = min(limits.COQL_ROWS_PER_CALL, wanted)
    first = window(ordered, asked, start)
    if not first.has_more or len(first.rows) >= wanted:
        return _check_offset_limit(first, limit)
    # Some organisations get fewer rows a call than were asked for.
    page_rows = max(2, len(first.rows)) if len(first.rows) < asked else limits.COQL_ROWS_PER_CALL
    if expected is None and not statement.group_by and wanted > 2 * limits.COQL_ROWS_PER_CALL:
        expected = estimate(api, statement)
    if limit is None and expected is not None and expected - start > limits.COQL_MAX_OFFSET:
        raise beyond_reach()
    sure = page_rows if expected is None else min(wanted, expected - start)
    stable = _with_stable_order(ordered)
    for attempt in range(MAX_ATTEMPTS):
        if attempt or stable is not ordered:
            first = window(stable, page_rows, start)
        pages = [first, *_remaining_pages(window, stable, max_workers, sure, wanted, page_rows)]
        if (rows := _join_overlapping(pages, statement)) is not None:
            return _check_offset_limit(replace(pages[-1], rows=rows), limit)
    raise _kept_changing()


def _kept_changing() -> TransportError:
    return TransportError(
        "Records kept changing places while the query ran.",
        hint="Run it again, or leave out 'order by': rows then come by id, without that trouble; sort the frame.",
    )


def _remaining_pages(
    window: FetchPage, statement: CoqlQuery, max_workers: int, known_rows: int, wanted: int, page_rows: int
) -> Iterator[frames.Page]:
    """The windows after the first: those that are sure side by side, then on for as long as there is more."""
    end, more = statement.offset + page_rows, True
    places = windows(known_rows, statement.offset, page_rows)[1:]
    for page in map_parallel([partial(window, statement, size, offset) for offset, size in places], max_workers):
        yield page
        more = page.has_more and len(page.rows) > 0
    if places:
        end = sum(places[-1])
    while more and end < statement.offset + wanted:
        size = min(page_rows, statement.offset + wanted - end + 1)
        page = window(statement, size, end - 1)
        yield page
        end, more = end + size - 1, page.has_more and len(page.rows) > 0


def _join_overlapping(pages: Sequence[frames.Page], statement: CoqlQuery) -> pa.Table | None:
    """The rows of overlapping windows, or None where two of them do not meet."""
    parts = [pages[0].rows]
    for before, page in pairwise(pages):
        if len(page.rows) and not _is_same(before.rows[-1:], page.rows[:1]):
            return None
        if not len(page.rows) and before.has_more:
            return None
        parts.append(page.rows[1:])
    rows = pa.concat_tables(parts)
    ids = rows.column("id") if "id" in rows.schema.names and not statement.aliases else None
    return rows if ids is None or len(ids.unique()) == len(ids) else None


def _is_same(one: pa.Table, other: pa.Table) -> bool:
    names = ["id"] if "id" in one.schema.names else one.schema.names
    return bool(one.select(names).equals(other.select(names)))


def _check_offset_limit(page: frames.Page, limit: int | None) -> pa.Table:
    if page.has_more and (limit is None or len(page.rows) < limit):
        raise beyond_reach()
    return page.rows[:limit]


def beyond_reach() -> QueryError:
    """The error of rows that no offset leads to."""
    return QueryError(
        f"Zoho gives at most {limits.COQL_MAX_OFFSET:,} rows in an order of your own or by offset, and there are more.",
        hint="Leave out 'order by' and 'offset': rows then come by id, without that limit; sort the frame.",
    )


def _with_id(statement: CoqlQuery) -> CoqlQuery:
    # Rows with equal values may swap places between two calls; the id decides.
    names = [term.text for term in statement.order_by]
    loose = statement.is_aggregate or statement.aliases or "id" in names or len(names) >= limits.COQL_MAX_ORDER_FIELDS
    return statement if loose else statement.add_order_by("id asc")


def _with_stable_order(statement: CoqlQuery) -> CoqlQuery:
    """With an order that holds from one call to the next, where the query has none."""
    grouped = ", ".join(statement.text[path.start : path.end] for path in statement.group_by)
    return statement if statement.order_by else statement.add_order_by(grouped or f"{statement.alias_prefix}id asc")
