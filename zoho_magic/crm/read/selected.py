"""Records by id and complete records: which API brings them, and what `attrs` say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from ...errors import ApiError, AuthError, QueryError
from ..api_version import API
from ..progress import Progress
from . import arrow as frames
from . import by_id, records
from .planner import Plan
from .pull import Confirm, ask_before, ids_only, make_plan
from .record_query import CallCounter, RecordQuery
from .routes import is_unsupported
from .statement_parts import resolve_filter
from .stream import CrmReader, RecordStream, is_not_the_users, with_people

__all__ = ["pull_selected"]


def pull_selected(
    client: CrmReader, reading: RecordQuery, warnings: list[str], via: str, progress: Progress, confirm: Confirm | None
) -> tuple[pa.Table, dict[str, Any]]:
    """Records by id, or complete records, and what a frame's `attrs` hold.

    Args:
        client: the session.
        reading, warnings: from `build_record_query`; with `ids`, or `is_full`.
        via, progress, confirm: as `pull.stream`.

    Raises:
        QueryError, AuthError, ThrottledError, ApiError, TransportError: Zoho refused; or `confirm` said no.
    """
    with CallCounter(client, progress.add) as api:
        reading, resolved = resolve_filter(client, api, reading)
        found = make_plan(client, reading, via, api)
        ask_before(client, found, confirm)
        progress.expect(found.rows)
        used, rows, notes = (_read_complete if reading.is_full else _read_selected)(client, api, reading, found)
        rows, unnamed = with_people(client.known_users, rows, reading.fields, always=used != "records")
        if reading.ids is not None:
            rows = by_id.in_given_order(rows, reading.ids)
    notes += [*resolved, *unnamed, *api.warnings, *by_id.describe_missing(rows, reading)]
    return rows, {
        "module": reading.module,
        "api": used,
        "query": f"GET {API}/{reading.module}/{{id}}" if reading.is_full else f"{reading.module} by id",
        **api.cost,
        "warnings": list(dict.fromkeys([*warnings, *found.notes, *notes])),
    }


def _read_selected(
    client: CrmReader, api: CallCounter, reading: RecordQuery, found: Plan
) -> tuple[str, pa.Table, list[str]]:
    """The API that was used, the rows, and warnings."""
    if not reading.ids:
        return found.api, frames.empty_table(reading.fields), []
    if found.api == "records":
        listed = records.read_selected(api, reading.listed, reading.ids, client.max_concurrency())
        return found.api, frames.with_all_columns(listed, reading.fields), []
    silent = Progress("", show=False)
    query = by_id.where_ids(reading)
    try:
        with RecordStream(client, CallCounter(api), query, found, [], "id desc", silent) as arriving:
            return found.api, arriving.collect(), arriving.warnings
    except (ApiError, AuthError, QueryError) as error:
        if not found.fallbacks or not (is_unsupported(error.code) or is_not_the_users(error, reading)):
            raise
        note = f"COQL is not available here ({error.code})."
    used, rows, notes = _read_selected(client, api, reading, replace(found, api="records"))
    return used, rows, [note, *notes]


def _read_complete(
    client: CrmReader, api: CallCounter, reading: RecordQuery, found: Plan
) -> tuple[str, pa.Table, list[str]]:
    ids = reading.ids
    if ids is None or reading.where or reading.since is not None:
        ids = _matching_ids(client, api, reading)
    return (found.api, *by_id.read_complete(api, reading, ids, client.max_concurrency()))


def _matching_ids(client: CrmReader, api: CallCounter, reading: RecordQuery) -> tuple[str, ...]:
    query, inner = ids_only(reading), CallCounter(api)
    if query.ids is not None:
        _, rows, _ = _read_selected(client, api, query, by_id.make_plan(client, query, "coql", len(query.ids)))
    else:
        found = make_plan(client, query, "auto", inner)
        with RecordStream(client, inner, query, found, [], "id desc", Progress("", show=False)) as arriving:
            rows = arriving.collect()
    return tuple(rows.column("id").to_pylist())
