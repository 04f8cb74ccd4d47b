"""How many calls run at once, and what a 429 does to them. Time is ours."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from zoho_magic.crm.parallel import map_parallel
from zoho_magic.http import concurrency_limiter as gates
from zoho_magic.http.concurrency_limiter import ConcurrencyLimiter


@dataclass
class Answer:
    status_code: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, which pass only while somebody waits at the gate."""
    now = [1000.0]

    def wait(condition: threading.Condition, timeout: float | None = None) -> None:
        assert timeout is not None, "waits for somebody who is not there"
        now[0] += timeout

    monkeypatch.setattr(gates, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(gates.random, "uniform", lambda _, high: high)
    monkeypatch.setattr(threading.Condition, "wait", wait)
    return now


def room(gate: ConcurrencyLimiter) -> int:
    """How many calls it lets run at once right now."""
    entered = 0
    with ExitStack() as held:
        while gate._seconds_to_wait() == 0:
            held.enter_context(gate.slot())
            entered += 1
    return entered


@pytest.mark.parametrize(
    ("edition", "calls"),
    [("free", 5), ("Standard", 10), ("starter", 10), ("professional", 10), ("enterprise", 10), ("Zoho One", 10),
     ("CRM Plus", 10), ("ultimate", 10), ("", 5), ("something new", 5)],
)  # fmt: skip
def test_an_edition_sets_the_bound(edition: str, calls: int) -> None:
    gate = ConcurrencyLimiter()
    gate.set_edition(edition)
    assert gate.max_concurrency == room(gate) == calls


def test_a_429_halves_the_bound_and_answers_bring_it_back(clock: list[float]) -> None:
    gate = ConcurrencyLimiter()
    gate.set_edition("enterprise")
    gate.on_throttled(0.0)
    assert room(gate) == 5
    for _ in range(10):
        gate.on_throttled(0.0)
    assert room(gate) == 1
    for _ in range(400):
        gate.on_success()
    assert room(gate) == 20


def test_asking_for_the_edition_again_forgets_no_429(clock: list[float]) -> None:
    gate = ConcurrencyLimiter()
    gate.set_edition("enterprise")
    gate.on_throttled(0.0)
    gate.set_edition("enterprise")
    assert room(gate) == 5


def test_pauses_grow_and_hold_for_everyone(clock: list[float]) -> None:
    gate, begun = ConcurrencyLimiter(), clock[0]
    answers = [Answer(429)] * 3 + [Answer()]
    assert gate.call_with_retry(lambda: answers.pop(0)).status_code == 200
    assert clock[0] - begun == pytest.approx(0.5 + 1.0 + 2.0)
    gate.on_throttled(None)
    with gate.slot():
        assert clock[0] - begun == pytest.approx(3.5 + 0.5)


def test_several_calls_that_meet_the_same_429_pause_once(clock: list[float]) -> None:
    gate, begun = ConcurrencyLimiter(), clock[0]
    for _ in range(5):
        gate.on_throttled(None)
    with gate.slot():
        assert clock[0] - begun == pytest.approx(0.5)


def test_what_zoho_asks_for_is_waited(clock: list[float]) -> None:
    gate, begun = ConcurrencyLimiter(), clock[0]
    answers = [Answer(429, {"Retry-After": "42"}), Answer(429, {"Retry-After": "soon"}), Answer()]
    gate.call_with_retry(lambda: answers.pop(0))
    assert clock[0] - begun == pytest.approx(42 + 1.0)


def test_it_gives_up_in_the_end(clock: list[float]) -> None:
    gate, calls = ConcurrencyLimiter(), []
    assert gate.call_with_retry(lambda: calls.append(1) or Answer(429)).status_code == 429
    assert len(calls) == gates.MAX_ATTEMPTS
    assert gate.call_with_retry(lambda: calls.append(1) or Answer(429, {"Retry-After": "121"})).status_code == 429
    assert len(calls) == gates.MAX_ATTEMPTS + 1


def test_every_caller_gets_in_and_never_too_many_at_once() -> None:
    gate, lock, running, peak, done = ConcurrencyLimiter(), threading.Lock(), 0, 0, 0

    def call() -> Answer:
        nonlocal running, peak, done
        with lock:
            running += 1
            peak = max(peak, running)
        with lock:
            running -= 1
            done += 1
        return Answer()

    list(map_parallel([lambda: gate.call_with_retry(call) for _ in range(300)], 30))
    assert (done, running) == (300, 0)
    assert peak <= 20


def test_waiting_callers_use_the_room_that_comes_back() -> None:
    """One by one would be too slow for ever: whoever waits must hear that the bound has risen."""
    gate = ConcurrencyLimiter()
    for _ in range(5):
        gate.on_throttled(0.0)
    together, go = threading.Barrier(3), threading.Event()

    def call() -> str:
        with gate.slot():
            go.set()
            together.wait(10)  # never returns unless three are in at once
        return "done"

    found = map_parallel([call] * 3, 3)
    threading.Thread(target=lambda: (go.wait(10), [gate.on_success() for _ in range(20)])).start()
    assert list(found) == ["done"] * 3


# Side by side


def test_results_come_in_order() -> None:
    gates_ = [threading.Event() for _ in range(3)]

    def task(place: int) -> int:
        if place < 2:
            assert gates_[place + 1].wait(10)  # the first ends last
        gates_[place].set()
        return place

    assert list(map_parallel([lambda place=place: task(place) for place in range(3)], 3)) == [0, 1, 2]  # type: ignore[misc]


def test_no_more_at_once_than_asked_and_nothing_at_all() -> None:
    lock, running, peak = threading.Lock(), 0, 0

    def task() -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        with lock:
            running -= 1

    assert len(list(map_parallel([task] * 50, 4))) == 50
    assert peak <= 4
    assert list(map_parallel([], 4)) == []
    assert list(map_parallel([lambda: 1], 0)) == [1]


def test_a_failure_drops_what_has_not_begun() -> None:
    begun: list[int] = []

    def fail() -> None:
        raise ValueError("no")

    results = map_parallel([fail, *(lambda n=n: begun.append(n) for n in range(100))], 1)  # type: ignore[misc]
    with pytest.raises(ValueError, match="no"):
        next(results)
    for thread in threading.enumerate():
        if thread.name.startswith("zoho_magic "):
            thread.join(10)
    assert begun == []


def test_a_caller_that_stops_listening_ends_the_rest() -> None:
    begun: list[int] = []
    first = threading.Event()
    results = map_parallel([lambda: 1, lambda: first.wait(10), *(lambda n=n: begun.append(n) for n in range(100))], 1)  # type: ignore[misc]
    assert next(results) == 1
    results.close()  # type: ignore[attr-defined]
    first.set()
    for thread in threading.enumerate():
        if thread.name.startswith("zoho_magic "):
            thread.join(10)
    assert begun == []
