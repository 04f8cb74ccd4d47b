"""The bulk write road: a zipped CSV of up to 25,000 rows, a job, and a file that says what became of each row.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-write/overview.html
"""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ApiError, ZohoError
from ...progress import Progress
from ..answers import Api, content
from ..metadata import Field
from .calls import Fates
from .fates import FAILED, SUCCEEDED, Fate, from_error, unknown
from .rows import Order, Row

__all__ = ["CREDITS_A_JOB", "ROWS_A_FILE", "carries", "write"]

ROWS_A_FILE = 25_000
CREDITS_A_JOB = 500
MOST_COLUMNS = 200
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PAUSE_GROWTH = 0.5, 10.0, 1.5

_FORMATS = {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd'T'HH:mm:ssXXX"}
_RUNNING = ("ADDED", "QUEUED", "IN PROGRESS", "INPROGRESS")


def carries(order: Order, fields: Sequence[Field], rows: Sequence[Row]) -> str:
    """Why bulk write cannot do this, or "" where it can."""
    if order.action == "delete":
        return "bulk write does not delete"
    if order.triggers is not None:
        return "bulk write has no choice of automations"
    if order.action == "upsert" and len(order.on) != 1:
        return "bulk write finds records by exactly one field"
    if len(fields) > MOST_COLUMNS:
        return f"bulk write takes {MOST_COLUMNS} fields at most"
    odd = next((f.name for f in fields if any(_cell(row.data.get(f.name)) is None for row in rows)), "")
    return f"bulk write cannot carry {odd}" if odd else ""


def write(
    api: Api,
    rows: Sequence[Row],
    order: Order,
    fields: Sequence[Field],
    hosts: tuple[str, str],
    progress: Progress,
    fates: Fates,
) -> None:
    """Write the rows, a file after the other, keeping `fates` true at every moment.

    Args:
        fields: the columns of the file.
        hosts: origin that takes uploads, and the org's id for its header (`X-CRM-ORG`).
    """
    for start in range(0, len(rows), ROWS_A_FILE):
        part = rows[start : start + ROWS_A_FILE]
        found = _written(api, part, order, fields, hosts, fates)
        fates.update({row.place: fate for row, fate in zip(part, found, strict=True)})
        progress.add(len(part))


def _written(
    api: Api, rows: Sequence[Row], order: Order, fields: Sequence[Field], hosts: tuple[str, str], fates: Fates
) -> list[Fate]:
    try:
        # An upload alone changes nothing in the CRM; if it failed, no row was sent.
        file_id = _uploaded(api, _zipped(rows, fields), hosts)
    except ZohoError as error:
        return [Fate(FAILED, code="NOT_SENT", message=str(error.args[0])) for _ in rows]
    fates.update({row.place: unknown("Interrupted while the job was being made.") for row in rows})
    try:
        job_id = _created(api, order, fields, file_id)
    except ZohoError as error:
        return [from_error(error) for _ in rows]
    return _followed(api, job_id, rows, fates)


def _followed(api: Api, job_id: str, rows: Sequence[Row], fates: Fates) -> list[Fate]:
    on_its_way = unknown(f"Bulk write job {job_id} goes on at Zoho.")
    fates.update({row.place: on_its_way for row in rows})
    try:
        job = _finished(api, job_id)
        lines = _results(api, job)
    except ZohoError as error:
        return [unknown(f"Bulk write job {job_id}: {error.args[0]}") for _ in rows]
    found = [_fate(line) for line in lines[: len(rows)]]
    return found + [on_its_way] * (len(rows) - len(found))


# The file


def _zipped(rows: Sequence[Row], fields: Sequence[Field]) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([field.name for field in fields])
    lines.writerows([_cell(row.data.get(field.name)) for field in fields] for row in rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", text.getvalue().encode())
    return packed.getvalue()


def _cell(value: Any) -> str | None:
    """A JSON value as a cell; None for one that no cell can carry."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return str(value["id"]) if set(value) == {"id"} else None
    if isinstance(value, list):
        items = [str(item.get("name")) if isinstance(item, Mapping) else str(item) for item in value]
        return None if any(";" in item for item in items) else ";".join(items)
    return str(value)


def _uploaded(api: Api, packed: bytes, hosts: tuple[str, str]) -> str:
    upload, org = hosts
    answer = content(
        api.request(
            "POST",
            f"{upload}/crm/v8/upload",
            files={"file": ("rows.zip", packed, "application/zip")},
            headers={"feature": "bulk-write", "X-CRM-ORG": org},
            repeat=True,
        )
    )
    return str((answer.get("details") or {}).get("file_id") or "")


# The job


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
    answer = content(api.request("POST", "/crm/bulk/v8/write", json=body, repeat=False))
    return str((answer.get("details") or {}).get("id") or "")


def _mapping(field: Field, place: int) -> dict[str, Any]:
    mapping: dict[str, Any] = {"api_name": field.name, "index": place}
    if field.kind in _FORMATS:
        mapping["format"] = _FORMATS[field.kind]
    if "lookup" in field.data_type:
        mapping["find_by"] = "id"
    return mapping


def _finished(api: Api, job_id: str) -> dict[str, Any]:
    pause = FIRST_PAUSE_SECONDS
    while True:
        job = content(api.request("GET", f"/crm/bulk/v8/write/{job_id}"))
        if str(job.get("status")).upper() not in _RUNNING:
            return job
        time.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * PAUSE_GROWTH)


def _results(api: Api, job: Mapping[str, Any]) -> list[dict[str, str]]:
    url = (job.get("result") or {}).get("download_url")
    if not url:
        files = [resource.get("file") or {} for resource in job.get("resource") or ()]
        raise ApiError(f"Zoho says {job.get('status')} and gives no result file ({files[:1]}).")
    packed = api.request("GET", str(url)).content
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    except (zipfile.BadZipFile, IndexError):
        text = ""
    if not text:
        raise ApiError("The result file could not be read.")
    return list(csv.DictReader(io.StringIO(text, newline="")))


_DID = {"ADDED": ("insert", "record added"), "UPDATED": ("update", "record updated")}


def _fate(line: Mapping[str, str]) -> Fate:
    status, record, errors = line.get("STATUS", ""), line.get("RECORD_ID") or "", line.get("ERRORS") or ""
    if status in _DID:
        did, message = _DID[status]
        return Fate(SUCCEEDED, did, record, "SUCCESS", message)
    code, _, fields = errors.split(":")[0].partition("-")
    message = errors or ("Zoho did not process it." if status == "UNPROCESSED" else "Zoho skipped it.")
    return Fate(FAILED, "", record, code or status, message, fields)
