"""The COQL road: windows of 2,000 rows side by side, stitched together so that no row is missing or stands twice.

https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
import requests

from .. import frames
from ..errors import QueryError
from .answers import content
from .metadata import RECORD_ID, Field
from .reading import Harvest, Meter, Reading, coql_credits
from .side_by_side import side_by_side
from .statement import EVERYTHING, Column, Statement

__all__ = ["MOST_COLUMNS", "WINDOW_ROWS", "as_written", "count", "read", "rows_of"]

WINDOW_ROWS = 2_000
REACH_ROWS = 100_000
MOST_COLUMNS = 500
MOST_ORDERS = 10

Window = Callable[[Statement, int, int], frames.Page]

# Neighbouring windows share a row: if they do not meet there, records came or went while they were read.
_STEP = WINDOW_ROWS - 1


def read(api: Meter, reading: Reading, width: int, expected: int | None) -> Harvest:
    """The records of a reading.

    Args:
        api: counts the calls.
        reading: what to bring.
        width: calls at once.
        expected: about how many rows there are, if known.
    """
    statement = Statement(
        columns=tuple(Column(field.name, field.name, field.name) for field in reading.fields),
        source=reading.module,
        module=reading.module,
        where=reading.criteria or EVERYTHING,
        order=reading.order,
    )
    return rows_of(api, statement, reading.fields, width, reading.limit, expected)


def rows_of(
    api: Meter, statement: Statement, fields: Sequence[Field], width: int, limit: int | None, expected: int | None
) -> Harvest:
    """Every row of a query (or `limit` of them), whatever Zoho's limit a call.

    Args:
        fields: the query's columns as fields whose names are the keys of the answer.
        width, limit, expected: as `read`.
    """
    query = statement.text(min(limit or WINDOW_ROWS, WINDOW_ROWS), statement.offset)
    window = partial(_window, api, fields)
    if statement.order or statement.aggregates or statement.joined:
        rows, warnings = _in_given_order(api, window, statement, width, limit, expected)
        return Harvest(rows, query, warnings)
    if all(field.name != "id" for field in fields):
        window = partial(_window, api, (RECORD_ID, *fields))
    return Harvest(_by_id(api, window, replace(statement, order="id desc"), width, limit, expected), query)


def count(api: Meter, statement: Statement) -> int:
    """How many rows a query has, for one credit; an estimate by the time the rows arrive."""
    response = _post(api, statement.counting().text(1), 1)
    values = [value for row in content(response).get("data", []) for value in row.values()]
    return int(values[0]) if values else 0


def as_written(api: Meter, text: str) -> tuple[bytes, bool]:
    """One call with a query that was not understood: the answer, and whether Zoho has more rows than it sent."""
    response = _post(api, text, coql_credits(WINDOW_ROWS))
    return response.content, bool((content(response).get("info") or {}).get("more_records"))


def _post(api: Meter, text: str, credits: int) -> requests.Response:
    # A select changes nothing, so it may be sent again.
    answer: requests.Response = api.request(
        "POST", "/crm/v8/coql", json={"select_query": text}, repeat=True, credits=credits
    )
    return answer


def _window(api: Meter, fields: Sequence[Field], statement: Statement, limit: int, offset: int) -> frames.Page:
    response = _post(api, statement.text(limit, offset), coql_credits(limit))
    page = frames.from_json(response.content, fields)
    api.arrived(len(page.rows))
    return page


# Newest first: windows may shift under the query, and what slipped between two of them is fetched


def _by_id(
    api: Meter, window: Window, statement: Statement, width: int, limit: int | None, expected: int | None
) -> pa.Table:
    parts, got, below, more = [], 0, statement, True
    while more and (limit is None or got < limit):
        left = None if limit is None else limit - got
        pages = list(_segment(window, below, width, left, expected))
        parts += [page.rows for page in pages]
        got += sum(len(page.rows) for page in pages)
        last, more = _last_id(parts), pages[-1].more
        if more and (left is None or got < (limit or got)):
            expected = max(0, (count(api, statement) if expected is None else expected) - got)
        # Beyond 100,000 rows, or beyond what was expected: on from the last id.
        below = replace(statement, offset=0).also(f"id < '{last}'")
    return frames.newest_first(pa.concat_tables(parts))[:limit]


def _segment(
    window: Window, statement: Statement, width: int, limit: int | None, expected: int | None
) -> Iterator[frames.Page]:
    """Up to 100,000 rows from the top, gaps between windows filled, rows that two windows share given once."""
    about = max(expected or 0, WINDOW_ROWS)
    sizes = windows(min(about, REACH_ROWS, limit or REACH_ROWS), statement.offset)
    last: str | None = None
    for page in side_by_side([partial(window, statement, size, offset) for offset, size in sizes], width):
        first = page.rows.column("id")[0].as_py() if len(page.rows) else None
        if last is not None and first is not None and int(first) < int(last):
            yield from _between(window, statement, last, first)
        yield replace(page, rows=page.rows[1:]) if first is not None and first == last else page
        last = _last_id([page.rows]) or last


def windows(rows: int, start: int) -> list[tuple[int, int]]:
    """Offset and size of windows that cover so many rows and overlap by one.

    Example::

        >>> windows(3000, 0)
        [(0, 2000), (1999, 1001)]
    """
    end = min(start + rows, REACH_ROWS)
    offsets = range(start, max(start + 1, end - 1), _STEP)
    return [(offset, min(WINDOW_ROWS, end - offset)) for offset in offsets]


def _between(window: Window, statement: Statement, above: str, below: str) -> Iterator[frames.Page]:
    """What lies between two ids: records were deleted while the windows were read, and the later ones moved up."""
    more = True
    while more:
        page = window(replace(statement, offset=0).also(f"id < '{above}'").also(f"id > '{below}'"), WINDOW_ROWS, 0)
        yield replace(page, more=True)
        above, more = _last_id([page.rows]) or above, page.more


def _last_id(parts: Sequence[pa.Table]) -> str | None:
    for rows in reversed(parts):
        if len(rows):
            found: str = rows.column("id")[-1].as_py()
            return found
    return None


# In the order the query asks for


def _in_given_order(
    api: Meter, window: Window, statement: Statement, width: int, limit: int | None, expected: int | None
) -> tuple[pa.Table, list[str]]:
    ordered = replace(statement, order=_with_id(statement))
    start, end = statement.offset, min(statement.offset + limit if limit is not None else REACH_ROWS, REACH_ROWS)
    pages = [window(ordered, min(WINDOW_ROWS, end - start), start)]
    if pages[0].more and start + WINDOW_ROWS < end:
        known = expected if expected is not None or statement.aggregates else count(api, statement)
        offsets = range(start + WINDOW_ROWS, min(end, start + (known or 0)), WINDOW_ROWS)
        calls = [partial(window, ordered, min(WINDOW_ROWS, end - at), at) for at in offsets]
        pages += side_by_side(calls, width)
    while pages[-1].more and (at := start + WINDOW_ROWS * len(pages)) < end:
        pages.append(window(ordered, min(WINDOW_ROWS, end - at), at))
    if pages[-1].more and limit is None:
        raise QueryError(
            f"Zoho gives at most {REACH_ROWS:,} rows in an order of your own, and there are more.",
            hint="Leave out 'order by': rows then come by id, without that limit; sort the frame.",
        )
    rows = pa.concat_tables([page.rows for page in pages])[:limit]
    return rows, _moved(rows) if len(pages) > 1 else []


def _with_id(statement: Statement) -> str:
    # Rows with equal values may swap places between two calls; the id decides.
    names = [part.split()[0] for part in statement.order.split(",") if part.strip()]
    loose = statement.aggregates or statement.joined or "id" in names or len(names) >= MOST_ORDERS
    return statement.order if loose else ", ".join(filter(None, (statement.order, "id asc")))


def _moved(rows: pa.Table) -> list[str]:
    ids = rows.column("id") if "id" in rows.schema.names else None
    if ids is None or len(ids.unique()) == len(ids):
        return []
    return ["Records changed places while the query ran: some rows stand twice and some may be missing."]


def keys_of(body: bytes) -> list[str]:
    """The keys of the first row of an answer: Zoho decides how it writes `SUM(Amount)`."""
    rows = json.loads(body).get("data", []) if body else []
    return list(rows[0]) if rows else []
