"""What a module and a field are here, and how Zoho's metadata API describes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = ["Field", "Link", "Module", "Rollup", "Schema", "label_of"]

TEXT = {"text", "email", "phone", "website", "textarea", "mediumtext", "profileimage", "autonumber", "picklist"}
LOOKUPS = {"lookup", "ownerlookup", "userlookup"}
NUMBERS = {"integer", "double", "currency", "percent"}
SEPARATE = {"subform", "multiselectlookup"}  # their rows live in another module's table

JSON_TYPES = {
    "boolean": "boolean", "integer": "integer", "double": "double", "currency": "double", "percent": "double",
    "lookup": "jsonobject", "ownerlookup": "jsonobject", "userlookup": "jsonobject",
    "multi_module_lookup": "jsonobject", "multiselectpicklist": "jsonarray", "subform": "jsonarray",
    "multiselectlookup": "jsonarray", "fileupload": "jsonarray", "RRULE": "jsonobject",
}  # fmt: skip
LENGTHS = {
    "text": 255, "email": 100, "phone": 30, "website": 450, "textarea": 2000, "picklist": 120, "integer": 9,
    "bigint": 18, "double": 16, "currency": 16, "percent": 5, "boolean": 5, "date": 20, "datetime": 120,
    "lookup": 120, "ownerlookup": 120, "userlookup": 120, "multi_module_lookup": 120,
}  # fmt: skip
COLOURS = ("#5cb3fd", "#f17574", "#25b52a", "#f8e199", "#af38fa", "#168aef")


@dataclass(frozen=True)
class Rollup:
    """A number kept on a parent from its children: an SQL aggregate over `child` rows whose `via` points here."""

    child: str
    via: str
    aggregate: str
    where: str = "1"


@dataclass(frozen=True)
class Link:
    """A multi-select lookup: the linking module and its two lookups, towards this record and towards the others."""

    module: str
    here: str
    there: str


@dataclass(frozen=True)
class Field:
    """One field. `kind` is Zoho's data_type; `formula` is SQL over the same row; `returns` a formula's data_type."""

    name: str
    kind: str = "text"
    label: str = ""
    length: int = 0
    mandatory: bool = False
    read_only: bool = False
    custom: bool = False
    unique: bool = False
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()  # what people see of `values`, where that differs
    targets: tuple[str, ...] = ()
    formula: str = ""
    returns: str = ""
    rollup: Rollup | None = None
    link: Link | None = None
    prefix: str = ""
    coql: bool = True  # False: COQL refuses it, and no metadata says so
    many: bool = False  # Tag: data_type text, json_type jsonarray
    id: int = 0

    @cached_property
    def value_type(self) -> str:
        """The kind its values have: a formula's is what it returns, Tag's is a list."""
        return "tags" if self.many and self.kind == "text" else self.returns or self.kind

    @cached_property
    def json_type(self) -> str:
        """Zoho's json_type: what the value is in a record's JSON."""
        return "jsonarray" if self.many else JSON_TYPES.get(self.returns or self.kind, "string")

    @property
    def stored(self) -> bool:
        """True when the module's own table has a column for it."""
        return self.kind not in SEPARATE

    @property
    def computed(self) -> bool:
        """True for what nobody may write: formulas, roll-ups, running numbers."""
        return bool(self.formula or self.rollup) or self.kind == "autonumber"

    @property
    def writable(self) -> bool:
        """True when the API takes a value for it."""
        return not (self.read_only or self.computed)

    @property
    def size(self) -> int:
        """Its maximum length as metadata states it."""
        return self.length or LENGTHS.get(self.kind, 255)

    def actual_value(self, text: str, accepts: str, display_differs: bool) -> str | None:
        """The picklist value that `text` means; `accepts` is "actual", "display" (its label) or "both"."""
        labels = map(label_of, self.values) if display_differs else self.labels or self.values
        by_label = dict(zip(labels, self.values, strict=True))
        known = {"display": by_label, "actual": dict(zip(self.values, self.values, strict=True))}
        return (known[accepts] if accepts in known else known["display"] | known["actual"]).get(text)

    @property
    def title(self) -> str:
        """Its label: what people see."""
        return self.label or self.name.replace("__s", "").replace("_", " ")


def label_of(value: str) -> str:
    """Another label for a picklist value, for `Options.picklist_display_differs`."""
    return f"{value} (label)"


