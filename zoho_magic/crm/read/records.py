"""The Records API: `GET /{module}`, 200 rows a page, the first ten pages side by side, then one after the other.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import ApiError, QueryError, TransportError
from .. import limits
from ..api_version import API
from ..metadata import RECORD_ID, TARGET_MODULE, Field
from ..parallel import map_parallel
from . import arrow as frames
from .record_query import CallCounter, QueryResult, RecordQuery, parse_page

__all__ = [
    "batches_of",
    "begin_page",
    "fill_columns",
    "name_batches",
    "page_credits",
    "parallel_pages",
    "read",
    "read_by_ids",
    "read_selected",
]

MAX_ATTEMPTS = 3

Ask = Callable[..., frames.Page]


def read(api: CallCounter, reading: RecordQuery, max_workers: int, expected: int | None) -> QueryResult:
    """The records of a query without criteria.

    Args:
        api: counts the calls.
        reading: what to bring.
        max_workers: calls at once.
        expected: about how many rows there are, if known; spares calls beyond the end.

    Raises:
        QueryError: Zoho's list ends at 100,000 rows and there are more.
        TransportError: Zoho says that there are more rows, and not where; or records kept changing.
    """
    wanted = replace(reading, fields=_with_target_module(reading.fields))
    for _ in range(MAX_ATTEMPTS):
        rows = _read_once(api, wanted, max_workers, expected)
        if rows is not None:
            return QueryResult(frames.fill_target_modules(rows, reading.fields), f"GET {API}/{reading.module}")
    raise TransportError("Records kept changing while they were read.", hint='Run it again, or use via="coql".')


def _with_target_module(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields, with the one that tells which module `What_Id` points into where that is asked for."""
    several = any(field.value_type == "multi_module_lookup" for field in fields)
    return (*fields, TARGET_MODULE) if several and TARGET_MODULE not in fields else fields


