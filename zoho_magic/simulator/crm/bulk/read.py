"""/crm/bulk/v8/read: create a job, ask how it is doing, download its ZIP."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from ...access import authorize
from ...api_refusal import ApiRefusal
from ..answers import answer, empty, problem, refusal
from ..coql.ast import Path, Query
from ..coql.scope import Scope
from ..org import Crm
from ..request_lifecycle import Caller, authorize_call
from ..schema import Module
from ..store import quoted
from ..views import views_of
from .criteria import BulkCriteria
from .export import Export, Page, export
from .jobs import Job

__all__ = ["add_routes"]

SCOPES = ("ZohoCRM.bulk.READ", "ZohoCRM.bulk.ALL")
MOST_PAGES = 500
DAY = 86_400
UNSUPPORTED = {"subform", "multiselectlookup", "fileupload", "profileimage"}
JOINS = 15


@dataclass(frozen=True)
class Start:
    """Where a job's page begins."""

    page: int = 1
    after: int = -1
    skip: int = 0


@dataclass(frozen=True)
class Continuation:
    """What a page token stands for: the same query, further on, until it expires."""

    query: dict[str, Any]
    start: Start
    expires: float


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/bulk/v8/read", "bulk_read", create, methods=["POST"])
    blueprint.add_url_rule("/crm/bulk/v8/read/<job_id>", "bulk_read_status", status, methods=["GET"])
    blueprint.add_url_rule("/crm/bulk/v8/read/<job_id>/result", "bulk_read_result", result, methods=["GET"])


def create() -> Response:
    """POST /crm/bulk/v8/read. A callback is checked and never called."""
    caller = authorize_call(*SCOPES, credits=50)
    try:
        job = _create(caller)
    except ApiRefusal as denied:
        if caller.crm.options.bulk_errors_in_data and denied.status == 400:
            raise ApiRefusal(400, {"data": [denied.body]}) from None
        raise
    details = {
        "id": str(job.id), "operation": "read", "state": "ADDED", "created_by": _by(job),
        "created_time": caller.crm.moment(job.created, caller.user),
    }  # fmt: skip
    made = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details}
    return answer({"data": [made], "info": {}}, 201)


def _create(caller: Caller) -> Job:
    crm, body = caller.crm, _body()
    _check_callback(body.get("callback"))
    query, start = _query(crm, body)
    module = _module(crm, query)
    authorize(request, *module.scopes("READ"))
    asked = _export(caller, module, query)
    view = crm.view(caller.user)
    key = (asked, start, str(view.zone))

    def work() -> Page:
        return crm.response_cache.get(key, lambda: export(crm.store, asked, view, start.after, start.skip))

    fails = crm.options.fail_next_jobs > 0
    crm.options.fail_next_jobs -= fails
    echo = {
        **query,
        "module": crm.schema.minified(module.name),
        "page": start.page,
        "file_type": body.get("file_type", "csv"),
    }
    return crm.reads.add(echo, caller.user, crm.options.job_seconds, work, fails)


def _body() -> dict[str, Any]:
    if not (request.content_type or "").lower().startswith("application/json"):
        raise refusal("MEDIA_TYPE_NOT_SUPPORTED", "Media type is not supported.", status=415)
    if not request.get_data():
        raise refusal("REQUEST_BODY_IS_EMPTY", "The request body is empty.")
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("query"), dict):
        raise refusal("REQUEST_BODY_NOT_READABLE", "The request body is not readable.")
    if body.get("file_type", "csv") != "csv":  # ics is for Events, which the demo org does not have
        raise refusal("JOB_NOT_SUPPORTED", "The given file type is not supported for this module.")
    return body


def _check_callback(callback: Any) -> None:
    if callback is None:
        return
    if not isinstance(callback, dict) or urlsplit(str(callback.get("url"))).scheme not in ("http", "https"):
        raise refusal("INVALID_CALLBACK_URL", "The given callback url is invalid.")
    if str(callback.get("method", "post")).lower() != "post":
        details = {"supported_callback_methods": ["post"]}
        raise refusal("INVALID_CALLBACK_METHOD", "The given callback method is invalid.", details)


