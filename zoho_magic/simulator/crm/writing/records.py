"""POST, PUT, DELETE /{module} and POST /{module}/upsert: up to 100 rows, each with its own result."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from .. import datetimes
from ..answers import answer, problem, refusal
from ..query_parameters import id_list
from ..request_lifecycle import Caller, open_module
from ..schema import Field, Module
from ..store import quoted
from .checks import RowError, check
from .storage import delete, insert, update

__all__ = ["add_routes", "find_match", "match_fields"]

MOST_ROWS = 100
FEW_ROWS = 10  # more than this many count among the ten heavy calls running at once
LOCKING_ACTION = "zia_vision_processing"
TRIGGERS = {"approval", "workflow", "blueprint", "pathfinder", "orchestration"}
Save = Callable[[Any, str], dict[str, Any]]


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    add = blueprint.add_url_rule
    add("/crm/v8/<module:name>", "insert", insert_many, methods=["POST"])
    add("/crm/v8/<module:name>/<record:record_id>/Notes", "insert_notes", insert_notes, methods=["POST"])
    add("/crm/v8/<module:name>", "update", update_many, methods=["PUT"])
    add("/crm/v8/<module:name>", "delete", delete_many, methods=["DELETE"])
    add("/crm/v8/<module:name>/upsert", "upsert", upsert_many, methods=["POST"])
    add("/crm/v8/<module:name>/<record:record_id>", "update_one", update_one, methods=["PUT"])
    add("/crm/v8/<module:name>/<record:record_id>", "delete_one", delete_one, methods=["DELETE"])


def insert_many(name: str) -> Response:
    """POST /crm/v8/{module}."""
    return _insert(*_enter(name, "CREATE"))


def insert_notes(name: str, record_id: str) -> Response:
    """POST /crm/v8/{module}/{id}/Notes: notes about this record."""
    caller, module, body = _enter("Notes", "CREATE")
    for row in body["data"]:
        if isinstance(row, dict):
            row["Parent_Id"] = {"module": {"api_name": name}, "id": record_id}
    return _insert(caller, module, body)


def _insert(caller: Caller, module: Module, body: dict[str, Any]) -> Response:
    def save(row: Any, path: str) -> dict[str, Any]:
        key = insert(caller.crm, module, check(caller.crm, module, row, path, None), caller.user)
        return _success(caller, module, key, "record added")

    return _each(caller, module, body, save, 201)


def update_many(name: str) -> Response:
    """PUT /crm/v8/{module}: every row says its id; 412 when one changed after If-Unmodified-Since."""
    caller, module, body = _enter(name, "UPDATE")
    _refuse_if_newer(caller, module, [row.get("id") for row in body["data"] if isinstance(row, dict)])
    return _each(caller, module, body, lambda row, path: _update(caller, module, row, path), 200)


def update_one(name: str, record_id: str) -> Response:
    """PUT /crm/v8/{module}/{id}; 412 when it changed after If-Unmodified-Since."""
    caller, module, body = _enter(name, "UPDATE")
    for row in body["data"]:
        if isinstance(row, dict):
            row["id"] = record_id
    _refuse_if_newer(caller, module, [record_id])
    return _each(caller, module, body, lambda row, path: _update(caller, module, row, path), 200)


def upsert_many(name: str) -> Response:
    """POST /crm/v8/{module}/upsert: each row changes the record it matches or becomes a new one."""
    caller, module, body = _enter(name, "CREATE")
    fields = match_fields(module, body.get("duplicate_check_fields"))
    _refuse_if_newer(caller, module, [find_match(caller, module, row, fields)[1] for row in body["data"]])

    def save(row: Any, path: str) -> dict[str, Any]:
        matched, key = find_match(caller, module, row, fields)
        if key is not None:
            _refuse_locked(caller, str(key), path)
        checked = check(caller.crm, module, row, path, key)
        if key is None:
            done = _success(caller, module, insert(caller.crm, module, checked, caller.user), "record added")
        else:
            update(caller.crm, module, key, checked, caller.user)
            done = _success(caller, module, key, "record updated")
        return {"code": done["code"], "duplicate_field": matched, "action": "update" if key else "insert", **done}

    return _each(caller, module, body, save, 200)


def delete_many(name: str) -> Response:
    """DELETE /crm/v8/{module}?ids=a,b."""
    caller, module = _open(name, "DELETE", request.args.get("ids", "").count(",") + 1)
    ids = id_list("ids", caller.crm.options.parameter_length)
    if not ids:
        raise refusal("REQUIRED_PARAM_MISSING", "required param is missing", {"param_name": "ids"})
    return _delete(caller, module, ids)


def delete_one(name: str, record_id: str) -> Response:
    """DELETE /crm/v8/{module}/{id}."""
    caller, module = _open(name, "DELETE", 1)
    return _delete(caller, module, [record_id])


def _open(name: str, operation: str, rows: int) -> tuple[Caller, Module]:
    caller, module = open_module(name, operation, credits=max(1, -(-rows // 10)), sub=rows > FEW_ROWS)
    if not module.writable:
        raise refusal("NOT_SUPPORTED", "The given module is not supported in API", {"resource_path_index": 0})
    return caller, module


def _enter(name: str, operation: str) -> tuple[Caller, Module, dict[str, Any]]:
    """Let a write in: the body is looked at first, for what it costs."""
    body = request.get_json(force=True, silent=True)
    rows = body.get("data") if isinstance(body, dict) else None
    caller, module = _open(name, operation, len(rows) if isinstance(rows, list) else 1)
    if not isinstance(body, dict):
        raise refusal("INVALID_DATA", "body", {"expected_data_type": "jsonobject", "json_path": "$"})
    if "data" not in body:
        details = {"api_name": "data", "json_path": "$.data"}
        raise refusal("MANDATORY_NOT_FOUND", "required field not found", details)
    if not isinstance(rows, list) or not rows:
        details = {"expected_data_type": "jsonarray", "api_name": "data", "json_path": "$.data"}
        raise refusal("INVALID_DATA", "invalid data", details)
    if len(rows) > MOST_ROWS:
        limit = {"maximum_length": MOST_ROWS, "api_name": "data", "json_path": "$.data"}
        raise refusal("LIMIT_EXCEEDED", "count of records in your request exceeds the limit", limit)
    _check_triggers(body.get("trigger"))
    return caller, module, body


def _check_triggers(triggers: Any) -> None:
    if triggers is None or (isinstance(triggers, list) and set(map(str, triggers)) <= TRIGGERS):
        return
    details = {"expected_data_type": "jsonarray", "api_name": "trigger", "json_path": "$.trigger"}
    raise refusal("INVALID_DATA", "invalid data", details)


def _each(caller: Caller, module: Module, body: dict[str, Any], save: Save, good: int) -> Response:
    """Save row by row; the results stand in the order of the rows."""
    results = []
    with caller.crm.store.lock:
        for place, row in enumerate(body["data"]):
            try:
                results.append(save(row, f"$.data[{place}]"))
            except RowError as refused:
                results.append(refused.body)
            else:
                caller.crm.triggered.append((module.name, results[-1]["details"]["id"], _triggers(body)))
    return _results(caller, results, good)


def _triggers(body: dict[str, Any]) -> tuple[str, ...]:
    """Which automations ran: all of them when the call did not say."""
    asked = body.get("trigger")
    return tuple(sorted(TRIGGERS)) if asked is None else tuple(asked)


def _results(caller: Caller, results: list[dict[str, Any]], good: int) -> Response:
    failed = sum(each["status"] == "error" for each in results)
    options = caller.crm.options
    status = (
        good if not failed else options.failed_write_status if failed == len(results) else options.mixed_write_status
    )
    return answer({"data": results}, status)


def _success(caller: Caller, module: Module, key: int, message: str) -> dict[str, Any]:
    stamps = [name for name in ("Modified_Time", "Modified_By", "Created_Time", "Created_By") if name in module]
    columns = ", ".join(map(quoted, stamps))
    [row] = caller.crm.store.read(f"SELECT {columns} FROM {quoted(module.name)} WHERE id = ?", (key,))
    details: dict[str, Any] = {
        name: caller.crm.moment(value, caller.user)
        if name.endswith("Time") and value is not None
        else _by(caller, value)
        for name, value in zip(stamps, row, strict=True)
    }
    details |= {"id": str(key), "$approval_state": "approved"}
    return {"code": "SUCCESS", "details": details, "message": message, "status": "success"}


def _by(caller: Caller, key: int | None) -> dict[str, str] | None:
    person = caller.crm.users.get(key or 0)
    return {"name": person.full_name, "id": str(person.id)} if person else None


def _update(caller: Caller, module: Module, row: Any, path: str) -> dict[str, Any]:
    key = _existing_id(caller, module, row, path)
    update(caller.crm, module, key, check(caller.crm, module, row, path, key), caller.user)
    return _success(caller, module, key, "record updated")


def _existing_id(caller: Caller, module: Module, row: Any, path: str) -> int:
    """The id of the record a row means to change."""
    given = row.get("id") if isinstance(row, dict) else None
    details = {"api_name": "id", "json_path": f"{path}.id"}
    if given is None:
        raise RowError(problem("MANDATORY_NOT_FOUND", "required field not found", details))
    if not _exists(caller, module, str(given)):
        raise RowError(problem("INVALID_DATA", "the id given seems to be invalid", details))
    _refuse_locked(caller, str(given), path)
    if "Converted__s" in module and not caller.crm.options.converted_writable:
        [(converted,)] = caller.crm.store.read("SELECT Converted__s FROM Leads WHERE id = ?", (int(given),))
        if converted:
            raise RowError(problem("CONVERTED_RECORD", "can't update the converted record", details))
    return int(given)


def _refuse_locked(caller: Caller, key: str, path: str) -> None:
    """A record that Zia's vision is working on: refused until that is over, which passes by itself."""
    if key in caller.crm.options.locked_records:
        details = {"id": key, "action": LOCKING_ACTION, "json_path": path}
        raise RowError(problem("RECORD_LOCKED", "record is locked", details))


