"""A subform or a multi-select lookup joined to its records: one row for each of its rows.

Lists of records carry neither, their rows lie in a module of their own:
https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pyarrow as pa

from ...errors import QueryError
from ..metadata import Field, Metadata
from .arrow import Frame, attrs_of, sort_by_id_asc, to_backend

__all__ = ["pull_expanded"]

MAX_LISTED_PARENTS = 2000
"""The rows of up to so many records are asked for by the records' ids; else the module of the rows is read whole."""

_NARROWING = ("where", "limit", "since", "ids", "view")


def pull_expanded(
    pull: Callable[..., pa.Table], metadata: Metadata, module: str, expand: str, frame: Frame, asked: Mapping[str, Any]
) -> Any:
    """See `expand` of `ZohoSession.pull`.

    Args:
        pull: reads a module as an Arrow table with `attrs` in its metadata.
        metadata: of the org.
        module, expand, frame, asked: as for `ZohoSession.pull`.

    Raises:
        QueryError: `expand` is not a subform or multi-select lookup of the module, or Zoho does not say where its rows
            lie; and as `ZohoSession.pull`.
    """
    name = metadata.module(module).name
    field = _expandable(metadata, name, expand)
    key = _parent_lookup(metadata, name, field)
    if asked.get("fields") is not None:
        asked = {**asked, "fields": [each for each in asked["fields"] if each != expand]}
    parents = pull(name, **asked)
    narrowed = any(asked.get(option) is not None for option in _NARROWING)
    options = {option: asked[option] for option in ("show", "confirm", "check_memory") if option in asked}
    children = _children(partial(pull, field.related_module, via="auto", **options), parents, key, narrowed)
    joined, strays = _join(parents, children, field.name, key)
    return to_backend(joined, frame, _attrs(parents, children, field, 0 if narrowed else strays))


def _expandable(metadata: Metadata, module: str, expand: str) -> Field:
    found = {name: each for name, each in metadata.fields(module).items() if each.related_module}
    if expand in found:
        return found[expand]
    metadata.get_fields(module, [expand])  # a name that does not exist at all is said so
    names = f"It has {', '.join(found)}." if found else f"{module} has none."
    raise QueryError(f"{expand} is not a subform or a multi-select lookup of {module}.", hint=names)


def _parent_lookup(metadata: Metadata, module: str, field: Field) -> str:
    """The lookup in the module of the rows that holds the record they belong to."""
    known = metadata.fields(metadata.module(field.related_module).name)
    told = (field.entry.get("multiselectlookup") or {}).get("lookup_apiname") or "Parent_Id"
    if told in known:
        return str(told)
    found = [each.name for each in known.values() if each.lookup_module == module]
    if len(found) == 1:
        return found[0]
    message = f"Zoho does not say which lookup of {field.related_module} points to {module}."
    raise QueryError(message, hint=f"Pull {field.related_module} and merge the two frames.")


def _children(pull: Callable[..., pa.Table], parents: pa.Table, key: str, narrowed: bool) -> pa.Table:
    ids: Sequence[str] = list(dict.fromkeys(parents.column("id").to_pylist()))
    if not narrowed or len(ids) > MAX_LISTED_PARENTS:
        return sort_by_id_asc(pull())
    if not ids:
        return pull(limit=1)[:0]
    listed = ", ".join(f"'{each}'" for each in ids)
    return sort_by_id_asc(pull(where=f"{key} in ({listed})"))


def _join(parents: pa.Table, children: pa.Table, prefix: str, key: str) -> tuple[pa.Table, int]:
    """Each record beside each of its rows, or beside nulls; and how many rows belong to none of the records."""
    places: dict[str, list[int]] = {}
    for place, parent in enumerate(children.column(f"{key}.id").to_pylist()):
        places.setdefault(parent, []).append(place)
    ids = parents.column("id").to_pylist()
    alone: list[int | None] = [None]
    pairs = [(row, place) for row, parent in enumerate(ids) for place in places.get(parent, alone)]
    left = parents.take(pa.array([row for row, _ in pairs], pa.int64()))
    right = children.take(pa.array([place for _, place in pairs], pa.int64()))
    for name in right.column_names:
        if name.split(".")[0] != key:
            left = left.append_column(f"{prefix}.{name}", right.column(name))
    known = set(ids)
    return left, sum(len(found) for parent, found in places.items() if parent not in known)


def _attrs(parents: pa.Table, children: pa.Table, field: Field, strays: int) -> dict[str, Any]:
    above, below = attrs_of(parents), attrs_of(children)
    rows = f"{field.related_module}: "
    note = f"{strays:,} rows of {field.related_module} belong to none of these records and are left out."
    return {
        **above,
        "expand": field.name,
        "query": f"{above.get('query')}; {below.get('query')}",
        "calls": above.get("calls", 0) + below.get("calls", 0),
        "credits": above.get("credits", 0) + below.get("credits", 0),
        "pulled_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "warnings": [
            *(each for each in above.get("warnings", ()) if each != f"Only single records carry {field.name}."),
            *(rows + each for each in below.get("warnings", ())),
            *([note] if strays else []),
        ],
    }
