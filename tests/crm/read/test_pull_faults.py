"""Trouble in the middle of a pull: every row comes all the same, or an error of ours says why not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.pull_env import ROUTES, asked, connect, hurried, idle, same, settled, world, write_env
from zoho_magic.crm import limits
from zoho_magic.errors import ApiError, AuthError, ThrottledError, TransportError
from zoho_magic.http import transport
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Options, Simulator

World = tuple[Simulator, ZohoSession]
FIELDS = ["Last_Name", "Lead_Score", "Next_Follow_Up"]
LISTS, QUERIES, JOBS = "/crm/v8/Leads", "/crm/v8/coql", "/crm/bulk/v8/read"
STATUS, RESULT = r"/crm/bulk/v8/read/\d+", r"/crm/bulk/v8/read/\d+/result"
PATHS = [("records", LISTS), ("coql", QUERIES), ("bulk", JOBS), ("bulk", STATUS), ("bulk", RESULT)]


@pytest.fixture(scope="module")
def started() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, world(rows=560) as found:
        hurried(patch)
        patch.setattr(limits, "COQL_ROWS_PER_CALL", 100)
        yield found


@pytest.fixture
def busy(started: World) -> World:
    """A Zoho with some 400 leads; windows of 100 rows, so that COQL needs several calls. Nothing is ordered yet."""
    sim, zoho = started
    idle(sim)
    zoho._crm.row_counts.clear()  # the count is then asked for before the rows, not beside them
    sim.faults.clear()
    sim.traffic.clear()
    easy = {"job_seconds": 0.0, "bulk_downloads_per_minute": 10**6, "credit_limit": 10**9}
    vars(sim.options).update({**vars(Options()), **easy})
    return started


@pytest.fixture(scope="module")
def expected(started: World) -> dict[str, pd.DataFrame]:
    _, zoho = started
    return {via: zoho.pull("Leads", fields=FIELDS, via=via) for via in ROUTES}  # type: ignore[call-overload]


TROUBLE = {
    "429": {"status": 429},
    "429 with a pause": {"status": 429, "headers": {"Retry-After": "0"}},
    "429 in other words": {"status": 429, "body": {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests."}},
    "500": {"status": 500},
    "502 from a proxy": {"status": 502, "html": True},
    "503": {"status": 503, "html": True},
    "cut before": {"reset": "before"},
    "cut after": {"reset": "after"},
    "half a body": {"truncate": True},
    "a first byte": {"truncate": 1},
    "slow": {"delay": 0.05},
    "token gone": {"advance": 4000.0},
}


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(("via", "path"), PATHS, ids=["list", "query", "job", "status", "result"])
def test_every_row_comes_all_the_same(
    busy: World, expected: dict[str, pd.DataFrame], via: Any, path: str, trouble: str, after: int
) -> None:
    sim, zoho = busy
    sim.options.bulk_page_rows = 130  # four jobs
    times = 1 if trouble == "token gone" else 2
    sim.faults.add(Fault(path=path, times=times, after=after, **TROUBLE[trouble]))
    found = zoho.pull("Leads", fields=FIELDS, via=via)
    same(found, expected[via])
    assert not sim.faults.remaining()


def test_an_answer_that_never_comes_is_asked_for_again(
    busy: World, expected: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, zoho = busy
    monkeypatch.setattr(transport, "TIMEOUT", (5.0, 0.3))
    sim.faults.add(Fault(path=QUERIES, after=1, delay=1.0))
    same(zoho.pull("Leads", fields=FIELDS, via="coql"), expected["coql"])


NOT_ZOHOS: dict[str, dict[str, Any]] = {
    "page": {"html": True},
    "other JSON": {"body": {"hello": "world"}},
    "a list": {"body": b"[1, 2]"},
    "nothing": {"body": b""},
    "numbers": {"body": {"data": [1]}},
    "half": {"body": b'{"data": [{"id": "1"'},
}


@pytest.mark.parametrize("wrong", NOT_ZOHOS)
@pytest.mark.parametrize(("via", "path"), PATHS[:4], ids=["list", "query", "job", "status"])
def test_an_answer_that_is_not_zohos_is_never_taken_for_rows(busy: World, via: Any, path: str, wrong: str) -> None:
    sim, zoho = busy
    sim.faults.add(Fault(path=path, after=int(via == "coql"), **{"status": 200, **NOT_ZOHOS[wrong]}))
    with pytest.raises(TransportError, match=r"not the JSON|without its body|tells nothing"):
        zoho.pull("Leads", fields=FIELDS, via=via)


def test_a_list_that_says_there_is_more_and_not_where(busy: World) -> None:
    sim, zoho = busy
    body = {"data": [{"id": "1", "Last_Name": "x"}], "info": {"more_records": True, "next_page_token": None}}
    sim.faults.add(Fault(path=LISTS, status=200, body=body))
    with pytest.raises(TransportError, match="not how to get them"):
        zoho.pull("Leads", fields=FIELDS, via="records", limit=5)


def test_a_query_that_says_there_is_more_and_sends_none(busy: World) -> None:
    sim, zoho = busy
    sim.faults.add(Fault(path=QUERIES, status=200, body={"data": [], "info": {"more_records": True}}, times=9))
    with pytest.raises(TransportError, match="sends none"):
        zoho.coql("select Last_Name from Leads")


def test_trouble_that_stays_is_named(busy: World) -> None:
    sim, zoho = busy
    sim.faults.add(Fault(path=QUERIES, status=429, times=100))
    with pytest.raises(ThrottledError) as throttled:
        zoho.pull("Leads", via="coql", limit=5)
    assert throttled.value.retry_after == 60.0
    sim.faults.clear()
    sim.faults.add(Fault(path=QUERIES, status=500, times=100))
    with pytest.raises(ApiError, match="internal error"):
        zoho.pull("Leads", via="coql", limit=5)
    sim.faults.clear()
    sim.faults.add(Fault(path=QUERIES, reset="before", times=100))
    with pytest.raises(TransportError, match="connection broke"):
        zoho.pull("Leads", via="coql", limit=5)


def test_a_pause_that_nobody_sits_through_is_told_at_once(busy: World) -> None:
    sim, zoho = busy
    sim.faults.add(Fault(path=QUERIES, status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(ThrottledError) as caught:
        zoho.pull("Leads", via="coql", limit=5)
    assert caught.value.retry_after == 3600
    assert asked(sim) == 1


def test_credits_that_run_out_in_the_middle(busy: World) -> None:
    sim, zoho = busy
    spent = sim.crm.limits.allowance - sim.crm.limits.remaining
    sim.options.credit_limit = spent + 4  # the count, and three windows
    with pytest.raises(ThrottledError):
        zoho.pull("Leads", fields=FIELDS, via="coql")


@pytest.mark.parametrize(("edition", "most"), [("free", 5), ("standard", 10), ("enterprise", 20), ("ultimate", 25)])
def test_no_edition_is_asked_more_than_it_allows(
    busy: World, expected: dict[str, pd.DataFrame], edition: str, most: int
) -> None:
    sim, _ = busy
    sim.options.edition, sim.options.working_time = edition, 0.01
    zoho = connect(sim)
    for via in ("coql", "records"):
        same(zoho.pull("Leads", fields=FIELDS, via=via), expected[via])  # type: ignore[call-overload]
    zoho.close()
    assert sim.traffic.count(status=429) == 0
    assert 2 <= sim.traffic.peak <= min(10, most)


def test_less_room_than_the_edition_says_costs_time_and_no_rows(busy: World, expected: dict[str, pd.DataFrame]) -> None:
    sim, _ = busy
    sim.options.concurrency, sim.options.sub_concurrency, sim.options.working_time = 2, 2, 0.01
    zoho = connect(sim)
    same(zoho.pull("Leads", fields=FIELDS, via="coql"), expected["coql"])
    zoho.close()
    assert sim.traffic.count(status=429) > 0


def test_a_refused_refresh_in_the_middle_is_told(busy: World) -> None:
    sim, zoho = busy
    zoho.refresh()
    sim.faults.add(Fault(path=QUERIES, after=1, advance=4000.0))
    sim.faults.add(Fault(path="/oauth/v2/token", status=200, body={"error": "invalid_code"}, times=50))
    with pytest.raises(AuthError):
        zoho.pull("Leads", fields=FIELDS, via="coql")


# Bulk read's own troubles


def test_a_job_that_fails(busy: World) -> None:
    sim, zoho = busy
    sim.options.fail_next_jobs = 1
    with pytest.raises(ApiError, match="could not finish the bulk read: Internal Server Error") as caught:
        zoho.pull("Leads", fields=FIELDS, via="bulk")
    assert caught.value.code == "INTERNAL_ERROR"


def test_a_result_that_has_expired(busy: World) -> None:
    sim, zoho = busy
    sim.options.bulk_result_kept = -1.0
    with pytest.raises(ApiError, match="no longer has the bulk read's result") as caught:
        zoho.pull("Leads", fields=FIELDS, via="bulk")
    assert "Run it again" in caught.value.hint


@pytest.mark.parametrize("status", [400, 404])
def test_a_result_that_comes_a_moment_later(busy: World, expected: dict[str, pd.DataFrame], status: int) -> None:
    sim, zoho = busy
    body = {"code": "RESOURCE_NOT_FOUND", "details": {}, "message": "The resource doesn't exist.", "status": "error"}
    sim.faults.add(Fault(path=RESULT, status=status, body=body))
    same(zoho.pull("Leads", fields=FIELDS, via="bulk"), expected["bulk"])


@pytest.mark.parametrize(
    "broken", [{"html": True, "status": 200}, {"body": b"PK\x03\x04 no zip", "status": 200}, {"truncate": 40}]
)
def test_a_file_that_stays_broken(busy: World, broken: Any) -> None:
    sim, zoho = busy
    sim.faults.add(Fault(path=RESULT, times=50, **broken))
    with pytest.raises(TransportError, match="arrived broken"):
        zoho.pull("Leads", fields=FIELDS, via="bulk")


def test_a_result_with_other_rows_than_announced(busy: World) -> None:
    sim, zoho = busy
    zoho.pull("Leads", fields=FIELDS, via="bulk")
    job = next(call.path for call in sim.traffic.calls if call.path.endswith("/result")).split("/")[-2]
    told = zoho.request("GET", f"{JOBS}/{job}").json()
    told["data"][0]["result"]["count"] += 1
    sim.faults.add(Fault(path=STATUS, status=200, body=told))
    with pytest.raises(TransportError, match="announced"):
        zoho.pull("Leads", fields=FIELDS, via="bulk")


def test_a_refusal_inside_data(busy: World) -> None:
    sim, zoho = busy
    refusal = {"code": "JOB_NOT_SUPPORTED", "details": {}, "message": "not today", "status": "error"}
    sim.faults.add(Fault(path=JOBS, method="POST", status=400, body={"data": [refusal]}))
    with pytest.raises(ApiError, match=r"rejected the bulk read job \(not today\)") as caught:
        zoho.pull("Leads", fields=FIELDS, via="bulk")
    assert caught.value.code == "JOB_NOT_SUPPORTED"


def test_a_field_that_is_refused_is_left_out_and_reported(busy: World, expected: dict[str, pd.DataFrame]) -> None:
    sim, zoho = busy
    for code, path, named in (("FIELD_NOT_SUPPORTED", JOBS, "api_name"), ("INVALID_QUERY", QUERIES, "column_name")):
        body = {"code": code, "details": {named: "Lead_Score"}, "message": "unsupported column", "status": "error"}
        sim.faults.add(Fault(path=path, method="POST", status=400, body=body))
        via = "bulk" if path == JOBS else "coql"
        found = zoho.pull("Leads", fields=FIELDS, via=via, limit=10)  # type: ignore[call-overload]
        assert any("Lead_Score" in warning for warning in found.attrs["warnings"])
        whole = expected[via].head(10)  # what is refused is read by record id
        whole.attrs = found.attrs
        same(found, whole)
        sim.traffic.clear()
        sim.faults.add(Fault(path="/crm/v8/Leads", method="GET", status=500, times=99))
        unfilled = zoho.pull("Leads", fields=FIELDS, via="coql", limit=10) if via == "coql" else found
        sim.faults.clear()
        if via == "coql":  # COQL is not asked for the column again in this session
            assert asked(sim) == 1
            assert unfilled["Lead_Score"].isna().all()
            assert any("Lead_Score could not be read" in warning for warning in unfilled.attrs["warnings"])
    zoho.metadata.refresh()


# Ctrl-C

SCRIPT = """
import sys
from zoho_magic import ZohoSession
zoho = ZohoSession.from_env(".env")
zoho._max_concurrency()
print("ready", flush=True)
try:
    zoho.pull("Leads", via=sys.argv[1])
