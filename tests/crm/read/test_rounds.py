"""How often a call waits for the answer of another one: what decides how long a pull takes from far away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.support.pull_env import connect, hurried, idle, world
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

LATENCY = 0.15


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with pytest.MonkeyPatch.context() as patch, world() as (simulator, _):
        hurried(patch)
        yield simulator


@pytest.fixture
def rounds(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], int]:
    """Counts the longest chain of calls of which each began after the one before had been answered."""
    calls: list[tuple[float, float]] = []
    send = requests.Session.send

    def timed(self: requests.Session, *args: Any, **options: Any) -> requests.Response:
        begun = time.perf_counter()
        answer = send(self, *args, **options)
        calls.append((begun, time.perf_counter()))
        return answer

    def count(task: Callable[[], Any]) -> int:
        idle(sim)
        calls.clear()
        sim.options.latency = LATENCY
        task()
        idle(sim)
        sim.options.latency = 0.0
        length, end = 0, 0.0
        for begun, answered in sorted(calls, key=lambda call: call[1]):
            length, end = (length + 1, answered) if begun >= end else (length, end)
        return length

    monkeypatch.setattr(requests.Session, "send", timed)
    return count


def test_a_pull_takes_three_rounds_at_first_and_one_later(sim: Simulator, rounds: Callable[[Any], int]) -> None:
    zoho = connect(sim)
    every = {"fields": ["Last_Name", "Owner"]}
    assert rounds(lambda: zoho.pull("Leads")) == 3  # token; what describes the module, and the count; rows and users
    assert rounds(lambda: zoho.pull("Leads")) == 1
    assert rounds(lambda: zoho.pull("Leads", **every, where="Last_Name like 'Z%'")) == 1
    assert rounds(lambda: zoho.pull("Contacts", **every)) == 2
    assert rounds(lambda: zoho.pull("Contacts", **every)) == 1


def test_a_push_takes_three_rounds_at_first_and_one_later(sim: Simulator, rounds: Callable[[Any], int]) -> None:
    zoho = connect(sim)
    rows = [{"Last_Name": f"Round {number}", "Company": "x"} for number in range(10)]
    assert rounds(lambda: zoho.push("Leads", rows, "insert")) == 3
    assert rounds(lambda: zoho.push("Leads", rows[:1], "insert")) == 1


def test_a_query_takes_three_rounds_at_first_and_one_later(sim: Simulator, rounds: Callable[[Any], int]) -> None:
    zoho = connect(sim)
    assert rounds(lambda: zoho.coql("select Last_Name, Owner from Leads")) == 3
    assert rounds(lambda: zoho.coql("select Last_Name, Owner from Leads where Company is not null")) == 1


def test_the_status_takes_two_rounds_at_first_and_none_later(sim: Simulator, rounds: Callable[[Any], int]) -> None:
    zoho: ZohoSession = connect(sim)
    assert rounds(zoho.status) == 2
    assert rounds(zoho.status) == 0


def test_rows_asked_for_beside_their_number_are_right_when_it_has_changed(sim: Simulator) -> None:
    zoho = connect(sim)
    before = zoho.pull("Leads", fields=["Last_Name"], where="Company = 'Grown'")
    zoho.push("Leads", [{"Last_Name": f"Grown {n}", "Company": "Grown"} for n in range(230)], "insert")
    after = zoho.pull("Leads", fields=["Last_Name"], where="Company = 'Grown'")
    assert (len(before), len(after), after["id"].nunique()) == (0, 230, 230)
    zoho.push("Leads", after[["id"]], "delete")
    assert len(zoho.pull("Leads", fields=["Last_Name"], where="Company = 'Grown'")) == 0