def _query(crm: Crm, body: dict[str, Any]) -> tuple[dict[str, Any], Start]:
    query = body["query"]
    token = query.get("page_token")
    if token is not None:
        return _continued(crm, str(token))
    page = query.get("page", 1)
    if not isinstance(page, int) or page < 1:
        raise refusal("PAGE_NOT_SUPPORTED", "The given page is not supported.", {"api_name": "page"})
    if page > MOST_PAGES:
        raise refusal("PAGE_RANGE_EXCEEDED", "The given page range is exceeded.", {"max_limit": MOST_PAGES})
    plain = {key: value for key, value in query.items() if key not in ("page", "page_token")}
    return plain, Start(page, skip=(page - 1) * crm.options.bulk_page_rows)


def _continued(crm: Crm, token: str) -> tuple[dict[str, Any], Start]:
    known = crm.bulk_tokens.get(token)
    if known is None:
        raise refusal("INVALID_REQUEST", "The given page_token is invalid.", {"api_name": "page_token"})
    if known.expires <= crm.clock.time():
        raise refusal("EXPIRED_VALUE", "Page token expired", {"api_name": "page_token"})
    return known.query, known.start


def _module(crm: Crm, query: dict[str, Any]) -> Module:
    asked = query.get("module")
    name = asked.get("api_name") if isinstance(asked, dict) else None
    if not isinstance(name, str):  # the bare string of v2 included
        raise refusal("INVALID_REQUEST", "The given request is invalid.", {"api_name": "module"})
    module = crm.schema.get(name)
    if module is None:
        raise refusal("MODULE_NOT_AVAILABLE", "Requested module is not available.", {"module": name})
    if not (module.api and module.bulk):
        raise refusal("MODULE_NOT_SUPPORTED", "Requested module is not supported.", {"module": name})
    if name in crm.options.bulk_refused_modules:
        raise refusal(crm.options.bulk_module_error, "Requested module is not supported.", {"module": name})
    return module


def _export(caller: Caller, module: Module, query: dict[str, Any]) -> Export:
    crm, options = caller.crm, caller.crm.options
    scope = Scope(crm.schema, Query((), module.name, None), module, "t", JOINS)
    if not isinstance(query.get("fields", []), list):
        raise refusal("INVALID_REQUEST", "The given request is invalid.", {"api_name": "fields"})
    names = query.get("fields") or [each.name for each in module.fields if each.kind not in UNSUPPORTED]
    if "id" not in names and "Id" not in names:
        names = ["id", *names]
    columns = tuple(("Id" if name in ("id", "Id") else name, _find(scope, module, name)) for name in names)
    criteria = BulkCriteria(scope, options.ignore_case)
    parts = [criteria.sql(query["criteria"])] if query.get("criteria") else []
    parts += [_view(caller, module, query["cvid"])] if query.get("cvid") else []
    if "Converted__s" in module and "Converted__s" not in criteria.named and not options.bulk_shows_converted:
        parts.append("t.Converted__s = 0")
    parts += _null_parents(module, names) if options.bulk_drops_null_parents else []
    where = " AND ".join(f"({part})" for part in parts) or "1"
    return Export(columns, "t", scope.tables, where, tuple(criteria.values), options.bulk_page_rows,
                  options.bulk_separator, options.bulk_bom)  # fmt: skip


def _null_parents(module: Module, names: list[Any]) -> list[str]:
    """Conditions that lose the rows without the record a column is behind, as seen in the wild."""
    lookups = dict.fromkeys(str(name).partition(".")[0] for name in names if "." in str(name))
    lookups |= {module.display: None} if module.kind == "field_tracker" else {}
    return [f"t.{quoted(name)} IS NOT NULL" for name in lookups if name in module]


