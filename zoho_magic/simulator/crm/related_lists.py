"""Related lists: what points at a record, as GET /settings/related_lists describes it and its address serves it."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from .answers import answer, empty, refusal
from .record_filter import RecordFilter
from .records import list_matching, unknown_record
from .request_lifecycle import authorize_call, module_named, open_module
from .schema import Field, Module, Schema
from .settings import asked_module
from .store import module_column, quoted

__all__ = ["RelatedList", "add_routes", "check_parent", "related_lists_of"]

ATTACHMENTS = "Attachments"
NAMES = {"DealHistory": "Stage_History"}  # lists that are not called like their module


@dataclass(frozen=True)
class RelatedList:
    """Records of `module` whose field `via` points at the parent; of a multi-select lookup through a linking module."""

    name: str
    module: str
    via: Field | None = None
    linking: str = ""

    def filter(self, schema: Schema, parent: Module, key: int) -> RecordFilter:
        """Which records of `module` it shows for this parent."""
        if self.linking:
            link = next(each.link for each in parent.fields if each.link and each.link.module == self.linking)
            inner = f"SELECT {quoted(link.there)} FROM {quoted(self.linking)} WHERE {quoted(link.here)} = ?"
            return RecordFilter(f"t.id IN ({inner})", (key,))
        field = self.via or schema[self.module]["id"]
        if field.kind != "multi_module_lookup":
            return RecordFilter(f"t.{quoted(field.name)} = ?", (key,))
        where = f"t.{quoted(field.name)} = ? AND t.{quoted(module_column(field))} = ?"
        return RecordFilter(where, (key, parent.name))


def related_lists_of(schema: Schema, parent: Module) -> dict[str, RelatedList]:
    """The parent's related lists by API name; a second lookup from one module makes a list with its own name."""
    lists = [
        RelatedList(_list_name(child, field, parent), child.name, field)
        for child in schema.rows()
        for field in child.fields
        if child.kind not in ("subform", "linking") and parent.name in field.targets and _points(field)
    ]
    lists += [
        RelatedList(field.name, field.targets[0], linking=field.link.module) for field in parent.fields if field.link
    ]
    found: dict[str, RelatedList] = {}
    for each in lists:
        found.setdefault(each.name, each)
    return found


def _points(field: Field) -> bool:
    return field.kind in ("lookup", "multi_module_lookup") and not field.name.startswith("Converted_")


def _list_name(child: Module, field: Field, parent: Module) -> str:
    first = next(each for each in child.fields if parent.name in each.targets and _points(each))
    name = NAMES.get(child.name, child.name)
    return name if field is first and child.name != parent.name else f"{field.name}_{name}"


def add_routes(blueprint: Blueprint) -> None:
    """Register these endpoints with the CRM's blueprint."""
    add = blueprint.add_url_rule
    add("/crm/v8/settings/related_lists", "related_lists", describe_lists, methods=["GET"])
    add("/crm/v8/<module:name>/<record:record_id>/<related>", "related", list_related, methods=["GET"])


def list_related(name: str, record_id: str, related: str) -> Response:
    """GET /crm/v8/{module}/{id}/{related list}, paged like a module's own records."""
    caller, parent = open_module(name, "READ")
    found = related_lists_of(caller.crm.schema, parent).get(related)
    if found is None:
        message = "the relation name given seems to be invalid"
        raise refusal("INVALID_DATA", message, {"resource_path_index": 2})
    key = check_parent(caller.crm.store.read, parent, record_id)
    if key is None:
        return unknown_record(caller)
    child = module_named(found.module)
    return list_matching(caller, child, found.filter(caller.crm.schema, parent, key))


def check_parent(read: Any, parent: Module, record_id: str) -> int | None:
    """The record's id as a number, when it exists."""
    if not record_id.isdecimal() or len(record_id) > 19 or int(record_id) >= 2**63:
        return None
    found = read(f"SELECT id FROM {quoted(parent.name)} WHERE id = ?", (int(record_id),))
    return int(found[0][0]) if found else None


def describe_lists() -> Response:
    """GET /crm/v8/settings/related_lists?module=."""
    caller = authorize_call("ZohoCRM.settings.related_lists.READ", "ZohoCRM.settings.READ")
    module = asked_module()
    if not module.api:
        return empty()
    lists = [*related_lists_of(caller.crm.schema, module).values(), RelatedList(ATTACHMENTS, ATTACHMENTS)]
    described = [_describe(caller.crm.schema, module, each, number) for number, each in enumerate(lists, 1)]
    return answer({"related_lists": described})


def _describe(schema: Schema, parent: Module, each: RelatedList, number: int) -> dict[str, Any]:
    known = schema.get(each.module)
    return {
        "id": str(parent.id + 60_000 + number), "api_name": each.name, "name": each.name,
        "display_label": each.name.replace("_", " "), "sequence_number": str(number), "type": "default",
        "module": schema.minified(each.module) if known else {"api_name": each.module, "id": str(parent.id + 60_000)},
        "href": f"{parent.name}/{{ENTITYID}}/{each.name}", "action": None, "visible": True, "status": "visible",
        "connectedmodule": each.module if each.linking else None, "linkingmodule": each.linking or None,
        "customize_display_label": True, "customize_fields": True, "customize_sort": True, "sort_by": None,
        "sort_order": None, "fields": [],
    }  # fmt: skip
