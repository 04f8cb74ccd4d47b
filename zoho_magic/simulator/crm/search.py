"""GET /{module}/search and GET or POST /{module}/actions/count."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from ..access import authorize
from .answers import answer, empty, refusal
from .query_parameters import check_length, choice, positive_integer
from .record_filter import SEARCHES, RecordFilter, common_filter, searched, viewed
from .records import SYSTEM
from .request_lifecycle import Caller, open_module
from .schema import Module

__all__ = ["add_routes"]

SCOPE = "ZohoSearch.securesearch.READ"
REACH, PAGE_ROWS = 2_000, 200
SORTS = ("id", "Created_Time", "Modified_Time")
AMBIGUOUS = "Please use either Cvid or Search Params. Combination of both the params is not allowed"


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/<module:name>/search", "search", search, methods=["GET"])
    blueprint.add_url_rule("/crm/v8/<module:name>/actions/count", "count", count, methods=["GET", "POST"])


def search(name: str) -> Response:
    """GET /crm/v8/{module}/search: by criteria, email, phone or word; of several the first counts."""
    caller, module = open_module(name, "READ", sub=True)
    authorize(request, SCOPE)
    by = next((each for each in SEARCHES if request.args.get(each)), None)
    if by is None:
        raise refusal("EXPECTED_PARAM_MISSING", "One of the expected parameter is missing",
                      {"param_names": list(SEARCHES)})  # fmt: skip
    wanted = searched(caller, module, by) & common_filter(caller, module)
    if request.args.get("cvid"):
        wanted &= viewed(caller, module)
    return _page(caller, module, wanted)


def _page(caller: Caller, module: Module, wanted: RecordFilter) -> Response:
    page, per_page = positive_integer("page", 1), min(positive_integer("per_page", PAGE_ROWS), PAGE_ROWS)
    if page * per_page > REACH:
        raise refusal("LIMIT_REACHED", "Record count exceeded", {"limit": REACH})
    sort_by = choice("sort_by", SORTS, "id")
    order = f"{sort_by} {choice('sort_order', ('desc', 'asc'), 'desc')}"
    where = f"{wanted.where} ORDER BY t.{order} LIMIT {per_page + 1} OFFSET {(page - 1) * per_page}"
    found = caller.crm.read(module, where, wanted.values, caller.view)
    if not found:
        return empty()
    shown = [_chosen(caller, record) for record in found[:per_page]]
    info = {"per_page": per_page, "count": len(shown), "sort_by": sort_by, "page": page,
            "sort_order": order.split()[1], "more_records": len(found) > per_page}  # fmt: skip
    return answer({"data": shown, "info": info})


def _chosen(caller: Caller, record: dict[str, Any]) -> dict[str, Any]:
    """The fields asked for; all of them, and the system's own, when none are."""
    check_length("fields", caller.crm.options.parameter_length)
    names = [each.strip() for each in request.args.get("fields", "").split(",") if each.strip()]
    if not names:
        return record | SYSTEM
    return {name: record[name] for name in [*names, "id"] if name in record}


def count(name: str) -> Response:
    """GET or POST /crm/v8/{module}/actions/count: of all, of a custom view, or of what a search finds."""
    caller, module = open_module(name, "READ")
    if caller.crm.options.count_needs_search:
        authorize(request, SCOPE)
    wanted = _counted(caller, module) & common_filter(caller, module)
    sql = f'SELECT count(*) FROM "{module.name}" AS t WHERE {wanted.where}'
    [(amount,)] = caller.crm.store.read(sql, wanted.values)
    return answer({"count": amount})


def _counted(caller: Caller, module: Module) -> RecordFilter:
    asked = [each for each in ("cvid", *SEARCHES) if request.args.get(each)]
    if len(asked) > 1:
        details = {"ambiguity_due_to": [{"param_name": each} for each in asked]}
        raise refusal("AMBIGUITY_DURING_PROCESSING", AMBIGUOUS, details)
    if not asked:
        return RecordFilter()
    return viewed(caller, module) if asked == ["cvid"] else searched(caller, module, asked[0])
