"""Custom views: a few per module, each an SQL condition and the criteria that Zoho would show for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .demo import User
from .schema import Module

__all__ = ["CustomView", "views_of"]


@dataclass(frozen=True)
class CustomView:
    """A saved filter: `where` is SQL over the row `t`, `criteria` the same as Zoho's JSON (None: all records)."""

    id: int
    name: str
    system_name: str
    where: str
    criteria: dict[str, Any] | None = None


def views_of(module: Module, user: User) -> dict[str, CustomView]:
    """The module's custom views as this user has them, by id."""
    base = module.id + 50_000
    plural = module.name.replace("_", " ")
    made = [CustomView(base, f"All {plural}", "ALLVIEWS", "1")]
    if "Owner" in module:
        mine = _criterion(module, "Owner", "equal", "${CURRENTUSER}")
        made.append(CustomView(base + 1, f"My {plural}", "MYVIEWS", f"t.Owner = {user.id}", mine))
    if module.name == "Leads":
        hot = _criterion(module, "Lead_Score", "greater_equal", "80")
        made.append(CustomView(base + 2, "Hot Leads", "", "t.Lead_Score >= 80", hot))
    if module.name == "Deals":
        closed = [
            _criterion(module, "Stage", "not_equal", stage) for stage in module["Stage"].values if "Closed" in stage
        ]
        is_open = {"group_operator": "and", "group": closed}
        made.append(CustomView(base + 3, "Open Deals", "OPENDEALS", "t.Stage NOT LIKE 'Closed%'", is_open))
    return {str(view.id): view for view in made}


def _criterion(module: Module, name: str, comparator: str, value: str) -> dict[str, Any]:
    return {"comparator": comparator, "field": {"api_name": name, "id": str(module[name].id)}, "value": value}
