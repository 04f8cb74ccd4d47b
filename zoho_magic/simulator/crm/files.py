"""/files: the files of file upload fields, downloaded and uploaded by their id."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import secrets
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from .answers import answer, refusal
from .org import Crm
from .request_lifecycle import authorize_call
from .store import quoted

__all__ = ["add_routes"]

MOST_BYTES, MOST_FILES = 20 * 1024 * 1024, 10


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/files", "file", download, methods=["GET"])
    blueprint.add_url_rule("/crm/v8/files", "upload_files", upload, methods=["POST"])


def download() -> Response:
    """GET /crm/v8/files?id=: a file by its `File_Id__s`, or by the id an upload gave."""
    caller = authorize_call("ZohoCRM.files.READ")
    wanted = request.args.get("id")
    if not wanted:
        raise refusal("REQUIRED_PARAM_MISSING", "required param is missing", {"param_name": "id"})
    found = caller.crm.files.get(wanted) or _file_of_a_record(caller.crm, wanted)
    if found is None:
        raise refusal("INVALID_DATA", "the id given seems to be invalid", {"param_name": "id"})
    name, data = found
    kind = mimetypes.guess_type(name)[0] or "application/x-download"
    file = Response(data, content_type=kind)
    file.headers["Content-Disposition"] = f"attachment;filename*=UTF-8''{quote(name, safe='')}"
    return file


def upload() -> Response:
    """POST /crm/v8/files with up to ten multipart `file`s, whose ids go into a file upload field."""
    caller = authorize_call("ZohoCRM.files.CREATE")
    given = request.files.getlist("file")
    if not 0 < len(given) <= MOST_FILES:
        raise refusal("INVALID_DATA", "invalid data", {"api_name": "file", "maximum_length": MOST_FILES})
    results = []
    for each in given:
        name, data = each.filename or "file", each.read()
        if len(data) > MOST_BYTES:
            details = {"maximum_size": MOST_BYTES}
            raise refusal("FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "file size is more than allowed size", details)
        key = secrets.token_hex(32)
        caller.crm.files[key] = (name, data)
        message = f"{name} uploaded Succesfully"  # as Zoho spells it
        results.append(
            {"code": "SUCCESS", "details": {"name": name, "id": key}, "message": message, "status": "success"}
        )
    return answer({"data": results})


def _file_of_a_record(crm: Crm, wanted: str) -> tuple[str, bytes] | None:
    """A demo file: its record has only its name and size, the content follows from its id."""
    for module in crm.schema.rows():
        for field in (each for each in module.fields if each.kind == "fileupload"):
            sql = f"SELECT {quoted(field.name)} FROM {quoted(module.name)} WHERE {quoted(field.name)} LIKE ? LIMIT 1"  # noqa: S608 - names come from the schema
            for (text,) in crm.store.read(sql, (f'%"{wanted}"%',)):
                [entry] = [each for each in json.loads(text) if each.get("File_Id__s") == wanted] or [None]
                return entry and (entry["File_Name__s"], _content(entry))
    return None


def _content(entry: dict[str, Any]) -> bytes:
    size, block = int(entry["Size__s"]), hashlib.sha256(entry["File_Id__s"].encode()).digest()
    return (block * (size // len(block) + 1))[:size]
