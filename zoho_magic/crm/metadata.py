"""The org's modules and fields, as the CRM describes them; asked once a session, refreshed on demand.

https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html, .../field-meta.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, AuthError, QueryError
from ..fork_safety import renew_after_fork
from ..http.responses import CrmApi, list_of, parse_json
from .api_version import API
from .parallel import submit

if TYPE_CHECKING:
    import requests

__all__ = [
    "RECORD_ID",
    "TARGET_MODULE",
    "ColumnMemory",
    "Field",
    "Metadata",
    "Module",
    "did_you_mean",
    "display_field",
    "ready",
]

_READABLE = ("default", "custom", "subform", "linking", "field_tracker")
"""Values of `generated_type` whose records the API reads; `field_tracker` is DealHistory and its like."""


@dataclass(frozen=True)
class Module:
    """A module of the org.

    Attributes:
        name: API name (`Leads`), the one every call uses.
        label: plural name on the CRM's pages.
        kind: default, custom, subform, linking, ... (Zoho's generated_type).
        id: Zoho's id of the module.
        creatable, editable, deletable: what the API may do with its records.
        parent: API name of the module a subform or a history belongs to; "" for others.
    """

    name: str
    label: str
    kind: str
    id: str
    creatable: bool
    editable: bool
    deletable: bool
    parent: str = ""


@dataclass(frozen=True)
class Field:
    """A field of a module.

    Attributes:
        name: API name.
        label: what the CRM's pages show.
        data_type: Zoho's name for the kind of field (`text`, `lookup`, `currency`, ...).
        json_type: what a record carries (`string`, `jsonobject`, `jsonarray`, `integer`, `double`, `boolean`).
        return_type: for a formula or a rollup summary, the kind of its result.
        required: whether a new record must have it.
        read_only: whether the API refuses to write it.
        unique: whether two records may not share a value.
        length: the longest text, in characters; 0 where Zoho gives none.
        picklist_values: what the API returns for each choice of a picklist (Zoho's actual_value).
        picklist_labels: what people see for each of them (Zoho's display_value), in the same order.
        lookup_module: API name of the module a lookup points to.
        related_module: of a subform or a multi-select lookup, API name of the module that holds its rows.
        id: Zoho's id of the field, which stays when the field is renamed.
        entry: Zoho's whole description of the field.
    """

    name: str
    label: str = ""
    data_type: str = "text"
    json_type: str = "string"
    return_type: str = ""
    required: bool = False
    read_only: bool = False
    unique: bool = False
    length: int = 0
    picklist_values: tuple[str, ...] = ()
    picklist_labels: tuple[str, ...] = ()
    lookup_module: str = ""
    related_module: str = ""
    id: str = ""
    entry: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def value_type(self) -> str:
        """The data type that decides how a value is read: a formula's is that of its result."""
        return self.return_type or self.data_type


RECORD_ID = Field("id", "Record Id", "bigint", "string", read_only=True)

TARGET_MODULE = Field("$se_module", "Module of the record that What_Id names", "text", read_only=True)

_SYSTEM_FIELDS = {
    field.name: field
    for field in (
        Field("$approval_state", "Approval state", "text", read_only=True),
        TARGET_MODULE,
        Field("Record_Status__s", "Record status", "text", read_only=True),
        Field("Locked__s", "Locked", "boolean", "boolean", read_only=True),
    )
}
"""What metadata need not list and a record carries where it is asked for by name.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""


class ColumnMemory:
    """Which columns an API has refused or taken since metadata was read: it need not refuse them again and again."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, str], set[str]] = {}
        self._accepted: dict[tuple[str, str], set[str]] = {}

    def refuse(self, api: str, module: str, name: str) -> None:
        """Remember that the API refused this field."""
        self._refused.setdefault((api, module), set()).add(name)

    def accept(self, api: str, module: str, names: Iterable[str]) -> None:
        """Remember that the API took these fields."""
        self._accepted.setdefault((api, module), set()).update(names)

    def is_refused(self, api: str, module: str, name: str) -> bool:
        """Whether the API refused this field, or can never take it: a name with `$` is one of the Records API."""
        return name.startswith("$") or name in self._refused.get((api, module), ())

    def are_accepted(self, api: str, module: str, names: Iterable[str]) -> bool:
        """Whether the API took all of these fields."""
        return self._accepted.get((api, module), set()).issuperset(names)


class Metadata:
    """Modules and fields, asked of the CRM at first use and kept.

    Args:
        api: the session.
    """

    def __init__(self, api: CrmApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._modules: dict[str, Module] = {}
        self._fields: dict[str, dict[str, Field]] = {}
        self.columns = ColumnMemory()
        renew_after_fork(self, _lock=threading.Lock)

    def refresh(self) -> None:
        """Forget everything; the next use asks again."""
        with self._lock:
            self._modules, self._fields = {}, {}
            self.columns = ColumnMemory()

    def is_new(self, module: str) -> bool:
        """Whether nothing is known of a module yet, not even that there is none of this name."""
        return module not in self._fields and (not self._modules or module in self._modules)

    def modules(self) -> dict[str, Module]:
        """The modules whose records the API can read, by API name. Raises as `ZohoSession.request`."""
        return self._modules or self._fetch_modules()

    def _fetch_modules(self) -> dict[str, Module]:
        answer = parse_json(self._api.request("GET", f"{API}/settings/modules"))
        known = {entry["api_name"]: _module(entry) for entry in _named(answer, "modules") if _is_readable(entry)}
        with self._lock:
            self._modules = known
        return known

    def module(self, name: str) -> Module:
        """One module; the list is asked for again before a name is refused. Raises QueryError with the nearest name."""
        cached = bool(self._modules)
        known = self.modules()
        if name not in known and cached:
            known = self._fetch_modules()
        if name not in known:
            meant = did_you_mean(name, {word: m.name for m in known.values() for word in (m.name, m.label)})
            raise QueryError(f"The CRM has no module {name!r}.{meant}", hint="%zoho_modules lists them; use API names.")
        return known[name]

    def fields(self, module: str) -> dict[str, Field]:
        """The fields of a module by API name, `id` first; `id` alone where Zoho describes none, which is not kept.

        Raises:
            QueryError: no such module; the message names the nearest.
        """
        if not self._modules and module not in self._fields:
            return self._fetch_both(module)
        return self._fields.get(module) or self.refresh_fields(module)

    def _fetch_both(self, module: str) -> dict[str, Field]:
        """Modules and fields side by side: on a fresh session every call waits for its round trip."""
        asked = submit(partial(self._fetch_fields, module, self._api))
        name = self.module(module).name
        return asked.result()[0] if name == module else self.fields(name)

    def refresh_fields(self, module: str) -> dict[str, Field]:
        """The fields of a module, asked for again. Raises as `fields`."""
        return self.ask_for_fields(module, self._api)[0]

    def ask_for_fields(self, module: str, api: CrmApi) -> tuple[dict[str, Field], requests.Response]:
        """The fields of a module, asked for again through `api`, and Zoho's answer. Raises as `fields`."""
        return self._fetch_fields(self.module(module).name, api)

    def _fetch_fields(self, module: str, api: CrmApi) -> tuple[dict[str, Field], requests.Response]:
        response = api.request("GET", f"{API}/settings/fields", params={"module": module})
        answer = parse_json(response)
        found = {entry["api_name"]: _field(entry) for entry in _named(answer, "fields")}
        known = {"id": RECORD_ID, **{n: f for n, f in found.items() if n != "id"}}
        if found:
            with self._lock:
                self._fields[module] = known
        return known, response

    def get_fields(self, module: str, wanted: Sequence[str]) -> list[Field]:
        """The fields of these names, in this order; Zoho is asked again before a name is refused.

        A name is taken as it is where Zoho describes no field of the module, or where it begins with `$`.

        Raises:
            QueryError: names the first unknown field and the nearest.
        """
        cached = module in self._fields
        known = self.fields(module)
        if cached and any(name not in known and name not in _SYSTEM_FIELDS for name in wanted):
            known = self.refresh_fields(module)
        return [self._named(module, known, name) for name in dict.fromkeys(wanted)]

    def _named(self, module: str, known: Mapping[str, Field], name: str) -> Field:
        found = known.get(name) or _SYSTEM_FIELDS.get(name)
        if found is not None:
            return found
        if name.startswith("$") or len(known) == 1:
            return Field(name, data_type="")
        raise QueryError(
            f"{module} has no field {name!r}.{did_you_mean(name, _words(known.values()))}",
            hint=f"%zoho_fields {module} lists them; use API names.",
        )

    def resolve_path(self, module: str, path: str) -> Field | None:
        """The field at the end of a dotted path (`Account_Name.Industry`, `What_Id->Leads.Email`).

        Returns:
            None where the path leaves what metadata describes: users, and modules whose fields Zoho does not tell.

        Raises:
            QueryError: as `get_fields`.
        """
        *steps, last = path.split(".")
        for step in steps:
            name, _, chosen = step.partition("->")
            field = self.get_fields(module, [name])[0]
            module = self.module(chosen).name if chosen else field.lookup_module
            if not self._fields_or_empty(module):
                return None
        return self.get_fields(module, [last])[0]

    def _fields_or_empty(self, module: str) -> dict[str, Field]:
        try:
            known = self.fields(module) if module in self.modules() else {}
        except (ApiError, AuthError):
            return {}
        return known if len(known) > 1 else {}


def ready(metadata: Metadata, module: str = "") -> list[str]:
    """What completion may offer without asking the CRM: names of modules, or of a module's fields, already known."""
    return list(metadata._fields.get(module, {}) if module else metadata._modules)


def did_you_mean(name: str, words: Mapping[str, str]) -> str:
    """ " Did you mean X?" for a mistyped name; "" where nothing is near.

    Args:
        name: what was typed.
        words: whatever a person may have had in mind (API name, label) -> API name.

    Example::

        >>> did_you_mean("Last Nam", {"Last_Name": "Last_Name", "Last Name": "Last_Name"})
        ' Did you mean Last_Name?'
    """
    lower = {word.lower(): target for word, target in words.items()}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f" Did you mean {lower[close[0]]}?" if close else ""


def _words(fields: Iterable[Field]) -> dict[str, str]:
    return {word: field.name for field in fields for word in (field.name, field.label) if word}


def _is_readable(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("api_supported") and entry.get("viewable", True) and entry.get("generated_type") in _READABLE)


def _module(entry: Mapping[str, Any]) -> Module:
    return Module(
        name=entry["api_name"],
        label=str(entry.get("plural_label") or entry["api_name"]),
        kind=str(entry.get("generated_type") or ""),
        id=str(entry.get("id") or ""),
        creatable=bool(entry.get("creatable")),
        editable=bool(entry.get("editable")),
        deletable=bool(entry.get("deletable")),
        parent=str((entry.get("parent_module") or {}).get("api_name") or ""),
    )


def _named(answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The entries that have a name: nothing can be asked of one without."""
    return [entry for entry in list_of(answer, key) if isinstance(entry.get("api_name"), str) and entry["api_name"]]


def _field(entry: Mapping[str, Any]) -> Field:
    """The field that an entry describes; of an entry of another shape its name, label and type."""
    try:
        return _described(entry)
    except (AttributeError, TypeError, ValueError):
        label, data_type = str(entry.get("field_label") or ""), str(entry.get("data_type") or "text")
        return Field(name=entry["api_name"], label=label, data_type=data_type)


def _described(entry: Mapping[str, Any]) -> Field:
    computed = entry.get("formula") or entry.get("rollup_summary") or {}
    writable = entry.get("operation_type") or {}
    choices = [each for each in entry.get("pick_list_values") or () if each.get("actual_value") is not None]
    return Field(
        name=entry["api_name"],
        label=str(entry.get("display_label") or entry.get("field_label") or ""),
        data_type=str(entry.get("data_type") or ""),
        json_type=str(entry.get("json_type") or ""),
        return_type=str(computed.get("return_type") or ""),
        required=bool(entry.get("system_mandatory") or entry.get("required")),
        read_only=bool(entry.get("read_only") or entry.get("field_read_only") or not writable.get("api_update", True)),
        unique=bool(entry.get("unique")),
        length=int(entry.get("length") or 0),
        picklist_values=tuple(str(choice["actual_value"]) for choice in choices),
        picklist_labels=tuple(str(choice.get("display_value") or choice["actual_value"]) for choice in choices),
        lookup_module=str(((entry.get("lookup") or {}).get("module") or {}).get("api_name") or ""),
        related_module=_related_module(entry),
        id=str(entry.get("id") or ""),
        entry=entry,
    )


def _related_module(entry: Mapping[str, Any]) -> str:
    """The module with the rows of a subform, or of a multi-select lookup."""
    linking = (entry.get("multiselectlookup") or {}).get("linking_module") or {}
    associated = entry.get("associated_module") or {}
    found = linking.get("api_name") or associated.get("api_name") or associated.get("module")
    return str(found or (entry.get("subform") or {}).get("module") or "")


def display_field(module: str) -> str:
    """The field whose value a lookup to the module shows as its name; a custom module's is Name.

    Example::

        >>> display_field("Deals")
        'Deal_Name'
    """
    return _DISPLAY_FIELDS.get(module, "Name")


_DISPLAY_FIELDS = {
    "Leads": "Full_Name",
    "Contacts": "Full_Name",
    "Accounts": "Account_Name",
    "Deals": "Deal_Name",
    "Tasks": "Subject",
    "Calls": "Subject",
    "Events": "Event_Title",
    "Products": "Product_Name",
    "Vendors": "Vendor_Name",
    "Campaigns": "Campaign_Name",
    "Cases": "Subject",
    "Solutions": "Solution_Title",
    "Price_Books": "Price_Book_Name",
    "Quotes": "Subject",
    "Sales_Orders": "Subject",
    "Purchase_Orders": "Subject",
    "Invoices": "Subject",
}