@dataclass(frozen=True)
class Module:
    """One module: `display` names the field that stands for a record, `kind` is Zoho's generated_type."""

    name: str
    singular: str
    fields: tuple[Field, ...] = ()
    display: str = "Name"
    kind: str = "default"
    parent: str = ""
    scope: str = ""
    api: bool = True
    upsert_on: str = ""
    bulk: bool = True  # False: bulk read refuses it
    tracks: str = ""  # of a field_tracker: the field of `parent` whose history this is
    first_id: int = 0
    id: int = 0
    by_name: dict[str, Field] = field(default_factory=dict, compare=False, hash=False)

    def __post_init__(self) -> None:
        self.by_name.update({each.name: each for each in self.fields})

    def __getitem__(self, name: str) -> Field:
        return self.by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    @property
    def writable(self) -> bool:
        """True when the API takes records for it."""
        return self.api and self.kind != "field_tracker"

    @property
    def polymorphic(self) -> Field | None:
        """Its multi-module lookup, whose module records call `$se_module`."""
        return next((each for each in self.fields if each.kind == "multi_module_lookup"), None)

    @property
    def stored(self) -> tuple[Field, ...]:
        """The fields its own table has columns for."""
        return tuple(each for each in self.fields if each.stored)

    def scopes(self, operation: str) -> tuple[str, str]:
        """The scopes of which either opens it: by family (leads, custom) and by its own API name."""
        return (f"ZohoCRM.modules.{self.scope}.{operation}", f"ZohoCRM.modules.{self.name}.{operation}")


