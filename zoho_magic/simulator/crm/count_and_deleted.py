"""GET /{module}/actions/count and GET /{module}/deleted."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from ..access import authorize
from .answers import answer, empty, refusal
from .query_parameters import positive_integer
from .request_lifecycle import Caller, open_module
from .schema import Module
from .views import views_of

__all__ = ["add_routes"]

SEARCH = "ZohoSearch.securesearch.READ"


def add_routes(blueprint: Blueprint) -> None:
    """Hang these endpoints on the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/<module:name>/actions/count", "count", count, methods=["GET"])
    blueprint.add_url_rule("/crm/v8/<module:name>/deleted", "deleted", deleted, methods=["GET"])


def count(name: str) -> Response:
    """GET /crm/v8/{module}/actions/count, of the whole module, a custom view, an e-mail address, a phone or a word."""
    caller, module = open_module(name, "READ")
    if caller.crm.options.count_needs_search:
        authorize(request, SEARCH)
    where, values = _counted(caller, module)
    if "Converted__s" in module:
        where += " AND Converted__s = 0"
    [(amount,)] = caller.crm.store.read(f'SELECT count(*) FROM "{module.name}" AS t WHERE {where}', values)
    return answer({"count": amount})


def _counted(caller: Caller, module: Module) -> tuple[str, list[Any]]:
    asked = [key for key in ("cvid", "criteria", "email", "phone", "word") if request.args.get(key)]
    if len(asked) > 1:
        named = [{"param_name": key} for key in asked]
        raise refusal(
            "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {"ambiguity_due_to": named}
        )
    if not asked:
        return "1", []
    value = request.args[asked[0]]
    if asked[0] == "cvid":
        view = views_of(module, caller.user).get(value)
        if view is None:
            raise refusal("INVALID_DATA", "invalid data", {"param_name": "cvid"})
        return view.where, []
    if asked[0] == "criteria":
        raise refusal(
            "NOT_SUPPORTED", "the simulator counts by COQL, not by search criteria", {"param_name": "criteria"}
        )
    return _matching(module, asked[0], value)


def _matching(module: Module, by: str, value: str) -> tuple[str, list[Any]]:
    kinds = {"email": ("email",), "phone": ("phone",), "word": ("text", "email", "phone", "picklist")}[by]
    names = [each.name for each in module.fields if each.kind in kinds and each.stored]
    if not names:
        return "0", []
    sign, shown = ("LIKE", f"%{value}%") if by == "word" else ("= ", value)
    return "(" + " OR ".join(f't."{name}" {sign} ?' for name in names) + ")", [shown] * len(names)


def deleted(name: str) -> Response:
    """GET /crm/v8/{module}/deleted: what is in the recycle bin, and what is gone for good."""
    caller, module = open_module(name, "READ", credits=2)
    kind = request.args.get("type", "all")
    if kind not in ("all", "recycle", "permanent"):
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "type"})
    page, per_page = positive_integer("page", 1), min(positive_integer("per_page", 200), 200)
    rows = caller.crm.recycle_bin.list(module, kind, caller.crm.now(), request.headers.get("If-Modified-Since"))
    shown = rows[(page - 1) * per_page : page * per_page]
    if not shown:
        return empty(caller.crm.options.not_modified_status if "If-Modified-Since" in request.headers else 204)
    info = {"per_page": per_page, "count": len(shown), "page": page, "more_records": len(rows) > page * per_page}
    return answer({"data": [caller.crm.recycle_bin.show(each, caller.view) for each in shown], "info": info})
