"""Records by id: a list of any length, in the order given; and complete records, with what lists do not carry.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import ApiError, QueryError
from .. import limits
from ..api_version import API
from ..metadata import TARGET_MODULE, Field
from ..parallel import map_parallel
from . import arrow as frames
from . import records
from .planner import Estimate, Plan, shortage_notes
from .record_query import CallCounter, RecordQuery, coql_credits, parse_page
from .routes import routes_for_scopes

if TYPE_CHECKING:
    from .stream import CrmReader

__all__ = ["describe_missing", "in_given_order", "make_plan", "normalize_ids", "read_complete", "where_ids"]


def normalize_ids(ids: Any) -> tuple[str, ...]:
    """Record ids as text, each once, in the order given.

    Args:
        ids: a list, a Series, an array or one id; texts of digits or integers.

    Raises:
        QueryError: one is no record id, or a float, which has lost digits.

    Example::

        >>> normalize_ids([554023000000900134, "554023000000900134", "554023000000900135"])
        ('554023000000900134', '554023000000900135')
    """
    values = [ids] if isinstance(ids, (str, int)) else ids
    if not isinstance(values, Iterable) or isinstance(values, (bytes, Mapping)) or getattr(values, "ndim", 1) != 1:
        raise QueryError("`ids` is not a list of record ids.", hint='Use a list or a column: ids=frame["id"].')
    return tuple(dict.fromkeys(_record_id(value) for value in values))


def _record_id(value: Any) -> str:
    text = str(value).strip()
    if isinstance(value, bool) or "float" in type(value).__name__ or not (text.isascii() and text.isdecimal()):
        raise QueryError(
            f"`ids` has {text[:40]!r}, which is not a record id.",
            hint="Record ids are texts of digits; drop empty cells; a float has lost digits.",
        )
    return text


def where_ids(query: RecordQuery) -> RecordQuery:
    """The query with its ids as a criterion of COQL."""
    listed = ", ".join(f"'{one}'" for one in query.ids or ())
    where = f"({query.where} and id in ({listed}))" if query.where else f"id in ({listed})"
    return replace(query, where=where, ids=None)


def make_plan(client: CrmReader, query: RecordQuery, via: str, ids: int) -> Plan:
    """The plan for records by id, without a call: COQL, or the Records API where its scope is missing or `full` is.

    Args:
        client: the session.
        query: with `ids`, or complete records.
        via: auto, records or coql.
        ids: how many records.

    Raises:
        QueryError: the API in `via` cannot do it.
    """
    allowed = routes_for_scopes(client.scopes)
    api = via if via != "auto" else "records" if query.is_full or "coql" not in allowed else "coql"
    if api == "bulk" or (query.is_full and api != "records"):
        raise QueryError(f"via={api!r} does not read {'complete records' if query.is_full else 'records by id'}.")
    if api == "records" and query.where and not query.is_full:
        raise QueryError("The Records API supports no `where` beside `ids`.", hint='Use via="coql".')
    calls, credits = _cost(query, api, ids)
    rounds = -(-calls // client.max_concurrency())
    found = Estimate(api, calls, credits, (rounds * 0.15, rounds * 1.0))
    reason = "only single records carry every field" if query.is_full else "records by id"
    notes = shortage_notes(credits, client.credits_left)
    fallbacks = ("records",) if via == "auto" and api == "coql" and not query.where else ()
    return Plan(api, ids, len(query.fields), calls, credits, found.seconds, reason, notes, fallbacks, ids, (found,))


def _cost(query: RecordQuery, api: str, ids: int) -> tuple[int, int]:
    if query.is_full:
        return ids, ids
    if api == "records":
        calls = -(-ids // limits.IDS_PER_CALL) * len(records.batches_of(query.fields))
        return calls, calls
    sizes = [min(limits.COQL_ROWS_PER_CALL, ids - start) for start in range(0, ids, limits.COQL_ROWS_PER_CALL)]
    return len(sizes), sum(map(coql_credits, sizes))


def in_given_order(rows: pa.Table, ids: Sequence[str]) -> pa.Table:
    """The rows in the order of the ids."""
    places = pc.index_in(pa.array(ids, frames.TEXT), rows.column("id").combine_chunks())
    return rows.take(places.drop_null())


def describe_missing(rows: pa.Table, query: RecordQuery) -> list[str]:
    """A warning that names ids without a row."""
    known = set(rows.column("id").to_pylist())
    missing = [one for one in query.ids or () if one not in known]
    if not missing:
        return []
    more = f" and {len(missing) - 10:,} more" if len(missing) > 10 else ""
    why = "do not exist or do not match" if query.where or query.since else "do not exist, or you may not see them"
    return [f"{len(missing):,} of {len(query.ids or ()):,} ids {why}: {', '.join(missing[:10])}{more}."]


# Complete records


def read_complete(
    api: CallCounter, query: RecordQuery, ids: Sequence[str], max_workers: int
) -> tuple[pa.Table, list[str]]:
    """Complete records, one call each, side by side, in the order of the ids; and what is cut off in them.

    Raises:
        AuthError, ApiError, ThrottledError, TransportError: Zoho refused or was not reached.
    """
    fields = [*query.fields, *([] if TARGET_MODULE in query.fields else [TARGET_MODULE])]
    calls = [partial(_one, api, query.module, fields, one) for one in ids]
    pages = list(map_parallel(calls, max_workers))
    rows = pa.concat_tables([frames.empty_table(fields), *(page for page, _ in pages)])
    cut = dict.fromkeys(name for _, names in pages for name in names)
    notes = [f"{', '.join(cut)}: Zoho sends 200 rows of a record at most, and some records have more."] if cut else []
    return frames.fill_target_modules(rows, query.fields), notes


def _one(api: CallCounter, module: str, fields: Sequence[Field], one: str) -> tuple[pa.Table, list[str]]:
    """The record, or no row where there is none; and the names of the subforms that are cut off."""
    try:
        response = api.request("GET", f"{API}/{module}/{one}")
    except (ApiError, QueryError) as error:
        if error.code not in _NO_SUCH_RECORD:
            raise
        return frames.empty_table(fields), []
    page = parse_page(response, fields)
    api.note_page(page, fields)
    api.on_rows(len(page.rows))
    return page.rows, list(_cut_off(response.content))


_NO_SUCH_RECORD = ("INVALID_DATA", "RESOURCE_NOT_FOUND", "RECORD_NOT_FOUND")


def _cut_off(body: bytes) -> Iterator[str]:
    for record in (json.loads(body) if body else {}).get("data", ()):
        has_more = record.get("$has_more")
        if isinstance(has_more, dict):
            yield from (name for name, more in has_more.items() if more)
