"""The bulk write road: a zipped CSV of up to 25,000 rows, a job, and a file that says what became of each row.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-write/overview.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ...errors import ApiError, ThrottledError, TransportError, ZohoError
from ...http.responses import Api, content
from ..metadata import Field
from . import bulk_csv as bulk_file
from .bulk_csv import fates_by_counts, fates_of, files, lines_of
from .push_state import Writing
from .row_result import UNKNOWN, Fate, from_error, refused_inside, turned_away, unknown
from .rows import Order, Row

__all__ = ["CREDITS_A_JOB", "follow", "write"]

CREDITS_A_JOB = 500
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PAUSE_GROWTH = 0.5, 10.0, 1.5
MOST_SILENCES = 6
"""Polls in a row that may fail before a job is left to itself."""

_FORMATS = {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd'T'HH:mm:ssXXX"}
_RUNNING = ("ADDED", "QUEUED", "IN PROGRESS", "INPROGRESS")

T = TypeVar("T")


def write(writing: Writing, rows: Sequence[Row], fields: Sequence[Field], hosts: tuple[str, str]) -> ZohoError | None:
    """Write the rows, a file after the other, keeping their fates true at every moment.

    Args:
        writing: the push.
        rows: what to write.
        fields: the columns of the file.
        hosts: origin that takes uploads, and the org's id for its header (`X-CRM-ORG`).

    Returns:
        Zoho's refusal of the first file, where there was one: then nothing was written, and no fate has changed.
    """
    first = True
    for start in range(0, len(rows), bulk_file.ROWS_A_FILE):
        for part, packed in files(writing.cleared(rows[start : start + bulk_file.ROWS_A_FILE]), fields):
            if writing.halted.is_set():
                writing.mark(part, writing.unsent())
                continue
            refusal = _written(writing, part, fields, packed, hosts)
            if refusal is not None and first:
                return refusal
            if refusal is not None:
                writing.meet(refusal)
                writing.settle(part, [turned_away(refusal)] * len(part))
            first = False
    return None


def _written(
    writing: Writing, rows: Sequence[Row], fields: Sequence[Field], packed: bytes, hosts: tuple[str, str]
) -> ZohoError | None:
    before = {row.place: writing.fates[row.place] for row in rows}
    try:
        # An upload alone changes nothing in the CRM.
        file_id = _uploaded(writing.api, packed, hosts)
        writing.mark(rows, unknown("Interrupted while the job was being made."))
        job_id = _created(writing.api, writing.order, fields, file_id)
    except ZohoError as error:
        at_creation = writing.fates[rows[0].place].status == UNKNOWN
        if at_creation and (fate := from_error(error)).status == UNKNOWN:
            writing.settle(rows, [fate] * len(rows))
            return None
        writing.fates.update(before)
        return error
    writing.jobs.update({row.place: (job_id, line, len(rows)) for line, row in enumerate(rows)})
    follow(writing, job_id, rows)
    return None


def follow(writing: Writing, job_id: str, rows: Sequence[Row]) -> None:
    """Wait for a job, and settle its rows. Rows that the job leaves unknown can be asked after again."""
    on_its_way = unknown(f"Bulk write job {job_id} goes on at Zoho: report.retry() asks what became of it.")
    writing.mark(rows, on_its_way)
    writing.settle(rows, _told(writing, job_id, rows) or [on_its_way] * len(rows))


def _told(writing: Writing, job_id: str, rows: Sequence[Row]) -> list[Fate]:
    places = [writing.jobs[row.place][1] for row in rows]
    total = writing.jobs[rows[0].place][2]
    job: dict[str, Any] = {}
    try:
        job = _finished(writing, job_id)
        return fates_of(_results(writing, job), places, total)
    except ZohoError as error:
        lost = unknown(f"Bulk write job {job_id}: {error.args[0]}")
        return fates_by_counts(job, len(rows), total) or [lost] * len(rows)


# The job


def _uploaded(api: Api, packed: bytes, hosts: tuple[str, str]) -> str:
    upload, org = hosts
    answer = api.request(
        "POST",
        f"{upload}/crm/v8/upload",
        files={"file": ("rows.zip", packed, "application/zip")},
        headers={"feature": "bulk-write", "X-CRM-ORG": org},
        repeat=True,
    )
    return _named(content(answer), "file_id", "POST /crm/v8/upload")


def _created(api: Api, order: Order, fields: Sequence[Field], file_id: str) -> str:
    resource: dict[str, Any] = {
        "type": "data",
        "module": {"api_name": order.module},
        "file_id": file_id,
        "ignore_empty": not order.clear_empty,
        "field_mappings": [_mapping(field, place) for place, field in enumerate(fields)],
    }
    if order.action != "insert":
        resource["find_by"] = order.on[0] if order.action == "upsert" else "id"
    body = {"operation": order.action, "ignore_empty": not order.clear_empty, "resource": [resource]}
    answer = api.request("POST", "/crm/bulk/v8/write", json=body, repeat=False, credits=CREDITS_A_JOB)
    return _named(content(answer), "id", "POST /crm/bulk/v8/write")


def _named(answer: Mapping[str, Any], key: str, doing: str) -> str:
    """What Zoho calls the new thing. Raises its refusal, or TransportError where it says neither."""
    if (refusal := refused_inside(answer, doing)) is not None:
        raise refusal
    details = answer.get("details")
    found = details.get(key) if isinstance(details, Mapping) else None
    if not found:
        raise TransportError(f"Zoho's answer to {doing} lacks what it made.")
    return str(found)


def _mapping(field: Field, place: int) -> dict[str, Any]:
    mapping: dict[str, Any] = {"api_name": field.name, "index": place}
    if field.kind in _FORMATS:
        mapping["format"] = _FORMATS[field.kind]
    if "lookup" in field.kind:
        mapping["find_by"] = "id"
    return mapping


def _finished(writing: Writing, job_id: str) -> dict[str, Any]:
    pause = FIRST_PAUSE_SECONDS
    while True:
        job = _patiently(writing, lambda: content(writing.api.request("GET", f"/crm/bulk/v8/write/{job_id}")))
        if str(job.get("status")).upper() not in _RUNNING:
            return job
        writing.halted.wait(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * PAUSE_GROWTH)


def _results(writing: Writing, job: Mapping[str, Any]) -> list[dict[str, str]]:
    result = job.get("result")
    url = result.get("download_url") if isinstance(result, Mapping) else None
    if not url:
        raise ApiError(f"Zoho says {job.get('status')}, and gives no result file.")
    return _patiently(writing, lambda: lines_of(writing.api.request("GET", str(url)).content))


def _patiently(writing: Writing, ask: Callable[[], T]) -> T:
    """Ask, and go on asking through trouble that passes: the job does not stop because nobody hears of it."""
    pause = FIRST_PAUSE_SECONDS
    for _ in range(MOST_SILENCES - 1):
        try:
            return ask()
        except (ApiError, ThrottledError, TransportError) as error:
            if isinstance(error, ApiError) and 0 < error.status < 500:
                raise
        writing.halted.wait(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * PAUSE_GROWTH)
    return ask()
