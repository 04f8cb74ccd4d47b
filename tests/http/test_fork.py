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
