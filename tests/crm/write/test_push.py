"""Rows into the CRM by calls: every kind of frame, of field and of answer, over real HTTP."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.support.push_env import WRITES, connect, hurry, leads, settle, stored, world, writes
from zoho_magic.errors import PushError, QueryError
from zoho_magic.http.backoff import wait_budget
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world() as opened:
        yield opened


def by_mail(sim: Simulator) -> dict[str, dict[str, Any]]:
    return {row["Email"]: row for row in stored(sim).values() if row["Email"]}


# Sizes and frames


@pytest.mark.parametrize("rows", [0, 1, 100, 101])
def test_insert_update_upsert_delete(zoho: World, rows: int) -> None:
    sim, session = zoho
    before, frame = sim.crm.count("Leads"), leads(rows)
    inserted = session.push("Leads", frame, "insert")
    assert inserted.counts == {"succeeded": rows, "failed": 0, "unknown": 0}
    assert sim.crm.count("Leads") - before == rows
    assert [stored(sim)[record]["Last_Name"] for record in inserted["id"]] == list(frame["Last_Name"])
    updated = session.push("Leads", inserted[["id"]].assign(Company="Southwind"), "update")
    assert list(updated["id"]) == list(inserted["id"])
    assert {stored(sim)[record]["Company"] for record in updated["id"]} <= {"Southwind"}
    upserted = session.push("Leads", leads(rows, start=rows // 2), "upsert", on="Email")
    assert list(upserted["action"]) == ["update"] * (rows - rows // 2) + ["insert"] * (rows // 2)
    gone = session.push("Leads", pd.concat([inserted, upserted.tail(rows // 2)])[["id"]], "delete")
    assert gone.counts["succeeded"] == rows + rows // 2
    assert sim.crm.count("Leads") == before
    assert len([call for call in writes(sim) if call.path.startswith("/crm")]) == -(-rows // 100) * 3 + -(
        -(rows + rows // 2) // 100
    )


def test_ten_thousand_rows_in_calls_of_a_hundred(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(101, start=50_000), "insert")  # meets the org
    sim.traffic.clear()
    report = session.push("Leads", leads(10_000, start=100), "upsert", on="Email", via="records", keep=False)
    assert report.counts == {"succeeded": 10_000, "failed": 0, "unknown": 0}
    assert report.attrs["calls"] == len(sim.traffic.calls) == 100
    assert report.attrs["credits"] == sum(call.credits for call in sim.traffic.calls) == 1_000
    assert 2 <= sim.traffic.peak <= 10
    names = [stored_row["Last_Name"] for stored_row in by_mail(sim).values()]
    assert len(names) == len(set(names))


@pytest.mark.skipif(not os.environ.get("ZOHO_MAGIC_SLOW"), reason="takes minutes: set ZOHO_MAGIC_SLOW=1")
@pytest.mark.parametrize("via", ["records", "bulk"])
def test_a_hundred_thousand_rows(zoho: World, via: Any) -> None:
    sim, session = zoho
    sim.options.credit_limit = 10**9
    before = sim.crm.count("Leads")
    report = session.push("Leads", leads(100_000), "insert", via=via)
    assert report.counts == {"succeeded": 100_000, "failed": 0, "unknown": 0}
    assert sim.crm.count("Leads") - before == 100_000
    found = stored(sim)
    assert all(found[record]["Last_Name"] == f"Pushed {place}" for place, record in enumerate(report["id"]))


ROWS = [{"Last_Name": "Li", "Email": "li@example.com", "Lead_Score": 7}, {"Last_Name": "Poe", "Email": None}]


@pytest.mark.parametrize(
    "frame",
    [ROWS, pd.DataFrame(ROWS), pl.DataFrame(ROWS), pa.Table.from_pylist(ROWS)],
    ids=["dicts", "pandas", "polars", "arrow"],
)
def test_every_kind_of_frame_writes_the_same(zoho: World, frame: Any) -> None:
    sim, session = zoho
    report = session.push("Leads", frame, "insert").raise_for_failed()
    found = [stored(sim)[record] for record in report["id"]]
    assert [(row["Last_Name"], row["Email"], row["Lead_Score"]) for row in found] == [
        ("Li", "li@example.com", 7),
        ("Poe", None, None),
    ]
    assert list(report.index) == [0, 1]


INDEXES = [
    pd.Index([7, 7, 7]),
    pd.Index(["b", "a", None]),
    pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)], names=["region", "number"]),
    pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin", name="day"),
    pd.Index([("a", 1), ("b", 2), ("c", 3)], tupleize_cols=False),
    pd.RangeIndex(30, 0, -10),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_the_report_has_the_index_of_the_frame(zoho: World, index: pd.Index) -> None:
    frame = leads(3).set_axis(index)
    frame.iloc[1, 0] = None
    for dry in (True, False):
        report = zoho[1].push("Leads", frame, "insert", dry_run=dry)
        pd.testing.assert_index_equal(report.index, index)
        assert list(report["status"] == "failed") == [False, True, False]
        pd.testing.assert_index_equal(report.failed.index, index[1:2])


# Fields


def everything(sim: Simulator) -> pd.DataFrame:
    [contact, *_] = stored(sim, "Contacts").values()
    user = list(sim.crm.active_users())[1]
    return pd.DataFrame(
        {
            "Last_Name": ["Ünal \U0001f600", 'O\'Neil; "x", y'],
            "Company": ["line\nbreak", None],
            "Email": ["one@example.com", "two@example.com"],
            "Phone": ["+49 30 1", None],
            "Website": ["https://example.com/?a=1&b=2", None],
            "Description": ["long\r\n\r\ntext " * 50, None],
            "Lead_Source": ["X (Twitter)", None],
            "No_of_Employees": pd.array([250, None], dtype="Int64"),
            "Annual_Revenue": pd.array([1234567.25, None], dtype="Float64"),
            "Discount_Expected": [12.5, np.nan],
            "Roof_Tilt": [np.float64(1e-7), np.nan],
            "Email_Opt_Out": pd.array([True, None], dtype="boolean"),
            "Products_Interested": [["Inverters", "R&D; prototypes"], None],
            "Tag": [["hot, really", "2026"], None],
            "Date_of_Birth": [pd.Timestamp("1980-02-29"), pd.NaT],
            "Next_Follow_Up": [pd.Timestamp("2026-03-29 03:30", tz="Europe/Berlin"), pd.NaT],
            "Tax_Number": ["900719925474099311", None],
            "Referred_By.id": [contact["id"], None],
            "Owner.id": [str(user.id), None],
            "Account_Manager.email": [user.email.upper(), None],
        },
        index=["full", "bare"],
    )


def pulled(session: ZohoSession, frame: pd.DataFrame) -> pd.DataFrame:
    fields = list(dict.fromkeys(name.partition(".")[0] for name in frame.columns))
    where = "Email in ('one@example.com', 'two@example.com')"
    return session.pull("Leads", fields=fields, where=where, via="coql").sort_values("Email").set_axis(frame.index)


def plain(column: pd.Series) -> list[Any]:
    return [None if not isinstance(value, list) and pd.isna(value) else value for value in column.tolist()]


def check_equal(sent: pd.DataFrame, back: pd.DataFrame) -> None:
    for name in sent.columns:
        if name == "Owner.id":
            assert back.loc["full", name] == sent.loc["full", name]
        elif name == "Account_Manager.email":
            assert plain(back[name]) == [sent.loc["full", name].lower(), None]
        else:
            expected = [False] * 2 if name == "Email_Opt_Out" and plain(back[name])[1] is False else plain(sent[name])
            assert plain(back[name])[0] == plain(sent[name])[0], name
            assert plain(back[name])[1] == expected[1], name


@pytest.mark.parametrize("via", ["records", "bulk"])
def test_every_kind_of_field_is_pulled_back_as_it_was_pushed(zoho: World, via: Any) -> None:
    sim, session = zoho
    frame = everything(sim)
    if via == "bulk":  # neither a multi-select with a semicolon nor a tag with a comma has a place in a cell
        frame["Products_Interested"] = [["Inverters", "Monitoring"], None]
        frame["Tag"] = [["hot", "2026"], None]
    session.push("Leads", frame, "insert", via=via).raise_for_failed()
    back = pulled(session, frame)
    check_equal(frame, back)
    again = session.push("Leads", back, "upsert", on="Email", via="records")  # whatever was pulled can be pushed
    again.raise_for_failed()
    assert set(again["action"]) == {"update"}
    pd.testing.assert_frame_equal(pulled(session, frame), back)


def test_a_lookup_into_several_modules_names_its_module(zoho: World) -> None:
    sim, session = zoho
    [deal, *_] = stored(sim, "Deals")
    rows = [
        {"Subject": "Call back", "What_Id.id": deal, "$se_module": "Deals"},
        {"Subject": "Alone", "What_Id.id": deal},
    ]
    report = session.push("Tasks", rows, "insert")
    assert stored(sim, "Tasks")[report["id"].iloc[0]]["What_Id"]["id"] == deal
    assert (report["code"].iloc[1], report["field"].iloc[1]) == ("DEPENDENT_FIELD_MISSING", "What_Id.id")
    assert "a column $se_module" in report["message"].iloc[1]


def lines(sim: Simulator, project: str) -> list[str]:
    return [row["Item"] for row in stored(sim, "Project_Lines").values() if row["Parent_Id"]["id"] == project]


def test_a_subform_is_written_and_never_twice(zoho: World) -> None:
    sim, session = zoho
    rows = [{"Name": "Roof", "Project_Code": "P-1", "Line_Items": [{"Item": "Panel", "Quantity": 2}]}]
    [project] = session.push("Projects", rows, "insert").raise_for_failed()["id"]
    sim.faults.add(Fault(WRITES, "PUT", reset="after"))
    more = session.push("Projects", [{"id": project, "Line_Items": '[{"Item": "Clamp"}]'}], "update")
    assert more.counts["unknown"] == 1
    with pytest.raises(PushError, match="no row"):
        more.retry()
    assert lines(sim, project) == ["Panel", "Clamp"]
    sim.faults.add(Fault(WRITES, "POST", reset="after"))
    more = session.push(
        "Projects",
        [{"Project_Code": "P-1", "Name": "Roof", "Line_Items": [{"Item": "Cable"}]}],
        "upsert",
        on="Project_Code",
    )
    assert (more.counts["unknown"], lines(sim, project)) == (1, ["Panel", "Clamp", "Cable"])


def test_a_fault_inside_a_subform_is_named_to_the_cell(zoho: World) -> None:
    rows = [{"Name": "Roof", "Line_Items": [{"Item": "Panel"}, {"Quantity": 1}]}]
    report = zoho[1].push("Projects", rows, "insert")
    assert (report["code"].iloc[0], report["field"].iloc[0]) == ("MANDATORY_NOT_FOUND", "Line_Items[1].Item")


def test_the_owner_is_an_id_or_an_address(zoho: World) -> None:
    sim, session = zoho
    user = list(sim.crm.active_users())[2]
    frame = leads(4, Owner=[str(user.id), user.email, "Nobody Known", "nobody@example.com"])
    report = session.push("Leads", frame, "insert")
    owners = [stored(sim)[record]["Owner"]["id"] for record in report.succeeded["id"]]
    assert owners == [str(user.id)] * 2
    assert list(report["code"].iloc[2:]) == ["INVALID_DATA"] * 2
    assert "e-mail address or the id of a CRM user" in report["message"].iloc[2]
    assert "nobody has this one" in report["message"].iloc[3]
    assert sim.traffic.count(path="/crm/v8/users") <= 4  # asked once a session, not once a row


def test_the_name_beside_an_address_is_not_needed(zoho: World) -> None:
    sim, session = zoho
    user = list(sim.crm.active_users())[1]
    frame = leads(1).assign(**{"Owner": "Somebody Else", "Owner.email": user.email})
    [record] = session.push("Leads", frame, "insert").raise_for_failed()["id"]
    assert stored(sim)[record]["Owner"]["id"] == str(user.id)


def test_an_address_belongs_to_whoever_has_it_now(zoho: World) -> None:
    from zoho_magic.crm.write.user_directory import Directory

    people = {"1": ("New", "x@example.com"), "2": ("Deleted", "X@example.com")}
    assert Directory(lambda: people).id_of(" X@Example.com ") == "1"


# Nothing, and emptying


def test_an_empty_cell_leaves_the_field_alone_or_empties_it(zoho: World) -> None:
    sim, session = zoho
    full = leads(5, Rating="Active", Lead_Score=5, Date_of_Birth="1990-01-01", Email_Opt_Out=True)
    ids = session.push("Leads", full, "insert").raise_for_failed()["id"]
    nothing = {"Rating": [None, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT", "ns")], "Lead_Score": pd.NA}
    frame = pd.DataFrame({"id": ids, "Company": "New", "Date_of_Birth": pd.NaT, **nothing})
    session.push("Leads", frame, "update").raise_for_failed()
    kept = [stored(sim)[record] for record in ids]
    assert {(row["Company"], row["Rating"], row["Lead_Score"]) for row in kept} == {("New", "Active", 5)}
    session.push("Leads", frame, "update", clear_empty=True).raise_for_failed()
    emptied = [stored(sim)[record] for record in ids]
    assert {(row["Rating"], row["Lead_Score"], row["Date_of_Birth"]) for row in emptied} == {(None, None, None)}
    assert {row["Last_Name"] for row in emptied} == set(full["Last_Name"])


@pytest.mark.parametrize("via", ["records", "bulk"])
@pytest.mark.parametrize("clear_empty", [False, True])
@pytest.mark.parametrize("empty", ["", None, float("nan"), pd.NA])
def test_an_empty_cell_empties_its_field_only_with_clear_empty(
    zoho: World, empty: Any, clear_empty: bool, via: Any
) -> None:
    sim, session = zoho
    names = ["Phone", "Email_Opt_Out", "Lead_Score", "Date_of_Birth", "Next_Follow_Up", "Tax_Number", "Rating"]
    values = ["1", True, 5, "1980-02-29", "2026-03-29T03:30:00+02:00", "17", "Active"]
    [contact, *_] = stored(sim, "Contacts")
    full = {**dict(zip(names, values, strict=True)), "Referred_By": contact}
    [record] = session.push("Leads", [{"Last_Name": "x", **full}], "insert").raise_for_failed()["id"]
    before = stored(sim)[record]
    row = {"id": record, "City": "Bern", **dict.fromkeys(full, empty)}
    session.push("Leads", [row], "update", clear_empty=clear_empty, via=via).raise_for_failed()
    after = stored(sim)[record]
    assert [after[name] or None for name in full] == [None if clear_empty else before[name] for name in full]


@pytest.mark.parametrize("via", ["records", "bulk"])
def test_an_update_of_nothing_but_an_id_is_not_sent(zoho: World, via: Any) -> None:
    sim, session = zoho
    ids = session.push("Leads", leads(2), "insert")["id"]
    before = stored(sim)
    sim.clock.advance(60)
    frame = pd.DataFrame({"id": ids, "Phone": [None, ""]})
    reports = [session.push("Leads", frame, "update", via=via, dry_run=dry) for dry in (True, False)]
    assert {text[:38] for report in reports for text in report["message"]} == {"every cell of this row is empty: there"}
    assert stored(sim) == before


def test_a_row_of_nothing_is_not_sent(zoho: World) -> None:
    sim, session = zoho
    report = session.push("Leads", [{"Last_Name": None}, {"Last_Name": float("nan")}], "insert")
    assert list(report["code"]) == ["MANDATORY_NOT_FOUND"] * 2
    assert not writes(sim)


# What is refused before anything is sent


@pytest.mark.parametrize("name", ["id", "Referred_By.id"])
@pytest.mark.parametrize("dtype", ["float64", "Float64", object])
def test_ids_as_floats_are_refused_with_the_reason(zoho: World, name: str, dtype: Any) -> None:
    frame = leads(2).assign(id="554023000000527002") if name != "id" else leads(2)
    frame[name] = pd.Series([554023000000527002.0, None], dtype=dtype)
    with pytest.raises(PushError, match=f"{name}.*floats.*loses the last"):
        zoho[1].push("Leads", frame, "update")
    assert not writes(zoho[0])


def test_ids_that_are_no_ids_fail_row_by_row(zoho: World) -> None:
    session = zoho[1]
    [good] = session.push("Leads", leads(1), "insert")["id"]
    ids = [good, int(good), "5.54E+17", "554023000000527002.0", "none", True, None]
    for action in ("update", "delete"):
        frame = pd.DataFrame({"id": pd.Series(ids, dtype=object), "Company": "x"})
        report = session.push("Leads", frame if action == "update" else frame[["id"]], action)
        codes = ["SUCCESS", "INVALID_DATA"] + ["INVALID_DATA"] * 4 + ["MANDATORY_NOT_FOUND"]
        codes[1] = "SUCCESS" if action == "update" else "INVALID_DATA"  # deleted by the row before
        assert list(report["code"]) == codes


def test_what_cannot_be_pushed_says_why(zoho: World) -> None:
    session = zoho[1]
    frame = leads(1)
    refused: list[tuple[str, str, dict[str, Any]]] = [
        ("Did you mean Last_Name", "insert", {"frame": frame.rename(columns={"Last_Name": "Last Name"})}),
        ("Did you mean No_of_Employees", "insert", {"frame": frame.assign(**{"No. of Employees": 1})}),
        ("no field 'Company.id'", "insert", {"frame": frame.assign(**{"Company.id": "1"})}),
        ("no field 'Referred_By.email'", "insert", {"frame": frame.assign(**{"Referred_By.email": "a@b.c"})}),
        ("needs the column 'id'", "update", {"frame": frame}),
        ("needs the column 'id'", "delete", {"frame": frame}),
        ("needs the column 'Email'", "upsert", {"frame": frame.drop(columns="Email"), "on": "Email"}),
        ("no field 'Emial'.*Email", "upsert", {"frame": frame, "on": "Emial"}),
        ("'id' is read-only", "upsert", {"frame": frame.assign(id="1"), "on": "id"}),
        ("'Reference_Number' is read-only", "upsert", {"frame": frame, "on": "Reference_Number"}),
        ("A dict cannot", "insert", {"frame": {}}),
    ]
    for message, action, asked in refused:
        with pytest.raises(PushError, match=message):
            session.push("Leads", action=action, **asked)
    for message, asked in (
        ("Unknown action 'replace'", {"action": "replace"}),
        ("`via`: 'pigeon'", {"action": "insert", "via": "pigeon"}),
        ("'on' is for an upsert", {"action": "insert", "on": "Email"}),
        ("no module 'Leeds'. Did you mean Leads", {"module": "Leeds", "action": "insert"}),
    ):
        with pytest.raises(QueryError, match=message):
            session.push(**{"module": "Leads", "frame": frame, **asked})
    assert not writes(zoho[0])


def test_what_nobody_can_write_is_left_out_and_said(zoho: World) -> None:
    session = zoho[1]
    frame = leads(2, Full_Name="X", Created_Time="yesterday", id="554023000000527002")
    report = session.push("Leads", frame, "insert")
    assert report.counts["succeeded"] == 2
    assert "Full_Name, Created_Time" in report.attrs["warnings"][0]
    assert "ids in the frame play no part in an insert" in report.attrs["warnings"][1]


# Answers


BAD = pd.DataFrame(
    {
        "Last_Name": ["Good", None, "Better", "Best", "Twice", "Worse"],
        "Email": [None, None, None, None, "taken@example.com", "no address"],
        "Lead_Score": [1, 2, 3, 4, 5, 1234567890],
        "Rating": [None, None, "Unheard of", None, None, None],
        "Company": ["a", "b", "c", "d" * 201, "e", "f"],
    },
    index=list("abcdef"),
)


@pytest.mark.parametrize("mixed", [200, 202, 207])
@pytest.mark.parametrize("failed", [200, 202, 400])
def test_each_row_has_its_own_result_whatever_the_status(zoho: World, mixed: int, failed: int) -> None:
    sim, session = zoho
    sim.options.mixed_write_status, sim.options.failed_write_status = mixed, failed
    session.push("Leads", [{"Last_Name": "First", "Email": "taken@example.com"}], "insert").raise_for_failed()
    report = session.push("Leads", BAD, "insert")
    assert list(report["status"]) == ["succeeded"] + ["failed"] * 5
    assert list(report["code"]) == [
        "SUCCESS", "MANDATORY_NOT_FOUND", "INVALID_DATA", "INVALID_DATA", "DUPLICATE_DATA", "INVALID_DATA",
    ]  # fmt: skip
    assert list(report["field"]) == ["", "Last_Name", "Rating", "Company", "Email", "Email, Lead_Score"]
    assert "required" in report.loc["b", "message"]
    assert "none of the choices" in report.loc["c", "message"]
    assert "201 characters; at most 200" in report.loc["d", "message"]
    assert report.loc["e", "id"] == by_mail(sim)["taken@example.com"]["id"]
    assert "Lead_Score: the value does not fit the field: 9 characters or digits" in report.loc["f", "message"]
    alone = session.push("Leads", BAD[1:2], "insert")  # 400 with data[], when every row failed
    assert list(alone["code"]) == ["MANDATORY_NOT_FOUND"]


@pytest.mark.parametrize(
    ("column", "field"), [("Referred_By.id", "Referred_By.id"), ("Referred_By", "Referred_By"), ("Owner.email", "")]
)
def test_the_field_at_fault_is_named_as_the_column_is(zoho: World, column: str, field: str) -> None:
    session = zoho[1]
    frame = leads(1).assign(**{column: "554023000000999999"})
    report = session.push("Leads", frame, "insert")
    assert list(report["field"]) == [field or column]
    assert re.search("no (record|active user) has the id", report["message"].iloc[0])


def test_an_update_of_nobody_and_of_a_converted_lead(zoho: World) -> None:
    sim, session = zoho
    [converted, *_] = stored(sim)
    sim.crm.store.write('UPDATE "Leads" SET Converted__s = 1 WHERE id = ?', (int(converted),))
    rows = [{"id": "554023000000999999", "Company": "x"}, {"id": converted, "Company": "x"}]
    report = session.push("Leads", rows, "update")
    assert list(report["code"]) == ["INVALID_DATA", "CONVERTED_RECORD"]
    assert list(report["field"]) == ["id", "id"]
    assert "does not change converted leads" in report["message"].iloc[1]


def answered(zoho: World, body: Any, rows: int = 3, status: int = 200) -> pd.DataFrame:
    sim, session = zoho
    sim.faults.add(Fault("/crm/v8/Leads", "POST", status=status, body=body))
    return session.push("Leads", leads(rows), "insert")


DONE = {"code": "SUCCESS", "details": {"id": "1"}, "message": "record added", "status": "success"}


def test_answers_that_lack_rows_or_have_too_many(zoho: World) -> None:
    assert list(answered(zoho, {"data": [DONE]})["status"]) == ["succeeded", "unknown", "unknown"]
    assert list(answered(zoho, {"data": [DONE] * 9})["status"]) == ["succeeded"] * 3
    for odd in ({"data": None}, {"data": {}}, {"data": [None, 5, "x"]}, {"data": [{"details": 7}] * 3}, {}):
        assert list(answered(zoho, odd)["status"]) == ["unknown"] * 3
    odd_details = {"data": [{**DONE, "details": None}, {"status": "error", "code": "X", "message": "m", "details": []}]}
    assert list(answered(zoho, odd_details, rows=2)["status"]) == ["succeeded", "failed"]


def test_a_refusal_that_http_calls_a_success(zoho: World) -> None:
    refusal = {"code": "LIMIT_EXCEEDED", "details": {}, "message": "limit exceeded", "status": "error"}
    report = answered(zoho, refusal)
    assert list(report["code"]) == ["LIMIT_EXCEEDED"] * 3


def test_a_row_for_which_zoho_refuses_the_whole_call_does_not_block_the_others(zoho: World) -> None:
    sim, session = zoho
    for place in (1, 2):  # of those that are left
        path = f"$.data[{place}].Company"
        body = {"code": "INVALID_DATA", "details": {"json_path": path}, "message": "invalid data", "status": "error"}
        sim.faults.add(Fault("/crm/v8/Leads", "POST", status=400, body=body))
    report = session.push("Leads", leads(5), "insert")
    assert list(report["status"]) == ["succeeded", "failed", "succeeded", "failed", "succeeded"]
    assert list(report.failed["field"]) == ["Company", "Company"]
    assert [stored(sim)[record]["Last_Name"] for record in report.succeeded["id"]] == [
        "Pushed 0",
        "Pushed 2",
        "Pushed 4",
    ]


def test_a_bad_cell_costs_its_row_only(zoho: World) -> None:
    session = zoho[1]
    frame = leads(4, Company=["fine", "half \ud83d", b"bytes", "a\0b"])
    report = session.push("Leads", frame, "insert")
    assert list(report["status"]) == ["succeeded", "failed", "failed", "failed"]
    assert set(report.failed["field"]) == {"Company"}
    assert set(report.failed["code"]) == {"INVALID_DATA"}


@pytest.mark.parametrize("on", ["Last_Name", "Company", ["Email", "Phone"]])
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("via", ["records", "bulk"])
def test_an_upsert_on_a_field_that_is_not_unique_is_refused_before_anything_is_sent(
    zoho: World, on: Any, dry_run: bool, via: Any
) -> None:
    with pytest.raises(PushError, match=r"cannot find records by \w+.*\n-> Use Email"):
        zoho[1].push("Leads", leads(2, Phone="1"), "upsert", on=on, dry_run=dry_run, via=via)
    assert not writes(zoho[0])


# Automations, order, and what may be repeated


def bodies(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is sent from now on."""
    import requests

    sent: list[Any] = []
    send = requests.Session.send

    def note(self: Any, request: Any, **options: Any) -> Any:
        sent.append(json.loads(request.body) if request.body and request.body[:1] == b"{" else request.url)
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", note)
    return sent


