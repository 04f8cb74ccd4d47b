"""Bulk read: Zoho prepares up to 200,000 rows as a zipped CSV while we wait.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-read/overview.html
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from ...error_catalog import error_for
from ...errors import ApiError, QueryError, ThrottledError, TransportError, ZohoError
from ...http.backoff import current_wait_budget, poll_job, wait_budget
from ...http.responses import parse_json, unexpected
from .. import limits
from ..api_version import BULK_API
from ..metadata import Field, Metadata, display_field
from . import arrow as frames
from .record_query import CallCounter, RecordQuery

__all__ = ["describe_query", "pages", "stream"]

DOWNLOAD_BACKOFF_SECONDS, MAX_DOWNLOAD_BACKOFF_SECONDS = (0.5, 2.0, 0.0), 60.0
_REFUSED_FIELD = frozenset({"FIELD_NOT_SUPPORTED", "FIELD_NOT_AVAILABLE", "INVALID_FIELD"})


def stream(
    api: CallCounter,
    reading: RecordQuery,
    metadata: Metadata,
    expected: int | None,
    warnings: list[str],
    recount: Callable[[], int | None] = lambda: None,
) -> Iterator[pa.Table]:
    """The records of a query without its limit, oldest first, in tables of some megabytes; at least one.

    Args:
        api: counts the calls, and takes the names of fields that bulk read does not export.
        reading: what to bring; its order is by id whatever it says.
        metadata: names the field that holds the name of a record a lookup points to.
        expected: how many rows a count has given; noticeably fewer lead to a second job without joined columns.
        warnings: takes sentences about fields and rows that did not come.
        recount: counts again, where another number of rows came than was expected; None where Zoho does not count.

    Raises:
        QueryError: the criteria cannot be said in bulk read's language.
        ApiError: a job failed, its result has expired, or it holds a record twice.
    """
    api.mark_absent(field.name for field in reading.fields if field.name.startswith("$"))
    names = _lookup_names(reading.fields, metadata)
    warnings += _unnamed_lookup_warning(reading.fields, names)
    if expected is None:
        warnings.append("Zoho did not count these records: rows that bulk read left out would not be noticed.")
    seen: list[pa.Array] = []
    yield from _tables(api, reading, names, warnings, seen)
    if expected is not None and _rows_in(seen) != expected:
        counted = recount()
        expected = expected if counted is None else counted
    if names and _are_missing(seen, expected):
        # Rows with an empty parent lookup may be left out where a column of the parent is asked for.
        warnings += [note for note in _unnamed_lookup_warning(reading.fields, {}) if note not in warnings]
        known, again = pa.concat_arrays(seen), list[pa.Array]()
        for rows in _tables(api, reading, {}, warnings, again):
            yield rows.filter(pc.invert(pc.is_in(rows.column("id").cast(pa.int64()), known)))
        seen = again
    if expected is not None and _rows_in(seen) != expected:
        warnings.append(_difference(_rows_in(seen), expected))


def _difference(rows: int, counted: int) -> str:
    what = f"{counted - rows:,} are missing" if rows < counted else f"{rows - counted:,} more than counted"
    return (
        f"Bulk read brought {rows:,} rows where {counted:,} had been counted: {what}; "
        'via="coql" reads the rows one window after the other.'
    )


def _are_missing(seen: Sequence[pa.Array], expected: int | None) -> bool:
    """Whether so many rows are missing that a second job, without joined columns, is worth its credits."""
    return expected is not None and expected - _rows_in(seen) > min(max(20, expected // 200), expected // 10)


def _rows_in(seen: Sequence[pa.Array]) -> int:
    return sum(map(len, seen))


def _tables(
    api: CallCounter, reading: RecordQuery, names: Mapping[str, str], warnings: list[str], seen: list[pa.Array]
) -> Iterator[pa.Table]:
    for job in _jobs(api, _query(reading, names), warnings):
        begin = len(seen)
        for rows in _result(api, job, reading.fields, names, warnings):
            seen.append(_record_ids(rows))
            api.on_rows(len(rows))
            yield rows
        of_job = seen[begin:]
        if pc.count_distinct(pa.concat_arrays(of_job)).as_py() < _rows_in(of_job):
            raise ApiError("The bulk read's file holds a record twice.", hint='Run it again, or use via="coql".')


def _record_ids(rows: pa.Table) -> pa.Array:
    ids = rows.column("id").combine_chunks()
    try:
        numbers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        numbers = None
    if numbers is None or numbers.null_count:
        raise ApiError("The bulk read's file has rows without a record id.", hint='Use via="coql".')
    return numbers


def pages(
    api: CallCounter, reading: RecordQuery, metadata: Metadata, token: str, warnings: list[str]
) -> Iterator[tuple[Iterator[pa.Table], str, bool]]:
    """The pages of a bulk read: the rows of each, the token of the page after it ("" for none), whether it is the last.

    Args:
        api, reading, metadata, warnings: as `stream`.
        token: of the page to begin with; "" for the first. Zoho keeps a token for a day.

    Raises:
        As `stream`.
    """
    names = _lookup_names(reading.fields, metadata)
    warnings += _unnamed_lookup_warning(reading.fields, names)
    query = {"page_token": token} if token else _query(reading, names)
    for job in _jobs(api, query, warnings):
        following = job["result"]
        token, is_last = str(following.get("next_page_token") or ""), not following.get("more_records")
        yield _result(api, job, reading.fields, names, warnings), token, is_last


def describe_query(reading: RecordQuery, metadata: Metadata) -> str:
    """The job's query as Zoho gets it, JSON."""
    return json.dumps(_query(reading, _lookup_names(reading.fields, metadata)))


