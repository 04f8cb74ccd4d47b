"""GET /{module}/deleted."""

from __future__ import annotations

from flask import Blueprint, Response, request

from .answers import answer, empty, refusal
from .query_parameters import numbered_page
from .request_lifecycle import open_module

__all__ = ["add_routes"]


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/<module:name>/deleted", "deleted", deleted, methods=["GET"])


def deleted(name: str) -> Response:
    """GET /crm/v8/{module}/deleted: what is in the recycle bin, and what is gone for good."""
    caller, module = open_module(name, "READ", credits=2)
    kind = request.args.get("type", "all")
    if kind not in ("all", "recycle", "permanent"):
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "type"})
    rows = caller.crm.recycle_bin.list(module, kind, caller.crm.now(), request.headers.get("If-Modified-Since"))
    shown, info = numbered_page(rows, caller.crm.options.list_page_rows)
    if not shown:
        return empty(caller.crm.options.not_modified_status if "If-Modified-Since" in request.headers else 204)
    return answer({"data": [caller.crm.recycle_bin.show(each, caller.view) for each in shown], "info": info})