@pytest.mark.parametrize("triggers", [None, [], ["workflow", "blueprint"]])
def test_triggers(zoho: World, monkeypatch: pytest.MonkeyPatch, triggers: list[str] | None) -> None:
    session = zoho[1]
    sent = bodies(monkeypatch)
    [record] = session.push("Leads", leads(1), "insert", triggers=triggers)["id"]
    session.push("Leads", [{"id": record, "Company": "x"}], "update", triggers=triggers)
    session.push("Leads", leads(1), "upsert", on="Email", triggers=triggers)
    written = [body for body in sent if isinstance(body, dict) and "data" in body]
    assert [body.get("trigger", "all") for body in written] == ["all" if triggers is None else triggers] * 3
    session.push("Leads", [{"id": record}], "delete", triggers=triggers)
    flag = {None: "", (): "wf_trigger=false"}.get(tuple(triggers) if triggers is not None else None, "wf_trigger=true")
    assert sent[-1].endswith(flag)


def test_rows_for_the_same_record_are_written_in_the_order_of_the_frame(zoho: World) -> None:
    sim, session = zoho
    frame = pd.DataFrame({"Last_Name": "x", "Email": [f"same{n % 7}@EXAMPLE.com" for n in range(350)]})
    frame["Company"] = [f"version {n}" for n in range(350)]
    before = sim.crm.count("Leads")
    sim.faults.add(Fault(WRITES, delay=0.2))
    report = session.push("Leads", frame, "upsert", on="Email", via="records").raise_for_failed()
    assert sim.crm.count("Leads") - before == 7
    assert list(report["action"][:14]) == ["insert"] * 7 + ["update"] * 7
    held = {row["Company"] for row in stored(sim).values() if str(row["Email"]).lower().startswith("same")}
    assert held == {f"version {n}" for n in range(343, 350)}


