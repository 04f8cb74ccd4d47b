"""Files attached to records: listed, downloaded, uploaded and deleted."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from .answers import answer, empty, problem, refusal
from .attachment_store import Attachment
from .query_parameters import check_length, id_list, numbered_page
from .related_lists import check_parent
from .request_lifecycle import Caller, open_module
from .schema import Module

__all__ = ["add_routes"]

MOST_BYTES = 20 * 1024 * 1024
PATH = "/crm/v8/<module:name>/<record:record_id>/Attachments"


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    add = blueprint.add_url_rule
    add(PATH, "attachments", list_attachments, methods=["GET"])
    add(PATH, "attach", attach, methods=["POST"])
    add(PATH, "detach_many", detach_many, methods=["DELETE"])
    add(f"{PATH}/<attachment_id>", "attachment", download, methods=["GET"])
    add(f"{PATH}/<attachment_id>", "detach", detach, methods=["DELETE"])


def list_attachments(name: str, record_id: str) -> Response:
    """GET /crm/v8/{module}/{id}/Attachments."""
    caller, module, key = _open(name, record_id, "READ")
    names = [each.strip() for each in request.args.get("fields", "").split(",") if each.strip()]
    if not names:
        raise refusal("REQUIRED_PARAM_MISSING", "required param is missing", {"param_name": "fields"})
    check_length("fields", caller.crm.options.parameter_length)
    files = caller.crm.attachments.of(module.name, key)
    listed, info = numbered_page(files, caller.crm.options.list_page_rows)
    shown = [_describe(caller, module, each) for each in listed]
    if not shown:
        return empty()
    info |= {"next_page_token": None, "previous_page_token": None, "page_token_expiry": None}
    kept = {*names, "id"}
    return answer({"data": [{k: v for k, v in row.items() if k in kept or k[0] == "$"} for row in shown], "info": info})


def attach(name: str, record_id: str) -> Response:
    """POST /crm/v8/{module}/{id}/Attachments with a multipart `file`."""
    caller, module, key = _open(name, record_id, "CREATE")
    given = request.files.get("file")
    if given is None:
        raise refusal("MANDATORY_NOT_FOUND", "required field not found", {"api_name": "file"})
    data = given.read()
    if len(data) > MOST_BYTES:
        details = {"maximum_size": MOST_BYTES}
        raise refusal("FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "file size is more than allowed size", details)
    made = caller.crm.attachments.add(
        module.name, key, given.filename or "file", data, caller.user.id, caller.crm.now()
    )  # fmt: skip
    described = _describe(caller, module, made)
    stamps = ("Created_Time", "Modified_Time", "Created_By", "Modified_By", "id")
    details = {name: described[name] for name in stamps}
    message = "attachment uploaded successfully"
    return answer({"data": [{"code": "SUCCESS", "details": details, "message": message, "status": "success"}]})


def download(name: str, record_id: str, attachment_id: str) -> Response:
    """GET /crm/v8/{module}/{id}/Attachments/{attachment id}: the file itself."""
    caller, module, key = _open(name, record_id, "READ")
    found = _find(caller, module, key, attachment_id)
    if found is None:
        return empty()
    kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    file = Response(found.data, content_type=kind)
    file.headers["Content-Disposition"] = f"attachment;filename*=UTF-8''{quote(found.name, safe='')}"
    return file


def detach(name: str, record_id: str, attachment_id: str) -> Response:
    """DELETE /crm/v8/{module}/{id}/Attachments/{attachment id}."""
    caller, module, key = _open(name, record_id, "DELETE")
    return _delete(caller, module, key, [attachment_id])


def detach_many(name: str, record_id: str) -> Response:
    """DELETE /crm/v8/{module}/{id}/Attachments?ids=."""
    caller, module, key = _open(name, record_id, "DELETE")
    return _delete(caller, module, key, id_list("ids", caller.crm.options.parameter_length))


def _delete(caller: Caller, module: Module, key: int, ids: list[str]) -> Response:
    results = []
    for each in ids:
        found = _find(caller, module, key, each)
        if found is None:
            results.append(problem("INVALID_DATA", "the id given seems to be invalid", {"id": each}))
            continue
        caller.crm.attachments.delete(found)
        results.append({"code": "SUCCESS", "details": {"id": each}, "message": "record deleted", "status": "success"})
    return answer({"data": results}, 200 if any(each["status"] == "success" for each in results) else 400)


def _open(name: str, record_id: str, operation: str) -> tuple[Caller, Module, int]:
    """The caller, the module and the record's id; refused for a record that does not exist."""
    caller, module = open_module(name, operation)
    key = check_parent(caller.crm.store.read, module, record_id)
    if key is None:
        raise refusal("INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    return caller, module, key


def _find(caller: Caller, module: Module, key: int, attachment_id: str) -> Attachment | None:
    files = caller.crm.attachments.of(module.name, key)
    return next((each for each in files if str(each.id) == attachment_id), None)


def _describe(caller: Caller, module: Module, each: Attachment) -> dict[str, Any]:
    crm = caller.crm
    owner, made = caller.view.user(each.owner), crm.moment(each.created, caller.user)
    [parent] = crm.read(module, "t.id = ?", (each.parent,), caller.view)
    shown = parent[module.display]
    return {
        "Owner": owner, "Modified_Time": made, "Created_Time": made, "File_Name": each.name,
        "Size": str(len(each.data)), "Created_By": owner, "Modified_By": owner, "id": str(each.id),
        "Parent_Id": {"name": shown["name"] if isinstance(shown, dict) else shown, "id": str(each.parent)},
        "Attachment_Source__s": "Desktop", "Record_Status__s": "Available", "File_Id__s": f"file{each.id}",
        "$file_id": f"file{each.id}", "$type": "Attachment", "$attachment_type": 1, "$link_url": None,
        "$se_module": module.name, "$editable": True, "$state": "save", "$sharing_permission": "full_access",
        "$field_states": None, "$zia_visions": None,
    }  # fmt: skip
