"""Rows into the CRM by bulk write jobs, and the choice between jobs and calls."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.push_env import hurry, leads, settle, stored, world, writes
from zoho_magic.crm import limits
from zoho_magic.crm.write import bulk_csv
from zoho_magic.errors import PushError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]
JOB, UPLOAD = "/crm/bulk/v8/write", "/crm/v8/upload"


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world() as opened:
        yield opened


def jobs(sim: Simulator) -> int:
    return sim.traffic.count("POST", JOB)


@pytest.mark.parametrize("rows", [1, 100])
@pytest.mark.parametrize("absolute", [False, True])
def test_insert_update_upsert(zoho: World, rows: int, absolute: bool) -> None:
    sim, session = zoho
    sim.options.bulk_absolute_url = absolute
    before, frame = sim.crm.count("Leads"), leads(rows, Company='Ä; "q",\nx').set_axis(range(7, 7 + rows))
    inserted = session.push("Leads", frame, "insert", via="bulk")
    assert inserted.counts == {"succeeded": rows, "failed": 0, "unknown": 0}
    assert list(inserted.index) == list(frame.index)
    found = stored(sim)
    assert [found[record]["Last_Name"] for record in inserted["id"]] == list(frame["Last_Name"])
    assert found[inserted["id"].iloc[-1]]["Company"] == 'Ä; "q",\nx'
    updated = session.push("Leads", inserted[["id"]].assign(Company="New"), "update", via="bulk")
    assert (set(updated["action"]), list(updated["id"])) == ({"update"}, list(inserted["id"]))
    half = session.push("Leads", leads(rows, start=rows // 2), "upsert", on="Email", via="bulk")
    assert list(half["action"]) == ["update"] * (rows - rows // 2) + ["insert"] * (rows // 2)
    assert sim.crm.count("Leads") - before == rows + rows // 2
    assert half.attrs["credits"] >= 500


def test_ten_thousand_rows_in_one_job(zoho: World) -> None:
    sim, session = zoho
    report = session.push("Leads", leads(10_000), "upsert", on="Email")
    assert report.counts == {"succeeded": 10_000, "failed": 0, "unknown": 0}
    assert (report.attrs["api"], report.attrs["reason"]) == ("bulk", "500 API credits instead of 1,000")
    assert jobs(sim) == 1
    found = stored(sim)
    assert all(found[record]["Last_Name"] == f"Pushed {n}" for n, record in enumerate(report["id"]))


def test_bad_rows_keep_their_own_errors(zoho: World) -> None:
    session = zoho[1]
    session.push("Leads", [{"Last_Name": "First", "Email": "taken@example.com"}], "insert")
    frame = pd.DataFrame(
        {
            "Last_Name": ["Good", None, "Better", "Twice", "Worse", "Odd"],
            "Email": [None, None, None, "taken@example.com", "no address", None],
            "Lead_Score": [1, 2, 3, 4, 1234567890, None],
            "Rating": [None, None, "Unheard of", None, None, None],
            "Owner": [None, None, None, None, None, "Nobody"],
        },
        index=list("abcdef"),
    )
    report = session.push("Leads", frame, "insert", via="bulk")
    assert list(report["status"]) == ["succeeded"] + ["failed"] * 5
    assert list(report["code"][1:]) == [
        "MANDATORY_NOT_FOUND", "INVALID_DATA", "DUPLICATE_DATA", "INVALID_DATA", "INVALID_DATA",
    ]  # fmt: skip
    assert list(report["field"][1:]) == ["Last_Name", "Rating", "Email", "Email, Lead_Score", "Owner"]
    assert "an upsert on it changes that one" in report.loc["d", "message"]


def test_empty_cells_and_emptying(zoho: World) -> None:
    sim, session = zoho
    ids = session.push("Leads", leads(2, Rating="Active", Lead_Score=5), "insert")["id"]
    frame = pd.DataFrame({"id": ids, "Rating": [None, "Shut Down"], "Lead_Score": [None, None]})
    assert list(session.push("Leads", frame, "update", via="bulk")["code"]) == ["MANDATORY_NOT_FOUND", "SUCCESS"]
    assert [(stored(sim)[i]["Rating"], stored(sim)[i]["Lead_Score"]) for i in ids] == [("Active", 5), ("Shut Down", 5)]
    session.push("Leads", frame, "update", via="bulk", clear_empty=True).raise_for_failed()
    assert [(stored(sim)[i]["Rating"], stored(sim)[i]["Lead_Score"]) for i in ids] == [
        (None, None),
        ("Shut Down", None),
    ]


def test_an_upsert_of_rows_that_all_lack_an_address_inserts_them(zoho: World) -> None:
    report = zoho[1].push("Leads", leads(2, Email=None), "upsert", on="Email", via="bulk")
    assert list(report.raise_for_failed()["action"]) == ["insert", "insert"]


def test_files_of_so_many_rows_and_bytes_as_zoho_takes(zoho: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, session = zoho
    monkeypatch.setattr(limits, "BULK_WRITE_ROWS_PER_FILE", 40)
    session.push("Leads", leads(100), "insert", via="bulk").raise_for_failed()
    assert jobs(sim) == 3
    monkeypatch.setattr(limits, "BULK_WRITE_MAX_BYTES", 250)
    report = session.push("Leads", leads(40, start=200), "insert", via="bulk").raise_for_failed()
    assert jobs(sim) >= 5
    assert [stored(sim)[record]["Last_Name"] for record in report["id"]] == [f"Pushed {n}" for n in range(200, 240)]


@pytest.mark.parametrize(
    ("value", "cell"),
    [(1e-7, "0.0000001"), (1e22, "1" + "0" * 22), (2.5, "2.5"), (True, "true"), (None, ""), (["A", "B"], "A;B")],
)
def test_cells_are_plain_text(value: Any, cell: str) -> None:
    assert bulk_csv.to_csv_cell(value).removesuffix(".0") == cell


# What it cannot do


CANNOT: list[tuple[str, str, dict[str, Any]]] = [
    ("does not delete", "delete", {"frame": [{"id": "5"}]}),
    ("no choice of automations", "insert", {"frame": leads(1), "triggers": []}),
    ("exactly one field", "upsert", {"frame": leads(1)}),
    (
        "cannot carry Products_Interested of the row at position 0: it splits a list at semic",
        "insert",
        {"frame": leads(1, Products_Interested=[["R&D; prototypes"]])},
    ),
    ("cannot carry Tag of the row at position 0: it splits a list", "insert", {"frame": leads(1, Tag=[["a, b"]])}),
    ("leaves Tag alone where a row empties it", "insert", {"frame": leads(1, Tag=[[]])}),
]


@pytest.mark.parametrize(("why", "action", "asked"), CANNOT, ids=[f"{w} {a}" for w, a, _ in CANNOT])
def test_what_bulk_write_cannot_do_is_said_before_anything_is_sent(
    zoho: World, why: str, action: Any, asked: dict[str, Any]
) -> None:
    with pytest.raises(PushError, match=why):
        zoho[1].push("Leads", action=action, via="bulk", **asked)
    assert not writes(zoho[0])


def test_more_fields_than_it_takes(zoho: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BULK_WRITE_MAX_COLUMNS", 2)
    with pytest.raises(PushError, match="2 fields at most"):
        zoho[1].push("Leads", leads(1), "insert", via="bulk")


def test_a_subform_goes_by_calls(zoho: World) -> None:
    with pytest.raises(PushError, match="cannot carry Line_Items"):
        zoho[1].push("Projects", [{"Name": "P", "Line_Items": [{"Item": "x"}]}], "insert", via="bulk")


# The choice


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that are worth their credits from 21 rows on, so that the choice needs no thousands of rows."""

    monkeypatch.setattr(limits, "BULK_WRITE_CREDITS", 2)