def test_rows_that_meet_in_the_second_field_are_not_written_at_the_same_time(zoho: World) -> None:
    sim, session = zoho
    rows = [
        {"Name": "Alpha", "Project_Code": "P-1"},
        {"Name": "Beta", "Project_Code": None},
        {"Name": "Alpha", "Project_Code": "P-9"},
        {"Name": None, "Project_Code": "P-9", "Phase": "Survey"},
    ]
    report = session.push("Projects", rows, "upsert", on=["Project_Code", "Name"])
    assert list(report["action"][:3]) == ["insert", "insert", "update"]
    assert sim.traffic.count(path="/crm/v8/Projects/upsert") >= 3


def test_an_upsert_without_a_field_to_look_in_leaves_the_choice_to_zoho(
    zoho: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = zoho[1]
    sent = bodies(monkeypatch)
    twice = pd.concat([leads(2), leads(2)], ignore_index=True)
    report = session.push("Leads", twice, "upsert").raise_for_failed()
    assert list(report["action"]) == ["insert", "insert", "update", "update"]  # one after the other
    assert all("duplicate_check_fields" not in body for body in sent if isinstance(body, dict))


LOSSES = [{"reset": "after"}, {"status": 500, "late": True}, {"truncate": True}, {"html": True, "late": True}]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_an_insert_whose_answer_is_lost_is_not_repeated(zoho: World, loss: dict[str, Any]) -> None:
    sim, session = zoho
    before = sim.crm.count("Leads")
    sim.faults.add(Fault("/crm/v8/Leads", "POST", **loss))
    report = session.push("Leads", leads(3)[["Last_Name", "Company"]], "insert")  # nothing that is unique
    assert report.counts == {"succeeded": 0, "failed": 0, "unknown": 3}
    assert set(report["code"]) == {"OUTCOME_UNKNOWN"}
    assert sim.crm.count("Leads") - before == 3
    with pytest.raises(PushError, match="no row"):
        report.retry()
    assert sim.crm.count("Leads") - before == 3


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("action", ["update", "upsert"])
def test_what_has_the_same_effect_twice_is_repeated(zoho: World, loss: dict[str, Any], action: Any) -> None:
    sim, session = zoho
    ids = session.push("Leads", leads(3), "insert")["id"]
    before = sim.crm.count("Leads")
    sim.faults.add(Fault(WRITES, times=2, **loss))
    frame = leads(5, Company="New") if action == "upsert" else pd.DataFrame({"id": ids, "Company": "New"})
    report = session.push("Leads", frame, action, on="Email" if action == "upsert" else None, keep=False)
    report.raise_for_failed()
    assert sim.crm.count("Leads") - before == (2 if action == "upsert" else 0)
    assert "sent twice" in report["message"].iloc[0]


def test_an_upsert_of_rows_without_an_address_is_not_repeated(zoho: World) -> None:
    sim, session = zoho
    frame = leads(4)
    frame.loc[[1, 3], "Email"] = None
    before = sim.crm.count("Leads")
    sim.faults.add(Fault(WRITES, times=2, reset="after"))
    report = session.push("Leads", frame, "upsert", on="Email")
    settle(sim)
    assert list(report["status"][[1, 3]]) == ["unknown", "unknown"]
    assert list(report["status"][[0, 2]]) == ["succeeded", "succeeded"]
    assert sim.crm.count("Leads") - before == 4


def test_a_deletion_whose_answer_is_lost_is_asked_again_and_never_called_a_failure(zoho: World) -> None:
    sim, session = zoho
    ids = list(session.push("Leads", leads(3), "insert")["id"])
    sim.faults.add(Fault(WRITES, "DELETE", reset="after"))
    report = session.push("Leads", [{"id": record} for record in ids], "delete")
    assert list(report["status"]) == ["unknown"] * 3
    assert "it was deleted, or never there" in report["message"].iloc[0]
    ids = list(session.push("Leads", leads(3), "insert")["id"])
    sim.faults.add(Fault(WRITES, "DELETE", reset="before"))
    assert session.push("Leads", [{"id": record} for record in ids], "delete").counts["succeeded"] == 3


def test_a_row_that_is_locked_after_a_lost_answer_may_have_been_written(zoho: World) -> None:
    sim, session = zoho
    locked = {"code": "RECORD_LOCKED", "details": {}, "message": "locked", "status": "error"}
    wrong = {"code": "INVALID_DATA", "details": {}, "message": "invalid data", "status": "error"}
    sim.faults.add(Fault(WRITES, reset="after"))
    sim.faults.add(Fault(WRITES, body={"data": [locked, wrong]}))
    report = session.push("Leads", leads(2), "upsert", on="Email")
    assert list(report["status"]) == ["unknown", "failed"]
    assert "RECORD_LOCKED" in report["message"].iloc[0]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("/oauth", status=400, body={"error": "invalid_code"}), "invalid_code"),
        (Fault(WRITES, status=401, times=9, body={"code": "INVALID_TOKEN", "details": {}}), "INVALID_TOKEN"),
    ],
    ids=["no token", "refused"],
)  # fmt: skip
def test_an_error_of_signing_in_after_a_lost_answer_leaves_the_rows_unknown(
    zoho: World, fault: Fault, code: str
) -> None:
    sim, session = zoho
    session.push("Leads", leads(1, start=50), "insert")
    sim.faults.add(Fault(WRITES, reset="after", advance=3600.0))
    sim.faults.add(fault)
    report = session.push("Leads", leads(2), "upsert", on="Email")
    assert report.counts["failed"] == 0, report[["code", "message"]].to_dict()
    assert report.counts["unknown"] == 2


