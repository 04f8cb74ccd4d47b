"""How long records stayed in each stage, or in each value of another picklist whose history Zoho keeps.

Zoho keeps it in a module of its own (`generated_type: field_tracker`), one row a period: DealHistory for the stages of
deals. https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import QueryError
from .metadata import Field, Module

if TYPE_CHECKING:
    import pandas

    from .client import CrmClient

__all__ = ["history", "tracker_of"]

_MOVED_TO, _DAYS = "Moved_To__s", "Stage_Duration_Calendar_Days"


def tracker_of(client: CrmClient, module: str) -> Module:
    """The module that holds the history of another one. Raises QueryError where Zoho keeps none."""
    parent = client.metadata.module(module).name
    trackers = [one for one in client.metadata.modules().values() if one.kind == "field_tracker"]
    found = [one for one in trackers if one.parent == parent]
    if found:
        return found[0]
    others = ", ".join(sorted(one.parent for one in trackers if one.parent))
    raise QueryError(
        f"Zoho keeps no history of {parent}.",
        hint=f"It keeps one of {others}." if others else "History tracking is switched on for a picklist in the CRM.",
    )


def history(client: CrmClient, module: str, **options: Any) -> pandas.DataFrame:
    """See `ZohoSession.history`."""
    import pandas as pd

    tracker = tracker_of(client, module)
    fields = list(client.metadata.fields(tracker.name).values())
    record, value = _record_field(fields, tracker), _tracked_field(fields)
    wanted = [record.name, value.name, "Modified_Time", _MOVED_TO, _DAYS, "Amount", "Currency"]
    present = {field.name for field in fields}
    rows: pd.DataFrame = client.pull(
        tracker.name, via="auto", frame="pandas", fields=[name for name in wanted if name in present], **options
    )
    name, key = _singular(tracker.parent), f"{record.name}.id"
    rows = rows.sort_values([key, "Modified_Time", "id"], kind="stable").reset_index(drop=True)
    found = pd.DataFrame(_columns(rows, name, record.name, value.name))
    found.attrs = {**rows.attrs, "warnings": [*rows.attrs["warnings"], *_gaps(found, name)]}
    return found


def _columns(rows: pandas.DataFrame, name: str, record: str, value: str) -> dict[str, pandas.Series]:
    """The columns of the history, of periods in order of record and time."""
    left = rows.groupby(f"{record}.id")["Modified_Time"].shift(-1)
    columns = {
        "id": rows["id"],
        name: rows[record],
        f"{name}.id": rows[f"{record}.id"],
        value.lower(): rows[value],
        "from": rows["Modified_Time"],
        "to": left,
        "days": _days(rows, left),
        **{column.lower(): rows[column] for column in ("Amount", "Currency") if column in rows},
    }
    if _MOVED_TO in rows:
        columns["moved_to"] = rows[_MOVED_TO]
    return columns


def _days(rows: pandas.DataFrame, left: pandas.Series) -> pandas.Series:
    """Zoho's own number of calendar days; where it sends none, whole days between the two moments."""
    between: pandas.Series = (left - rows["Modified_Time"]).dt.days.astype("Int64")
    return rows[_DAYS].fillna(between) if _DAYS in rows else between


def _gaps(found: pandas.DataFrame, name: str) -> list[str]:
    """Periods of no record, and those that Zoho says have ended and that none follows."""
    nobodys = found[f"{name}.id"].isna()
    ended = found["moved_to"].notna() if "moved_to" in found else nobodys & False
    broken = int((ended & found["to"].isna() & ~nobodys).sum())
    notes = {
        f"{int(nobodys.sum())} periods name no {name}: it was deleted, or Zoho left it out.": nobodys.any(),
        f"The period after {broken} of these is missing: Zoho sent none.": broken,
    }
    return [text for text, applies in notes.items() if applies]


def _record_field(fields: list[Field], tracker: Module) -> Field:
    found = [field for field in fields if field.lookup_module == tracker.parent]
    if not found:
        raise QueryError(f"{tracker.name} has no lookup to {tracker.parent}.", hint=f'Use zoho.pull("{tracker.name}").')
    return found[0]


def _tracked_field(fields: list[Field]) -> Field:
    found = [field for field in fields if field.data_type == "picklist" and field.name not in (_MOVED_TO, "Currency")]
    if not found:
        raise QueryError("Zoho's history module has no picklist.", hint="Pull the module itself.")
    return found[0]


def _singular(module: str) -> str:
    return module.lower().removesuffix("s")