def _exists(caller: Caller, module: Module, key: str) -> bool:
    if not key.isdecimal() or len(key) > 19 or int(key) >= 2**63:
        return False
    return bool(caller.crm.store.read(f"SELECT 1 FROM {quoted(module.name)} WHERE id = ?", (int(key),)))


def _refuse_if_newer(caller: Caller, module: Module, keys: list[Any]) -> None:
    """Refuse the whole call when one of these records changed after the header If-Unmodified-Since."""
    text = request.headers.get("If-Unmodified-Since")
    if not text or "Modified_Time" not in module:
        return
    try:
        since = datetimes.parse(text)
    except ValueError:
        details = {"header_name": "If-Unmodified-Since"}
        message = "Please check whether the input values are correct"
        raise refusal("PATTERN_NOT_MATCHED", message, details) from None
    ids = [str(key) for key in keys if _exists(caller, module, str(key))]
    sql = f"SELECT id, Modified_Time FROM {quoted(module.name)} WHERE id IN ({', '.join(ids)}) AND Modified_Time > ?"
    for key, modified in caller.crm.store.read(sql, (since,)):
        details = {"id": str(key), "Modified_Time": caller.crm.moment(modified, caller.user)}
        raise refusal("ALREADY_MODIFIED", "the record has been already modified", details, 412)