def test_a_token_that_ends_on_the_way_is_renewed(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(1, start=900), "insert")
    sim.faults.add(Fault(WRITES, after=1, advance=3600.0))
    report = session.push("Leads", leads(350), "insert").raise_for_failed()
    assert len({*report["id"]}) == 350


def test_throttling_is_waited_out_and_in_the_end_said(zoho: World) -> None:
    sim, session = zoho
    sim.faults.add(Fault(WRITES, status=429, times=3))
    session.push("Leads", leads(150), "insert").raise_for_failed()
    before = sim.crm.count("Leads")
    sim.faults.add(Fault(WRITES, status=429, times=10**6))
    report = session.push("Leads", leads(300, start=500), "insert")
    assert report.counts == {"succeeded": 0, "failed": 300, "unknown": 0}
    assert set(report["code"]) == {"NOT_SENT"}
    assert any("throttling" in warning for warning in report.attrs["warnings"])
    assert sim.crm.count("Leads") == before
    sim.faults.clear()
    assert report.retry().counts["succeeded"] == 300
    assert sim.crm.count("Leads") == before + 300


def test_a_missing_scope_stops_the_push_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    with world(scopes=["ZohoCRM.modules.READ", "ZohoCRM.settings.ALL", "ZohoCRM.org.READ"]) as (sim, session):
        report = session.push("Leads", leads(2_000), "insert", via="records")
        assert report.counts["failed"] == 2_000
        assert set(report["code"]) == {"OAUTH_SCOPE_MISMATCH", "NOT_SENT"}
        [warning] = report.attrs["warnings"]
        assert "ZohoCRM.modules.Leads.CREATE" in warning
        assert len(writes(sim)) <= 10
        wider = connect(sim)
        monkeypatch.setattr(session, "_tokens", wider._tokens)  # as after %zoho_exchange
        assert report.retry().counts == {"succeeded": 2_000, "failed": 0, "unknown": 0}
        wider.close()


