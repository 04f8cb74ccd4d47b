"""/crm/bulk/v8/write: create a job from an uploaded file, ask how it is doing, download the result of every row."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from ...access import authorize
from ..answers import answer, refusal
from ..org import Crm
from ..request_lifecycle import Caller, authorize_call
from ..schema import Field, Module
from ..users_table import USERS
from .importer import Import, Mapping, Outcome, delimiter_of, run
from .jobs import Job
from .upload import Upload

__all__ = ["add_routes"]

SCOPES = ("ZohoCRM.bulk.CREATE", "ZohoCRM.bulk.ALL")
KEPT = 7 * 86_400
SHOWN = {"QUEUED": "ADDED", "FAILURE": "FAILED"}  # bulk write knows no QUEUED and says FAILED


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/bulk/v8/write", "bulk_write", create, methods=["POST"])
    blueprint.add_url_rule("/crm/bulk/v8/write/<job_id>", "bulk_write_status", status, methods=["GET"])
    blueprint.add_url_rule("/crm/bulk/v8/write/<job_id>/result", "bulk_write_result", result, methods=["GET"])


def create() -> Response:
    """POST /crm/bulk/v8/write; the work begins at once, what is told of it follows the clock."""
    caller = authorize_call(*SCOPES, credits=500)
    crm, body = caller.crm, request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise refusal("INVALID_FORMAT", "The request body is not readable.")
    job = _import(crm, body)
    operations = {"insert": ("CREATE",), "update": ("UPDATE",), "upsert": ("CREATE", "UPDATE")}[job.operation]
    for operation in operations:
        authorize(request, *job.module.scopes(operation))
    fails = crm.options.fail_next_jobs > 0
    crm.options.fail_next_jobs -= fails
    echo = {key: value for key, value in body.items() if key in ("operation", "callback", "character_encoding")}
    resources = [{**body["resource"][0], "module": crm.schema.minified(job.module.name)}]
    asked = {**echo, "resource": resources, "upload": crm.uploads[body["resource"][0]["file_id"]].name}
    added = crm.writes.add(
        asked, caller.user, crm.options.job_seconds, lambda: run(crm, job, caller.user, "result"), fails
    )
    details = {"id": str(added.id), "created_by": {"id": str(caller.user.id), "name": caller.user.full_name}}
    return answer({"status": "success", "code": "SUCCESS", "message": "success", "details": details}, 201)


def _import(crm: Crm, body: dict[str, Any]) -> Import:
    operation = body.get("operation")
    if operation is None:
        raise refusal("MISSING_REQUIRED_KEY", "required key operation is not found in request body.")
    if operation not in ("insert", "update", "upsert"):
        raise refusal("INVALID_DATA", "invalid data", {"api_name": "operation"})
    resource = _resource(body)
    module, upload = _module(crm, resource), _upload(crm, resource)
    mappings = _mappings(crm, module, resource, upload)
    find_by = _find_by(module, operation, resource, mappings)
    named = {each.field.name for each in mappings}
    if operation == "insert" and not {each.name for each in module.fields if each.mandatory} <= named:
        raise refusal("MANDATORY_FIELDS_NOT_MAPPED", "All mandatory fields are not mapped for the layout")
    ignore_empty = bool(resource.get("ignore_empty", body.get("ignore_empty", False)))
    return Import(operation, module, mappings, upload.data, find_by, ignore_empty)


def _resource(body: dict[str, Any]) -> dict[str, Any]:
    resources = body.get("resource")
    if not isinstance(resources, list) or not resources or not isinstance(resources[0], dict):
        raise refusal("MISSING_REQUIRED_KEY", "required key resource is not found in request body.")
    if len(resources) > 1:  # several modules in one file are not played here
        raise refusal("CANNOT_PROCESS", "one resource a job")
    for key in ("type", "module", "file_id"):
        if key not in resources[0]:
            raise refusal("MISSING_REQUIRED_KEY", f"required key {key} is not found in request body.")
    return dict(resources[0])


def _module(crm: Crm, resource: dict[str, Any]) -> Module:
    asked = resource["module"]
    name = asked.get("api_name") if isinstance(asked, dict) else asked
    module = crm.schema.get(str(name))
    if module is None or not module.writable:
        raise refusal("MODULE_NOT_AVAILABLE", f"Requested module '{name}' is not available.")
    return module


def _upload(crm: Crm, resource: dict[str, Any]) -> Upload:
    upload: Upload | None = crm.uploads.get(str(resource["file_id"]))
    if upload is None:
        raise refusal("INVALID_FILE_ID", "improper file id")
    return upload


def _mappings(crm: Crm, module: Module, resource: dict[str, Any], upload: Upload) -> tuple[Mapping, ...]:
    given = resource.get("field_mappings")
    if not given:
        header = upload.data.decode("utf-8-sig").split("\n", 1)[0].strip("\r")
        names = [name.strip().strip('"') for name in header.split(delimiter_of(header))]
        given = [{"api_name": name, "index": place} for place, name in enumerate(names)]
    if len(given) > 200:
        raise refusal("HEADER_LIMIT_EXCEEDED", "The header limit is exceeded.", {"limit": 200})
    return tuple(_mapping(crm, module, each) for each in given)


def _mapping(crm: Crm, module: Module, given: dict[str, Any]) -> Mapping:
    name, _, by = str(given.get("api_name")).partition(".")
    field = module.by_name.get(name)
    if field is None or (not field.writable and name != "id"):
        raise refusal("INVALID_FIELD", f"invalid mapping. invalid api_name {given.get('api_name')}.")
    if not isinstance(given.get("index"), int) and "default_value" not in given:
        message = f"required key index for field {name} is not found in request body."
        raise refusal("COLUMN_INDEX_NOT_FOUND", message)
    find_by = str(given.get("find_by") or by or "id")
    _check_lookup(crm, field, find_by)
    default = given.get("default_value")
    value = default.get("value", default.get("name")) if isinstance(default, dict) else default
    return Mapping(field, given.get("index", 10**6), given.get("format"), find_by, value)


def _check_lookup(crm: Crm, field: Field, find_by: str) -> None:
    if find_by == "id":
        return
    people = field.kind in ("ownerlookup", "userlookup")
    target = USERS if people else crm.schema[field.targets[0]] if field.kind == "lookup" else None
    if target is None or find_by not in target:
        raise refusal("INVALID_FIELD", f"invalid mapping. invalid api_name {find_by}.")


def _find_by(
    module: Module, operation: str, resource: dict[str, Any], mappings: tuple[Mapping, ...]
) -> str | None:  # fmt: skip
    if operation == "insert":
        return None
    name = resource.get("find_by")
    if not name:
        raise refusal("MISSING_REQUIRED_KEY", "required key find_by is not found in request body.")
    unique = {"id", module.upsert_on, *(each.name for each in module.fields if each.unique)}
    if name not in unique or name not in {each.field.name for each in mappings}:
        raise refusal("INVALID_FIELD", f"invalid mapping. invalid api_name {name}.")
    return str(name)


def _job(caller: Caller, job_id: str) -> Job:
    job: Job | None = caller.crm.writes.get(job_id)
    if job is None:
        raise refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": job_id}, 404)
    return job


def _state(caller: Caller, job: Job) -> str:
    state = job.state(caller.crm.clock.time())
    if state == "COMPLETED" and not job.outcome.counts["ADDED"] and not job.outcome.counts["UPDATED"]:
        return "SKIPPED" if job.outcome.counts["SKIPPED"] else state
    return SHOWN.get(state, state)


def status(job_id: str) -> Response:
    """GET /crm/bulk/v8/write/{id}: counts and `result` appear when the job is over."""
    caller = authorize_call("ZohoCRM.bulk.READ", *SCOPES)
    job = _job(caller, job_id)
    state, [resource] = _state(caller, job), job.asked["resource"][:1]
    body = {
        "status": state, "id": str(job.id), "operation": job.asked["operation"], "callback": job.asked.get("callback"),
        "character_encoding": job.asked.get("character_encoding", "UTF-8"),
        "created_by": {"id": str(job.user.id), "name": job.user.full_name},
        "created_time": caller.crm.moment(job.created, caller.user),
        "resource": [{**resource, "status": state, "file": _file(job, state)}],
    }  # fmt: skip
    if state in ("COMPLETED", "SKIPPED"):
        path = f"/crm/bulk/v8/write/{job.id}/result"
        full = url_for("crm.bulk_write_result", job_id=str(job.id), _external=True)
        body["result"] = {"download_url": full if caller.crm.options.bulk_absolute_url else path}
    return answer(body)


def _file(job: Job, state: str) -> dict[str, Any]:
    """The counts, all 0 until the job is over."""
    counts = job.outcome.counts if isinstance(job.outcome, Outcome) and state in ("COMPLETED", "SKIPPED") else {}
    return {
        "status": state, "name": job.asked["upload"], "added_count": counts.get("ADDED", 0),
        "skipped_count": counts.get("SKIPPED", 0) + counts.get("UNPROCESSED", 0),
        "updated_count": counts.get("UPDATED", 0), "total_count": sum(counts.values()),
    }  # fmt: skip


def result(job_id: str) -> Response:
    """GET /crm/bulk/v8/write/{id}/result: the ZIP with the result of every row, for seven days."""
    caller = authorize_call("ZohoCRM.bulk.READ", *SCOPES)
    job = _job(caller, job_id)
    over = caller.crm.clock.time() > job.ends + KEPT
    if over or _state(caller, job) not in ("COMPLETED", "SKIPPED"):
        raise refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": job_id}, 404)
    file = Response(job.outcome.file, content_type="application/zip")
    file.headers["Content-Disposition"] = f'attachment; filename="{job.id}.zip"'
    return file