class Schema:
    """Every module of the org, by API name; letter case must be right, as at Zoho."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._modules = {module.name: module for module in modules}

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def get(self, name: str) -> Module | None:
        """The module called `name`, or None."""
        return self._modules.get(name)

    def put(self, module: Module) -> None:
        """Replace a module, or add it."""
        self._modules[module.name] = module

    def rows(self) -> list[Module]:
        """Only the modules that hold records."""
        return [module for module in self if module.api]

    def minified(self, name: str) -> dict[str, Any]:
        """`{"api_name", "id"}`, as lookups name a module."""
        return {"api_name": name, "id": str(self._modules[name].id)}

    def describe_module(self, module: Module) -> dict[str, Any]:
        """The module as GET /settings/modules shows it."""
        plain = module.kind in ("default", "custom")
        return {
            "api_name": module.name, "module_name": module.name, "singular_label": module.singular,
            "plural_label": module.name.replace("_", " "), "id": str(module.id), "api_supported": module.api,
            "generated_type": module.kind, "viewable": True, "creatable": module.writable, "editable": module.writable,
            "deletable": module.writable, "visible": True, "visibility": 1, "status": "visible",
            "show_as_tab": plain, "quick_create": plain, "convertable": module.name == "Leads",
            "triggers_supported": plain, "filter_supported": plain, "feeds_required": False,
            "scoring_supported": plain, "webform_supported": plain, "emailTemplate_support": plain,
            "isBlueprintSupported": plain, "recycle_bin_on_delete": True, "has_more_profiles": False,
            "sequence_number": list(self._modules).index(module.name) + 1, "profile_count": 1,
            "parent_module": self.minified(module.parent) if module.parent else {}, "web_link": None,
            "business_card_field_limit": 5 if plain else 0, "modified_by": None, "modified_time": None,
            "description": None, "arguments": [], "profiles": [], "inventory_template_supported": False,
            "sub_menu_available": plain, "presence_sub_menu": plain, "chart_view_supported": plain,
        }  # fmt: skip

    def describe_field(self, module: Module, each: Field, display_differs: bool = False) -> dict[str, Any]:
        """The field as GET /settings/fields shows it; `display_differs` gives every picklist value another label."""
        write = each.writable and each.name != "id"
        return {
            "api_name": each.name, "field_label": each.title, "display_label": each.title, "id": str(each.id),
            "data_type": each.kind, "json_type": each.json_type, "length": each.size,
            "decimal_place": 2 if each.value_type in ("double", "currency", "percent") else None,
            "system_mandatory": each.mandatory, "required": each.mandatory, "read_only": each.read_only,
            "field_read_only": not each.writable, "custom_field": each.custom, "visible": True, "type": "used",
            "virtual_field": False, "searchable": True, "sortable": each.stored, "filterable": each.stored,
            "display_field": each.name == module.display, "mass_update": write, "column_name": each.name.upper(),
            "created_source": "default", "webhook": True, "separator": False, "tooltip": None,
            "view_type": {"view": True, "edit": write, "create": write, "quick_create": each.mandatory},
            "operation_type": {"web_update": write, "api_create": write, "web_create": write, "api_update": write},
            "unique": {"casesensitive": "false"} if each.unique else {}, "external": None,
            "pick_list_values": _pick_list(each, display_differs), "pick_list_values_sorted_lexically": False,
            **self._details(module, each),
        }  # fmt: skip

    def _details(self, module: Module, each: Field) -> dict[str, Any]:
        number = {"prefix": each.prefix, "suffix": "", "start_number": 1, "starting_number_length": 1}
        return {
            "lookup": self._lookup(each), "multi_module_lookup": self._multi_module(each),
            "multiselectlookup": self._multi_select(each), "subform": self._subform(each),
            "associated_module": self._associated(each),
            "currency": {"rounding_option": "normal", "precision": 2} if each.value_type == "currency" else {},
            "formula": {"return_type": each.returns, "expression": each.formula} if each.kind == "formula" else {},
            "rollup_summary": self._rollup(each),
            "history_tracking": self._tracking(module, each),
            "auto_number": number if each.kind == "autonumber" else {},
            "textarea": {"type": "small"} if each.kind == "textarea" else None,
        }  # fmt: skip

    def _lookup(self, each: Field) -> dict[str, Any]:
        if each.kind != "lookup":
            return {}
        return {"module": self.minified(each.targets[0]), "api_name": each.name, "display_label": each.title,
                "id": str(each.id), "query_details": {}, "revalidate_filter_during_edit": False,
                "show_fields": []}  # fmt: skip

    def _multi_module(self, each: Field) -> dict[str, Any]:
        if each.kind != "multi_module_lookup":
            return {}
        return {"api_name": each.name, "display_label": each.title, "id": str(each.id),
                "modules": [self.minified(name) for name in each.targets]}  # fmt: skip

    def _multi_select(self, each: Field) -> dict[str, Any]:
        if each.link is None:
            return {}
        linking, connected = self.minified(each.link.module), self.minified(each.targets[0])
        return {"api_name": each.name, "display_label": each.title, "id": str(each.id), "record_access": True,
                "linking_module": linking, "connected_module": connected, "lookup_apiname": each.link.here,
                "connectedlookup_apiname": each.link.there, "connectedfield_apiname": each.link.there,
                "linking_details": {"module": linking}, "connected_details": {"module": connected}}  # fmt: skip

    def _subform(self, each: Field) -> dict[str, Any]:
        if each.kind != "subform":
            return {}
        return {"module": each.targets[0], "id": str(self._modules[each.targets[0]].id)}

    def _associated(self, each: Field) -> dict[str, Any] | None:
        if each.kind != "subform":
            return None
        return {"module": each.targets[0], "api_name": each.targets[0], "id": str(self._modules[each.targets[0]].id)}

    def _tracking(self, module: Module, each: Field) -> dict[str, Any] | None:
        """Which module keeps the history of this field, and which field there says how long a period was."""
        tracker = next((one for one in self if one.parent == module.name and one.tracks == each.name), None)
        if tracker is None:
            return None
        duration = next(one for one in tracker.fields if one.name.endswith("Calendar_Days"))
        by = {"api_name": duration.name, "id": str(duration.id)}
        return {"module": self.minified(tracker.name), "duration_configured_field": by}

    def _rollup(self, each: Field) -> dict[str, Any]:
        if each.rollup is None or each.kind != "rollup_summary":
            return {}
        return {"return_type": each.returns, "expression": {"function_parameters": [], "function": "sum"},
                "based_on_module": self.minified(each.rollup.child), "rollup_based_on": "all"}  # fmt: skip


def _pick_list(each: Field, display_differs: bool) -> list[dict[str, Any]]:
    names = (("-None-",) if each.kind == "picklist" and not each.mandatory else ()) + each.values
    labels = dict(zip(each.values, each.labels, strict=True)) if each.labels else {}
    if display_differs:
        labels |= {name: label_of(name) for name in each.values}
    return [
        {"display_value": labels.get(name, name), "actual_value": name, "reference_value": name,
         "sequence_number": place + 1, "colour_code": None if name == "-None-" else COLOURS[place % len(COLOURS)],
         "type": "used", "id": str(each.id + 1 + place)}
        for place, name in enumerate(names if each.values else ())
    ]  # fmt: skip