@pytest.mark.parametrize(
    ("rows", "more", "route", "why"),
    [
        (20, {}, "records", "2 API credits; bulk write takes 2"),
        (21, {}, "bulk", "2 API credits instead of 3"),
        (21, {"via": "records"}, "records", "you chose it; 3 API credits"),
        (20, {"via": "bulk"}, "bulk", "you chose it; 2 API credits instead of 2"),
        (30, {"triggers": []}, "records", "bulk write has no choice of automations; 3 API credits instead of 2"),
    ],
)
@pytest.mark.usefixtures("cheap")
def test_auto_takes_what_costs_fewer_credits_and_says_so(
    zoho: World, rows: int, more: dict[str, Any], route: str, why: str
) -> None:
    report = zoho[1].push("Leads", leads(rows), "insert", **more).raise_for_failed()
    assert (report.attrs["api"], report.attrs["reason"]) == (route, why)
    assert (jobs(zoho[0]) == 1) == (route == "bulk")
    assert any("workflows" in warning for warning in report.attrs["warnings"]) == (route == "bulk")


MODULES = ["ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.org.READ", "ZohoCRM.users.READ"]
SCOPES = [
    (["ZohoFiles.files.ALL"], "ZohoCRM.bulk.ALL"),
    (["ZohoFiles.files.ALL", "ZohoCRM.bulk.READ"], "ZohoCRM.bulk.ALL"),
    (["ZohoCRM.bulk.ALL"], "ZohoFiles.files.ALL"),
]


