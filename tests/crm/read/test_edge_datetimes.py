"""Datetimes at the ends of the calendar: frames that can be shown and written, and a warning that names the column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.pull_env import world
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

ROWS = {
    "1": "9999-12-31T23:59:59-08:00",
    "2": "0001-01-01T00:00:00+05:45",
    "3": "2026-01-02T03:04:05+00:00",
    "4": None,
}


@pytest.fixture
def org() -> Iterator[tuple[Simulator, ZohoSession]]:
    with world(5) as found:
        yield found


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("frame", ["pandas", "polars", "arrow"])
def test_the_frame_is_shown_and_written(org: tuple[Simulator, ZohoSession], frame: Any) -> None:
    simulator, zoho = org
    data = [{"id": key, "Created_Time": moment} for key, moment in ROWS.items()]
    simulator.faults.add(Fault("/crm/v8/Leads", body={"data": data, "info": {"more_records": False}}))
    found = zoho.pull("Leads", fields=["Created_Time"], via="records", frame=frame)
    assert repr(found)
    if frame != "pandas":
        return
    assert found.to_csv()
    assert found._repr_html_()
    years = dict(zip(found["id"], found["Created_Time"].dt.year, strict=True))
    assert {key: year for key, year in years.items() if key != "4"} == {"1": 9999, "2": 1, "3": 2026}
    assert pd.isna(years["4"])
    assert any(text.startswith("Created_Time: 2 datetimes") for text in found.attrs["warnings"])
    assert len(zoho.push("Leads", found[["id"]], "update", dry_run=True)) == 4
