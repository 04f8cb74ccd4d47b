"""Tags: GET and POST /settings/tags, and the actions that add them to records or take them off."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from .answers import answer, empty, problem, refusal
from .related_lists import check_parent
from .request_lifecycle import Caller, authorize_call, open_module
from .schema import Module
from .serialization import tag
from .settings import MADE, asked_module
from .store import MANY, quoted

__all__ = ["add_routes"]

SCOPES = ("ZohoCRM.settings.tags.READ", "ZohoCRM.settings.READ")
MOST_RECORDS, MOST_TAGS, MOST_LETTERS = 100, 10, 25
ALLOWED = 100  # tags a module of this edition may have


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    add = blueprint.add_url_rule
    add("/crm/v8/settings/tags", "tags", list_tags, methods=["GET"])
    add("/crm/v8/settings/tags", "create_tags", create_tags, methods=["POST"])
    for action in ("add_tags", "remove_tags"):
        one = f"/crm/v8/<module:name>/<record:record_id>/actions/{action}"
        add(
            f"/crm/v8/<module:name>/actions/{action}",
            action,
            change_tags,
            methods=["POST"],
            defaults={"action": action},
        )
        add(one, f"one_{action}", change_tags, methods=["POST"], defaults={"action": action})


def list_tags() -> Response:
    """GET /crm/v8/settings/tags?module=: the tags that its records have, and those that were made beforehand."""
    caller = authorize_call(*SCOPES)
    module = asked_module()
    names = _known_tags(caller, module)
    listed = [_describe(caller, name) for name in sorted(names)]
    info = {"count": len(listed), "allowed_count": ALLOWED}
    return answer({"tags": listed, "info": info}) if listed else empty()


def create_tags() -> Response:
    """POST /crm/v8/settings/tags?module=: tags that no record has yet."""
    caller = authorize_call("ZohoCRM.settings.tags.CREATE", "ZohoCRM.settings.ALL")
    module = asked_module()
    known, results = _known_tags(caller, module), []
    for name in _names(_body()):
        if name in known:
            results.append(problem("DUPLICATE_DATA", "duplicate data", {"id": tag(name)["id"], "api_name": "name"}))
            continue
        caller.crm.tags.setdefault(module.name, set()).add(name)
        made = _describe(caller, name)
        message = "tags created successfully"
        results.append({"code": "SUCCESS", "details": made, "message": message, "status": "success"})
    return answer({"tags": results}, 201)


def change_tags(name: str, action: str, record_id: str | None = None) -> Response:
    """POST /crm/v8/{module}[/{id}]/actions/add_tags or remove_tags: names in `tags`, records in `ids`."""
    body = _body()
    ids = [record_id] if record_id else _ids(body)
    caller, module = open_module(name, "UPDATE", credits=max(1, -(-len(ids) // 10)))
    if "Tag" not in module:
        raise refusal("NOT_SUPPORTED", "The given module is not supported in API", {"resource_path_index": 0})
    if not ids:
        details = {"api_name": "ids", "json_path": "$.ids"}
        raise refusal("MANDATORY_NOT_FOUND", "required field not found", details)
    if len(ids) > MOST_RECORDS:
        raise refusal("LIMIT_EXCEEDED", "limit exceeded", {"limit": MOST_RECORDS, "api_name": "ids"})
    names, over_write = _names(body), bool(body.get("over_write"))
    with caller.crm.store.lock:
        results = [_change(caller, module, each, names, action, over_write) for each in ids]
    return _answer(results)


def _answer(results: list[dict[str, Any]]) -> Response:
    done = sum(each["status"] == "success" for each in results)
    status = 200 if done == len(results) else 207 if done else 400
    return answer({"data": results, "wf_scheduler": False, "success_count": str(done), "locked_count": "0"}, status)


def _change(
    caller: Caller, module: Module, record_id: str, names: list[str], action: str, over_write: bool
) -> dict[str, Any]:
    key = check_parent(caller.crm.store.read, module, record_id)
    if key is None:
        return problem("INVALID_DATA", "the id given seems to be invalid", {"id": record_id})
    table = quoted(module.name)
    [(text,)] = caller.crm.store.read(f"SELECT Tag FROM {table} WHERE id = ?", (key,))
    before = [] if over_write and action == "add_tags" else [each for each in (text or "").split(MANY) if each]
    after = list(dict.fromkeys([*before, *names])) if action == "add_tags" else [n for n in before if n not in names]
    if len(after) > MOST_TAGS:
        limit: dict[str, Any] = {"id": record_id, "limit": MOST_TAGS}
        return problem("LIMIT_EXCEEDED", "limit exceeded", limit)
    values = (MANY.join(after) or None, caller.crm.now(), caller.user.id, key)
    caller.crm.store.write(f"UPDATE {table} SET Tag = ?, Modified_Time = ?, Modified_By = ? WHERE id = ?", values)
    details = {"id": record_id, "tags": after}
    return {"code": "SUCCESS", "details": details, "message": "tags updated successfully", "status": "success"}


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise refusal("INVALID_DATA", "body", {"expected_data_type": "jsonobject", "json_path": "$"})
    return body


def _ids(body: dict[str, Any]) -> list[str]:
    given = body.get("ids") or []
    if not isinstance(given, list):
        details = {"expected_data_type": "jsonarray", "api_name": "ids", "json_path": "$.ids"}
        raise refusal("INVALID_DATA", "invalid data", details)
    return [str(each) for each in given]


def _names(body: dict[str, Any]) -> list[str]:
    given = body.get("tags")
    if not isinstance(given, list) or not given:
        details = {"api_name": "tags", "json_path": "$.tags"}
        raise refusal("MANDATORY_NOT_FOUND", "required field not found", details)
    names = [each.get("name") if isinstance(each, dict) else None for each in given]
    for place, name in enumerate(names):
        if not isinstance(name, str) or not 0 < len(name) <= MOST_LETTERS:
            where = {"api_name": "name", "json_path": f"$.tags[{place}].name"}
            raise refusal("INVALID_DATA", "invalid data", {**where, "maximum_length": MOST_LETTERS})
    return [str(name) for name in names]


def _known_tags(caller: Caller, module: Module) -> set[str]:
    known = set(caller.crm.tags.get(module.name, ()))
    if "Tag" in module:
        rows = caller.crm.store.read(f"SELECT DISTINCT Tag FROM {quoted(module.name)} WHERE Tag IS NOT NULL")
        known.update(name for (text,) in rows for name in text.split(MANY))
    return known


def _describe(caller: Caller, name: str) -> dict[str, Any]:
    boss = next(iter(caller.crm.users.values()))
    made, by = caller.crm.moment(MADE, caller.user), {"name": boss.full_name, "id": str(boss.id)}
    return {**tag(name), "created_time": made, "modified_time": made, "created_by": by, "modified_by": by}