@pytest.mark.parametrize(("granted", "missing"), SCOPES, ids=str)
@pytest.mark.usefixtures("cheap")
def test_a_missing_scope_sends_the_rows_by_calls_and_is_named(
    monkeypatch: pytest.MonkeyPatch, granted: list[str], missing: str
) -> None:
    hurry(monkeypatch)
    with world(scopes=[*MODULES, *granted]) as (_, session):
        report = session.push("Leads", leads(30), "insert").raise_for_failed()
        assert report.attrs["api"] == "records"
        assert f"bulk write needs the scope {missing}" in report.attrs["reason"]
        with pytest.raises(PushError, match=missing):
            session.push("Leads", leads(30), "insert", via="bulk")


@pytest.mark.usefixtures("cheap")
def test_without_the_orgs_id_the_scope_for_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    scopes = [*(scope for scope in MODULES if ".org." not in scope), "ZohoCRM.bulk.ALL", "ZohoFiles.files.ALL"]
    with world(scopes=scopes) as (_, session):
        report = session.push("Leads", leads(30), "insert").raise_for_failed()
        assert (report.attrs["api"], "ZohoCRM.org.READ" in report.attrs["reason"]) == ("records", True)


def refusal(code: str) -> dict[str, Any]:
    return {"code": code, "details": {}, "message": "no", "status": "error"}


REFUSALS = [
    Fault(UPLOAD, status=401, body=refusal("OAUTH_SCOPE_MISMATCH")),
    Fault(UPLOAD, status=200, body=refusal("INVALID_DATA")),
    Fault(UPLOAD, status=403, html=True),
    Fault(UPLOAD, times=99, reset="before"),
    Fault(UPLOAD, body={"status": "success", "details": None}),
    Fault(JOB, "POST", status=400, body=refusal("INVALID_FIELD")),
]


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: f"{fault.path} {fault.status} {fault.reset}")
@pytest.mark.usefixtures("cheap")
def test_where_bulk_write_is_refused_auto_goes_by_calls(zoho: World, fault: Fault) -> None:
    sim, session = zoho
    sim.faults.add(fault)
    report = session.push("Leads", leads(30), "insert").raise_for_failed()
    assert (report.attrs["api"], jobs(sim) <= 1) == ("records", True)
    assert "bulk write was refused" in report.attrs["reason"]
    assert any("Went by calls" in warning for warning in report.attrs["warnings"])
    sim.faults.clear()
    sim.faults.add(fault)
    chosen = session.push("Leads", leads(30, start=100), "insert", via="bulk")
    assert (chosen.counts["failed"], chosen.attrs["api"]) == (30, "bulk")


@pytest.mark.usefixtures("cheap")
def test_a_required_column_that_is_missing_fails_every_row_without_a_call_for_each(zoho: World) -> None:
    sim, session = zoho
    report = session.push("Leads", leads(30)[["Email"]], "insert")
    assert set(report["code"]) == {"MANDATORY_FIELDS_NOT_MAPPED"}
    assert sim.traffic.count("POST", "/crm/v8/Leads") == 0


