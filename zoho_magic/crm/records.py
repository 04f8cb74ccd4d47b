"""The records road: `GET /{module}`, 200 rows a page, the first ten pages side by side, then one after the other.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .. import frames
from ..errors import QueryError
from .metadata import Field
from .reading import Harvest, Meter, Reading
from .side_by_side import side_by_side

__all__ = ["FIELDS_A_CALL", "PAGE_ROWS", "read"]

PAGE_ROWS = 200
FIELDS_A_CALL = 50
NUMBERED_PAGES = 10
MOST_ROWS = 100_000


def read(api: Meter, reading: Reading, width: int, expected: int | None) -> Harvest:
    """The records of a reading without criteria.

    Args:
        api: counts the calls.
        reading: what to bring.
        width: calls at once.
        expected: about how many rows there are, if known; spares calls beyond the end.

    Raises:
        QueryError: Zoho's list ends at 100,000 rows and there are more.
    """
    batches = _batches(reading.fields)
    walks = [partial(_walk, api, reading, batch, max(1, width // len(batches)), expected) for batch in batches]
    first, *others = side_by_side(walks, len(batches))
    if len(first) >= MOST_ROWS and reading.limit != MOST_ROWS:
        raise QueryError(
            "The records road ends at 100,000 rows, and there are more.", hint="Use --via bulk or --via coql."
        )
    return Harvest(_joined(first, others, reading))


def _batches(fields: tuple[Field, ...]) -> list[list[Field]]:
    # A page token is bound to its `fields`, so every batch of fields walks the pages by itself.
    record_id, rest = fields[0], list(fields[1:])
    batches = [rest[i : i + FIELDS_A_CALL] for i in range(0, len(rest), FIELDS_A_CALL)] or [[]]
    return [[record_id, *batch] for batch in batches]


def _joined(first: pa.Table, others: list[pa.Table], reading: Reading) -> pa.Table:
    """The batches side by side, row by row; a record that was deleted between them is in none."""
    ids = first.column("id").combine_chunks()
    for other in others:
        ids = ids.filter(pc.is_in(ids, other.column("id").combine_chunks()))
    joined: dict[str, pa.ChunkedArray] = {}
    for part in (first, *others):
        rows = part.take(pc.index_in(ids, part.column("id").combine_chunks()))
        joined.update(zip(rows.schema.names, rows.columns, strict=True))
    schema = frames.empty(reading.fields).schema
    return pa.Table.from_arrays([joined[name] for name in schema.names], schema=schema)


def _walk(api: Meter, reading: Reading, fields: list[Field], width: int, expected: int | None) -> pa.Table:
    pages = [page.rows for page in _pages(api, reading, fields, width, expected)]
    return frames.newest_first(pa.concat_tables(pages))[: reading.limit]


def _pages(
    api: Meter, reading: Reading, fields: list[Field], width: int, expected: int | None
) -> Iterator[frames.Page]:
    wanted = min(n for n in (reading.limit, expected, MOST_ROWS) if n is not None)
    page = _page(api, reading, fields, page=1)
    yield page
    got = len(page.rows)
    numbered = range(2, 1 + min(NUMBERED_PAGES, -(-wanted // PAGE_ROWS)) if page.more else 2)
    for page in side_by_side([partial(_page, api, reading, fields, page=n) for n in numbered], width):
        got += len(page.rows)
        yield page
    while page.more and page.token and (reading.limit is None or got < reading.limit):
        page = _page(api, reading, fields, page_token=page.token)
        got += len(page.rows)
        yield page


def _page(api: Meter, reading: Reading, fields: list[Field], **place: Any) -> frames.Page:
    # `id` always comes; asked for alone, Zoho may refuse the call.
    names = [field.name for field in fields if field.name != "id"] or ["Created_Time"]
    params = {"fields": ",".join(names), "per_page": min(PAGE_ROWS, reading.limit or PAGE_ROWS), **place}
    if reading.converted:
        params["converted"] = reading.converted
    since = {"If-Modified-Since": reading.since_text} if reading.since else {}
    response = api.request("GET", f"/crm/v8/{reading.module}", params=params, headers=since)
    page = frames.from_json(response.content, fields)
    api.arrived(len(page.rows))
    return page
