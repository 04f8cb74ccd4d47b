"""GET /settings/custom_views?module=, and one of them by its id with its criteria and columns."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from .answers import answer, refusal
from .query_parameters import numbered_page
from .request_lifecycle import Caller, authorize_call
from .schema import Module
from .settings import MADE, asked_module
from .views import CustomView, views_of

__all__ = ["add_routes"]

SCOPES = ("ZohoCRM.settings.custom_views.READ", "ZohoCRM.settings.READ")


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/settings/custom_views", "custom_views", custom_views, methods=["GET"])
    blueprint.add_url_rule("/crm/v8/settings/custom_views/<view_id>", "custom_view", one_view, methods=["GET"])


def custom_views() -> Response:
    """GET /crm/v8/settings/custom_views?module=."""
    caller = authorize_call(*SCOPES)
    module = asked_module()
    views = list(views_of(module, caller.user).values())
    shown, info = numbered_page(views, caller.crm.options.list_page_rows)
    listed = [_describe(caller, module, view) for view in shown]
    return answer({"custom_views": listed, "info": {**info, "default": str(views[0].id), "translation": None}})


def one_view(view_id: str) -> Response:
    """GET /crm/v8/settings/custom_views/{id}?module=."""
    caller = authorize_call(*SCOPES)
    module = asked_module()
    view = views_of(module, caller.user).get(view_id)
    if view is None:
        details = {"resource_path_index": 2}
        raise refusal("INVALID_DATA", "the id given seems to be invalid", details)
    columns = [{"api_name": each.name, "id": str(each.id)} for each in module.stored[1:6]]
    return answer({"custom_views": [_describe(caller, module, view) | {"criteria": view.criteria, "fields": columns}]})


def _describe(caller: Caller, module: Module, view: CustomView) -> dict[str, Any]:
    by = {"name": caller.user.full_name, "id": str(caller.user.id)}
    made = None if view.system_name else caller.crm.moment(MADE, caller.user)
    return {
        "id": str(view.id), "name": view.name, "display_value": view.name, "system_name": view.system_name or None,
        "default": view.system_name == "ALLVIEWS", "system_defined": bool(view.system_name),
        "category": "public_views", "module": caller.crm.schema.minified(module.name), "favorite": None,
        "access_type": "public", "shared_to": None, "sort_by": None, "sort_order": None, "offline": True,
        "last_accessed_time": made, "created_time": made, "modified_time": made, "locked": False,
        "created_by": None if view.system_name else by, "modified_by": None if view.system_name else by,
    }  # fmt: skip
