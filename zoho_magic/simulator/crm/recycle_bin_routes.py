"""POST /settings/recycle_bin[/{id}]/actions/restore: records by id, up to 200; filters and all at once are refused.

https://www.zoho.com/crm/developer/docs/api/v8/restore-recycle-bin-records.html
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from .answers import answer, problem, refusal
from .org import Crm
from .org_changes import restore
from .request_lifecycle import authorize_call

__all__ = ["add_routes"]

SCOPES = ("ZohoCRM.settings.recycle_bin.UPDATE", "ZohoCRM.settings.recycle_bin.ALL", "ZohoCRM.settings.ALL")
MOST_IDS = 200


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    base, end = "/crm/v8/settings/recycle_bin", "actions/restore"
    blueprint.add_url_rule(f"{base}/{end}", "restore", restore_many, methods=["POST"])
    blueprint.add_url_rule(f"{base}/<record:record_id>/{end}", "restore_one", restore_many, methods=["POST"])


def restore_many(record_id: str | None = None) -> Response:
    """Restore records; each has its own result."""
    caller = authorize_call(*SCOPES)
    body = request.get_json(force=True, silent=True)
    ids = [record_id] if record_id else body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not ids or len(ids) > MOST_IDS:
        details = {"expected_data_type": "jsonarray", "param_name": "ids", "json_path": "$.ids"}
        raise refusal("INVALID_DATA", "invalid data", details)
    with caller.crm.store.lock:
        results = [_restore(caller.crm, str(each)) for each in ids]
    failed = sum(each["status"] == "error" for each in results)
    return answer({"recycle_bin": results}, 200 if not failed else 400 if failed == len(results) else 207)


def _restore(crm: Crm, record_id: str) -> dict[str, Any]:
    for module in crm.schema:
        try:
            restore(crm, module.name, record_id if record_id.isdecimal() else 0)
        except KeyError:
            continue
        return {"code": "SUCCESS", "details": {"id": record_id}, "message": "record restored", "status": "success"}
    return problem("INVALID_DATA", "the id given seems to be invalid", {"id": record_id})
