"""Tags: those of a module, and adding or removing some on records without touching their other tags.

https://www.zoho.com/crm/developer/docs/api/v8/get-tag-list.html, .../add-tags.html, .../remove-tags.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import pandas as pd

from ...errors import PushError, ZohoError
from ...http.backoff import wait_budget
from ...http.responses import parse_json
from .. import limits
from ..api_version import API
from ..parallel import map_parallel
from ..progress import Progress
from ..read.record_query import CallCounter
from .cell_encoders import InvalidCellError, record_id
from .input_table import Table, is_blank, table_of
from .records import credits_of
from .report import PushReport, build_report
from .row_result import SUCCEEDED, UNKNOWN, RowResult, from_error, from_results, rejected
from .rows import Row, RowError

__all__ = ["list_tags", "tag"]

MAX_NAME_LENGTH = 25
_COLUMNS = {"name": "str", "id": "str", "color": "str", "created_time": "str", "modified_time": "str"}


class TagClient(Protocol):
    """What tags need of `CrmClient`."""

    def request(self, method: str, path: str, **options: Any) -> Any: ...

    def max_concurrency(self) -> int: ...


def list_tags(client: TagClient, module: str) -> pd.DataFrame:
    """See `ZohoSession.tags`."""
    answer = parse_json(client.request("GET", f"{API}/settings/tags", params={"module": module}))
    rows = [[each.get(kind, each.get(f"{kind}_code")) for kind in _COLUMNS] for each in answer.get("tags") or ()]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(dict.fromkeys(("name", "id", "color"), "str"))
    for name in ("created_time", "modified_time"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.sort_values("name", ignore_index=True)


@dataclass(frozen=True)
class _Change:
    """Tags to add to records of a module, and tags to remove from them."""

    module: str
    add: tuple[str, ...]
    remove: tuple[str, ...]

    def calls(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The actions, and the names that one call takes."""
        for action, names in (("remove_tags", self.remove), ("add_tags", self.add)):
            for start in range(0, len(names), limits.TAGS_PER_CALL):
                yield action, names[start : start + limits.TAGS_PER_CALL]


def tag(
    client: TagClient, module: str, ids: Any, add: Iterable[str] | str, remove: Iterable[str] | str, progress: Progress
) -> PushReport:
    """See `ZohoSession.tag`."""
    change = _Change(module, _names(add, "add"), _names(remove, "remove"))
    if not (change.add or change.remove):
        raise PushError("There is no tag to add or remove.", hint="Name tags in `add` or `remove`.")
    both = sorted({name.casefold() for name in change.add} & {name.casefold() for name in change.remove})
    if both:
        raise PushError(f"`add` and `remove` both have the tag {both[0]!r}.", hint="Leave it out of one of them.")
    return _tagged(client, change, _table_of_ids(ids), progress)


def _names(given: Iterable[str] | str, parameter: str) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if not isinstance(name, str) or not name.strip() or "," in name or len(name.strip()) > MAX_NAME_LENGTH:
            raise PushError(
                f"{name!r} in `{parameter}` is no name of a tag.",
                hint=f"A name is a text of 1 to {MAX_NAME_LENGTH} characters without commas.",
            )
    return tuple(dict.fromkeys(name.strip() for name in names))


def _table_of_ids(ids: Any) -> Table:
    """Ids of a frame's column `id`, a Series, or a list."""
    if isinstance(ids, pd.Series):
        return Table({"id": ids.astype(object).tolist()}, ids.index)
    if isinstance(ids, (list, tuple)) and not any(isinstance(each, dict) for each in ids):
        return Table({"id": list(ids)}, pd.RangeIndex(len(ids)))
    table = table_of(ids)
    if "id" not in table.columns:
        raise PushError(
            "The frame has no column 'id'.", hint="Pass the ids: a Series, a list, or a frame that has them."
        )
    return table


def _tagged(client: TagClient, change: _Change, table: Table, progress: Progress) -> PushReport:
    rows = [_row(place, cell) for place, cell in enumerate(table.columns["id"])]
    sound = [row for row in rows if row.problem is None]
    results = {row.index: rejected(row.problem) for row in rows if row.problem is not None}
    api = CallCounter(client)
    parts = [sound[start : start + limits.TAG_IDS_PER_CALL] for start in range(0, len(sound), limits.TAG_IDS_PER_CALL)]
    progress.expect(len(sound))
    with wait_budget(None), progress:
        for found in map_parallel([partial(_changed, api, change, part) for part in parts], client.max_concurrency()):
            results |= found
            progress.add(len(found))
    final = [results[row.index] for row in rows]
    attrs: dict[str, Any] = {"module": change.module, "action": "tag", "add": list(change.add)}
    attrs |= {"remove": list(change.remove), "api": "records", "reason": "", "warnings": []}
    attrs |= {"calls": api.calls, "credits": api.credits}
    left = [place for place, result in enumerate(final) if result.status != SUCCEEDED]
    return build_report(final, table, attrs, partial(_retry, client, change, table, left) if left else None)


def _retry(client: TagClient, change: _Change, table: Table, places: Sequence[int], frame: Any = None) -> PushReport:
    """Tags can be added and removed twice with the effect of once: every row that did not succeed goes again."""
    ids = table.take(places) if frame is None else _table_of_ids(frame)
    return _tagged(client, change, ids, Progress("Tagging", False))


def _row(place: int, cell: Any) -> Row:
    if is_blank(cell):
        return Row(place, problem=RowError("MANDATORY_NOT_FOUND", "a row to tag needs the id of its record", "id"))
    try:
        return Row(place, {"id": record_id(cell)})
    except InvalidCellError as invalid:
        return Row(place, problem=RowError("INVALID_DATA", f"id: expected {invalid}", "id"))


def _changed(api: CallCounter, change: _Change, rows: Sequence[Row]) -> dict[int, RowResult]:
    """Position -> result of these rows: the first failure of a row, or the success of the last call."""
    results: dict[int, RowResult] = {}
    for action, names in change.calls():
        left = [row for row in rows if row.index not in results or results[row.index].status == SUCCEEDED]
        if left:
            found = _call(api, change.module, action, names, left)
            results |= {row.index: replace(each, action="tag") for row, each in zip(left, found, strict=True)}
    return results


def _call(api: CallCounter, module: str, action: str, names: Sequence[str], rows: Sequence[Row]) -> list[RowResult]:
    body = {"tags": [{"name": name} for name in names], "ids": [row.data["id"] for row in rows]}
    path = f"{API}/{module}/actions/{action}"
    try:
        answer = parse_json(api.request("POST", path, json=body, retry=True, credits=credits_of(len(rows))))
    except ZohoError as error:
        return [from_error(error)] * len(rows)
    found = from_results(answer.get("data"), rows, "tag", module)
    return [
        each if each.status != UNKNOWN or each.id else replace(each, id=row.data["id"])
        for row, each in zip(rows, found, strict=True)
    ]
