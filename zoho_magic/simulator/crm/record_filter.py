"""Which records a search or a count is about: by criteria, e-mail address, phone number, word or custom view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request

from .answers import refusal
from .query_parameters import choice
from .request_lifecycle import Caller
from .schema import Module
from .search_criteria import search_condition
from .store import quoted
from .views import views_of

__all__ = ["SEARCHES", "RecordFilter", "common_filter", "searched", "viewed"]

SEARCHES = ("criteria", "email", "phone", "word")  # of several, search takes the first
SHORTEST = {"word": 2, "phone": 3}
SEARCHED = {"email": ("email",), "phone": ("phone",), "word": ("text", "email", "phone", "picklist", "textarea")}


@dataclass(frozen=True)
class RecordFilter:
    """An SQL condition over the row `t` and its values."""

    where: str = "1"
    values: tuple[Any, ...] = ()

    def __and__(self, other: RecordFilter) -> RecordFilter:
        return RecordFilter(f"({self.where}) AND ({other.where})", self.values + other.values)


def common_filter(caller: Caller, module: Module) -> RecordFilter:
    """What `converted` and `approved` leave; no record of the demo org waits for approval."""
    parts = ["0" if choice("approved", ("true", "false", "both"), "both") == "false" else "1"]
    if "Converted__s" in module and (converted := choice("converted", ("false", "true", "both"), "false")) != "both":
        parts.append(f"t.Converted__s = {int(converted == 'true')}")
    lag = caller.crm.options.search_lag
    if lag and "Modified_Time" in module:
        parts.append(f"t.Modified_Time <= {caller.crm.now() - lag:.0f}")
    return RecordFilter(" AND ".join(parts))


def searched(caller: Caller, module: Module, by: str) -> RecordFilter:
    """What one of the `SEARCHES` finds."""
    value = request.args[by]
    if len(value) < SHORTEST.get(by, 1):
        raise refusal("INVALID_DATA", "invalid data", {"param_name": by, "minimum_length": SHORTEST[by]})
    if by == "criteria":
        where, values = search_condition(caller.crm.schema, module, value)
        return RecordFilter(where, tuple(values))
    names = [each.name for each in module.fields if each.kind in SEARCHED[by] and each.stored]
    sign, shown = ("LIKE", f"%{value}%") if by == "word" else ("= ", value)
    where = " OR ".join(f"t.{quoted(name)} {sign} ? COLLATE NOCASE" for name in names)
    return RecordFilter(where or "0", (shown,) * len(names))


def viewed(caller: Caller, module: Module) -> RecordFilter:
    """What the custom view `cvid` shows."""
    view = views_of(module, caller.user).get(request.args["cvid"])
    if view is None:
        raise refusal("INVALID_DATA", "invalid data", {"param_name": "cvid"})
    return RecordFilter(view.where)
