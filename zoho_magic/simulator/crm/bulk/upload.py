"""POST /crm/v8/upload: files that bulk writes read from, kept for the org."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from flask import Blueprint, Response, request

from ...access import authorize
from ..answers import answer, refusal
from ..request_lifecycle import authorize_call

__all__ = ["Upload", "add_routes"]

MOST_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """An uploaded file: the name and text of the CSV in its ZIP."""

    id: str
    name: str
    data: bytes


def add_routes(blueprint: Blueprint) -> None:
    """Register the endpoint with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/upload", "upload", upload, methods=["POST"])


def upload() -> Response:
    """POST /crm/v8/upload, with the headers `feature` and `X-CRM-ORG`."""
    caller = authorize_call("ZohoFiles.files.CREATE")
    authorize(request, "ZohoCRM.bulk.CREATE", "ZohoCRM.bulk.ALL")
    _check_headers(caller.crm.options.org_id)
    given = request.files.get("file")
    if given is None:
        raise refusal("MANDATORY_NOT_FOUND", "Required key file is not available", {"api_name": "file"})
    data = given.read()
    if len(data) > MOST_BYTES:
        raise refusal("FILE_TOO_LARGE", "Import file size should be less than 25 mb.", status=413)
    most = MOST_BYTES if caller.crm.options.upload_limits_csv else None
    kept = _unzipped(f"{554023000000811001 + 1001 * len(caller.crm.uploads)}", data, most)
    caller.crm.uploads[kept.id] = kept
    details = {"file_id": kept.id, "created_time": caller.crm.moment(caller.crm.now(), caller.user)}
    return answer(
        {"status": "success", "code": "FILE_UPLOAD_SUCCESS", "message": "file uploaded.", "details": details}
    )  # fmt: skip


def _check_headers(org_id: str) -> None:
    org = request.headers.get("X-CRM-ORG")
    if not org:
        raise refusal("MANDATORY_NOT_FOUND", "Required key x-crm-org is not available")
    if org != org_id:
        raise refusal("INVALID_DATA", "Invalid data - x-crm-org")
    if request.headers.get("feature") != "bulk-write":
        raise refusal("NOT_SUPPORTED_FEATURE", "The given feature is not supported.")


def _unzipped(file_id: str, data: bytes, most: int | None) -> Upload:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if names and most is not None and archive.getinfo(names[0]).file_size > most:
                raise refusal("FILE_TOO_LARGE", "Import file size should be less than 25 mb.", status=413)
            if names:
                return Upload(file_id, names[0], archive.read(names[0]))
    except zipfile.BadZipFile:
        pass
    raise refusal("INVALID_FILE_FORMAT", "invalid file format. only zip format is supported")
