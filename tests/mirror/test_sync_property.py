"""Whatever happens in the org, in any order, between any runs: the copy is equal to the org at the end."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("duckdb")

from tests.support.mirror_env import differences
from tests.support.pull_env import world
from zoho_magic.simulator.crm import org_changes
from zoho_magic.simulator.crm.schema import Field


class Org:
    """What an organisation does; each method is one event."""

    def __init__(self, sim: Any, zoho: Any, to: str) -> None:
        self.sim, self.zoho, self.to = sim, zoho, to
        self.gone: list[str] = []
        self.made: list[str] = []
        self.number = 0

    def _open(self, which: int) -> str | None:
        keys = [row["id"] for row in self.sim.crm.rows("Leads") if not row["Converted__s"]]
        return keys[which % len(keys)] if keys else None

    def insert(self, which: int) -> None:
        row = {"Last_Name": f"New {which}", "Lead_Score": which}
        assert self.zoho.request("POST", "/crm/v8/Leads", json={"data": [row]}).status_code == 201

    def update(self, which: int) -> None:
        if key := self._open(which):
            row = {"id": key, "Last_Name": f"Changed {which}", "Lead_Score": 99}
            assert self.zoho.request("PUT", "/crm/v8/Leads", json={"data": [row]}).status_code == 200

    def delete(self, which: int) -> None:
        if key := self._open(which):
            assert self.zoho.request("DELETE", "/crm/v8/Leads", params={"ids": key}).status_code == 200
            self.gone.append(key)

    def restore(self, which: int) -> None:
        if self.gone:
            org_changes.restore(self.sim.crm, "Leads", self.gone.pop(which % len(self.gone)))

    def convert(self, which: int) -> None:
        if key := self._open(which):
            org_changes.convert(self.sim.crm, key)

    def hide(self, which: int) -> None:
        if key := self._open(which):
            self.sim.crm.store.write("DELETE FROM Leads WHERE id = ?", (int(key),))

    def add_field(self, which: int) -> None:
        self.number += 1
        field = Field(f"Extra_{self.number}", "integer", custom=True)
        org_changes.add_field(self.sim.crm, "Leads", field, [which] * 3)
        self.made.append(field.name)

    def rename_field(self, which: int) -> None:
        if self.made:
            self.number += 1
            place = which % len(self.made)
            org_changes.rename_field(self.sim.crm, "Leads", self.made[place], f"Renamed_{self.number}")
            self.made[place] = f"Renamed_{self.number}"

    def remove_field(self, which: int) -> None:
        if self.made:
            org_changes.remove_field(self.sim.crm, "Leads", self.made.pop(which % len(self.made)))

    def wait(self, which: int) -> None:
        self.sim.clock.advance(30 * which)

    def sync(self, which: int) -> None:
        self.zoho.sync("Leads", to=self.to, prune=which % 7 == 0)


EVENTS = [name for name in vars(Org) if not name.startswith("_")]
STEPS = st.lists(st.tuples(st.sampled_from([*EVENTS, "sync", "sync"]), st.integers(0, 40)), max_size=14)


@settings(max_examples=int(os.environ.get("ZOHO_EXAMPLES", "10")), suppress_health_check=list(HealthCheck))
@given(steps=STEPS, to=st.sampled_from(["crm.duckdb::leads", "leads.parquet"]), unkind=st.booleans())
def test_the_copy_equals_the_org_at_the_end(steps: list[tuple[str, int]], to: str, unkind: bool) -> None:
    options = {
        "restore_moves_modified_time": not unkind,
        "restored_still_listed": unkind,
        "conversion_moves_modified_time": True,
        "deleted_lag": 20.0 * unkind,
    }
    with tempfile.TemporaryDirectory() as folder, world(rows=12, **options) as (sim, zoho):
        place = f"{Path(folder)}/{to}"
        org = Org(sim, zoho, place)
        for name, which in steps:
            getattr(org, name)(which)
        sim.clock.advance(3600)
        report = zoho.sync("Leads", to=place, refresh="formulas", check=True)
        zoho.metadata.refresh()
        assert differences(zoho, place) == []
        assert report.rows == sim.crm.count("Leads")
        again = zoho.sync("Leads", to=place)
        assert (again.added, again.changed, again.deleted) == (0, 0, 0)