def _find(scope: Scope, module: Module, name: Any) -> Any:
    details = {"api_name": name, "module": module.name}
    known = module.by_name.get(name) if isinstance(name, str) else None
    if known and known.kind in UNSUPPORTED:
        raise refusal("FIELD_NOT_SUPPORTED", "The given field is not supported.", details)
    try:
        return scope.find(Path(("id",) if name == "Id" else tuple(str(name).split("."))))
    except ApiRefusal:
        raise refusal("FIELD_NOT_AVAILABLE", "The given field is not available.", details) from None


def _view(caller: Caller, module: Module, cvid: Any) -> str:
    view = views_of(module, caller.user).get(str(cvid))
    if view is None:
        raise refusal("CVID_NOT_SUPPORTED", "The given cvid is not supported.", {"api_name": "cvid"})
    return view.where


def _by(job: Job) -> dict[str, str]:
    return {"id": str(job.user.id), "name": job.user.full_name}


def _job(caller: Caller, job_id: str) -> Job:
    job = caller.crm.reads.get(job_id)
    if job is None:
        raise refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": job_id}, 404)
    return job


def status(job_id: str) -> Response:
    """GET /crm/bulk/v8/read/{id}: `result` appears only when the job is over."""
    caller = authorize_call(*SCOPES)
    job = _job(caller, job_id)
    state = job.state(caller.crm.clock.time())
    body = {
        "id": str(job.id), "operation": "read", "state": state, "query": job.asked, "created_by": _by(job),
        "created_time": caller.crm.moment(job.created, caller.user), "file_type": "csv",
    }  # fmt: skip
    if state == "COMPLETED":
        body["result"] = _result(caller, job)
    elif state == "FAILURE":
        body["result"] = {"error_message": problem("INTERNAL_ERROR", "Internal Server Error")}
    return answer({"data": [body]})


def _result(caller: Caller, job: Job) -> dict[str, Any]:
    crm, page, number = caller.crm, job.outcome, job.asked["page"]
    token = None
    if page.last is not None:
        token = crm.bulk_tokens_of.setdefault(job.id, secrets.token_hex(32))
        query = {key: value for key, value in job.asked.items() if key not in ("page", "file_type")}
        crm.bulk_tokens.setdefault(token, Continuation(query, Start(number + 1, page.last), job.ends + DAY))
    result = {
        "page": number, "per_page": crm.options.bulk_page_rows, "count": page.count,
        "download_url": f"/crm/bulk/v8/read/{job.id}/result", "more_records": token is not None,
        "next_page_token": token,
    }  # fmt: skip
    if not page.count and crm.options.bulk_empty_result == "no_url":
        del result["download_url"]
    return result


def result(job_id: str) -> Response:
    """GET /crm/bulk/v8/read/{id}/result: the ZIP, ten times a minute, for a day."""
    caller = authorize_call(*SCOPES)
    job, now = _job(caller, job_id), caller.crm.clock.time()
    if job.state(now) != "COMPLETED":
        raise refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": job_id}, 400)
    if now > job.ends + caller.crm.options.bulk_result_kept:
        raise refusal("RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": job_id}, 404)
    _count_download(caller.crm.downloads, now, caller.crm.options.bulk_downloads_per_minute)
    if not job.outcome.count and caller.crm.options.bulk_empty_result in ("no_url", "204"):
        return empty()
    nothing = not job.outcome.count and caller.crm.options.bulk_empty_result == "empty_file"
    file = Response(b"" if nothing else job.outcome.named(str(job.id)), content_type="application/zip")
    file.headers["Content-Disposition"] = f'attachment; filename="{job.id}.zip"'
    return file


def _count_download(downloads: deque[float], now: float, most: int) -> None:
    while downloads and downloads[0] <= now - 60:
        downloads.popleft()
    if len(downloads) >= most:
        raise refusal("TOO_MANY_REQUESTS", "too many requests. please try again after some time", status=429)
    downloads.append(now)
