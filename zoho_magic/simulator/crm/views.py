"""Custom views: a few per module, each an SQL condition."""

from __future__ import annotations

from dataclasses import dataclass

from .demo import User
from .schema import Module

__all__ = ["CustomView", "views_of"]


@dataclass(frozen=True)
class CustomView:
    """A saved filter: `where` is SQL over the row `t`."""

    id: int
    name: str
    system_name: str
    where: str


def views_of(module: Module, user: User) -> dict[str, CustomView]:
    """The module's custom views as this user has them, by id."""
    base = module.id + 50_000
    made = [CustomView(base, f"All {module.name.replace('_', ' ')}", "ALLVIEWS", "1")]
    if "Owner" in module:
        made.append(CustomView(base + 1, f"My {module.name.replace('_', ' ')}", "MYVIEWS", f"t.Owner = {user.id}"))
    if module.name == "Leads":
        made.append(CustomView(base + 2, "Hot Leads", "", "t.Lead_Score >= 80"))
    if module.name == "Deals":
        made.append(CustomView(base + 3, "Open Deals", "OPENDEALS", "t.Stage NOT LIKE 'Closed%'"))
    return {str(view.id): view for view in made}