except KeyboardInterrupt:
    print("stopped", flush=True)
    raise SystemExit(7)
"""


@pytest.mark.parametrize(("via", "path"), [("records", LISTS), ("coql", QUERIES), ("bulk", STATUS), ("bulk", RESULT)])
def test_ctrl_c_stops_a_script_at_once(isolated: Path, via: str, path: str) -> None:
    with world() as (sim, _):  # one that may be stopped: it still holds calls back when the script has gone
        _interrupted(sim, isolated, via, path)


def _interrupted(sim: Simulator, isolated: Path, via: str, path: str) -> None:
    write_env(sim, isolated)
    sim.faults.add(Fault(path=path, delay=20.0, times=100))
    with subprocess.Popen([sys.executable, "-c", SCRIPT, via], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        while not sim.traffic.in_flight:
            time.sleep(0.005)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == "stopped\n"
        assert child.wait(30) == 7
    assert time.monotonic() - begun < 5


def test_a_failure_stops_the_calls_of_the_other_threads(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = busy
    sim.options.working_time = 0.02
    body = {
        "code": "INVALID_QUERY",
        "details": {"column_name": "Nobody"},
        "message": "unsupported column",
        "status": "error",
    }
    sim.faults.add(Fault(path=QUERIES, after=1, status=400, body=body))
    monkeypatch.setattr(limits, "COQL_ROWS_PER_CALL", 10)
    with pytest.raises(Exception, match="rejected the COQL query"):
        zoho.pull("Leads", fields=FIELDS, via="coql")
    settled()
    assert asked(sim) < 25  # of forty windows
