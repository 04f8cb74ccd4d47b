"""GET /settings/roles, /profiles, /territories and /org/currencies, each also by id, and /settings/business_hours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from .answers import answer, empty
from .demo.org_structure import PROFILES, ROLES, TERRITORIES, Profile, Role, Territory
from .query_parameters import numbered_page
from .request_lifecycle import Caller, authorize_call
from .settings import MADE

__all__ = ["add_routes"]

RATES = (("USD", "$", "US Dollar", "1.000000000", True), ("EUR", "€", "Euro", "0.920000000", False),
         ("GBP", "£", "British Pound", "0.790000000", False),
         ("CAD", "CA$", "Canadian Dollar", "1.360000000", False))  # fmt: skip
PAGED = ("territories",)  # the lists for which Zoho's SDK has page and per_page
Entry = dict[str, Any]


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    blueprint.add_url_rule("/crm/v8/settings/business_hours", "business_hours", business_hours, methods=["GET"])
    for path, (key, scopes, entries) in ENDPOINTS.items():
        _add(blueprint, path, key, scopes, entries)


def _add(
    blueprint: Blueprint, path: str, key: str, scopes: tuple[str, ...], entries: Callable[[Caller], list[Entry]]
) -> None:
    def listed() -> Response:
        caller = authorize_call(*scopes)
        if key not in PAGED:
            return answer({key: entries(caller)})
        shown, info = numbered_page(entries(caller), caller.crm.options.list_page_rows)
        return answer({key: shown, "info": info}) if shown else empty()

    def one(entry_id: str) -> Response:
        found = [each for each in entries(authorize_call(*scopes)) if each["id"] == entry_id]
        return answer({key: found}) if found else empty()

    blueprint.add_url_rule(f"/crm/v8/{path}", key, listed, methods=["GET"])
    blueprint.add_url_rule(f"/crm/v8/{path}/<entry_id>", f"one_of_{key}", one, methods=["GET"])


def _roles(_caller: Caller) -> list[Entry]:
    return [_role(each) for each in ROLES.values()]


def _role(each: Role) -> Entry:
    above = ROLES[each.reporting_to] if each.reporting_to else None
    return {
        "id": str(each.id), "name": each.name, "api_name": each.name.replace(" ", "_"),
        "display_label": each.name, "description": each.description,
        "reporting_to": above and {"name": above.name, "id": str(above.id)}, "forecast_manager": None,
        "share_with_peers": each.share_data_with_peers, "admin_user": above is None, "created_by__s": None,
        "modified_by__s": None, "created_time__s": None, "modified_time__s": None,
    }  # fmt: skip


def _profiles(caller: Caller) -> list[Entry]:
    return [_profile(caller, each) for each in PROFILES.values()]


def _profile(caller: Caller, each: Profile) -> Entry:
    made = caller.crm.moment(MADE, caller.user) if each.custom else None
    return {
        "id": str(each.id), "name": each.name, "api_name": each.name.replace(" ", "_"),
        "display_label": each.name, "description": each.description,
        "custom": each.custom, "default": not each.custom, "type": "normal_profile", "category": each.custom,
        "created_by": _boss(caller) if each.custom else None, "modified_by": _boss(caller) if each.custom else None,
        "created_time": made, "modified_time": made, "permission_type": None,
    }  # fmt: skip


def _territories(caller: Caller) -> list[Entry]:
    return [_territory(caller, each) for each in TERRITORIES.values()]


def _territory(caller: Caller, each: Territory) -> Entry:
    above = TERRITORIES[each.parent] if each.parent else None
    made = caller.crm.moment(MADE, caller.user)
    return {
        "id": str(each.id), "name": each.name, "api_name": each.name, "description": each.description,
        "reporting_to": above and {"name": above.name, "id": str(above.id)}, "manager": _boss(caller),
        "permission_type": "read_write_delete", "account_rule_criteria": None, "deal_rule_criteria": None,
        "lead_rule_criteria": None, "created_by": _boss(caller), "modified_by": _boss(caller), "created_time": made,
        "modified_time": made,
    }  # fmt: skip


def _currencies(caller: Caller) -> list[Entry]:
    """Exchange rates are strings, as at Zoho."""
    form = {"decimal_separator": "Period", "thousand_separator": "Comma", "decimal_places": "2"}
    made = caller.crm.moment(MADE, caller.user)
    stamps = {"created_by": _boss(caller), "modified_by": _boss(caller), "created_time": made, "modified_time": made}
    return [
        {"iso_code": code, "symbol": sign, "name": f"{name} - {code}", "is_base": base, "is_active": True,
         "exchange_rate": rate, "format": form, "prefix_symbol": True, "id": str(554023000000030001 + place), **stamps}
        for place, (code, sign, name, rate, base) in enumerate(RATES)
    ]  # fmt: skip


def business_hours() -> Response:
    """GET /crm/v8/settings/business_hours: one set of hours for the whole org."""
    authorize_call("ZohoCRM.settings.business_hours.READ", "ZohoCRM.settings.READ")
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    hours = {"week_starts_on": "Monday", "type": "custom", "id": "554023000000031001", "business_days": days,
             "same_as_everyday": True, "daily_timing": ["09:00", "17:30"], "custom_timing": [],
             "timezone": "America/Los_Angeles"}  # fmt: skip
    return answer({"business_hours": hours})


def _boss(caller: Caller) -> Entry:
    boss = next(iter(caller.crm.users.values()))
    return {"name": boss.full_name, "id": str(boss.id)}


def _scopes(area: str) -> tuple[str, str]:
    return f"ZohoCRM.settings.{area}.READ", "ZohoCRM.settings.READ"


# Path -> key of the answer, scopes, what it lists.
ENDPOINTS: dict[str, tuple[str, tuple[str, ...], Callable[[Caller], list[Entry]]]] = {
    "settings/roles": ("roles", _scopes("roles"), _roles),
    "settings/profiles": ("profiles", _scopes("profiles"), _profiles),
    "settings/territories": ("territories", _scopes("territories"), _territories),
    "org/currencies": ("currencies", ("ZohoCRM.settings.currencies.READ", "ZohoCRM.org.READ"), _currencies),
}