def match_fields(module: Module, asked: Any) -> list[Field]:
    """The fields an upsert looks for its records by: those asked for, else the module's own and the unique ones."""
    allowed = list(dict.fromkeys([module.upsert_on, *(each.name for each in module.fields if each.unique)]))
    names = allowed if asked is None else asked
    for place, name in enumerate(names if isinstance(names, list) else [None]):
        if name not in allowed:
            path = f"$.duplicate_check_fields[{place}]" if isinstance(names, list) else "$.duplicate_check_fields"
            details = {"api_name": "duplicate_check_fields", "json_path": path}
            raise refusal("INVALID_DATA", "invalid data", details)
    return [module[name] for name in names if name]


def find_match(caller: Caller, module: Module, row: Any, fields: list[Field]) -> tuple[str | None, int | None]:
    """The field by which a row matches a record, and that record's id; the oldest when several do."""
    if isinstance(row, dict) and _exists(caller, module, str(row.get("id", ""))):
        return "id", int(row["id"])
    fold = " COLLATE NOCASE" if caller.crm.options.ignore_case else ""
    for each in fields:
        value = row.get(each.name) if isinstance(row, dict) else None
        if isinstance(value, (str, int)) and value != "":
            sql = f"SELECT id FROM {quoted(module.name)} WHERE {quoted(each.name)} = ?{fold} ORDER BY id LIMIT 1"
            found = caller.crm.store.read(sql, (value,))
            if found:
                return each.name, int(found[0][0])
    return None, None


def _delete(caller: Caller, module: Module, ids: list[str]) -> Response:
    results = []
    with caller.crm.store.lock:
        for key in ids:
            if key in caller.crm.options.locked_records:
                results.append(problem("RECORD_LOCKED", "record is locked", {"id": key, "action": LOCKING_ACTION}))
            elif _exists(caller, module, key):
                delete(caller.crm, module, int(key), caller.user)
                results.append(
                    {"code": "SUCCESS", "details": {"id": key}, "message": "record deleted", "status": "success"}
                )
            else:
                results.append(problem("INVALID_DATA", "record not deleted", {"id": key}))
    return _results(caller, results, 200)
