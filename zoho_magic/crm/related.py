"""Related lists: what belongs to records of another module, read record by record, side by side.

https://www.zoho.com/crm/developer/docs/api/v8/get-related-records.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..errors import ApiError, QueryError
from ..http.responses import parse_json
from .api_version import API
from .listing import to_frame_of_table
from .metadata import RECORD_ID, Field, did_you_mean
from .parallel import map_parallel
from .read import arrow, records
from .read.record_query import SINGLE_RECORD_TYPES, CallCounter, RecordQuery

if TYPE_CHECKING:
    from .client import CrmClient

__all__ = ["ATTACHMENT_FIELDS", "attachments", "related", "related_lists"]

PARENT_ID = "parent.id"
ATTACHMENT_FIELDS = (
    RECORD_ID,
    Field("File_Name", data_type="text"),
    Field("Size", data_type="integer"),
    Field("Created_Time", data_type="datetime"),
    Field("Modified_Time", data_type="datetime"),
    Field("Owner", data_type="ownerlookup"),
    Field("Created_By", data_type="ownerlookup"),
)
_UNKNOWN_RECORD = ("INVALID_DATA", "RESOURCE_NOT_FOUND")


def related_lists(client: CrmClient, module: str) -> dict[str, str]:
    """API name of each related list of a module -> API name of the module whose records it shows."""
    name = client.metadata.module(module).name
    answer = parse_json(client.request("GET", f"{API}/settings/related_lists", params={"module": name}))
    lists = answer.get("related_lists") or []
    return {str(one["api_name"]): str((one.get("module") or {}).get("api_name") or "") for one in lists}


def related(
    client: CrmClient,
    module: str,
    name: str,
    ids: Iterable[str],
    *,
    fields: Sequence[str] | None,
    frame: arrow.Frame,
) -> Any:
    """See `ZohoSession.related`."""
    lists = related_lists(client, module)
    if name not in lists:
        meant = did_you_mean(name, {word: word for word in lists})
        raise QueryError(f"{module} has no related list {name!r}.{meant}", hint=f"It has {', '.join(sorted(lists))}.")
    if name == "Attachments":
        return attachments(client, module, ids, frame=frame)
    known = client.metadata.fields(lists[name])
    chosen = client.metadata.get_fields(lists[name], ["id", *fields]) if fields else _listed(known.values())
    return _read_all(client, module, name, ids, chosen, frame)


def attachments(client: CrmClient, module: str, ids: Iterable[str], *, frame: arrow.Frame) -> Any:
    """See `ZohoSession.attachments`."""
    return _read_all(client, client.metadata.module(module).name, "Attachments", ids, ATTACHMENT_FIELDS, frame)


def _listed(fields: Iterable[Field]) -> list[Field]:
    return [field for field in fields if field.data_type not in SINGLE_RECORD_TYPES]


def _read_all(
    client: CrmClient, module: str, name: str, ids: Iterable[str], fields: Sequence[Field], frame: arrow.Frame
) -> Any:
    parents = _checked_ids(ids)
    with CallCounter(client) as api:
        tasks = [partial(_read_one, api, module, name, parent, tuple(fields)) for parent in parents]
        parts = list(map_parallel(tasks, client.max_concurrency()))
        found = [part for part in parts if part is not None]
        missing = [parent for parent, part in zip(parents, parts, strict=True) if part is None]
        table = pa.concat_tables(found) if found else _with_parent(arrow.empty_table(fields), "")
        users = [field for field in fields if arrow.is_user_lookup(field)]
        if users and len(table):
            known, errors = client.known_users()
            table = arrow.fill_user_names(table, users, known)
            api.warnings += [f"Names of users are incomplete: {error.args[0]}" for error in errors[:1]]
        return to_frame_of_table(table, api, frame, module=name, parent=module, warnings=_missing(missing, module))


def _read_one(api: CallCounter, module: str, name: str, parent: str, fields: tuple[Field, ...]) -> pa.Table | None:
    """The records of one parent; None where there is no such parent."""
    try:
        rows = records.read(api, RecordQuery(f"{module}/{parent}/{name}", fields), 1, None).rows
    except ApiError as error:
        if error.code in _UNKNOWN_RECORD and error.details.get("resource_path_index") in (1, None):
            return None
        raise
    return _with_parent(rows, parent)


def _with_parent(rows: pa.Table, parent: str) -> pa.Table:
    return rows.add_column(0, PARENT_ID, pa.array([parent] * len(rows), pa.large_string()))


def _missing(ids: Sequence[str], module: str) -> list[str]:
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return [f"{module} has no record {', '.join(ids[:5])}{more}: nothing is shown for it."] if ids else []


def _checked_ids(ids: Iterable[str]) -> list[str]:
    values = [ids] if isinstance(ids, str) else list(ids)
    for value in values:
        if not isinstance(value, str) or not value.isascii() or not value.isdecimal():
            raise QueryError(f"{value!r} is not a record id.", hint="Ids are text of digits, as in the column `id`.")
    return list(dict.fromkeys(values))
