"""How many calls run at once, and what a 429 does to them. Time is ours."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from tests.support.pull_env import no_pauses
from zoho_magic.crm.parallel import map_parallel
from zoho_magic.errors import ThrottledError
from zoho_magic.http import backoff
from zoho_magic.http import concurrency_limiter as limiters
from zoho_magic.http.backoff import wait_budget
from zoho_magic.http.concurrency_limiter import ConcurrencyLimiter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, which pass only while somebody waits."""
    now = [1000.0]

    def sleep(seconds: float, _: object) -> bool:
        now[0] += seconds
        return False

    ours = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(backoff, "_sleep", sleep)
    monkeypatch.setattr(limiters, "time", ours)
    monkeypatch.setattr(backoff, "time", ours)
    monkeypatch.setattr("zoho_magic.http.backoff.random.uniform", lambda _, high: high)
    return now


def room(limiter: ConcurrencyLimiter) -> int:
    """How many calls it lets run at once right now."""
    entered = 0
    with ExitStack() as held:
        while limiter._running < max(1, int(limiter._limit)):
            held.enter_context(limiter.slot())
            entered += 1
    return entered


@pytest.mark.parametrize(
    ("edition", "calls"),
    [("free", 5), ("Standard", 10), ("starter", 10), ("professional", 10), ("enterprise", 10), ("Zoho One", 10),
     ("CRM Plus", 10), ("ultimate", 10), ("", 5), ("something new", 5)],
)  # fmt: skip
def test_an_edition_sets_the_bound(edition: str, calls: int) -> None:
    limiter = ConcurrencyLimiter()
    limiter.set_edition(edition)
    assert limiter.max_concurrency == room(limiter) == calls


def test_a_429_halves_the_bound_and_answers_bring_it_back(clock: list[float]) -> None:
    limiter = ConcurrencyLimiter()
    limiter.set_edition("enterprise")
    limiter.on_throttled(0.0)
    assert room(limiter) == 5
    for _ in range(10):
        limiter.on_throttled(0.0)
    assert room(limiter) == 1
    for _ in range(400):
        limiter.on_success()
    assert room(limiter) == 20


def test_asking_for_the_edition_again_forgets_no_429(clock: list[float]) -> None:
    limiter = ConcurrencyLimiter()
    limiter.set_edition("enterprise")
    limiter.on_throttled(0.0)
    limiter.set_edition("enterprise")
    assert room(limiter) == 5


def test_pauses_grow_and_hold_for_everyone(clock: list[float]) -> None:
    limiter, begun = ConcurrencyLimiter(), clock[0]
    for waited in (0.5, 1.5, 3.5):
        limiter.on_throttled(None)
        with limiter.slot():
            assert clock[0] - begun == pytest.approx(waited)
    limiter.on_success()
    limiter.on_throttled(None)
    with limiter.slot():
        assert clock[0] - begun == pytest.approx(3.5 + 0.5)


def test_several_calls_that_meet_the_same_429_pause_once(clock: list[float]) -> None:
    limiter, begun = ConcurrencyLimiter(), clock[0]
    for _ in range(5):
        limiter.on_throttled(None)
    with limiter.slot():
        assert clock[0] - begun == pytest.approx(0.5)


def test_what_zoho_asks_for_is_waited(clock: list[float]) -> None:
    limiter, begun = ConcurrencyLimiter(), clock[0]
    limiter.on_throttled(42.0)
    with limiter.slot():
        assert clock[0] - begun == pytest.approx(42)


def test_a_pause_beyond_the_budget_is_refused_at_once(clock: list[float]) -> None:
    limiter, begun = ConcurrencyLimiter(), clock[0]
    limiter.on_throttled(42.0)
    with wait_budget(41), pytest.raises(ThrottledError) as refused, limiter.slot():
        pass
    assert (clock[0] - begun, refused.value.retry_after) == (0, pytest.approx(42))


def test_every_caller_gets_in_and_never_too_many_at_once() -> None:
    limiter, lock, running, peak, done = ConcurrencyLimiter(), threading.Lock(), 0, 0, 0

    def call() -> None:
        nonlocal running, peak, done
        with lock:
            running += 1
            peak = max(peak, running)
        with lock:
            running -= 1
            done += 1

    def enter() -> None:
        with limiter.slot():
            call()
        limiter.on_success()

    list(map_parallel([enter] * 300, 30))
    assert (done, running) == (300, 0)
    assert peak <= 20


def test_waiting_callers_use_the_room_that_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one would be too slow for ever: whoever waits must hear that the bound has risen."""
    no_pauses(monkeypatch)
    limiter = ConcurrencyLimiter()
    for _ in range(5):
        limiter.on_throttled(0.0)
    together, go = threading.Barrier(3), threading.Event()

    def call() -> str:
        with limiter.slot():
            go.set()
            together.wait(10)  # never returns unless three are in at once
        return "done"

    found = map_parallel([call] * 3, 3)
    threading.Thread(target=lambda: (go.wait(10), [limiter.on_success() for _ in range(20)])).start()
    assert list(found) == ["done"] * 3


# Side by side


def test_results_come_in_order() -> None:
    limiters_ = [threading.Event() for _ in range(3)]

    def task(place: int) -> int:
        if place < 2:
            assert limiters_[place + 1].wait(10)  # the first ends last
        limiters_[place].set()
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
