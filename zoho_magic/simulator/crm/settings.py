"""GET /org, /users, and what the org says about its modules, fields and custom views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from .answers import answer, empty, refusal
from .datetimes import EPOCH
from .demo import User
from .demo.org_structure import PROFILES, ROLES
from .query_parameters import numbered_page
from .request_lifecycle import Caller, authorize_call, module_named
from .schema import Module

__all__ = ["MADE", "add_routes", "asked_module"]

MADE = 1_672_650_000
USER_TYPES: dict[str, Callable[[User], bool]] = {
    "AllUsers": lambda _user: True,
    "ActiveUsers": lambda user: user.status == "active",
    "DeactiveUsers": lambda user: user.status == "disabled",
    "ConfirmedUsers": lambda user: user.confirmed,
    "NotConfirmedUsers": lambda user: not user.confirmed,
    "DeletedUsers": lambda user: user.status == "deleted",
    "ActiveConfirmedUsers": lambda user: user.status == "active" and user.confirmed,
    "AdminUsers": lambda user: user.profile == "Administrator",
    "ActiveConfirmedAdmins": lambda user: user.profile == "Administrator" and user.confirmed,
}


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    get = {"methods": ["GET"]}
    blueprint.add_url_rule("/crm/v8/org", "org", org, **get)  # type: ignore[arg-type]
    blueprint.add_url_rule("/crm/v8/users", "users", users, **get)  # type: ignore[arg-type]
    blueprint.add_url_rule("/crm/v8/users/<user_id>", "user", one_user, **get)  # type: ignore[arg-type]
    blueprint.add_url_rule("/crm/v8/settings/modules", "modules", modules, **get)  # type: ignore[arg-type]
    blueprint.add_url_rule("/crm/v8/settings/modules/<name>", "module", one_module, **get)  # type: ignore[arg-type]
    blueprint.add_url_rule("/crm/v8/settings/fields", "fields", fields, **get)  # type: ignore[arg-type]
    blueprint.add_url_rule("/crm/v8/settings/fields/<field_id>", "field", one_field, **get)  # type: ignore[arg-type]


def org() -> Response:
    """GET /crm/v8/org."""
    caller = authorize_call("ZohoCRM.org.READ")
    boss = next(iter(caller.crm.users.values()))
    options = caller.crm.options
    address = {"street": "1 Harbor Way", "city": "Sacramento", "state": "CA", "zip": "94203"}
    body = {
        "id": "554023000000020005", "zgid": options.org_id, "ezgid": "0" * 32, "zia_zgid": 0, "primary_zuid": boss.zuid,
        "company_name": "Northbeam Solar", "domain_name": f"org{options.org_id}", "alias": None, "type": "production",
        "mc_status": True, "currency": "US Dollar - USD", "iso_code": "USD", "currency_symbol": "$",
        "currency_locale": "en_US", "time_zone": boss.time_zone, "country_code": "US", "country": "US", **address,
        "primary_email": boss.email, "phone": "(555) 010-2030", "mobile": None, "fax": None,
        "website": "https://northbeam.example", "employee_count": "120", "description": None, "photo_id": None,
        "gapps_enabled": False, "translation_enabled": False, "privacy_settings": False, "call_icon": "default",
        "hipaa_compliance_enabled": False, "lite_users_enabled": False, "max_per_page": 100, "oauth_presence": True,
        "zia_portal_id": None, "deletable_org_account": False, "created_time": caller.crm.moment(MADE, caller.user),
        "hierarchy_preferences": {"type": "Role_Hierarchy", "strictly_reporting": False},
        "checkin_preferences": {}, "license_details": _licence(caller),
    }  # fmt: skip
    return answer({"org": [body]})


def _licence(caller: Caller) -> dict[str, Any]:
    return {"paid": caller.crm.options.edition != "free", "paid_type": caller.crm.options.edition,
            "paid_expiry": caller.crm.moment(caller.crm.now() + 200 * 86_400, caller.user),
            "users_license_purchased": len(caller.crm.active_users()), "trial_type": None, "trial_expiry": None,
            "trial_action": None}  # fmt: skip


def users() -> Response:
    """GET /crm/v8/users, one `type` of them a page at a time."""
    caller = _users_caller()
    kind = request.args.get("type", "AllUsers")
    everyone = caller.crm.users.values()
    if kind == "CurrentUser":
        chosen = [caller.user]
    elif kind in USER_TYPES:
        chosen = [user for user in everyone if USER_TYPES[kind](user)]
    else:
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "type"})
    shown, info = numbered_page(chosen, caller.crm.options.list_page_rows)
    if not shown:
        return empty()
    return answer({"users": [_user(caller, each) for each in shown], "info": info})


def one_user(user_id: str) -> Response:
    """GET /crm/v8/users/{id}."""
    caller = _users_caller()
    user = caller.crm.users.get(int(user_id)) if user_id.isdigit() else None
    return answer({"users": [_user(caller, user)]}) if user else empty()


def _users_caller() -> Caller:
    caller = authorize_call("ZohoCRM.users.READ")
    if caller.crm.options.users_forbidden:
        raise refusal("NO_PERMISSION", "permission denied", status=403)
    return caller


def _user(caller: Caller, user: User) -> dict[str, Any]:
    moment = (EPOCH.fromtimestamp(caller.crm.clock.time(), EPOCH.tzinfo)).astimezone(ZoneInfo(user.time_zone))
    shift = moment.utcoffset()
    made = caller.crm.moment(MADE, caller.user)
    boss = next(iter(caller.crm.users.values()))
    by = {"name": boss.full_name, "id": str(boss.id)}
    return {
        "id": str(user.id), "zuid": user.zuid, **_names(caller, user), "email": user.email,
        "status": user.status, "confirm": user.confirmed,
        "role": {"name": user.role, "id": str(ROLES[user.role].id)},
        "profile": {"name": user.profile, "id": str(PROFILES[user.profile].id)},
        "time_zone": user.time_zone, "offset": int(shift.total_seconds() * 1000) if shift else 0,
        "locale": user.locale, "language": user.locale, "country_locale": user.locale, "country": user.locale[-2:],
        "date_format": "MM/dd/yyyy", "time_format": "hh:mm a", "decimal_separator": "Period",
        "number_separator": "Comma", "category": "regular_user", "alias": None, "phone": None, "mobile": None,
        "website": None, "street": None, "city": None, "state": None, "zip": None, "fax": None, "dob": None,
        "signature": None, "microsoft": False, "personal_account": False, "Isonline": user.id == caller.user.id,
        "created_time": made, "Modified_Time": made, "created_by": by, "Modified_By": by, "Reporting_To": None,
    }  # fmt: skip


def _names(caller: Caller, user: User) -> dict[str, str | None]:
    names = {"full_name": user.full_name, "first_name": user.first_name, "last_name": user.last_name}
    nameless = user.status != "active" and caller.crm.options.inactive_user_names_null
    return {key: None if nameless else name for key, name in names.items()}


def modules() -> Response:
    """GET /crm/v8/settings/modules."""
    caller = authorize_call("ZohoCRM.settings.modules.READ", "ZohoCRM.settings.READ")
    return answer({"modules": [caller.crm.schema.describe_module(each) for each in caller.crm.schema]})


def one_module(name: str) -> Response:
    """GET /crm/v8/settings/modules/{api name or id}, with its fields."""
    caller = authorize_call("ZohoCRM.settings.modules.READ", "ZohoCRM.settings.READ")
    schema = caller.crm.schema
    module = next((each for each in schema if name in (each.name, str(each.id))), None)
    if module is None:
        raise refusal("INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0})
    body = schema.describe_module(module) | {"fields": _fields(caller, module), "custom_view": None, "layouts": []}
    return answer({"modules": [body]})


def fields() -> Response:
    """GET /crm/v8/settings/fields?module=: every field of the module, in one answer."""
    caller = authorize_call("ZohoCRM.settings.fields.READ", "ZohoCRM.settings.READ")
    module = asked_module()
    if request.args.get("type") == "unused" or not module.api:
        return empty()
    return answer({"fields": _fields(caller, module)})


def one_field(field_id: str) -> Response:
    """GET /crm/v8/settings/fields/{id}?module=."""
    caller = authorize_call("ZohoCRM.settings.fields.READ", "ZohoCRM.settings.READ")
    found = [each for each in _fields(caller, asked_module()) if each["id"] == field_id]
    return answer({"fields": found}) if found else empty()


def asked_module() -> Module:
    """The module that the parameter `module` names."""
    name = request.args.get("module")
    if not name:
        raise refusal("REQUIRED_PARAM_MISSING", "required param is missing", {"param_name": "module"})
    return caller_schema(name)


def caller_schema(name: str) -> Module:
    """The module of this name, whether or not the API serves its records."""
    try:
        return module_named(name)
    except Exception as denied:
        if getattr(denied, "body", {}).get("code") != "NOT_SUPPORTED":
            raise
    return Module(name, name, api=False)


def _fields(caller: Caller, module: Module) -> list[dict[str, Any]]:
    differs = caller.crm.options.picklist_display_differs
    return [caller.crm.schema.describe_field(module, each, differs) for each in module.fields]