# Trouble


def test_a_job_whose_creation_was_not_answered_is_not_made_again(zoho: World) -> None:
    sim, session = zoho
    before = sim.crm.count("Leads")
    sim.faults.add(Fault(JOB, "POST", reset="after"))
    report = session.push("Leads", leads(5), "insert", via="bulk")
    settle(sim)
    assert (report.counts["unknown"], jobs(sim)) == (5, 1)
    assert sim.crm.count("Leads") - before == 5
    with pytest.raises(PushError, match="no row"):
        report.retry()


TROUBLE = [{"reset": "before"}, {"status": 500}, {"html": True}, {"truncate": True}, {"status": 429}]


@pytest.mark.parametrize("where", [rf"{JOB}/\d+", rf"{JOB}/\d+/result"])
@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
def test_trouble_on_the_way_to_the_result_is_sat_through(zoho: World, where: str, trouble: dict[str, Any]) -> None:
    sim, session = zoho
    sim.faults.add(Fault(where, "GET", times=5, **trouble))
    assert session.push("Leads", leads(5), "insert", via="bulk").counts["succeeded"] == 5


@pytest.mark.parametrize("action", ["insert", "upsert"])
def test_a_job_that_was_lost_sight_of_is_asked_after_by_a_retry(zoho: World, action: Any) -> None:
    sim, session = zoho
    sim.faults.add(Fault(rf"{JOB}/\d+", "GET", times=10**6, status=503, html=True))
    frame = leads(6)
    frame.loc[2, "Last_Name"] = None
    report = session.push("Leads", frame, action, on="Email" if action == "upsert" else None, via="bulk")
    assert report.counts == {"succeeded": 0, "failed": 0, "unknown": 6}
    assert "Bulk write job 5540" in report["message"].iloc[0]
    sim.faults.clear()
    before = sim.crm.count("Leads")
    again = report.retry()
    assert list(again["status"]) == ["succeeded", "succeeded", "failed", "succeeded", "succeeded", "succeeded"]
    assert (again["code"].iloc[2], jobs(sim), sim.crm.count("Leads")) == ("MANDATORY_NOT_FOUND", 1, before)
    corrected = session.push("Leads", frame.fillna("Mended"), "insert", dry_run=True)
    assert corrected.counts["valid"] == 6
    assert list(again.retry(frame.fillna("Mended"))["status"]) == ["succeeded"]


def test_what_a_job_says_at_a_retry_is_its_first_answer(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(1, start=90), "insert").raise_for_failed()
    frame = leads(2)
    frame.loc[1, "Email"] = "pushed90@example.com"
    sim.faults.add(Fault(rf"{JOB}/\d+", "GET", times=10**6, status=403, html=True))
    report = session.push("Leads", frame, "insert", via="bulk")
    assert report.counts["unknown"] == 2
    sim.faults.clear()
    again = report.retry()
    assert list(again["code"]) == ["SUCCESS", "DUPLICATE_DATA"]
    assert again.counts == {"succeeded": 1, "failed": 1, "unknown": 0}


def test_the_rows_of_a_job_that_failed_before_it_wrote_one_can_be_sent_again(zoho: World) -> None:
    sim, session = zoho
    sim.options.fail_next_jobs = 1
    before = sim.crm.count("Leads")
    report = session.push("Leads", leads(3), "insert", via="bulk")
    assert set(report["code"]) == {"JOB_FAILED"}
    assert report.retry().counts["succeeded"] == 3
    assert sim.crm.count("Leads") - before == 3


def test_a_carriage_return_in_a_cell_leaves_its_row_whole(zoho: World) -> None:
    sim, session = zoho
    texts = ["Acme", "first\rsecond", "a\r\nb", "\r", 'quo"ted,\r', " Zeta "]
    frame = leads(6, Company=texts, City="Bern")
    report = session.push("Leads", frame, "insert", via="bulk").raise_for_failed()
    assert [stored(sim)[record]["Company"] for record in report["id"]] == texts
    changed = report[["id"]].assign(Description=texts[::-1])
    session.push("Leads", changed, "update", via="bulk").raise_for_failed()
    assert [stored(sim)[record]["Description"] for record in report["id"]] == texts[::-1]