# The job


def _query(reading: RecordQuery, names: Mapping[str, str]) -> dict[str, Any]:
    columns = [field.name for field in reading.fields if not field.name.startswith("$")] + list(names.values())
    query: dict[str, Any] = {"module": {"api_name": reading.module}, "fields": list(dict.fromkeys(columns))}
    if criteria := _criteria(reading):
        query["criteria"] = criteria
    return query


def _criteria(reading: RecordQuery) -> dict[str, Any] | None:
    parts = []
    if reading.where:
        from .bulk_criteria import to_bulk_criteria

        parts.append(to_bulk_criteria(reading.where))
    if reading.since is not None:
        parts.append(_criterion("Modified_Time", "greater_equal", reading.since_text))
    if reading.converted:
        wanted = [True, False] if reading.converted == "both" else [reading.converted == "true"]
        said = [_criterion("Converted__s", "equal", flag) for flag in wanted]
        parts.append({"group_operator": "or", "group": said} if len(said) > 1 else said[0])
    while len(parts) > 1:
        parts[:2] = [{"group_operator": "and", "group": parts[:2]}]
    return parts[0] if parts else None


def _criterion(field: str, comparator: str, value: Any) -> dict[str, Any]:
    return {"field": {"api_name": field}, "comparator": comparator, "value": value}


def _jobs(api: CallCounter, query: dict[str, Any], warnings: list[str]) -> Iterator[dict[str, Any]]:
    """The finished jobs of a query, one a page of 200,000 rows."""
    job = _wait_for_job(api, _create_job(api, query, warnings))
    while (result := job["result"]).get("more_records"):
        token = result.get("next_page_token")
        further = {"page_token": token} if token else {**query, "page": int(result["page"]) + 1}
        # Zoho prepares the next page while this one is downloaded and read.
        following = _create_job(api, further, warnings)
        yield job
        job = _wait_for_job(api, following)
    yield job


def _create_job(api: CallCounter, query: dict[str, Any], warnings: list[str]) -> str:
    """The id of a new job; a field that Zoho refuses to export is left out and reported."""
    while True:
        try:
            # It may be sent again: a job that was made twice costs credits, nothing else.
            response = api.request(
                "POST", f"{BULK_API}/read", json={"query": query}, credits=limits.BULK_READ_CREDITS, retry=True
            )
            return str(_job_entry(parse_json(response))["details"]["id"])
        except (ApiError, QueryError) as error:
            refused = _refused(error, query)
            if refused is None:
                raise
            query["fields"].remove(refused)
            api.mark_absent([refused])
            warnings.append(f"Bulk read does not export {refused}.")


def _refused(error: ApiError | QueryError, query: Mapping[str, Any]) -> str | None:
    name = error.details.get("api_name")
    return name if error.code in _REFUSED_FIELD and name in query.get("fields", ()) else None


