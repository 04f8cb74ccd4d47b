"""Amounts in the home currency, by the exchange rate that each record holds.

https://www.zoho.com/crm/developer/docs/api/v8/get-currencies.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import QueryError
from ..metadata import Metadata
from .arrow import Frame, attrs_of, to_backend

__all__ = ["pull_with_home_currency"]

RATE = "Exchange_Rate"
"""Units of the record's currency for one of the home currency."""

MAX_NAMED = 5


def pull_with_home_currency(
    pull: Callable[..., pa.Table], metadata: Metadata, module: str, frame: Frame, asked: Mapping[str, Any]
) -> Any:
    """See `home_currency` of `ZohoSession.pull`.

    Args:
        pull: reads a module as an Arrow table with `attrs` in its metadata.
        metadata: of the org.
        module, frame, asked: as for `ZohoSession.pull`.

    Raises:
        QueryError: the module has no exchange rates, or a field is already called as a new column; and as
            `ZohoSession.pull`.
    """
    name = metadata.module(module).name
    known = metadata.fields(name)
    if RATE not in known:
        hint = "Leave out `home_currency`: an org with one currency has every amount in it."
        raise QueryError(f"Records of {name} have no {RATE}.", hint=hint)
    if asked.get("fields") is not None:
        asked = {**asked, "fields": list(dict.fromkeys([*asked["fields"], RATE]))}
    rows = pull(name, **asked)
    amounts = [each for each in rows.column_names if each in known and known[each].value_type == "currency"]
    attrs = attrs_of(rows)
    notes = _notes(rows, amounts, attrs.get("pulled_at", "")[:10])
    return to_backend(_converted(rows, amounts), frame, {**attrs, "warnings": [*attrs.get("warnings", ()), *notes]})


def _rates(rows: pa.Table) -> Any:
    """The rate of each row; null where there is none that can be used."""
    rates = rows.column(RATE).cast(pa.float64())
    return pc.if_else(pc.greater(rates, 0.0), rates, pa.scalar(None, pa.float64()))


def _converted(rows: pa.Table, amounts: Sequence[str]) -> pa.Table:
    rates = _rates(rows)
    for name in amounts:
        if f"{name}_home" in rows.column_names:
            raise QueryError(f"A field is already called {name}_home.", hint="Leave it out by `fields`.")
        rows = rows.append_column(f"{name}_home", pc.divide(rows.column(name).cast(pa.float64()), rates))
    return rows


def _notes(rows: pa.Table, amounts: Sequence[str], day: str) -> list[str]:
    """Which rate was used, as of when, and which records have none."""
    if not amounts:
        return ["None of these fields is an amount: no column in the home currency was added."]
    new = ", ".join(f"{name}_home" for name in amounts)
    told = f"{new}: the amount divided by {RATE} of the record, as the record held it on {day}; not rounded."
    without = rows.column("id").filter(pc.is_null(_rates(rows))).unique().to_pylist()
    if not without:
        return [told]
    named = ", ".join(without[:MAX_NAMED]) + (", ..." if len(without) > MAX_NAMED else "")
    return [told, f"{len(without):,} records have no {RATE} and are empty in {new}: {named}."]
