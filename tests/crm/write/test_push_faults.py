"""Whatever goes wrong on the way: every row is accounted for, and nothing is written twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.support.push_env import hurry, settle, world
from zoho_magic.crm import limits
from zoho_magic.errors import PushError, ZohoError
from zoho_magic.http import transport
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

OLD = 9
"""Leads there are before an example begins."""

DELAY = 0.5
"""Seconds the slowest answer takes; with one of those about, the session is twice as impatient."""

ROW_FAULTS = {"INVALID_DATA", "MANDATORY_NOT_FOUND", "DUPLICATE_DATA", "MULTIPLE_OR_MULTI_ERRORS"}


@pytest.fixture(scope="module")
def zoho() -> Iterator[tuple[Simulator, ZohoSession]]:
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        # Small files and calls: several of each from few rows.
        patch.setattr(limits, "WRITE_ROWS_PER_CALL", 4)
        patch.setattr(limits, "BULK_WRITE_ROWS_PER_FILE", 6)
        with world(rows=0) as (sim, session):
            session.fields("Leads")
            yield sim, session


@dataclass(frozen=True)
class Lead:
    """A row of a frame: which old lead it means (None: a new one), whether it has an address, what is wrong with it."""

    old: int | None
    addressed: bool
    wrong: str


# What may go wrong


def faults_at(path: str) -> st.SearchStrategy[Fault]:
    kinds = st.sampled_from(
        (
            {"status": 429},
            {"status": 500},
            {"status": 500, "late": True},
            {"status": 503, "html": True},
            {"status": 502, "html": True, "late": True},
            {"status": 403, "html": True},
            {"reset": "before"},
            {"reset": "after"},
            {"truncate": True},
            {"truncate": 0},
            {"html": True},
            {"html": True, "late": True},
            {"advance": 3600.0},
            {"advance": 3600.0, "reset": "after"},
            {"delay": DELAY},
            {"body": {"data": [None]}, "late": True},
            {"body": {"code": "INTERNAL_ERROR", "details": {}, "message": "x", "status": "error"}, "late": True},
        )
    )
    times = st.sampled_from((1, 1, 1, 1, 2, 3, 5, 9))
    return st.builds(
        lambda kind, times, after: Fault(path=path, times=1 if "delay" in kind else times, after=after, **kind),
        kinds,
        times,
        st.sampled_from((0, 0, 0, 1, 1, 2, 3, 5)),
    )


CALLS = ("/crm/v8/Leads", "/crm/v8/Leads", "/crm/v8/Leads", "/crm", "/oauth")
JOBS = ("/crm/bulk/v8/write", "/crm/bulk/v8/write", "/crm/v8/upload", "/crm", "/oauth")


def faults(paths: tuple[str, ...]) -> st.SearchStrategy[list[Fault]]:
    return st.lists(st.sampled_from(paths).flatmap(faults_at), max_size=3)


ROWS = st.lists(
    st.builds(
        Lead,
        old=st.none() | st.integers(0, OLD - 1),
        addressed=st.booleans() | st.just(True),
        wrong=st.sampled_from(("", "", "", "", "choice", "length", "taken", "name")),
    ),
    min_size=1,
    max_size=14,
)


# What is pushed


def begin(sim: Simulator, session: ZohoSession) -> list[str]:
    """Put everything back to where an example begins; the ids of the old leads."""
    sim.faults.clear()
    settle(sim)
    sim.crm.store.write('DELETE FROM "Leads"')
    sim.clock.advance(3600)
    rows = [{"Last_Name": f"Old {n}", "Email": f"old{n}@example.com", "Company": "before"} for n in range(OLD)]
    ids = list(session.push("Leads", rows, "insert", progress=False).raise_for_failed()["id"])
    session.push("Leads", [{"Last_Name": "Other", "Email": "taken@example.com"}], "insert").raise_for_failed()
    return ids


def frame_of(rows: list[Lead], action: str, ids: list[str]) -> pd.DataFrame:
    cells = [cells_of(row, action, place, ids) for place, row in enumerate(rows)]
    return pd.DataFrame(cells, index=[f"row {n}" for n in range(len(rows))], dtype="str").astype(object)


def cells_of(row: Lead, action: str, place: int, ids: list[str]) -> dict[str, Any]:
    mark = f"mark {place}"
    record = "554023000000999999" if row.old is None else ids[row.old]
    if action == "delete":
        return {"id": record}
    cells: dict[str, Any] = {"Last_Name": f"Name {place}", "Company": mark, "Rating": None}
    cells["Email"] = f"new{place}@example.com" if row.addressed else None
    if action == "upsert" and row.old is not None and row.addressed:
        cells["Email"] = f"old{row.old}@example.com"
    if action == "update":
        cells["id"], cells["Email"] = record, None
    wrong = {"choice": {"Rating": "No such rating"}, "length": {"Company": mark + "x" * 200},
             "taken": {"Email": "taken@example.com"} if action in ("insert", "update") else {},
             "name": {"Last_Name": "y" * 81}}  # fmt: skip
    return {**cells, **wrong.get(row.wrong, {})}


def is_bad(row: Lead, action: str) -> bool:
    if action == "delete":
        return row.old is None
    return (action == "update" and row.old is None) or (
        row.wrong != "" and not (row.wrong == "taken" and action == "upsert")
    )


# What must hold


def stored(sim: Simulator) -> pd.DataFrame:
    found = pd.DataFrame(sim.crm.rows("Leads"), columns=["id", "Company", "Email", "Last_Name"])
    return found.assign(mark=found["Company"].astype(str).str.slice(0, 8).str.strip())


def check_marks(rows: list[Lead], action: str, report: pd.DataFrame, sim: Simulator, ids: list[str]) -> None:
    """Rows that were written stand in the table once, unless a later row for the same record came over them."""
    table = stored(sim)
    times = Counter(table["Company"])
    groups: dict[Any, list[int]] = {}
    for place, row in enumerate(rows):
        key = ("old", row.old) if row.old is not None and (action == "update" or row.addressed) else ("new", place)
        groups.setdefault(key if action in ("update", "upsert") else ("new", place), []).append(place)
    for places in groups.values():
        held = [place for place in places for _ in range(times[f"mark {place}"])]
        assert len(held) <= 1, f"written twice: {held}"
        status = [report["status"].iloc[place] for place in places]
        assert all(report["status"].iloc[place] != "failed" for place in held), "a failed row was written"
        last = max((place for place, its in zip(places, status, strict=True) if its == "succeeded"), default=None)
        assert last is None or (held and held[0] >= last), "a row that succeeded is not there"
    assert len(table) <= OLD + 1 + sum(len(places) for places in groups.values())
    assert table["Email"].dropna().str.lower().is_unique


def check_deleted(rows: list[Lead], report: pd.DataFrame, sim: Simulator, ids: list[str]) -> None:
    left = set(stored(sim)["id"])
    gone = Counter(row.old for row, status in zip(rows, report["status"], strict=True) if status == "succeeded")
    assert None not in gone, "what never was cannot have been deleted"
    assert all(times == 1 for times in gone.values()), "deleted twice"
    possibly = {row.old for row, status in zip(rows, report["status"], strict=True) if status != "failed"}
    for number, record in enumerate(ids):
        if number in gone:
            assert record not in left
        elif number not in possibly:
            assert record in left, "a failed row was deleted"


def check_reasons(rows: list[Lead], action: str, report: pd.DataFrame, faults: list[Fault]) -> None:
    """A bad row never succeeds nor hides; a good row never fails for what is in it."""
    seen: Counter[Any] = Counter()
    for place, row in enumerate(rows):
        result = report.iloc[place]
        twice = action == "delete" and seen[row.old] > 0
        seen[row.old] += 1
        if is_bad(row, action):
            assert result["status"] != "succeeded"
            assert faults or (result["status"], result["code"] in ROW_FAULTS) == ("failed", True)
        elif not twice:
            assert result["code"] not in ROW_FAULTS, dict(result)
            assert faults or result["status"] == "succeeded", dict(result)
        assert result["message"]


def pushed(zoho: tuple[Simulator, ZohoSession], rows: list[Lead], action: str, via: str, faults: list[Fault]) -> Any:
    sim, session = zoho
    ids = begin(sim, session)
    before = stored(sim)
    frame = frame_of(rows, action, ids)
    for fault in faults:
        sim.faults.add(fault)
    patient = not any(fault.delay for fault in faults)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transport, "TIMEOUT", (20.0, 20.0 if patient else DELAY / 2))
            report = session.push("Leads", frame, action, on="Email" if action == "upsert" else None, via=via)
    except ZohoError as error:  # before anything was written
        settle(sim)
        pd.testing.assert_frame_equal(stored(sim), before)
        event(f"raised {error.code}")
        return None
    settle(sim)
    return ids, report


def check(
    zoho: tuple[Simulator, ZohoSession], rows: list[Lead], action: str, via: str, faults: list[Fault], then: str
) -> None:
    outcome = pushed(zoho, rows, action, via, faults)
    if outcome is None:
        return
    ids, report = outcome
    for status, number in report.counts.items():
        event(f"{status} {'some' if number else 'none'}")
    assert sum(report.counts.values()) == len(rows) == len(report)
    assert set(report.counts) == {"succeeded", "failed", "unknown"}
    assert list(report.index) == [f"row {n}" for n in range(len(rows))]
    check_org(rows, action, report, zoho[0], ids)
    check_reasons(rows, action, report, faults)
    zoho[0].faults.clear()
    zoho[0].clock.advance(600)  # a token request that was throttled blocks the next ones for ten minutes
    event(then)
    AFTERWARDS[then](rows, action, report, zoho, ids)


def check_org(rows: list[Lead], action: str, report: pd.DataFrame, sim: Simulator, ids: list[str]) -> None:
    if action == "delete":
        check_deleted(rows, report, sim, ids)
    else:
        check_marks(rows, action, report, sim, ids)


def merged(report: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """The results of all rows after a retry of some."""
    assert set(again["status"]) <= {"succeeded", "failed", "unknown"}
    both = pd.DataFrame(report).astype(object)
    both.update(pd.DataFrame(again).astype(object))
    return both


def retry_once(rows: list[Lead], action: str, report: Any, zoho: Any, ids: list[str]) -> Any:
    """With the trouble over, a retry does what can be done, and all of the above still holds."""
    try:
        again = report.retry()
    except PushError:
        assert action in ("insert", "upsert") or len(set(map(str, rows))) < len(rows) or not report.counts["unknown"]
        return report
    settle(zoho[0])
    event("retried")
    assert action == "delete" or not again["code"].isin(("NOT_SENT", "OUTCOME_UNKNOWN")).any()
    check_org(rows, action, merged(report, again), zoho[0], ids)
    return merged(report, again)


def retry_twice(rows: list[Lead], action: str, report: Any, zoho: Any, ids: list[str]) -> None:
    """The cell with the retry is run twice: the second time nothing that was written goes again."""
    results = retry_once(rows, action, report, zoho, ids)
    before = stored(zoho[0])
    try:
        results = merged(results, report.retry())
        settle(zoho[0])
    except PushError:
        settle(zoho[0])
        pd.testing.assert_frame_equal(stored(zoho[0]), before)
    check_org(rows, action, results, zoho[0], ids)


def retry_sorted(rows: list[Lead], action: str, report: Any, zoho: Any, ids: list[str]) -> None:
    """A corrected frame in another order: failed rows go by their labels, and no other."""
    good = [replace(row, wrong="") for row in rows]
    corrected = frame_of(good, action, ids).iloc[::-1]
    written = set(report.index[report["status"] == "succeeded"])
    try:
        again = report.retry(corrected)
    except PushError:
        assert not report.counts["failed"]
        return
    settle(zoho[0])
    assert written.isdisjoint(again.index)
    assert set(report.failed.index) <= set(again.index)
    if (again["code"] == "SUPERSEDED").any():
        assert action in ("update", "upsert")
    check_org(good, action, merged(report, again), zoho[0], ids)


def run_again(rows: list[Lead], action: str, report: Any, zoho: Any, ids: list[str]) -> None:
    """The cell with the push is run again: every row that would be added twice is known before it is sent."""
    sim, session = zoho
    frame = frame_of(rows, action, ids)
    before = stored(sim)
    known = session.count_inserted("Leads", frame, action)
    added = [
        place
        for place, row in enumerate(rows)
        if report["status"].iloc[place] != "failed"
        and (action == "insert" or (action == "upsert" and not row.addressed))
    ]
    assert known >= len(added)
    pd.testing.assert_frame_equal(stored(sim), before)


AFTERWARDS = {
    "retry": retry_once,
    "retry twice": retry_twice,
    "retry a sorted corrected frame": retry_sorted,
    "run the cell again": run_again,
}

many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
THEN = st.sampled_from(list(AFTERWARDS))


@many
@given(rows=ROWS, action=st.sampled_from(("insert", "update", "upsert", "delete")), faults=faults(CALLS), then=THEN)
def test_calls_account_for_every_row(zoho: Any, rows: list[Lead], action: str, faults: list[Fault], then: str) -> None:
    check(zoho, rows, action, "records", faults, then)


@many
@given(rows=ROWS, action=st.sampled_from(("insert", "update", "upsert")), faults=faults(JOBS), then=THEN)
def test_bulk_write_accounts_for_every_row(
    zoho: Any, rows: list[Lead], action: str, faults: list[Fault], then: str
) -> None:
    check(zoho, rows, action, "bulk", faults, then)
