"""Records that were deleted, with who deleted them and when.

The recycle bin keeps a record for 60 days; 60 days longer, only its id and the time remain.
https://www.zoho.com/crm/developer/docs/api/v8/get-deleted-records.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..errors import QueryError
from ..http.responses import CrmApi
from .api_version import API
from .listing import as_entry, fetch_all, field, to_frame
from .read.arrow import Frame
from .read.record_query import CallCounter

__all__ = ["CREDITS_A_PAGE", "KINDS", "deleted"]

CREDITS_A_PAGE = 2
KINDS = ("all", "recycle", "permanent")
_COLUMNS = (
    field("id"),
    field("name"),
    field("deleted_time", "datetime"),
    field("deleted_by", "lookup"),
    field("kind"),
    field("created_by", "lookup"),
)


def deleted(api: CrmApi, module: str, *, since: datetime | None, kind: str = "all", frame: Frame = "pandas") -> Any:
    """See `ZohoSession.deleted`."""
    if kind not in KINDS:
        raise QueryError(f"Unknown value for `kind`: {kind!r}.", hint=f"Use one of {', '.join(KINDS)}.")
    headers = {"If-Modified-Since": since.replace(microsecond=0).isoformat()} if since else {}
    with CallCounter(api) as counted:
        path = f"{API}/{module}/deleted"
        found = fetch_all(counted, path, "data", {"type": kind}, headers=headers, credits=CREDITS_A_PAGE)
        # A page read twice brings an entry twice; a record deleted, restored and deleted again has two.
        unique = {(entry.get("id"), entry.get("deleted_time")): entry for entry in found}
        rows = [{**entry, "name": entry.get("display_name"), "kind": entry.get("type")} for entry in unique.values()]
        return to_frame(rows, _COLUMNS, counted, frame, module=module, warnings=_not_told(rows))


def _not_told(rows: list[dict[str, Any]]) -> list[str]:
    unnamed = sum(not as_entry(row.get("deleted_by")) for row in rows)
    if not unnamed:
        return []
    return [f"Zoho keeps no name and no user of {unnamed} records that were deleted for good: empty here."]