def _job_entry(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer tells of its one job."""
    entries = answer.get("data")
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        raise TransportError(
            "The CRM's answer tells nothing of the bulk read job.", hint="Run it again, or --via coql."
        )
    if entries[0].get("status") == "error":  # one form of refusal, which `request` takes for an answer
        error = error_for(str(entries[0].get("code", "")), zoho_message=str(entries[0].get("message", "")))
        error.details = entries[0].get("details") or {}
        raise error
    return entries[0]


def _wait_for_job(api: CallCounter, job_id: str) -> dict[str, Any]:
    def ask() -> dict[str, Any] | None:
        job = _job_entry(parse_json(api.request("GET", f"{BULK_API}/read/{job_id}", credits=0)))
        if job.get("state") in ("FAILURE", "FAILED"):
            raise _failure(job)
        if job.get("state") == "COMPLETED":
            return job
        api.on_state(f"Zoho prepares the export ({str(job.get('state')).lower()})")
        return None

    return _checked(poll_job(ask, f"bulk read job {job_id}"))


def _checked(job: dict[str, Any]) -> dict[str, Any]:
    """The finished job. Raises TransportError where its result has another shape than Zoho documents."""
    result = job.get("result")
    if not isinstance(result, dict):
        raise unexpected("the bulk read job's result")
    if not all(isinstance(result.get(name), (int, type(None))) for name in ("count", "page")):
        raise unexpected("a number of the bulk read job")
    return job


def _failure(job: Mapping[str, Any]) -> ApiError:
    result = job.get("result")
    told = result.get("error_message") if isinstance(result, dict) else None
    said = told if isinstance(told, dict) else {}
    return ApiError(
        f"Zoho could not finish the bulk read: {said.get('message') or said.get('code') or 'no reason given'}.",
        hint="Run it again, or use --via coql.",
        code=str(said.get("code") or "FAILURE"),
    )


# Its result


def _result(
    api: CallCounter,
    job: Mapping[str, Any],
    fields: Sequence[Field],
    names: Mapping[str, str],
    warnings: list[str],
) -> Iterator[pa.Table]:
    """The rows of a finished job, in tables of some megabytes; at least one."""
    result = job.get("result") or {}
    expected, url = result.get("count"), result.get("download_url")
    if not expected and (expected is not None or url is None):  # a job with nothing to bring may have no file at all
        yield frames.empty_table(fields)
        return
    if not url:
        raise TransportError("The finished bulk read job names no result.", hint='Run it again, or use via="coql".')
    brought = 0
    with tempfile.TemporaryFile() as file:
        _download(api, str(url), file, may_be_empty=not expected)
        if not file.tell():
            yield frames.empty_table(fields)
            return
        with zipfile.ZipFile(file) as archive, _opened(archive, _most_bytes(expected, len(fields))) as csv:
            api.on_state("")
            try:
                for rows in frames.iter_csv(csv, fields, names, warnings):
                    brought += len(rows)
                    yield rows
            except _BROKEN as error:
                raise _broken_file() from error
    if expected is not None and brought != int(expected):
        raise TransportError(
            f"The bulk read announced {expected} rows and brought {brought}.", hint="Run it again, or --via coql."
        )


_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
MAX_CELL_BYTES = 128_000
"""Bytes of a cell: 32,000 characters, four bytes each."""
_LEAST_LIMIT_BYTES = 64 << 20


def _most_bytes(rows: int | None, fields: int) -> int:
    """Bytes that the CSV of so many rows can have at most."""
    return max(
        _LEAST_LIMIT_BYTES,
        (limits.BULK_READ_ROWS_PER_JOB if rows is None else rows) * (fields + 1) * 2 * MAX_CELL_BYTES,
    )


def _opened(archive: zipfile.ZipFile, most: int) -> IO[bytes]:
    name = _csv_name(archive)
    if archive.getinfo(name).file_size > most:  # zipfile unpacks no more than this says
        raise TransportError(
            "The bulk read's file unpacks to more than its rows can have, so it was not read.",
            hint='Run it again, or use via="coql".',
        )
    try:
        return archive.open(name)
    except _BROKEN as error:
        raise _broken_file() from error


def _broken_file() -> TransportError:
    return TransportError(
        "The bulk read's file is broken, encrypted or packed in an unknown way.",
        hint='Run it again, or use via="coql".',
    )


def _csv_name(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(names) != 1:
        raise TransportError(
            f"The bulk read's file holds {len(names)} CSV files instead of one.",
            hint='Run it again, or use via="coql".',
        )
    return names[0]


def _download(api: CallCounter, url: str, file: IO[bytes], *, may_be_empty: bool) -> None:
    """Fill the file, which stays empty where Zoho has nothing to bring and says so with a 204 or an empty file."""
    api.on_state("downloading")
    for pause in DOWNLOAD_BACKOFF_SECONDS:
        file.seek(0)
        file.truncate()
        try:
            # Ten downloads a minute are all that Zoho allows: each may wait as long as a pull.
            with wait_budget(current_wait_budget().seconds, own=True):
                return _fetch(api, url, file, may_be_empty)
        except (OSError, zipfile.BadZipFile):
            problem: ZohoError = TransportError(
                "The bulk read's file arrived broken, several times.", hint="Run it again, or use --via coql."
            )
        except ThrottledError as error:  # ten downloads a minute
            pause, problem = min(max(pause, error.retry_after), MAX_DOWNLOAD_BACKOFF_SECONDS), error
        except ApiError as error:
            problem = _not_there(error)
        time.sleep(pause)
    raise problem


def _fetch(api: CallCounter, url: str, file: IO[bytes], may_be_empty: bool) -> None:
    response = api.request("GET", url, credits=0, stream=True)
    try:
        for chunk in response.iter_content(1 << 20):
            file.write(chunk)
    finally:
        response.close()
    if file.tell() or not may_be_empty:
        zipfile.ZipFile(file).close()
        file.seek(0, os.SEEK_END)


def _not_there(error: ApiError) -> ApiError:
    if error.code != "RESOURCE_NOT_FOUND":
        raise error
    return ApiError(
        "Zoho no longer has the bulk read's result; it keeps one for a day.",
        hint="Run it again, or use --via coql.",
        code=error.code,
    )


# Names of the records that lookups point to


def _unnamed_lookup_warning(fields: Sequence[Field], names: Mapping[str, str]) -> list[str]:
    left = [field.name for field in fields if frames.is_lookup(field) and field.name not in names]
    return [f"Bulk read brings the id of {', '.join(left)}, not the name; --via coql brings both."] if left else []


def _lookup_names(fields: Sequence[Field], metadata: Metadata) -> dict[str, str]:
    return {
        field.name: f"{field.name}.{display_field(field.lookup_module)}"
        for field in fields
        if field.data_type == "lookup" and field.lookup_module in metadata.modules()
    }
