"""The records road: `GET /{module}`, 200 rows a page.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .. import frames
from .answers import Api, content
from .metadata import Field, fields, named

if TYPE_CHECKING:
    import pandas

__all__ = ["pull"]

PAGE_ROWS = 200
FIELDS_A_CALL = 50
_NOT_IN_LISTS = frozenset({"subform", "multiselectlookup", "multiuserlookup", "linetax"})


def pull(api: Api, module: str, *, fields: Sequence[str] | None = None, limit: int | None = None) -> pandas.DataFrame:
    """See `ZohoSession.pull`."""
    chosen, left_out = _chosen(api, module, fields)
    rows = _rows(api, module, [field.name for field in chosen], limit)
    frame = frames.to_pandas(frames.table(rows, chosen))
    frame.attrs = {
        "module": module,
        "road": "records",
        "pulled_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "warnings": [f"A list of records does not carry {', '.join(left_out)}."] if left_out else [],
    }
    return frame


def _chosen(api: Api, module: str, wanted: Sequence[str] | None) -> tuple[list[Field], list[str]]:
    known = fields(api, module)
    if wanted is not None:
        return named(["id", *wanted], known, module), []
    listed = [field for field in known.values() if field.data_type not in _NOT_IN_LISTS]
    return listed, [field.name for field in known.values() if field.data_type in _NOT_IN_LISTS]


def _rows(api: Api, module: str, names: list[str], limit: int | None) -> list[dict[str, Any]]:
    # A page token is bound to its `fields`, so every batch of fields walks the pages by itself.
    asked = [name for name in names if name != "id"] or ["Created_Time"]
    batches = [asked[i : i + FIELDS_A_CALL] for i in range(0, len(asked), FIELDS_A_CALL)]
    first, *others = (list(_walk(api, module, batch, limit)) for batch in batches)
    by_id = {row["id"]: row for row in first}
    for rows in others:
        for row in rows:
            by_id.get(row["id"], {}).update(row)
    return list(by_id.values())


def _walk(api: Api, module: str, names: list[str], limit: int | None) -> Iterator[dict[str, Any]]:
    params: dict[str, Any] = {"fields": ",".join(names), "per_page": min(PAGE_ROWS, limit or PAGE_ROWS)}
    left = limit
    while left is None or left > 0:
        answer = content(api.request("GET", f"/crm/v8/{module}", params=params))
        rows = answer.get("data", [])[:left]
        yield from rows
        left = None if left is None else left - len(rows)
        token = (answer.get("info") or {}).get("next_page_token")
        if not token or not (answer.get("info") or {}).get("more_records"):
            return
        params["page_token"] = token
