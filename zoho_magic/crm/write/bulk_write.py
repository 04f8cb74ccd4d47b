"""Writing by bulk write: a zipped CSV of up to 25,000 rows, a job, and a file with the result of each row.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-write/overview.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ...errors import ApiError, ThrottledError, TransportError, ZohoError
from ...http.backoff import ExponentialBackoff
from ...http.responses import CrmApi, parse_json
from .. import limits
from ..api_version import API, BULK_API
from ..metadata import Field
from .bulk_csv import csv_files, parse_result_file, results_from_counts, results_from_lines
from .operation import WriteOperation
from .push_state import PushState
from .row_result import UNKNOWN, RowResult, aborted, error_in_body, from_error, unknown
from .rows import Row

__all__ = ["follow", "write"]

INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, BACKOFF_FACTOR = 0.5, 10.0, 1.5
MAX_POLL_FAILURES = 6
"""Polls in a row that may fail before a job is left to itself."""

_FORMATS = {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd'T'HH:mm:ssXXX"}
_RUNNING = ("ADDED", "QUEUED", "IN PROGRESS", "INPROGRESS")

T = TypeVar("T")


def write(
    state: PushState, rows: Sequence[Row], fields: Sequence[Field], upload_target: tuple[str, str]
) -> ZohoError | None:
    """Write the rows, a file after the other, keeping their results true at every moment.

    Args:
        state: the push.
        rows: what to write.
        fields: the columns of the file.
        upload_target: origin that takes uploads, and the org's id for its header (`X-CRM-ORG`).

    Returns:
        Zoho's refusal of the first file, where there was one: then nothing was written, and no result has changed.
    """
    first = True
    for start in range(0, len(rows), limits.BULK_WRITE_ROWS_PER_FILE):
        for part, packed in csv_files(
            state.without_conflicts(rows[start : start + limits.BULK_WRITE_ROWS_PER_FILE]), fields
        ):
            if state.halted.is_set():
                state.mark(part, state.not_sent())
                continue
            refusal = _written(state, part, fields, packed, upload_target)
            if refusal is not None and first:
                return refusal
            if refusal is not None:
                state.on_error(refusal)
                state.settle(part, [aborted(refusal)] * len(part))
            first = False
    return None


def _written(
    state: PushState, rows: Sequence[Row], fields: Sequence[Field], packed: bytes, upload_target: tuple[str, str]
) -> ZohoError | None:
    before = {row.index: state.results[row.index] for row in rows}
    try:
        # An upload alone changes nothing in the CRM.
        file_id = _uploaded(state.api, packed, upload_target)
        state.mark(rows, unknown("Interrupted while the job was being made."))
        job_id = _created(state.api, state.operation, fields, file_id)
    except ZohoError as error:
        at_creation = state.results[rows[0].index].status == UNKNOWN
        if at_creation and (result := from_error(error)).status == UNKNOWN:
            state.settle(rows, [result] * len(rows))
            return None
        state.results.update(before)
        return error
    state.jobs.update({row.index: (job_id, line, len(rows)) for line, row in enumerate(rows)})
    follow(state, job_id, rows)
    return None


def follow(state: PushState, job_id: str, rows: Sequence[Row]) -> None:
    """Wait for a job, and settle its rows. Rows that the job leaves unknown can be asked after again."""
    on_its_way = unknown(f"Bulk write job {job_id} goes on at Zoho: report.retry() asks what became of it.")
    state.mark(rows, on_its_way)
    state.settle(rows, _job_results(state, job_id, rows) or [on_its_way] * len(rows))


def _job_results(state: PushState, job_id: str, rows: Sequence[Row]) -> list[RowResult]:
    places = [state.jobs[row.index][1] for row in rows]
    total = state.jobs[rows[0].index][2]
    job: dict[str, Any] = {}
    try:
        job = _finished(state, job_id)
        return results_from_lines(_results(state, job), places, total)
    except ZohoError as error:
        lost = unknown(f"Bulk write job {job_id}: {error.args[0]}")
        return results_from_counts(job, len(rows), total) or [lost] * len(rows)


# The job


def _uploaded(api: CrmApi, packed: bytes, upload_target: tuple[str, str]) -> str:
    upload, org = upload_target
    answer = api.request(
        "POST",
        f"{upload}{API}/upload",
        files={"file": ("rows.zip", packed, "application/zip")},
        headers={"feature": "bulk-write", "X-CRM-ORG": org},
        retry=True,
    )
    return _named(parse_json(answer), "file_id", f"POST {API}/upload")


def _created(api: CrmApi, operation: WriteOperation, fields: Sequence[Field], file_id: str) -> str:
    resource: dict[str, Any] = {
        "type": "data",
        "module": {"api_name": operation.module},
        "file_id": file_id,
        "ignore_empty": not operation.clear_empty,
        "field_mappings": [_mapping(field, place) for place, field in enumerate(fields)],
    }
    if operation.action != "insert":
        resource["find_by"] = operation.match_fields[0] if operation.action == "upsert" else "id"
    body = {"operation": operation.action, "ignore_empty": not operation.clear_empty, "resource": [resource]}
    answer = api.request("POST", f"{BULK_API}/write", json=body, retry=False, credits=limits.BULK_WRITE_CREDITS)
    return _named(parse_json(answer), "id", f"POST {BULK_API}/write")


def _named(answer: Mapping[str, Any], key: str, doing: str) -> str:
    """What Zoho calls the new thing. Raises its refusal, or TransportError where it says neither."""
    if (refusal := error_in_body(answer, doing)) is not None:
        raise refusal
    details = answer.get("details")
    found = details.get(key) if isinstance(details, Mapping) else None
    if not found:
        raise TransportError(f"Zoho's answer to {doing} lacks what it made.")
    return str(found)


def _mapping(field: Field, place: int) -> dict[str, Any]:
    mapping: dict[str, Any] = {"api_name": field.name, "index": place}
    if field.value_type in _FORMATS:
        mapping["format"] = _FORMATS[field.value_type]
    if "lookup" in field.value_type:
        mapping["find_by"] = "id"
    return mapping


def _finished(state: PushState, job_id: str) -> dict[str, Any]:
    backoff = _backoff()
    while True:
        job = _with_retries(state, lambda: parse_json(state.api.request("GET", f"{BULK_API}/write/{job_id}")))
        if str(job.get("status")).upper() not in _RUNNING:
            return job
        state.halted.wait(backoff.next_pause())


def _backoff() -> ExponentialBackoff:
    return ExponentialBackoff(INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, BACKOFF_FACTOR)


def _results(state: PushState, job: Mapping[str, Any]) -> list[dict[str, str]]:
    result = job.get("result")
    url = result.get("download_url") if isinstance(result, Mapping) else None
    if not url:
        raise ApiError(f"Zoho says {job.get('status')}, and gives no result file.")
    return _with_retries(state, lambda: parse_result_file(state.api.request("GET", str(url)).content))


def _with_retries(state: PushState, ask: Callable[[], T]) -> T:
    """Ask, and go on asking through trouble that passes: the job does not stop because nobody hears of it."""
    backoff = _backoff()
    for _ in range(MAX_POLL_FAILURES - 1):
        try:
            return ask()
        except (ApiError, ThrottledError, TransportError) as error:
            if isinstance(error, ApiError) and 0 < error.status < 500:
                raise
        state.halted.wait(backoff.next_pause())
    return ask()
