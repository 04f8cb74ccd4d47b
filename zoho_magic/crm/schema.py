"""The org's data dictionary and its entity diagram in Mermaid's language (https://mermaid.js.org/syntax/entityRelationshipDiagram.html).

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import QueryError
from .listing import field, to_frame
from .parallel import map_parallel
from .read.record_query import CallCounter

if TYPE_CHECKING:
    import pandas

    from .client import CrmClient
    from .metadata import Field, Metadata

__all__ = ["compare_schema", "mermaid", "schema"]

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


def compare_schema(old: pandas.DataFrame, new: pandas.DataFrame) -> pandas.DataFrame:
    """See `ZohoSession.compare_schema`."""
    import pandas

    before, after = _entries(old, "old"), _entries(new, "new")
    rows: list[tuple[Any, ...]] = []
    for key in [*before, *(each for each in after if each not in before)]:
        if key not in after or key not in before:
            rows.append((*key, "removed" if key in before else "added", None, None, None))
            continue
        pairs = [(name, before[key][name], after[key][name]) for name in before[key] if name in after[key]]
        rows += [(*key, "changed", name, was, now) for name, was, now in pairs if was != now]
    return pandas.DataFrame(rows, columns=["module", "field", "change", "property", "old", "new"], dtype=object)


def _entries(frame: pandas.DataFrame, name: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Module and field -> its properties, with None for every kind of nothing."""
    lacking = {"module", "field"} - set(frame.columns)
    if lacking:
        raise QueryError(f"`{name}` has no column {min(lacking)}.", hint="Pass frames of `schema`.")
    rows = [{str(each): _plain(value) for each, value in row.items()} for row in frame.to_dict("records")]
    found = {(row.pop("module"), row.pop("field")): row for row in rows}
    if len(found) != len(rows):
        raise QueryError(f"`{name}` has a field twice.", hint="Pass frames of `schema`, one org and one day each.")
    return found


def _plain(value: Any) -> Any:
    """The value as `==` can compare it, also after a round trip through Parquet, which brings lists as arrays."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return list(value) or None
    return value if value == value and str(value) != "<NA>" else None


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
