"""See before, undo after: --diff, --only-changes, kept values, undo."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.support.push_env import connect, hurry, leads, settle, stored, world, writes
from zoho_magic.crm.write import kept_pushes, push
from zoho_magic.errors import PushError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]
STAMPS = {"Modified_Time", "Modified_By", "Last_Activity_Time"}
VALUES: dict[str, list[Any]] = {
    "City": ["Bern", None],
    "No_of_Employees": [7, 8],
    "Annual_Revenue": [1.5, 2.5],
    "Email_Opt_Out": [True, False],
    "Next_Follow_Up": ["2030-01-01T08:00:00+00:00", None],
    "Products_Interested": [["Inverters"], []],
    "Tag": [["VIP", "new"], []],
    "Rating": ["Active", None],
}


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world(rows=20) as opened:
        yield opened


def content(sim: Simulator) -> dict[str, dict[str, Any]]:
    return {key: {n: v for n, v in row.items() if n not in STAMPS} for key, row in stored(sim).items()}


def open_leads(sim: Simulator) -> list[str]:
    return sorted(row["id"] for row in sim.crm.rows("Leads") if not row["Converted__s"])


def changes(sim: Simulator) -> pd.DataFrame:
    users = [str(user.id) for user in sim.crm.active_users()]
    mine = [key for key in open_leads(sim) if stored(sim)[key]["Owner"]["id"] in users][:2]
    return pd.DataFrame({"id": mine, **VALUES, "Owner.id": users[1]}, index=["a", "b"])


# Undo


@pytest.mark.parametrize("via", ["records", "bulk"])
@pytest.mark.parametrize("clear_empty", [False, True])
def test_an_update_is_put_back(zoho: World, via: Any, clear_empty: bool) -> None:
    sim, session = zoho
    frame = changes(sim) if via == "records" else changes(sim).assign(Products_Interested=[["Inverters"]] * 2, Tag="x")
    before = content(sim)
    report = session.push("Leads", frame, "update", via=via, clear_empty=clear_empty)
    assert report.counts["succeeded"] == 2
    assert content(sim) != before
    undone = report.undo()
    assert (list(undone.index), undone.counts["succeeded"]) == (["a", "b"], 2)
    assert (undone.attrs["action"], undone.attrs["module"]) == ("undo", "Leads")
    assert content(sim) == before
    assert sim.crm.triggered[-1][2] == (), "an undo runs no automation"
    with pytest.raises(PushError, match="undone already"):
        report.undo()
    with pytest.raises(PushError, match="undone already"):  # its file still says whose push it was
        session.undo(session.kept_pushes()["name"].iloc[0])


@pytest.mark.parametrize("via", ["records", "bulk"])
def test_an_upsert_puts_back_what_it_changed_and_recycles_what_it_added(zoho: World, via: Any) -> None:
    sim, session = zoho
    [old] = session.push("Leads", leads(1, City="Oslo"), "insert")["id"]
    before = content(sim)
    report = session.push("Leads", leads(3, City="Rome"), "upsert", on="Email", via=via)
    assert list(report["action"]) == ["update", "insert", "insert"]
    assert content(sim)[old]["City"] == "Rome"
    assert report.undo().counts["succeeded"] == 3
    assert content(sim) == before


def test_an_insert_is_recycled_and_a_deletion_restored(zoho: World) -> None:
    sim, session = zoho
    before = content(sim)
    made = session.push("Leads", leads(3), "insert")
    gone = session.push("Leads", made, "delete")
    assert gone.undo().counts["succeeded"] == 3
    assert set(made["id"]) <= set(content(sim))
    again = session.push("Leads", leads(2, start=50), "insert")
    assert again.undo().counts["succeeded"] == 2
    assert set(content(sim)) == {*before, *made["id"]}


def test_a_restore_without_its_scope_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    with world(rows=5, scopes=["ZohoCRM.modules.ALL", "ZohoCRM.settings.READ", "ZohoCRM.coql.READ"]) as (_, session):
        made = session.push("Leads", leads(1), "insert")
        undone = session.push("Leads", made, "delete").undo()
    assert "ZohoCRM.settings.recycle_bin.UPDATE" in " ".join(undone["message"])
    assert undone.counts["failed"] == 1


@pytest.mark.parametrize("via", ["records", "bulk"])
def test_rows_that_somebody_changed_since_are_skipped_and_listed(zoho: World, via: Any) -> None:
    sim, session = zoho
    first, second, third = open_leads(sim)[:3]
    report = session.push("Leads", [{"id": key, "City": "Bern"} for key in (first, second, third)], "update", via=via)
    sim.clock.advance(60)
    session.push("Leads", [{"id": second, "City": "Lima"}], "update", keep=False)
    session.push("Leads", [{"id": third}], "delete", keep=False)
    undone = report.undo()
    assert list(undone["status"]) == ["succeeded", "skipped", "skipped"]
    assert "somebody changed" in undone["message"].iloc[1]
    assert "is gone" in undone["message"].iloc[2]
    assert stored(sim)[second]["City"] == "Lima"
    assert undone.counts == {"succeeded": 1, "failed": 0, "unknown": 0, "skipped": 2}


def test_two_rows_for_one_record_are_both_undone(zoho: World) -> None:
    sim, session = zoho
    [record, *_] = open_leads(sim)
    before = content(sim)
    report = session.push("Leads", [{"id": record, "City": "a"}, {"id": record, "Phone": "5"}], "update")
    assert report.undo().counts["succeeded"] == 2
    assert content(sim) == before


def test_a_lookup_into_several_modules_and_a_subform(zoho: World) -> None:
    sim, session = zoho
    frame = session.pull("Tasks", fields=["Subject", "What_Id"]).head(3)
    frame["Subject"] = "Changed"
    before = {row["id"]: (row["Subject"], row["What_Id"]) for row in sim.crm.rows("Tasks")}
    report = session.push("Tasks", frame, "update")
    assert report.counts["succeeded"] == 3, report.to_string()
    assert report.undo().counts["succeeded"] == 3
    assert {row["id"]: (row["Subject"], row["What_Id"]) for row in sim.crm.rows("Tasks")} == before
    rows = [{"id": sim.crm.rows("Projects")[0]["id"], "Name": "New name", "Line_Items": [{"Item": "x"}]}]
    undone = session.push("Projects", rows, "update").undo()
    assert "Line_Items" in undone.attrs["warnings"][0]


def test_a_record_that_was_not_found_before_the_push_is_not_called_undone(
    zoho: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, session = zoho
    [old] = session.push("Leads", leads(1, City="Oslo"), "insert")["id"]
    monkeypatch.setattr(push, "find_records", lambda *asked: {})
    report = session.push("Leads", leads(2, City="Rome"), "upsert", on="Email")
    undone = report.undo()
    assert list(undone["status"]) == ["skipped", "succeeded"]
    assert "not kept" in undone["message"].iloc[0]
    assert stored(sim)[old]["City"] == "Rome"


@pytest.mark.parametrize("via", ["records", "bulk"])
def test_rows_whose_answer_was_lost_are_undone_as_far_as_they_were_written(zoho: World, via: Any) -> None:
    sim, session = zoho
    before = content(sim)
    rows = [{"id": key, "City": "Bern"} for key in open_leads(sim)[:3]]
    path = "/crm/v8/Leads" if via == "records" else r"/crm/bulk/v8/write/\d+.*"
    method = "PUT" if via == "records" else "GET"
    sim.faults.add(Fault(path, method, times=99, reset="after"))
    report = session.push("Leads", rows, "update", via=via)
    assert report.counts["unknown"] == 3
    sim.faults.clear()
    settle(sim)
    assert report.undo().counts["succeeded"] == 3
    assert content(sim) == before


@pytest.mark.parametrize("accepts", ["display", "actual"])
def test_choices_are_put_back_in_the_form_that_zoho_takes(zoho: World, accepts: str) -> None:
    sim, session = zoho
    sim.options.picklist_display_differs, sim.options.picklist_accepts = True, accepts
    [record, *_] = session.push("Leads", leads(1, Rating="Active", Lead_Status="Contacted"), "insert")["id"]
    before = content(sim)
    report = session.push("Leads", [{"id": record, "Rating": "Shut Down", "City": "x"}], "update")
    assert report.undo().counts["succeeded"] == 1
    assert content(sim) == before


def test_what_was_not_kept_cannot_be_undone(zoho: World) -> None:
    sim, session = zoho
    rows = [{"id": open_leads(sim)[0], "City": "x"}]
    report = session.push("Leads", rows, "update", keep=False)
    with pytest.raises(PushError, match="keep=True"):
        report.undo()
    assert not kept_pushes.list_kept()
    assert report.attrs["calls"] == 1
    sim.faults.add(Fault("/crm/v8/Leads", "GET", status=500, times=99))
    report = session.push("Leads", rows, "update")
    assert report.counts["succeeded"] == 1
    assert "Previous values were not kept" in report.attrs["warnings"][0]
    before = len(writes(sim))
    with pytest.raises(Exception, match=r"Zoho|CRM"):
        session.push("Leads", rows, "update", keep=True)
    assert len(writes(sim)) == before


# Kept files


def test_kept_files_are_private_listed_and_undone_by_another_session(zoho: World) -> None:
    sim, session = zoho
    before = content(sim)
    session.push("Leads", changes(sim), "update")
    [path] = kept_pushes.list_kept()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert pq.read_table(path).num_rows == 2
    other = connect(sim)
    listed = other.kept_pushes()
    assert listed[["module", "action"]].iloc[0].tolist() == ["Leads", "update"]
    assert (listed["records"].iloc[0], listed["undone"].iloc[0]) == (2, 0)
    undone = other.undo(listed["name"].iloc[0])
    assert (list(undone.index), undone.counts["succeeded"]) == (["a", "b"], 2)
    assert content(sim) == before
    assert other.kept_pushes()["undone"].iloc[0] == 2
    with pytest.raises(PushError, match="no kept push"):
        other.undo("../../etc/passwd")
    other.close()


def test_kept_files_belong_to_an_organisation(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", changes(sim), "update")
    name = session.kept_pushes()["name"].iloc[0]
    with world(rows=5, org_id="700999999") as (other, stranger):
        with pytest.raises(PushError, match="another organisation"):
            stranger.undo(name)
        assert not writes(other)


def test_kept_files_have_an_age_and_a_size_limit(zoho: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, session = zoho
    rows = [{"id": open_leads(sim)[0], "City": "x"}]
    session.push("Leads", rows, "update")
    [old] = kept_pushes.list_kept()
    past = time.time() - 31 * 86_400
    os.utime(old, (past, past))
    session.push("Leads", rows, "update")
    [newer] = kept_pushes.list_kept()
    assert newer != old
    monkeypatch.setattr(kept_pushes, "MAX_TOTAL_BYTES", 1)
    session.push("Leads", rows, "update")
    assert len(list(kept_pushes.kept_folder().glob("*.parquet"))) == 1


def test_a_folder_that_others_can_write_to_is_not_used(zoho: World) -> None:
    sim, session = zoho
    kept_pushes.kept_folder().mkdir(parents=True)
    kept_pushes.kept_folder().chmod(0o777)
    report = session.push("Leads", [{"id": open_leads(sim)[0], "City": "x"}], "update")
    assert "not in a file" in report.attrs["warnings"][0]
    assert report.undo().counts["succeeded"] == 1


# Diff


def test_a_diff_shows_cells_new_records_and_rows_without_a_change(zoho: World) -> None:
    sim, session = zoho
    made = session.push("Leads", leads(2, City="Oslo"), "insert")
    frame = leads(3, City=["Oslo", "Rome", "Bern"]).set_axis(list("xyz"))
    before, sent = content(sim), len(writes(sim))
    shown = session.push("Leads", frame, "upsert", on="Email", diff=True)
    assert (content(sim), len(writes(sim))) == (before, sent)
    assert list(shown.columns) == ["id", "action", "field", "old", "new"]
    assert shown.loc["x", "action"] == "unchanged"
    assert shown.loc["y"].tolist() == [made["id"][1], "update", "City", "Oslo", "Rome"]
    assert set(shown.loc[["z"], "action"]) == {"insert"}
    assert shown.attrs["counts"] == {"unchanged": 1, "update": 1, "insert": 1}
    assert shown.attrs["credits"] == shown.attrs["calls"] == 2


def test_a_diff_of_an_update_and_a_deletion(zoho: World) -> None:
    sim, session = zoho
    [record, *_] = open_leads(sim)
    rows = [{"id": record, "City": "new"}, {"id": "554023000000999999", "City": "x"}, {"id": None, "City": "x"}]
    assert list(session.push("Leads", rows, "update", diff=True)["action"]) == ["update", "failed", "failed"]
    assert list(session.push("Leads", rows[:1], "delete", diff=True)["action"]) == ["delete"]
    assert not writes(sim)


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Deals"])
def test_a_pull_that_is_pushed_back_changes_nothing(zoho: World, module: str) -> None:
    sim, session = zoho
    frame = session.pull(module)
    shown = session.push(module, frame, "update", diff=True)
    assert set(shown["action"]) == {"unchanged"}, shown[shown["action"] != "unchanged"].to_string()
    before = len(writes(sim))
    report = session.push(module, frame, "update", only_changes=True)
    assert report.counts["unchanged"] == len(frame)
    assert len(writes(sim)) == before


def test_only_changes_sends_only_rows_that_change(zoho: World) -> None:
    sim, session = zoho
    frame = session.pull("Leads", fields=["City", "Phone"]).head(5)
    times = {key: row["Modified_Time"] for key, row in stored(sim).items()}
    sim.clock.advance(60)
    frame.loc[frame.index[2], "City"] = "Somewhere else"
    report = session.push("Leads", frame, "update", only_changes=True)
    assert list(report["status"]) == ["unchanged", "unchanged", "succeeded", "unchanged", "unchanged"]
    moved = {key for key, row in stored(sim).items() if row["Modified_Time"] != times[key]}
    assert moved == {frame["id"].iloc[2]}
