"""What the CRM holds of the records that rows are about to change: read by id, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ...http.responses import CrmApi, parse_json
from .. import limits
from ..api_version import API
from ..metadata import Field
from ..parallel import map_parallel
from ..read.records import name_batches
from .operation import WriteOperation
from .references import ROWS_OF_ONE_CREDIT, LookupClient
from .rows import Row

__all__ = ["credits_of_reading", "find_records", "read_records", "readable_fields"]

_NOT_LISTED = ("subform", "multiselectlookup", "multiuserlookup", "fileupload", "imageupload", "linetax")
"""Types whose values come with a single record only, never with several."""

Records = dict[str, dict[str, Any]]


def readable_fields(names: Iterable[str], known: Mapping[str, Field]) -> list[str]:
    """Those of the names whose values several records at once carry, and Modified_Time where there is one."""
    wanted = dict.fromkeys(("Modified_Time", *names))
    return [name for name in wanted if name in known and known[name].data_type not in _NOT_LISTED and name != "id"]


def credits_of_reading(records: int, fields: int) -> int:
    """API credits of reading so many fields of so many records by id.

    Example::

        >>> credits_of_reading(120, 10)
        3
    """
    return -(-records // limits.IDS_PER_CALL) * max(1, -(-(fields + 1) // limits.FIELDS_PER_CALL))


def read_records(api: CrmApi, module: str, ids: Sequence[str], names: Sequence[str], max_workers: int) -> Records:
    """Record id -> its values; records that are not there are left out.

    Raises:
        AuthError, ApiError, ThrottledError, TransportError: Zoho refused, or was not reached.
    """
    wanted = list(dict.fromkeys(ids))
    parts = [wanted[start : start + limits.IDS_PER_CALL] for start in range(0, len(wanted), limits.IDS_PER_CALL)]
    batches = name_batches(names or ["Created_Time"])
    calls = [partial(_read, api, module, part, batch) for batch in batches for part in parts]
    found: Records = {}
    for rows in map_parallel(calls, max_workers):
        for row in rows:
            found.setdefault(str(row["id"]), {}).update(row)
    return found


def _read(api: CrmApi, module: str, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    params: dict[str, Any] = {"ids": ",".join(ids), "fields": ",".join(names), "per_page": limits.RECORDS_PER_PAGE}
    if module == "Leads":
        params["converted"] = "both"
    answer = parse_json(api.request("GET", f"{API}/{module}", params=params))
    return [row for row in answer.get("data") or () if isinstance(row, dict) and row.get("id")]


def find_records(
    rows: Sequence[Row], operation: WriteOperation, client: LookupClient, max_workers: int
) -> dict[int, list[str]]:
    """Position -> ids of the records that the row may change: its id, or what an upsert finds, first match first."""
    if operation.action in ("update", "delete"):
        return {row.index: [str(row.data["id"])] for row in rows if row.data.get("id")}
    found: dict[int, list[str]] = {}
    for name in operation.lookup_fields if operation.action == "upsert" else ():
        values = {_text(row.data.get(name)) for row in rows} - {""}
        by_value = _ids_by_value(name, sorted(values), operation.module, client, max_workers)
        for row in rows:
            found.setdefault(row.index, []).extend(by_value.get(_key(row.data.get(name)), ()))
    return {place: list(dict.fromkeys(ids)) for place, ids in found.items() if ids}


def _ids_by_value(
    name: str, values: Sequence[str], module: str, client: LookupClient, max_workers: int
) -> dict[str, list[str]]:
    size, found = limits.COQL_VALUES_PER_IN, dict[str, list[str]]()
    parts = [values[start : start + size] for start in range(0, len(values), size)]
    for rows in map_parallel([partial(_rows, client, module, name, part) for part in parts], max_workers):
        for row in sorted(rows, key=lambda each: int(each["id"])):
            found.setdefault(_key(row[name]), []).append(row["id"])
    return found


def _rows(client: LookupClient, module: str, name: str, values: Sequence[str]) -> list[dict[str, Any]]:
    query = f"select id, {name} from {module} where {name} in $values"  # noqa: S608  # names come from metadata
    for text in (f"{query} limit {ROWS_OF_ONE_CREDIT}", query):
        rows: list[dict[str, Any]] = client.coql(text, params={"values": values}, frame="arrow", show=False).to_pylist()
        if len(rows) < ROWS_OF_ONE_CREDIT:
            break
    return [row for row in rows if row.get(name) is not None]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _key(value: Any) -> str:
    return _text(value).casefold()
