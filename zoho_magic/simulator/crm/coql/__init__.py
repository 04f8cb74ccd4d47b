"""COQL: POST /crm/v8/coql. A parser of our own reads the query, SQLite answers it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from ...access import authorize
from ..answers import answer, dumps, empty, refusal
from ..request_lifecycle import Caller, authorize_call
from ..serialization import serialize_rows
from .ast import Query
from .parser import parse
from .sql_compiler import CompiledQuery, base_module, compile_query

__all__ = ["add_routes"]


def add_routes(blueprint: Blueprint) -> None:
    """Register the endpoint with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/coql", "coql", coql, methods=["POST"])


def coql() -> Response:
    """POST /crm/v8/coql: one window of at most 2,000 rows."""
    caller = authorize_call("ZohoCRM.coql.READ", credits=0, sub=True)
    try:
        query = parse(_asked("select_query"), caller.crm.options)
        authorize(request, *base_module(caller.crm, query).scopes("READ"))
        made = compile_query(caller.crm, caller.user, query)
    except Exception:
        caller.charge(1)
        raise
    caller.charge(made.credits)
    return _answer(caller, query, made)


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise refusal("INVALID_DATA", "body", {"expected_data_type": "jsonobject"})
    return body


def _asked(name: str) -> str:
    text = _body().get(name)
    if text is None:
        raise refusal("MANDATORY_NOT_FOUND", "mandatory key not found", {"api_name": name})
    if not isinstance(text, str):
        raise refusal("INVALID_DATA", "invalid data", {"api_name": name, "expected_data_type": "string"})
    return text


def _answer(caller: Caller, _query: Query, made: CompiledQuery) -> Response:
    meta = _meta(caller, made)
    crm, view = caller.crm, caller.crm.view(caller.user, coql=True)

    def make() -> bytes:
        rows = crm.store.read(made.sql, made.values)
        shown = serialize_rows(made.outputs, rows[: made.rows], view)
        if not shown:
            return b""
        return dumps({"data": shown, "info": {"count": len(shown), "more_records": len(rows) > made.rows}, **meta})

    # Queries that differ in how they name a column only are one query to SQLite.
    names = tuple(output.key for output in made.outputs)
    key = (made.sql, made.values, names, str(view.zone), tuple(vars(crm.options).values()), bool(meta))
    body = crm.response_cache.get(key, make)
    return answer(body) if body else empty()


def _meta(caller: Caller, made: CompiledQuery) -> dict[str, Any]:
    if "fields" not in (_body().get("include_meta") or []):
        return {}
    authorize(request, "ZohoCRM.settings.fields.READ", "ZohoCRM.settings.READ")
    describe = caller.crm.schema.describe_field
    return {"fields": {key: describe(module, field) for key, (module, field) in made.fields.items()}}
