"""What happens in the simulated org without its API, and what the API shows of it."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from tests.support.crm_client import Client
from zoho_magic.simulator import Options, Simulator
from zoho_magic.simulator.crm import org_changes
from zoho_magic.simulator.crm.schema import Field


@pytest.mark.parametrize("unkind", [False, True])
def test_restore_conversion_and_lag(unkind: bool) -> None:
    options = Options(
        restore_moves_modified_time=not unkind,
        conversion_moves_modified_time=not unkind,
        restored_still_listed=unkind,
        deleted_lag=60.0 * unkind,
    )
    with Simulator(rows=20, options=options) as sim, Client(sim) as client:
        before = {row["id"]: row for row in sim.crm.rows("Leads")}
        gone, lead = list(before)[:2]
        listed = client.get("/Leads/deleted", type="all").json()["info"]["count"]
        assert client.call("DELETE", f"/crm/v8/Leads?ids={gone}").status_code == 200
        assert client.get("/Leads/deleted", type="all").json()["info"]["count"] == listed + (not unkind)
        sim.clock.advance(100)
        assert client.get("/Leads/deleted", type="all").json()["info"]["count"] == listed + 1
        org_changes.restore(sim.crm, "Leads", gone)
        org_changes.convert(sim.crm, lead)
        after = {row["id"]: row for row in sim.crm.rows("Leads")}
        assert client.get("/Leads/deleted", type="all").json()["info"]["count"] == listed + unkind
        assert (after[gone]["Modified_Time"] != before[gone]["Modified_Time"]) is not unkind
        assert (after[lead]["Modified_Time"] != before[lead]["Modified_Time"]) is not unkind
        assert after[lead]["Converted__s"] is True
        assert {**after[gone], "Modified_Time": ""} == {**before[gone], "Modified_Time": ""}
        with pytest.raises(KeyError):
            org_changes.restore(sim.crm, "Leads", lead)


def test_fields_change_and_the_date_is_the_simulators() -> None:
    with Simulator(rows=10) as sim, Client(sim) as client:
        added = org_changes.add_field(sim.crm, "Leads", Field("Shoe_Size", "integer", custom=True), [41, 42])
        ids = {field["api_name"]: field["id"] for field in _fields(client)}
        assert ids["Shoe_Size"] == str(added.id)
        assert client.rows("select Shoe_Size from Leads where Shoe_Size > 41")[0]["Shoe_Size"] == 42
        org_changes.rename_field(sim.crm, "Leads", "Shoe_Size", "Shoe")
        assert {field["api_name"]: field["id"] for field in _fields(client)}["Shoe"] == str(added.id)
        org_changes.retype_field(sim.crm, "Leads", "Shoe", "double")
        assert next(f["data_type"] for f in _fields(client) if f["api_name"] == "Shoe") == "double"
        org_changes.remove_field(sim.crm, "Leads", "Shoe")
        assert "Shoe" not in {field["api_name"] for field in _fields(client)}
        sim.clock.advance(86_400)
        date = parsedate_to_datetime(client.get("/org").headers["Date"])
        assert abs((date - sim.clock.now()).total_seconds()) < 5


def _fields(client: Client) -> list[dict[str, str]]:
    return client.get("/settings/fields", module="Leads").json()["fields"]
