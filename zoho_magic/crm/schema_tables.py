"""Modules and fields as frames, for a person to look at."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..errors import ApiError, AuthError, QueryError
from .coql.parser import build_query
from .metadata import Field, Metadata
from .parallel import map_parallel
from .read import arrow as frames
from .read import coql
from .read.record_query import CONVERTED, CallCounter
from .read.stream import CrmReader

if TYPE_CHECKING:
    import pandas

__all__ = ["fields", "modules"]

_MODULE_COLUMNS = ("module", "label", "kind", "creatable", "editable", "deletable")
_FIELD_COLUMNS = ("field", "label", "type", "columns", "required", "read_only", "unique", "length", "choices", "target")


def modules(client: CrmReader, *, count: bool) -> pandas.DataFrame:
    """One row a module; with `count` the number of records, <NA> where Zoho does not count."""
    import pandas as pd

    known = list(client.metadata.modules().values())
    rows = [(m.name, m.label, m.kind, m.creatable, m.editable, m.deletable) for m in known]
    frame = pd.DataFrame(rows, columns=list(_MODULE_COLUMNS))
    if count:
        with CallCounter(client) as api:
            counted = [partial(_count_listed, client, api, m.name) for m in known]
            counts, notes = zip(*map_parallel(counted, client.max_concurrency()), strict=True)
        frame["records"] = pd.array(list(counts), dtype="Int64")
        frame.attrs["warnings"] = list(filter(None, notes))
    return frame


def _count_listed(client: CrmReader, api: CallCounter, module: str) -> tuple[int | None, str]:
    """How many records Zoho lists, and a note on converted ones; only leads are converted."""
    if module != "Leads" or CONVERTED not in client.metadata.fields(module):
        return _count(api, module), ""
    found, converted = (_count(api, module, f"{CONVERTED} = {flag}") for flag in ("false", "true"))
    how_many = "Converted" if converted is None else f"{converted:,} converted"
    note = f"{how_many} {module} are not counted; pull({module!r}, converted='both') reads them too."
    return _count(api, module) if found is None else found, note


def _count(api: CallCounter, module: str, where: str = "") -> int | None:
    try:
        return coql.count(api, build_query(module, ["id"], where))
    except (ApiError, QueryError):
        return None  # COQL does not know every module the API lists
    except AuthError as error:
        if error.code == "OAUTH_SCOPE_MISMATCH":
            raise
        return None


def fields(metadata: Metadata, module: str, search: str = "") -> pandas.DataFrame:
    """One row a field: API name, label, Zoho's type, the frame's columns and dtypes, required, choices, target.

    With `search` those whose API name, label or type have all its words.
    """
    import pandas as pd

    rows = [_row(field) for field in metadata.fields(module).values()]
    frame = pd.DataFrame(rows, columns=list(_FIELD_COLUMNS))
    frame["length"] = frame["length"].astype("Int64")
    for word in search.lower().split():
        named = frame["field"] + " " + frame["label"] + " " + frame["type"]
        frame = frame[named.str.lower().str.contains(word, regex=False)].reset_index(drop=True)
    return frame


def _row(field: Field) -> tuple[object, ...]:
    return (
        field.name,
        field.label,
        field.value_type,
        frames.describe_columns(field),
        field.required,
        field.read_only,
        field.unique,
        field.length or None,
        list(field.picklist_values),
        field.lookup_module or None,
    )
