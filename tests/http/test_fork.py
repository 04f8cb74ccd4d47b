"""Sessions in forked and spawned processes, and connections that went quiet."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.support.pull_env import world
from zoho_magic import ZohoError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning"
    ),  # Python 3.12 warns of a fork beside threads: that is the test
]
MODULES = ["Leads", "Contacts", "Accounts", "Deals"]
_session: ZohoSession | None = None


@pytest.fixture
def org() -> Iterator[tuple[Simulator, ZohoSession]]:
    with world(200) as found:
        global _session
        _session = found[1]
        yield found
        _session = None


def _ids(module: str) -> tuple[str, list[str]]:
    assert _session is not None
    return module, sorted(_session.pull(module, fields=["Created_Time"], via="records")["id"])


def test_forked_workers_get_their_own_answers(org: tuple[Simulator, ZohoSession]) -> None:
    expected = {module: _ids(module)[1] for module in MODULES}
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        assert all(expected[module] == ids for module, ids in pool.map(_ids, MODULES * 4))
    assert _ids("Leads")[1] == expected["Leads"]


def test_a_child_forked_while_threads_pull_does_not_hang(org: tuple[Simulator, ZohoSession]) -> None:
    zoho, ended = org[1], threading.Event()

    def keep_pulling() -> None:
        while not ended.is_set():
            zoho.pull("Leads", fields=["Last_Name"], via="records")

    threads = [threading.Thread(target=keep_pulling) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        children = [multiprocessing.get_context("fork").Process(target=_ids, args=("Deals",)) for _ in range(4)]
        for child in children:
            child.start()
        for child in children:
            child.join(30)
        assert [child.exitcode for child in children] == [0] * 4
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)


def test_pickling_a_session_says_what_to_do(org: tuple[Simulator, ZohoSession]) -> None:
    with pytest.raises(ZohoError, match="cannot be pickled") as failure:
        pickle.dumps(org[1])
    assert "from_env()" in failure.value.hint


def test_idle_connections_are_not_used_again(
    org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    zoho = org[1]
    zoho.request("GET", "/crm/v8/org")
    before = zoho._transport._pools
    zoho.request("GET", "/crm/v8/org")
    assert zoho._transport._pools is before
    times: Any = iter(lambda: zoho._transport._last_use + 60, None)
    monkeypatch.setattr("zoho_magic.http.transport.time.time", lambda: next(times))
    zoho.request("GET", "/crm/v8/org")
    assert zoho._transport._pools is not before


# An expression: a function of this module could only be found there if no installed package is called `tests`.
_IN_A_FRESH_PROCESS = (
    "len(__import__('zoho_magic').ZohoSession.from_env({path!r}, max_wait=20)"
    ".pull('Leads', fields=['Last_Name'], via='records'))"
)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_workers_of_every_kind_pull_by_from_env(method: str, env_file: Any) -> None:
    """As the error of pickling says; ProcessPoolExecutor, joblib and gunicorn are one of these."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        counts = list(pool.map(eval, [_IN_A_FRESH_PROCESS.format(path=str(env_file))] * 2))
    assert counts[0] == counts[1] > 5


def test_nothing_that_a_thread_held_at_the_fork_is_held_in_the_child(org: tuple[Simulator, ZohoSession]) -> None:
    from zoho_magic.auth import refresh_limiter
    from zoho_magic.crm.read.record_query import CallCounter
    from zoho_magic.http.backoff import WaitBudget

    counter, budget = CallCounter(org[1]), WaitBudget(60)
    held = [refresh_limiter._limiters.lock, counter._lock, budget._lock, org[1]._transport._lock]
    for lock in held:
        lock.acquire()
    child = os.fork()
    if child == 0:
        free = [
            refresh_limiter._limiters.lock.acquire(timeout=1),
            counter._lock.acquire(timeout=1),
            budget._lock.acquire(timeout=1),
            org[1]._transport._lock.acquire(timeout=1),
        ]
        os._exit(0 if all(free) else 1)
    for lock in held:
        lock.release()
    assert os.waitpid(child, 0)[1] == 0
