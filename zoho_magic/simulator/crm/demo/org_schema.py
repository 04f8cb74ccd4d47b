"""All modules of the demo org together, each module, field and picklist value with its own id."""

from __future__ import annotations

from dataclasses import replace

from ..schema import Module, Schema
from . import activity_modules as activities
from . import inventory_modules as inventory
from . import modules as sales

__all__ = ["demo_schema"]

ORG = 554023000000000000
LONG_ORG = 5540230000000000000  # the custom modules came with an import: 19 digits
MODULES = (
    sales.LEADS, sales.ACCOUNTS, sales.CONTACTS, sales.DEALS, sales.TASKS, sales.PROJECTS, sales.LINES, sales.LINKS,
    *sales.CLOSED_TO_API, activities.EVENTS, activities.CALLS, activities.NOTES, activities.DEAL_HISTORY,
    inventory.PRODUCTS, inventory.QUOTES, inventory.QUOTED_ITEMS,
)  # fmt: skip


def demo_schema() -> Schema:
    """The schema of the demo org."""
    return Schema(_numbered(place, module) for place, module in enumerate(MODULES))


def _numbered(place: int, module: Module) -> Module:
    base = ORG + place * 100_000
    first = (LONG_ORG if module.kind in ("custom", "subform", "linking") else ORG) + (place + 1) * 10**9 + 7001
    fields = tuple(replace(each, id=base + 2_001 + 100 * spot) for spot, each in enumerate(module.fields))
    return replace(module, id=base + 1, fields=fields, first_id=first, by_name={})
