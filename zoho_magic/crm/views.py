"""The custom views of a module, and the choices of its picklists.

https://www.zoho.com/crm/developer/docs/api/v8/custom-view-meta.html, .../field-meta.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import QueryError
from .api_version import API
from .listing import Entry, fetch_all, field, to_frame
from .metadata import did_you_mean
from .read.record_query import CallCounter

if TYPE_CHECKING:
    import pandas

    from ..http.responses import CrmApi
    from .metadata import Metadata

__all__ = ["choices", "find_view", "views"]

_VIEW = (
    *(field(name) for name in ("id", "name", "system_name", "category", "access_type")),
    *(field(name, "boolean") for name in ("default", "system_defined")),
    field("created_by", "lookup"),
    field("modified_time", "datetime"),
)
_CHOICE = (
    *(field(name) for name in ("field", "value", "label", "colour", "type", "id")),
    field("order", "integer"),
)
_PICKLISTS = ("picklist", "multiselectpicklist")


def views(api: CrmApi, module: str) -> pandas.DataFrame:
    """See `ZohoSession.views`."""
    with CallCounter(api) as counted:
        found = _fetch(counted, module)
        named = [{**each, "name": each.get("display_value") or each.get("name")} for each in found]
        frame: pandas.DataFrame = to_frame(named, _VIEW, counted, module=module)
        return frame


def _fetch(api: CallCounter, module: str) -> list[Entry]:
    return fetch_all(api, f"{API}/settings/custom_views", "custom_views", {"module": module})


def find_view(api: CrmApi, module: str, asked: str) -> str:
    """The id of the custom view that has this id or name; capital letters do not matter where one view is left.

    Raises:
        QueryError: no view, or several, have this name.
    """
    with CallCounter(api) as counted:
        found = _fetch(counted, module)
    ways: tuple[Callable[[Entry], set[str]], ...] = (_id_of, _names, _lower_names)
    for names_of, name in zip(ways, (asked, asked, asked.lower()), strict=True):
        ids = [str(each["id"]) for each in found if name in names_of(each)]
        if len(ids) == 1:
            return ids[0]
        if ids:
            raise QueryError(f"{module} has {len(ids)} views {asked!r}.", hint=f"Name one by id: {', '.join(ids)}.")
    meant = did_you_mean(asked, {name: name for each in found for name in _names(each)})
    hint = f"zoho.views({module!r}) lists them; in a notebook: %zoho_fields {module} --views."
    raise QueryError(f"{module} has no view {asked!r} that you may see.{meant}", hint=hint)


def _id_of(view: Entry) -> set[str]:
    return {str(view.get("id"))}


def _lower_names(view: Entry) -> set[str]:
    return {name.lower() for name in _names(view)}


def _names(view: Entry) -> set[str]:
    return {str(view[key]) for key in ("display_value", "name", "system_name") if view.get(key)}


def choices(metadata: Metadata, api: CrmApi, module: str, name: str | None) -> pandas.DataFrame:
    """See `ZohoSession.choices`."""
    fields = metadata.get_fields(module, [name]) if name else list(metadata.fields(module).values())
    picklists = [each for each in fields if each.value_type in _PICKLISTS]
    if name and not picklists:
        raise QueryError(f"{module}.{name} is not a picklist.", hint=f"zoho.choices({module!r}) lists them all.")
    rows = [
        {
            "field": each.name, "value": one.get("actual_value"), "label": one.get("display_value"),
            "colour": one.get("colour_code"), "type": one.get("type"), "id": one.get("id"),
            "order": one.get("sequence_number"),
        }
        for each in picklists
        for one in each.entry.get("pick_list_values") or ()
    ]  # fmt: skip
    frame: pandas.DataFrame = to_frame(rows, _CHOICE, CallCounter(api), module=module)
    return frame