def test_when_nobody_is_there_nothing_is_sent_and_the_rest_is_not_tried(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(101, start=9_000), "insert")
    sim.stop()
    report = session.push("Leads", leads(3_000), "insert", via="records")
    assert report.counts == {"succeeded": 0, "failed": 3_000, "unknown": 0}
    assert set(report["code"]) == {"NOT_SENT"}
    assert "could not be reached" in report.attrs["warnings"][0]


def test_when_answer_after_answer_is_lost_the_rest_is_not_sent(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(1, start=90_000), "insert")
    sim.faults.add(Fault(WRITES, times=10**6, reset="after"))
    report = session.push("Leads", leads(4_000), "insert", via="records")
    settle(sim)
    assert report.counts["succeeded"] == 0
    assert 500 <= report.counts["unknown"] <= 1_500
    assert set(report.failed["code"]) == {"NOT_SENT"}
    assert any("lost" in warning for warning in report.attrs["warnings"])


def test_an_unforeseen_error_in_a_call_does_not_cost_the_report(zoho: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = zoho[1]
    session.push("Leads", leads(1, start=900), "insert")
    request, calls = session._crm.request, iter(range(10**6))

    def third_breaks(method: str, path: str, **options: Any) -> Any:
        if next(calls) == 2:
            raise RuntimeError("out of the blue")
        return request(method, path, **options)

    monkeypatch.setattr(session._crm, "request", third_breaks)
    report = session.push("Leads", leads(250), "insert")
    assert report.counts["unknown"] in (50, 100)
    assert report.counts["succeeded"] + report.counts["failed"] + report.counts["unknown"] == 250
    assert any("out of the blue" in warning for warning in report.attrs["warnings"])


def test_two_threads_may_push_at_once(zoho: World) -> None:
    session = zoho[1]
    reports: dict[int, Any] = {}
    work = [
        threading.Thread(target=lambda n=n: reports.update({n: session.push("Leads", leads(120, start=n), "insert")}))
        for n in (0, 1000)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert [reports[n].counts["succeeded"] for n in (0, 1000)] == [120, 120]


def test_all_calls_of_a_push_share_max_wait(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(1, start=9_000), "insert")
    sim.faults.add(Fault(WRITES, "POST", status=429, times=10**6))
    with wait_budget(0.5) as budget:
        report = session.push("Leads", leads(1_000), "insert", via="records")
        assert budget.left < 0.5, "what the threads waited counts"
    assert report.counts == {"succeeded": 0, "failed": 1_000, "unknown": 0}


def test_a_deletion_names_no_more_ids_than_zohos_address_takes(zoho: World) -> None:
    sim, session = zoho
    rows = [{"Last_Name": f"Gone {number}", "Company": "Gone"} for number in range(120)]
    made = session.push("Leads", rows, "insert", keep=False)
    sim.options.parameter_length = 1_024
    report = session.push("Leads", made[["id"]].reset_index(drop=True), "delete", keep=False)
    assert (report.status == "succeeded").all()
    sim.options.parameter_length = None
