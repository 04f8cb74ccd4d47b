"""The custom views of a module, and the choices of its picklists.

https://www.zoho.com/crm/developer/docs/api/v8/custom-view-meta.html, .../field-meta.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import QueryError
from .api_version import API
from .listing import fetch_all, field, to_frame
from .read.record_query import CallCounter

if TYPE_CHECKING:
    import pandas

    from ..http.responses import CrmApi
    from .metadata import Metadata

__all__ = ["choices", "views"]

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
        found = fetch_all(counted, f"{API}/settings/custom_views", "custom_views", {"module": module})
        named = [{**each, "name": each.get("display_value") or each.get("name")} for each in found]
        frame: pandas.DataFrame = to_frame(named, _VIEW, counted, module=module)
        return frame


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
