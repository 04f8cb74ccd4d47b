"""Who works in the org and how it is set up: users, roles, profiles, territories, currencies, business hours.

https://www.zoho.com/crm/developer/docs/api/v8/get-users.html, .../get-roles.html, .../get-profiles.html,
.../get-territories.html, .../get-currencies.html, .../business-hours.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import TransportError
from ..http.responses import CrmApi, parse_json
from .api_version import API
from .listing import Entry, as_entry, fetch_all, field, to_frame
from .read.record_query import CallCounter
from .users import USER_KINDS

if TYPE_CHECKING:
    import pandas

__all__ = ["business_hours", "currencies", "profiles", "roles", "territories", "users"]

_STAMPS = (
    field("created_time", "datetime"),
    field("modified_time", "datetime"),
    field("created_by", "lookup"),
    field("modified_by", "lookup"),
)
_USER = (
    *(field(name) for name in ("id", "full_name", "first_name", "last_name", "email")),
    *(field(name, "lookup") for name in ("role", "profile", "reporting_to")),
    field("status"),
    field("confirm", "boolean"),
    *(field(name) for name in ("time_zone", "locale", "language", "country", "zuid")),
    *_STAMPS,
)
_ROLE = (
    *(field(name) for name in ("id", "name", "description")),
    field("reporting_to", "lookup"),
    field("share_with_peers", "boolean"),
    field("admin_user", "boolean"),
)
_PROFILE = (
    *(field(name) for name in ("id", "name", "description", "type")),
    field("custom", "boolean"),
    field("default", "boolean"),
    *_STAMPS,
)
_TERRITORY = (
    *(field(name) for name in ("id", "name", "description")),
    field("reporting_to", "lookup"),
    field("manager", "lookup"),
    field("permission_type"),
    *_STAMPS,
)
_CURRENCY = (
    *(field(name) for name in ("id", "iso_code", "symbol", "name")),
    field("exchange_rate", "double"),
    field("is_base", "boolean"),
    field("is_active", "boolean"),
    *_STAMPS,
)
_HOURS = (
    field("day"),
    field("business_day", "boolean"),
    *(field(name) for name in ("opens", "closes", "time_zone", "type", "week_starts_on", "id")),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The key of an answer is not always written like its siblings.
_SPELLINGS = {
    "Modified_Time": "modified_time",
    "Modified_By": "modified_by",
    "Reporting_To": "reporting_to",
    "created_by__s": "created_by",
}


def users(api: CrmApi) -> pandas.DataFrame:
    """See `ZohoSession.users`."""
    with CallCounter(api) as counted:
        found: dict[str, Entry] = {}
        for kind in USER_KINDS:  # AllUsers may leave deleted ones out, who own records still
            for entry in fetch_all(counted, f"{API}/users", "users", {"type": kind}):
                found.setdefault(str(entry.get("id")), entry)
        return _frame(list(found.values()), _USER, counted)


def roles(api: CrmApi) -> pandas.DataFrame:
    """See `ZohoSession.roles`."""
    return _settings(api, f"{API}/settings/roles", "roles", _ROLE)


def profiles(api: CrmApi) -> pandas.DataFrame:
    """See `ZohoSession.profiles`."""
    return _settings(api, f"{API}/settings/profiles", "profiles", _PROFILE)


def territories(api: CrmApi) -> pandas.DataFrame:
    """See `ZohoSession.territories`."""
    return _settings(api, f"{API}/settings/territories", "territories", _TERRITORY, paged=True)


def currencies(api: CrmApi) -> pandas.DataFrame:
    """See `ZohoSession.currencies`."""
    return _settings(api, f"{API}/org/currencies", "currencies", _CURRENCY)


def business_hours(api: CrmApi) -> pandas.DataFrame:
    """See `ZohoSession.business_hours`."""
    with CallCounter(api) as counted:
        answer = parse_json(counted.request("GET", f"{API}/settings/business_hours"))
        found = answer.get("business_hours") or []
        plans = found if isinstance(found, list) else [found]
        return _frame([row for plan in plans for row in _week(plan)], _HOURS, counted)


def _settings(api: CrmApi, path: str, key: str, fields: Any, *, paged: bool = False) -> pandas.DataFrame:
    with CallCounter(api) as counted:
        return _frame(fetch_all(counted, path, key, paged=paged), fields, counted)


def _frame(rows: list[Entry], fields: Any, counted: CallCounter) -> pandas.DataFrame:
    frame: pandas.DataFrame = to_frame([_spelled(row) for row in rows], fields, counted)
    return frame


def _spelled(row: Entry) -> Entry:
    return {_SPELLINGS.get(name, name): value for name, value in row.items()}


def _week(plan: Entry) -> list[Entry]:
    """One row a day, Monday first. `type` 24_by_7 and 24_by_5 come without times: those days are open all day."""
    kind = str(plan.get("type") or "")
    open_days = set(_DAYS[: {"24_by_7": 7, "24_by_5": 5}.get(kind, 0)]) or set(plan.get("business_days") or ())
    whole_day = ["00:00", "24:00"] if kind.startswith("24_by_") else None
    times = {each.get("days"): each.get("business_timing") for each in map(as_entry, plan.get("custom_timing") or ())}
    rows = []
    for day in _DAYS:
        opens, closes = _hours(whole_day or times.get(day) or plan.get("daily_timing"), day in open_days)
        rows.append({**plan, "day": day, "business_day": day in open_days, "opens": opens, "closes": closes})
        rows[-1]["time_zone"] = plan.get("time_zone") or plan.get("timezone")
    return rows


def _hours(timing: Any, is_open: bool) -> tuple[str | None, str | None]:
    if not is_open or not timing:
        return None, None
    if not isinstance(timing, list) or len(timing) != 2:
        raise TransportError(f"Zoho sent business hours of an unknown form: {str(timing)[:60]}.", hint="Report it.")
    return str(timing[0]), str(timing[1])
