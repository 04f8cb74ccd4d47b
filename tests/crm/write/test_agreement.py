"""A dry run and a real run say the same about a frame, and each message says what to do in terms of the frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.push_env import hurry, leads, stored, world, writes
from zoho_magic.errors import PushError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

World = tuple[Simulator, ZohoSession]
ROUTES = ("records", "bulk")
GONE = "554023000000999999"


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world(rows=20) as opened:
        yield opened


def ids(sim: Simulator, module: str = "Leads") -> list[str]:
    open_leads = [row["id"] for row in sim.crm.rows(module) if not row.get("Converted__s")]
    return sorted(open_leads)


# Dry run and real run


def frames(sim: Simulator) -> dict[str, tuple[str, str, list[dict[str, Any]], Any]]:
    first, second = ids(sim)[:2]
    lead = {"Last_Name": "x", "Company": "y"}
    return {
        "same id twice": ("Leads", "update", [{"id": first, "City": "a"}, {"id": first, "City": "b"}], None),
        "same key twice": ("Leads", "upsert", [{**lead, "Email": "n@x.com"}, {**lead, "Email": "N@x.com"}], "Email"),
        "no key": ("Leads", "upsert", [{**lead, "Email": "k@x.com"}, lead], "Email"),
        "no key, nothing required": ("Leads", "upsert", [{**lead, "Email": "k@x.com"}, {"City": "x"}], "Email"),
        "a unique value twice": ("Leads", "insert", [{**lead, "Email": "d@x.com"}, {**lead, "Email": "D@x.com"}], None),
        "an update that takes a value": (
            "Leads", "update", [{"id": first, "Email": "u@x.com"}, {"id": second, "Email": "u@x.com"}], None,
        ),
        "no target module": ("Tasks", "insert", [{"Subject": "x", "What_Id.id": first}, {"Subject": "y"}], None),
        "a choice that is none": ("Leads", "insert", [{**lead, "Rating": "Actve"}, lead], None),
        "no address": ("Leads", "insert", [{**lead, "Email": "nobody"}, lead], None),
        "too long": ("Leads", "insert", [{**lead, "Company": "x" * 201}, lead], None),
        "nothing but an id": ("Leads", "update", [{"id": first, "City": None}, {"id": second, "City": "x"}], None),
        "deleted twice": ("Leads", "delete", [{"id": first}, {"id": first}], None),
    }  # fmt: skip


@pytest.mark.parametrize("via", ROUTES)
@pytest.mark.parametrize("name", list(frames(Simulator(rows=5))))
def test_a_dry_run_says_what_the_real_run_says(zoho: World, name: str, via: Any) -> None:
    sim, session = zoho
    module, action, rows, on = frames(sim)[name]
    if via == "bulk" and action == "delete":
        return
    planned = session.push(module, rows, action, on=on, dry_run=True, via=via)
    assert not writes(sim)
    done = session.push(module, rows, action, on=on, via=via)
    assert list(planned["status"].replace("valid", "succeeded")) == list(done["status"])
    assert list(planned["code"].replace("", "SUCCESS")) == list(done["code"])
    failed = done["status"] == "failed"
    assert list(planned["field"][failed]) == list(done["field"][failed])
    if "DUPLICATE_DATA" not in list(done["code"]):
        assert list(planned["message"][failed]) == list(done["message"][failed])


def test_notes_of_a_dry_run(zoho: World) -> None:
    sim, session = zoho

    def messages(name: str) -> list[str]:
        module, action, rows, on = frames(sim)[name]
        return list(session.push(module, rows, action, on=on, dry_run=True)["message"])

    assert messages("same id twice")[1] == "row 0 writes the same record first; this row wins"
    assert messages("same key twice")[1] == "row 0 writes the same record first; this row wins"
    assert messages("no key")[1] == "a new record: the row has no value in Email"
    assert messages("a choice that is none")[0] == "'Actve' is none of the choices: did you mean 'Active'?"
    assert "row 0 deletes the same record" in messages("deleted twice")[1]
    report = session.push("Leads", frames(sim)["no key"][2], "upsert", on="Email")
    assert report.attrs["warnings"] == ["Rows without a value in Email: 1. Each of them becomes a new record."]


@pytest.mark.parametrize("accepts", ["both", "display", "actual"])
@pytest.mark.parametrize("via", ROUTES)
def test_a_choice_is_taken_by_its_display_and_its_actual_value(zoho: World, accepts: str, via: Any) -> None:
    sim, session = zoho
    sim.options.picklist_display_differs, sim.options.picklist_accepts = True, accepts
    field = session.metadata.fields("Leads")["Rating"]
    actual, label = next(p for p in zip(field.picklist_values, field.picklist_labels, strict=True) if p[0] != p[1])
    frame = leads(2, Rating=[actual, label])
    assert session.push("Leads", frame, "insert", dry_run=True).counts == {"valid": 2, "failed": 0}
    report = session.push("Leads", frame, "insert", via=via)
    assert report.counts["succeeded"] == 2, report[["code", "message"]].to_string()
    assert {stored(sim)[record]["Rating"] for record in report["id"]} == {actual}


@pytest.mark.parametrize("dry_run", [False, True])
def test_queries_that_look_names_up_are_counted(zoho: World, dry_run: bool) -> None:
    sim, session = zoho
    name = sim.crm.rows("Accounts")[0]["Account_Name"]
    session.push("Contacts", [{"Last_Name": "warm"}], "insert", dry_run=True)
    before = len(sim.traffic.calls)
    frame = [{"Last_Name": "x", "Account_Name": name}]
    report = session.push("Contacts", frame, "insert", dry_run=dry_run)
    asked = [call.path for call in sim.traffic.calls[before:] if call.path.endswith(("/coql", "/Contacts"))]
    assert report.attrs["calls"] == len(asked) == (1 if dry_run else 2)
    assert report.attrs["credits"] == len(asked)


# Columns


def test_every_unknown_column_is_named_at_once_with_the_line_that_mends_them(zoho: World) -> None:
    frame = leads(1).rename(columns={"Last_Name": "Last Name", "Email": "E-Mail"}).assign(Id="5", Nonsense=1, Cty="x")
    with pytest.raises(PushError) as met:
        zoho[1].push("Leads", frame, "update")
    told = str(met.value)
    assert "no fields 'Last Name', 'E-Mail', 'Id', 'Nonsense', 'Cty'" in told
    assert "needs the column 'id'" in told
    assert "{'Last Name': 'Last_Name', 'E-Mail': 'Email', 'Id': 'id'}" in told
    assert "df.drop(columns=['Nonsense', 'Cty'])" in told
    assert "City" in told


@pytest.mark.parametrize("call", ["Id", "Record Id", "ID", "index id", "index Record Id"])
@pytest.mark.parametrize("action", ["update", "delete"])
def test_an_id_called_otherwise_is_suggested_and_taken_on_request(zoho: World, call: str, action: Any) -> None:
    sim, session = zoho
    record, name = ids(sim)[0], call.removeprefix("index ")
    frame = pd.DataFrame({name: [record], "City": "Bern"})
    frame = frame.set_index(name) if call.startswith("index") else frame
    with pytest.raises(PushError, match=r"reset_index|rename\(columns"):
        session.push("Leads", frame, action)
    assert not writes(sim)
    report = session.push("Leads", frame, action, rename=True)
    assert report.counts["succeeded"] == 1
    assert list(report.index) == list(frame.index)
    assert "id" in " ".join(report.attrs["warnings"])


def test_labels_are_taken_for_fields_on_request(zoho: World) -> None:
    frame = pd.DataFrame({"Last Name": ["L"], "company": ["C"], "owner.email": ["patricia.boyle@example.com"]})
    report = zoho[1].push("Leads", frame, "insert", rename=True)
    assert report.counts["succeeded"] == 1, report.to_string()
    assert stored(zoho[0])[report["id"].iloc[0]]["Company"] == "C"


# Words


@pytest.mark.parametrize("via", ROUTES)
def test_an_id_that_names_nothing_is_said_as_what_it_is(zoho: World, via: Any) -> None:
    sim, session = zoho
    inactive = next(str(user.id) for user in sim.crm.users.values() if user.status != "active")
    [record, other, *_] = ids(sim)
    rows = [{"id": GONE, "City": "x"}, {"id": record, "Owner.id": inactive}, {"id": other, "Owner.id": GONE}]
    report = session.push("Leads", rows, "update", via=via)
    user = "no active user has the id in Owner: the user may be deactivated or deleted"
    assert list(report["message"]) == ["there is no such record, or you may not change it", user, user]
    contact = session.push("Contacts", [{"Last_Name": "x", "Account_Name.id": GONE}], "insert", via=via)
    assert list(contact["message"]) == ["no record has the id in Account_Name, or you may not see it"]


def test_a_duplicate_in_another_module_names_it(zoho: World) -> None:
    sim, session = zoho
    sim.options.duplicates_across_modules = True
    [record] = session.push("Contacts", [{"Last_Name": "x", "Email": "both@x.com"}], "insert")["id"]
    report = session.push("Leads", [{"Last_Name": "x", "Company": "y", "Email": "both@x.com"}], "insert")
    assert (report["code"].iloc[0], report["id"].iloc[0]) == ("DUPLICATE_DATA", "")
    assert f"a record of Contacts (id {record}) has this value" in report["message"].iloc[0]
    assert "an upsert on it changes" not in report["message"].iloc[0]


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_record_whose_image_is_processed_can_be_waited_for(zoho: World, action: Any) -> None:
    sim, session = zoho
    [record, *_] = ids(sim)
    sim.options.locked_records = (record,)
    report = session.push("Leads", [{"id": record, "City": "x"}], action)
    assert "ends by itself; call report.retry() in a minute" in report["message"].iloc[0]
    sim.options.locked_records = ()
    assert report.retry().counts["succeeded"] == 1


# Whole records, pulled and pushed back


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts", "Deals", "Products"])
def test_a_whole_pull_can_be_pushed_back(zoho: World, module: str) -> None:
    session = zoho[1]
    frame = session.pull(module)
    report = session.push(module, frame, "update", dry_run=True)
    assert report.counts["failed"] == 0, report.failed.to_string()
    assert "Created_By.id" in report.attrs["warnings"][0]
