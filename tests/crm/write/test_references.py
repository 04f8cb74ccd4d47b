"""Lookups and users that a frame names by id, name, address or another unique field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.push_env import hurry, leads, stored, world
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world(rows=20) as opened:
        yield opened


def owners(sim: Simulator, module: str = "Leads") -> dict[str, str]:
    return {record: row["Owner"]["id"] for record, row in stored(sim, module).items()}


@pytest.mark.parametrize("via", ["records", "bulk"])
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("column", ["Owner", "Owner.email", "Owner.id"])
def test_a_pulled_owner_of_which_one_column_was_changed_is_refused(
    zoho: World, column: str, dry_run: bool, via: Any
) -> None:
    sim, session = zoho
    user = list(sim.crm.active_users())[2]
    frame = session.pull("Leads", fields=["Last_Name", "Owner"])
    frame = frame[frame["Owner.id"].isin([str(each.id) for each in sim.crm.active_users()])].head(4)
    rows = list(frame["Owner.id"] != str(user.id))
    before = owners(sim)
    values = {"Owner": f"{user.first_name} {user.last_name}", "Owner.email": user.email, "Owner.id": str(user.id)}
    report = session.push("Leads", frame.assign(**{column: values[column]}), "update", dry_run=dry_run, via=via)
    assert any(rows)
    assert list(report["status"] == "failed") == rows
    assert all("drop the column that is not right" in text for text in report.failed["message"])
    assert owners(sim) == before


@pytest.mark.parametrize("drop", [["Owner.id", "Owner"], ["Owner.id", "Owner.email"]])
def test_an_owner_without_the_id_is_written_by_address_or_name(zoho: World, drop: list[str]) -> None:
    sim, session = zoho
    user = list(sim.crm.active_users())[2]
    frame = session.pull("Leads", fields=["Last_Name", "Owner"]).head(4)
    frame = frame.assign(**{"Owner": f"{user.first_name} {user.last_name}", "Owner.email": user.email})
    report = session.push("Leads", frame.drop(columns=drop), "update")
    assert (report.counts["succeeded"], report.attrs["warnings"]) == (4, [])
    assert {owners(sim)[record] for record in frame["id"]} == {str(user.id)}


@pytest.mark.parametrize("column", ["Account_Name", "Account_Name.Account_Name"])
@pytest.mark.parametrize("via", ["records", "bulk"])
def test_a_lookup_is_written_by_name(zoho: World, column: str, via: Any) -> None:
    sim, session = zoho
    names = ["Acme Inc.", 'O\'Hara (GmbH), "x"']
    ids = list(session.push("Accounts", [{"Account_Name": name} for name in names], "insert")["id"])
    sim.traffic.clear()
    cells = ["Acme Inc.", " acme  inc.", names[1], "Nowhere Ltd.", None]
    deals = pd.DataFrame({"Deal_Name": "d", "Stage": "Qualification", column: cells})
    report = session.push("Deals", deals, "insert", via=via)
    assert sim.traffic.count(path="/crm/v8/coql") == 1
    assert list(report["status"]) == ["succeeded"] * 3 + ["failed", "succeeded"]
    told = "or the name of one record; there is no record in Accounts with Account_Name 'Nowhere Ltd.'"
    assert report["message"].iloc[3] == f"Account_Name: expected a record id, {told}"
    written = [stored(sim, "Deals")[record]["Account_Name"] for record in report.succeeded["id"]]
    assert [each and each["id"] for each in written] == [ids[0], ids[0], ids[1], None]


def test_a_name_that_several_records_have_is_refused(zoho: World) -> None:
    people = [{"First_Name": "Al", "Last_Name": "Twin", "Email": f"{n}@twin.example"} for n in range(2)]
    ids = list(zoho[1].push("Contacts", people, "insert").raise_for_failed()["id"])
    report = zoho[1].push("Leads", leads(2, Referred_By="Al Twin", **{"Referred_By.id": [ids[1], None]}), "insert")
    assert list(report["status"]) == ["succeeded", "failed"]
    assert (
        report["message"].iloc[1].endswith(f"2 records in Contacts with Full_Name 'Al Twin': {', '.join(sorted(ids))}")
    )
    by_address = zoho[1].push("Leads", leads(1, start=5, **{"Referred_By.Email": "1@twin.example"}), "insert")
    assert stored(zoho[0])[by_address["id"].iloc[0]]["Referred_By"]["id"] == ids[1]


def test_a_pulled_lookup_whose_name_was_changed_is_refused_and_the_others_go(zoho: World) -> None:
    session = zoho[1]
    frame = session.pull("Deals", fields=["Deal_Name", "Account_Name"]).dropna().head(5)
    assert session.push("Deals", frame, "update").counts["succeeded"] == 5
    frame.iloc[1, frame.columns.get_loc("Account_Name")] = "Some other Inc."
    report = session.push("Deals", frame, "update")
    assert list(report["status"]) == ["succeeded", "failed", "succeeded", "succeeded", "succeeded"]
    assert "'Some other Inc.'" in report["message"].iloc[1]


def test_columns_that_cannot_be_compared_are_named(zoho: World) -> None:
    sim, session = zoho
    user = list(sim.crm.active_users())[2]
    frame = leads(1).assign(**{"Owner.id": str(user.id), "Owner": "Somebody Else"})
    sim.options.users_forbidden = True
    report = session.push("Leads", frame, "insert")
    assert report.attrs["warnings"] == ["Owner.id decides: Owner could not be compared with it and was not looked at."]
    assert owners(sim)[report["id"].iloc[0]] == str(user.id)