def _read_once(api: CallCounter, reading: RecordQuery, max_workers: int, expected: int | None) -> pa.Table | None:
    """The rows, or None where the list has to be read from its start again."""
    batches = batches_of(reading.fields)
    workers = max(1, max_workers // len(batches))
    walks = [partial(_fetch_batch, api, reading, batch, workers, expected) for batch in batches]
    try:
        first, *others = map_parallel(walks, len(batches))
    except (ApiError, QueryError) as error:
        if error.code not in _DEAD_PAGE_TOKEN:
            raise
        return None
    rows = _joined(first, others, reading)
    # A record that came or went between two batches is in one of them only, and the limit wants another instead.
    return rows if reading.limit is None or len(rows) == len(first) else None


_DEAD_PAGE_TOKEN = ("EXPIRED_VALUE", "TOKEN_BOUND_DATA_MISMATCH")
"""Codes of a page token that leads nowhere any more: the list is read from its first page again."""


def begin_page(api: CallCounter, reading: RecordQuery) -> None:
    """Ask beside other calls for the page that `read` will ask for, where one page has it all."""
    params, headers = _question(reading, batches_of(_with_target_module(reading.fields))[0], {}, page=1)
    path = f"{API}/{reading.module}"
    api.begin(
        ("records", _key(path, params, headers)), partial(api.request, "GET", path, params=params, headers=headers)
    )


def _key(path: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[Any, ...]:
    return path, tuple(sorted(params.items())), tuple(headers.items())


def batches_of(fields: Sequence[Field]) -> list[list[Field]]:
    """The fields of each call, `id` among them: a page token is bound to its `fields`, so every batch walks alone."""
    record_id, by_name = fields[0], {field.name: field for field in fields[1:]}
    return [[record_id, *(by_name[name] for name in batch)] for batch in name_batches(list(by_name))]


def name_batches(names: Sequence[str]) -> list[list[str]]:
    """The names of fields in parts that one call takes, by their number and by the length of the parameter."""
    batches: list[list[str]] = [[]]
    for name in names:
        longer = [*batches[-1], name]
        if len(longer) > limits.FIELDS_PER_CALL or len(",".join(longer)) > limits.FIELDS_PARAMETER_LENGTH:
            batches.append([])
        batches[-1].append(name)
    return batches


def fill_columns(
    api: CallCounter, reading: RecordQuery, rows: pa.Table, fields: Sequence[Field], max_workers: int
) -> tuple[pa.Table, list[Field]]:
    """The rows with these columns read by record id, and the fields that did not come that way either.

    Raises:
        AuthError, ApiError, QueryError, ThrottledError, TransportError: Zoho refused, or was not reached.
    """
    fresh = CallCounter(api)
    for batch in batches_of([RECORD_ID, *fields]):
        found = read_by_ids(fresh, reading, batch, rows.column("id").to_pylist(), max_workers)
        place = pc.index_in(rows.column("id").combine_chunks(), found.column("id").combine_chunks())
        for name in frames.empty_table(batch[1:]).schema.names:
            rows = rows.set_column(rows.schema.get_field_index(name), name, found.column(name).take(place))
    return rows, [field for field in fields if field.name in fresh.absent]


def read_by_ids(
    api: CallCounter, reading: RecordQuery, fields: Sequence[Field], ids: Sequence[str], max_workers: int
) -> pa.Table:
    """These records, as far as they exist, in no particular order. Raises as `fill_columns`."""
    size = limits.IDS_PER_CALL
    parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    calls = [partial(_by_ids, api, reading, list(fields), part) for part in parts]
    return pa.concat_tables([frames.empty_table(fields), *map_parallel(calls, max_workers)])


def read_selected(api: CallCounter, reading: RecordQuery, ids: Sequence[str], max_workers: int) -> pa.Table:
    """These records with all fields of the query, as far as they exist. Raises as `fill_columns`."""
    wanted = replace(reading, fields=_with_target_module(reading.fields))
    parts = [read_by_ids(api, wanted, batch, ids, max_workers) for batch in batches_of(wanted.fields)]
    return frames.fill_target_modules(_joined(parts[0], parts[1:], wanted), reading.fields)


def _by_ids(api: CallCounter, reading: RecordQuery, fields: list[Field], ids: Sequence[str]) -> pa.Table:
    params = {
        "fields": ",".join(field.name for field in fields[1:]) or "Created_Time",
        "ids": ",".join(ids),
        "per_page": limits.RECORDS_PER_PAGE,
        **({"converted": "both"} if reading.has_converted else {}),
    }
    page = parse_page(api.request("GET", f"{API}/{reading.module}", params=params), fields)
    api.note_page(page, fields)
    return page.rows


def _joined(first: pa.Table, others: list[pa.Table], reading: RecordQuery) -> pa.Table:
    """The batches side by side, row by row; a record that was deleted between them is in none."""
    if not others:
        return first
    ids = first.column("id").combine_chunks()
    for other in others:
        ids = ids.filter(pc.is_in(ids, other.column("id").combine_chunks()))
    joined: dict[str, pa.ChunkedArray] = {}
    for part in (first, *others):
        rows = part.take(pc.index_in(ids, part.column("id").combine_chunks()))
        joined.update(zip(rows.schema.names, rows.columns, strict=True))
    schema = frames.empty_table(reading.fields).schema
    return pa.Table.from_arrays([joined[name] for name in schema.names], schema=schema)


def _fetch_batch(
    api: CallCounter, reading: RecordQuery, fields: list[Field], max_workers: int, expected: int | None
) -> pa.Table:
    """All rows of some fields, newest first."""
    last = parallel_pages(reading, expected)
    order = {"sort_order": "asc"} if last > 1 else {}
    ask = partial(_page, api, reading, fields, order)
    pages = _numbered(ask, partial(_page, api, reading, fields[:1], order), last, max_workers) if last > 1 else []
    pages = pages or [ask(page=1)]
    got = sum(len(page.rows) for page in pages)
    while pages[-1].has_more and (reading.limit is None or got < reading.limit):
        pages.append(_next(ask, pages[-1], got))
        got += len(pages[-1].rows)
    return frames.sort_by_id_desc(pa.concat_tables([page.rows for page in pages]))[: reading.limit]


def parallel_pages(reading: RecordQuery, expected: int | None) -> int:
    """How many pages are asked for by number, side by side.

    Only where all records are wanted: then they come oldest first, so that new ones go to the end and cannot push
    others from one page to the next.
    """
    # A view may have an order of its own, which no other may be asked for beside.
    if reading.limit is not None or reading.since is not None or reading.view or expected is None:
        return 1
    return min(limits.RECORDS_NUMBERED_PAGES, -(-expected // limits.RECORDS_PER_PAGE))


def _numbered(ask: Ask, recheck: Ask, last: int, max_workers: int) -> list[frames.Page]:
    """Pages 1 to `last`, or none of them where records left the list meanwhile: then the later ones moved up, and what
    stood between two pages is in neither. The last page is read first and looked at again at the end: if it begins with
    the same record, nothing before it has gone.
    """
    end = ask(page=last)
    if not len(end.rows):
        return []
    pages = [*map_parallel([partial(ask, page=number) for number in range(1, last)], max_workers), end]
    again = recheck(page=last)
    return pages if _first_id(again) == _first_id(end) else []


def _first_id(page: frames.Page) -> Any:
    return page.rows.column("id")[0].as_py() if len(page.rows) else None


def _next(ask: Ask, page: frames.Page, got: int) -> frames.Page:
    if got >= limits.RECORDS_MAX_ROWS:
        raise QueryError(
            f"The Records API ends at {limits.RECORDS_MAX_ROWS:,} rows, and there are more.",
            hint="Use --via bulk or --via coql.",
        )
    if not page.next_page_token:
        raise TransportError(
            f"Zoho says that more than these {got} rows exist, but not how to get them.", hint="Use --via coql."
        )
    return ask(page_token=page.next_page_token)


def _page(
    api: CallCounter, reading: RecordQuery, fields: list[Field], order: dict[str, str], **place: Any
) -> frames.Page:
    params, headers = _question(reading, fields, order, **place)
    path = f"{API}/{reading.module}"
    begun = api.take(("records", _key(path, params, headers)))
    credits = page_credits(reading)
    response = begun.result() if begun else api.request("GET", path, params=params, headers=headers, credits=credits)
    page = parse_page(response, fields)
    api.note_page(page, fields)
    if fields[1:] == list(reading.fields[1 : len(fields)]):  # the first batch: a row that comes in parts counts once
        api.on_rows(len(page.rows))
    return page


def page_credits(reading: RecordQuery) -> int:
    """API credits of one page: 3 with a custom view."""
    return limits.VIEW_PAGE_CREDITS if reading.view else 1


def _question(
    reading: RecordQuery, fields: list[Field], order: dict[str, str], **place: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Parameters and headers of a page."""
    # `id` always comes; asked for alone, Zoho may refuse the call.
    names = [field.name for field in fields if field.name != "id"] or ["Created_Time"]
    params = {
        "fields": ",".join(names),
        "per_page": min(limits.RECORDS_PER_PAGE, reading.limit or limits.RECORDS_PER_PAGE),
        **order,
        **place,
    }
    if reading.converted:
        params["converted"] = reading.converted
    if reading.view:
        params["cvid"] = reading.view
    since = {"If-Modified-Since": reading.since_text} if reading.since else {}
    return params, since