def test_the_csv_inside_the_zip_stays_below_the_limit_too(zoho: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BULK_WRITE_MAX_BYTES", 10_000)
    zoho[1].push("Leads", leads(40, Description="x" * 1_000), "insert", via="bulk").raise_for_failed()
    assert jobs(zoho[0]) == 8


def zipped(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("result.csv", text)
    return packed.getvalue()


HEAD = "Last_Name,STATUS,RECORD_ID,ERRORS\n"
RESULTS = [
    (zipped("\ufeff" + HEAD + "a,ADDED,1,\nb,UPDATED,2,\n"), ["succeeded", "succeeded"]),
    (zipped(HEAD + "a,added,1,\nb,SKIPPED,,BLOCKED_RECORD\n"), ["succeeded", "failed"]),
    (zipped(HEAD + "a,UNPROCESSED,,\nb,SKIPPED,,\n"), ["failed", "failed"]),
    (zipped(HEAD + "a,ADDED,1,\nb,EXPLODED,,\n"), ["succeeded", "unknown"]),
    (zipped(HEAD + "a,ADDED,1,\n"), ["unknown", "unknown"]),  # of which row does the one line tell?
    (zipped(HEAD + "a,ADDED,1,\n" * 3), ["unknown", "unknown"]),
]


@pytest.mark.parametrize(("body", "expected"), RESULTS)
def test_result_files(zoho: World, body: bytes, expected: list[str]) -> None:
    sim, session = zoho
    sim.faults.add(Fault(rf"{JOB}/\d+/result", body=body, times=99))
    assert list(session.push("Leads", leads(2), "insert", via="bulk")["status"]) == expected


@pytest.mark.parametrize("body", [b"", b"no zip", zipped(""), zipped("A,B\n1,2\n"), zipped(HEAD)])
def test_where_the_result_cannot_be_read_the_counts_may_still_say_it(zoho: World, body: bytes) -> None:
    sim, session = zoho
    sim.faults.add(Fault(rf"{JOB}/\d+/result", body=body, times=10**6))
    report = session.push("Leads", leads(2), "insert", via="bulk")
    assert (list(report["status"]), list(report["id"])) == (["succeeded"] * 2, ["", ""])
    skipped = session.push("Leads", leads(2, Rating="x"), "insert", via="bulk")
    assert list(skipped["code"]) == ["SKIPPED"] * 2
    mixed = session.push("Leads", leads(2, start=9, Rating=[None, "x"]), "insert", via="bulk")
    assert list(mixed["status"]) == ["unknown"] * 2


def test_a_result_on_a_strange_host_is_not_fetched_with_the_token(zoho: World) -> None:
    sim, session = zoho
    job = {"status": "COMPLETED", "result": {"download_url": "https://files.example.org/x.zip"}, "resource": []}
    sim.faults.add(Fault(rf"{JOB}/\d+", "GET", body=job, times=99))
    report = session.push("Leads", leads(2), "insert", via="bulk")
    assert set(report["status"]) == {"unknown"}
    assert "not one of Zoho's" in report["message"].iloc[0]


def test_rows_for_the_same_record_keep_their_order_across_files(zoho: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, session = zoho
    monkeypatch.setattr(limits, "BULK_WRITE_ROWS_PER_FILE", 3)
    frame = pd.DataFrame({"Last_Name": "x", "Email": "same@example.com", "Company": [f"v{n}" for n in range(8)]})
    session.push("Leads", frame, "upsert", on="Email", via="bulk").raise_for_failed()
    assert [row["Company"] for row in stored(sim).values() if row["Email"] == "same@example.com"] == ["v7"]
    sim.faults.add(Fault(JOB, "POST", reset="after"))
    report = session.push("Leads", frame, "upsert", on="Email", via="bulk")
    settle(sim)
    assert list(report["status"]) == ["unknown"] * 3 + ["failed"] * 5
    assert set(report.failed["code"]) == {"NOT_SENT"}
