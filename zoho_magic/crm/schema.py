"""The org's data dictionary and its entity diagram in Mermaid's language (https://mermaid.js.org/syntax/entityRelationshipDiagram.html).

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from .listing import field, to_frame
from .parallel import map_parallel
from .read.record_query import CallCounter

if TYPE_CHECKING:
    import pandas

    from .client import CrmClient
    from .metadata import Field, Metadata

__all__ = ["mermaid", "schema"]

_COLUMNS = (
    *(field(name) for name in ("module", "field", "label", "type", "target")),
    *(field(name, "boolean") for name in ("required", "read_only", "unique", "custom")),
    field("length", "integer"),
    field("choices", "multiselectpicklist"),
)


def schema(client: CrmClient, modules: Iterable[str]) -> pandas.DataFrame:
    """See `ZohoSession.schema`."""
    metadata = client.metadata
    names = _names(metadata, modules)
    with CallCounter(client) as api:
        list(map_parallel([partial(metadata.fields, name) for name in names], client.max_concurrency()))
        rows = [_row(name, each) for name in names for each in metadata.fields(name).values()]
        frame: pandas.DataFrame = to_frame(rows, _COLUMNS, api)
        return frame


def mermaid(client: CrmClient, modules: Iterable[str]) -> str:
    """See `ZohoSession.schema_diagram`."""
    names = _names(client.metadata, modules)
    lines = [f'    {name} }}o--o| {target} : "{each.name}"' for name, each, target in _lookups(client.metadata, names)]
    boxes = [f"    {name} {{\n        bigint id PK\n    }}" for name in names]
    return "\n".join(["erDiagram", *boxes, *lines])


def _names(metadata: Metadata, modules: Iterable[str]) -> list[str]:
    return [metadata.module(name).name for name in modules] or list(metadata.modules())


def _lookups(metadata: Metadata, names: list[str]) -> list[tuple[str, Field, str]]:
    """Module, lookup and target of every lookup between these modules."""
    found = [(name, each) for name in names for each in metadata.fields(name).values()]
    return [(name, each, each.lookup_module) for name, each in found if each.lookup_module in names]


def _row(module: str, each: Field) -> dict[str, Any]:
    return {
        "module": module, "field": each.name, "label": each.label, "type": each.value_type,
        "target": each.lookup_module or None, "required": each.required, "read_only": each.read_only,
        "unique": each.unique, "custom": each.entry.get("custom_field"), "length": each.length or None,
        "choices": list(each.picklist_values),
    }  # fmt: skip
