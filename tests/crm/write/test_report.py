"""The report of a push: counts, parts, what it raises, what it pushes again, and its card."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.push_env import WRITES, hurry, leads, stored, world, writes
from zoho_magic.crm.write.push import PushReport
from zoho_magic.crm.write.row_messages import message_for
from zoho_magic.errors import PushError
from zoho_magic.notebook.cards import push_card
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world() as opened:
        yield opened


def mixed(zoho: World) -> tuple[pd.DataFrame, PushReport]:
    """A row that succeeds, one that fails, and a hundred that are unknown."""
    frame = leads(103).set_axis([f"r{n}" for n in range(103)])
    frame.loc["r1", "Last_Name"] = None
    zoho[0].faults.add(Fault(WRITES, "POST", after=1, reset="after"))
    zoho[1].push("Leads", leads(1, start=900), "insert")  # one call, so that the fault meets the second of the next two
    report = zoho[1].push("Leads", frame, "insert")
    return frame, report


def test_counts_and_parts(zoho: World) -> None:
    _, report = mixed(zoho)
    assert sum(report.counts.values()) == 103
    assert report.counts["unknown"] in (3, 100)
    for part, status in ((report.succeeded, "succeeded"), (report.failed, "failed"), (report.unknown, "unknown")):
        assert (len(part), isinstance(part, pd.DataFrame)) == (report.counts[status], True)
        assert set(part["status"]) <= {status}
    assert report.title.startswith("insert Leads: ")
    assert repr(report).startswith(report.title)
    assert {type(value) for value in report.to_numpy().ravel()} == {str}


def test_attrs_tell_what_was_done(zoho: World) -> None:
    report = zoho[1].push("Leads", leads(2), "upsert", on="Email", via="records", keep=False)
    assert report.attrs == {
        "module": "Leads",
        "action": "upsert",
        "on": ["Email"],
        "api": "records",
        "reason": "you chose it; 1 API credits",
        "warnings": [],
        "calls": 1,
        "credits": 1,
    }


def test_it_raises_for_what_failed_or_may_not_be_there(zoho: World) -> None:
    good = zoho[1].push("Leads", leads(1), "insert")
    assert good.raise_for_failed() is good
    bad = zoho[1].push("Leads", [{"Last_Name": None, "Company": "x"}], "insert")
    with pytest.raises(
        PushError, match=r"0 succeeded, 1 failed, 0 unknown. First: MANDATORY_NOT_FOUND Last_Name"
    ) as met:
        bad.raise_for_failed()
    assert (met.value.report is bad, met.value.code) == (True, "MANDATORY_NOT_FOUND")
    zoho[0].faults.add(Fault(WRITES, reset="after"))
    with pytest.raises(PushError, match="OUTCOME_UNKNOWN"):
        zoho[1].push("Leads", leads(1, start=5), "insert").raise_for_failed()


def test_it_is_a_frame_that_can_be_kept(zoho: World) -> None:
    report = zoho[1].push("Leads", [{"Last_Name": None, "Company": "x"}], "insert")
    kept = pickle.loads(pickle.dumps(report))
    assert (type(kept), kept.counts, kept.attrs) == (PushReport, report.counts, report.attrs)
    with pytest.raises(PushError, match="no row"):
        kept.retry(leads(1))
    assert type(report.copy()) is pd.DataFrame


def test_its_ids_delete_what_was_written(zoho: World) -> None:
    before = zoho[0].crm.count("Leads")
    report = zoho[1].push("Leads", leads(3), "insert")
    assert zoho[1].push("Leads", report.succeeded, "delete").counts["succeeded"] == 3
    assert zoho[0].crm.count("Leads") == before


# retry


def test_a_corrected_frame_pushes_the_failed_rows_and_no_others(zoho: World) -> None:
    sim, session = zoho
    frame = leads(4, Rating=["Active", "x", "Active", "y"]).set_axis(list("abcd"))
    report = session.push("Leads", frame, "insert")
    with pytest.raises(PushError, match="no row that may be pushed again as it is"):
        report.retry()
    first = report.retry(frame.replace("x", "Active"))
    assert (list(first.index), list(first["status"])) == (["b", "d"], ["succeeded", "failed"])
    for corrected in (frame.replace(["x", "y"], "Active"), frame.loc[["b", "d"]].replace("y", "Active")):
        with pytest.MonkeyPatch.context() as patch:  # the same from the first report's rows and from the second's
            patch.setattr(session._crm, "request", _nothing_is_sent(session))
            assert list(first.retry(corrected).index) == ["d"]
    last = first.retry(frame.replace(["x", "y"], "Active"))
    assert (list(last.index), list(last["status"])) == (["d"], ["succeeded"])
    assert sorted(row["Last_Name"] for row in stored(sim).values() if row["Company"] == "Northwind") == [
        f"Pushed {n}" for n in range(4)
    ]
    for wrong in (frame.head(3), pd.concat([frame, frame])):
        with pytest.raises(PushError, match=r"\d rows, and 4 were pushed"):
            report.retry(wrong)


@pytest.mark.parametrize("via", ["records", "bulk"])
@pytest.mark.parametrize("corrected", [False, True])
def test_retrying_twice_from_one_report_writes_no_row_twice(zoho: World, via: str, corrected: bool) -> None:
    sim, session = zoho
    before = sim.crm.count("Leads")
    frame = leads(150, Rating=["x" if n % 50 == 0 else "Active" for n in range(150)])
    sim.faults.add(Fault(r"/crm/v8/Leads|/crm/v8/upload", status=429, times=10**6))
    report = session.push("Leads", frame, "insert", via=via)
    sim.faults.clear()
    assert report.counts["failed"] == 150
    given = frame.replace("x", "Active") if corrected else None
    first = report.retry(given)
    assert first.counts["succeeded"] == (150 if corrected else 147)
    for again in (given, None):
        with pytest.raises(PushError, match="no row that may be pushed again"):
            report.retry(again)
    assert sim.crm.count("Leads") - before == first.counts["succeeded"]
    last = report.retry(frame.replace("x", "Active")) if not corrected else first
    assert last.counts["failed"] == 0
    assert sim.crm.count("Leads") - before == 150


def test_a_retry_that_sends_nothing_leaves_the_rows_to_the_next_one(zoho: World) -> None:
    report = zoho[1].push("Leads", leads(2, Rating=["x", "Active"]), "insert")
    with pytest.raises(PushError, match="no field"):
        report.retry(leads(2, Ratings="Active"))
    assert list(report.retry(leads(2)).index) == [0]


REORDERED = {
    "sorted": lambda frame: frame.sort_values("Last_Name"),
    "reversed part": lambda frame: frame.iloc[[2, 1, 0]],
}
REFUSED = {
    "index reset": lambda frame: frame.sort_values("Last_Name").reset_index(drop=True).set_axis([10, 11, 12]),
    "another index": lambda frame: frame.reset_index(drop=True),
    "a label twice": lambda frame: frame.set_axis([10, 11, 11]),
    "no labels": lambda frame: frame.to_dict("records"),
}


@pytest.mark.parametrize("change", [*REORDERED, *REFUSED])
def test_a_corrected_frame_is_aligned_by_its_labels(zoho: World, change: str) -> None:
    sim, session = zoho
    frame = pd.DataFrame({"Last_Name": ["Bo", None, "Al"], "Company": "Northwind"}, index=[10, 11, 12])
    report = session.push("Leads", frame, "insert")
    corrected = {**REORDERED, **REFUSED}[change](frame.fillna("Cy"))
    if change in REFUSED:
        with pytest.raises(PushError, match=r"another order|has no row|not unique"):
            report.retry(corrected)
    else:
        assert list(report.retry(corrected).succeeded.index) == [11]
    names = sorted(row["Last_Name"] for row in stored(sim).values() if row["Company"] == "Northwind")
    assert names == (["Al", "Bo"] if change in REFUSED else ["Al", "Bo", "Cy"])


def test_after_a_lost_connection_the_advice_is_retry(zoho: World) -> None:
    sim, session = zoho
    sim.faults.add(Fault(WRITES, "POST", after=2, times=10**6, reset="before"))
    report = session.push("Leads", leads(3_000), "insert", via="records")  # more calls than go side by side
    told = " ".join([*report.attrs["warnings"], *report["message"]])
    assert "report.retry()" in told
    assert "run it again" not in told
    assert ".." not in told


def _nothing_is_sent(session: ZohoSession) -> Any:
    def refuse(method: str, path: str, **options: Any) -> Any:
        raise PushError("not now")

    return refuse


def test_rows_go_again_as_they_were_whatever_became_of_the_frame(zoho: World) -> None:
    sim, session = zoho
    session.push("Leads", leads(1, start=900), "insert")
    frame = leads(150)
    sim.faults.add(Fault(WRITES, status=429, times=10**6))
    report = session.push("Leads", frame, "insert")
    sim.faults.clear()
    frame["Last_Name"] = "Changed meanwhile"
    again = report.retry().raise_for_failed()
    assert [stored(sim)[record]["Last_Name"] for record in again["id"]] == [f"Pushed {n}" for n in range(150)]


def test_a_row_that_a_later_one_overtook_is_not_sent_again(zoho: World) -> None:
    sim, session = zoho
    [record] = session.push("Leads", leads(1), "insert")["id"]
    rows = [
        {"id": record, "Company": "old"},
        {"id": record, "Company": "new"},
        {"id": "554023000000999999", "City": "x"},
    ]
    busy = {"code": "INTERNAL_ERROR", "details": {}, "message": "x", "status": "error"}
    sim.faults.add(Fault(WRITES, "PUT", body={"data": [busy, busy]}))
    report = session.push("Leads", rows, "update")
    assert list(report["status"]) == ["failed", "succeeded", "failed"]
    assert list(report.retry().index) == [2]
    assert stored(sim)[record]["Company"] == "new"


def test_a_deletion_that_is_unknown_stays_so_when_the_record_is_gone(zoho: World) -> None:
    sim, session = zoho
    ids = session.push("Leads", leads(2), "insert")["id"]
    sim.faults.add(Fault(WRITES, "DELETE", times=99, reset="after"))
    report = session.push("Leads", pd.DataFrame({"id": ids}), "delete")
    sim.faults.clear()
    assert set(report["status"]) == set(report.retry()["status"]) == {"unknown"}


# Words


UNFIT = "the value does not fit the field"


@pytest.mark.parametrize(
    ("code", "message", "details", "told"),
    [
        ("UNPROCESSED", "", {}, "Zoho did not get to this row; report.retry() sends it again"),
        ("INVALID_DATA", "invalid data", {"expected_data_type": "email"}, f"{UNFIT}: Zoho expects email"),
        ("INVALID_DATA", "invalid data", {"supported_values": ["a", "b"]}, f"{UNFIT}: one of a, b"),
        ("INVALID_DATA", "record not deleted", {"id": "5"}, "there is no such record, or you may not change it"),
        ("NEW_AT_ZOHO", "words of Zoho's own", {"limit": 5}, "words of Zoho's own: 5 at most"),
        ("NEW_AT_ZOHO", "", None, "NEW_AT_ZOHO"),
    ],
)  # fmt: skip
def test_codes_in_words(code: str, message: str, details: Any, told: str) -> None:
    assert message_for(code, message, details) == told


# The card


def test_the_card_shows_counts_and_the_first_bad_rows(zoho: World) -> None:
    frame = leads(14, Rating="<b>x</b>").set_axis([7] * 14)
    report = zoho[1].push("Leads", frame, "insert")
    html = push_card(report)
    assert "insert Leads: 0 succeeded, 14 failed, 0 unknown" in html
    assert html.count("INVALID_DATA Rating") == 1, "rows with the same cause stand together"
    assert "14 rows: 7 (position 0), 7 (position 1), " in html, "rows with the same label are told apart"
    assert "and 4 more: failed INVALID_DATA Rating" in html
    assert "records (2 API credits; bulk write takes 500)" in html
    dry = push_card(zoho[1].push("Leads", frame, "insert", dry_run=True))
    assert "0 valid" not in dry
    assert "none of the choices" in dry
    assert "<b>x</b>" not in dry


def test_the_cards_edge_tells_the_worst(zoho: World) -> None:
    edges = {}
    for name, frame, fault in (
        ("good", leads(1), None),
        ("bad", [{"Company": "x"}], None),
        ("lost", leads(1), "after"),
    ):
        if fault:
            zoho[0].faults.add(Fault(WRITES, reset=fault))
        edges[name] = push_card(zoho[1].push("Leads", frame, "insert")).partition("border-left:4px solid ")[2][:7]
    assert len(set(edges.values())) == 3


def test_nothing_at_all_is_a_report_too(zoho: World) -> None:
    for empty in ([], pd.DataFrame({"id": []})):
        report = zoho[1].push("Leads", empty, "delete" if len(getattr(empty, "columns", [])) else "insert")
        assert report.counts == {"succeeded": 0, "failed": 0, "unknown": 0}
        assert "0 succeeded" in push_card(report)
    assert not writes(zoho[0])


@pytest.mark.parametrize("via", ["records", "bulk"])
def test_a_corrected_row_does_not_undo_a_later_row_of_the_same_record(zoho: World, via: Any) -> None:
    sim, session = zoho
    first, second = session.push("Leads", leads(2), "insert")["id"]
    frame = pd.DataFrame({"id": [first, first, second], "Company": ["old", "new", "x"], "Rating": ["?", None, "?"]})
    report = session.push("Leads", frame, "update", via=via)
    assert list(report["status"]) == ["failed", "succeeded", "failed"]
    again = report.retry(frame.assign(Rating="Active"))
    assert list(again["code"]) == ["SUPERSEDED", "SUCCESS"]
    assert "push this row by itself" in again["message"].iloc[0]
    assert (stored(sim)[first]["Company"], stored(sim)[second]["Rating"]) == ("new", "Active")
    other = report.retry(frame.assign(Rating="Active", id=[second, first, second]))
    assert other.counts["succeeded"] == 0, "rows that a retry pushed go on from its report"
