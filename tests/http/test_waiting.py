"""How long calls wait for Zoho: one budget, announced, set per call, per session and by %config."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pull_env import no_pauses, world
from zoho_magic import ThrottledError, TransportError, ZohoError
from zoho_magic.auth.refresh_limiter import RefreshRateLimiter
from zoho_magic.crm.parallel import map_parallel
from zoho_magic.http import backoff
from zoho_magic.http.backoff import ExponentialBackoff, current_wait_budget, poll_job, seconds_of, wait_budget
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture
def org() -> Iterator[World]:
    with world(300) as found:
        yield found


TROUBLES = {
    "throttled": Fault("/crm/v8/", status=429, times=10**6),
    "server errors": Fault("/crm/v8/", status=503, html=True, times=10**6),
    "connections lost": Fault("/crm/v8/", reset="before", times=10**6),
}


def _pull_by_the_session(zoho: ZohoSession) -> None:
    zoho.max_wait = 0.7
    zoho.pull("Leads")


ACTS: dict[str, Callable[[ZohoSession], object]] = {
    "pull": lambda zoho: zoho.pull("Leads", max_wait=0.7),
    "coql": lambda zoho: zoho.coql("select Last_Name from Leads", max_wait=0.7),
    "request": lambda zoho: zoho.request("GET", "/crm/v8/org", max_wait=0.7),
    "push": lambda zoho: zoho.push("Leads", [{"Last_Name": "A"}], "insert", max_wait=0.7),
    "session": _pull_by_the_session,
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("act", ACTS)
def test_no_wait_is_longer_than_max_wait(org: World, trouble: str, act: str) -> None:
    simulator, zoho = org
    zoho.pull("Leads", limit=1)
    simulator.faults.add(TROUBLES[trouble])
    begun = time.monotonic()
    zoho.metadata.refresh()
    with pytest.raises(ZohoError):
        ACTS[act](zoho)
    assert time.monotonic() - begun < 2.5


def test_nobody_there_is_told_within_max_wait(org: World) -> None:
    simulator, zoho = org
    assert zoho.token
    simulator.stop()
    begun = time.monotonic()
    with pytest.raises(TransportError, match="could not be reached"):
        zoho.request("GET", "/crm/v8/org", max_wait=0.7)
    assert time.monotonic() - begun < 2.5


def test_an_outage_within_max_wait_costs_nothing(org: World) -> None:
    simulator, zoho = org
    simulator.faults.add(Fault("/crm/v8/coql", status=503, times=3))
    assert len(zoho.pull("Leads", via="coql", fields=["Last_Name"], max_wait=30)) > 200


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_used_up_credits_end_a_pull_at_once_and_say_when_they_come_back(org: World, headers: dict[str, str]) -> None:
    simulator, zoho = org
    zoho.pull("Leads", limit=1)
    simulator.faults.add(
        Fault("/crm/v8/", status=429, headers={"X-API-CREDITS-REMAINING": "0", **headers}, times=10**6)
    )
    begun = time.monotonic()
    with pytest.raises(ThrottledError, match="credits are used up") as refused:
        zoho.pull("Leads", max_wait=3600)
    assert time.monotonic() - begun < 2
    assert "24 hours" in refused.value.hint
    assert refused.value.retry_after == (1.0 if headers else 86_400.0)
    assert zoho.credits_left == 0


def test_a_pause_that_is_too_long_is_refused_at_once_and_blocks_nobody(org: World) -> None:
    simulator, zoho = org
    assert zoho.token
    simulator.faults.add(Fault("/crm/v8/org", status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(ThrottledError) as refused:
        zoho.request("GET", "/crm/v8/org")
    assert refused.value.retry_after == 3600
    assert zoho.request("GET", "/crm/v8/org").status_code == 200


def test_waiting_over_two_seconds_is_announced(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "_sleep", lambda *_: False)
    with caplog.at_level(logging.WARNING, "zoho_magic"), wait_budget(60) as budget:
        assert budget.wait(1.5, "Zoho answered 429.")
        assert caplog.messages == []
        assert budget.wait(3, "Zoho answered 429.")
    assert len(caplog.messages) == 1
    assert "Zoho answered 429. Waiting 3 s before the next try; max_wait=60 allows" in caplog.text
    assert "max_wait=60" in caplog.text


def test_threads_that_wait_together_use_the_budget_once() -> None:
    with wait_budget(0.5) as budget:
        assert list(map_parallel([lambda: current_wait_budget().wait(0.3, "x")] * 5, 5)) == [True] * 5
        assert 0.05 < budget.left < 0.25
        assert not budget.wait(0.3, "x")


def test_an_outer_budget_holds_for_what_is_inside() -> None:
    with wait_budget(5) as outer, wait_budget(600) as inner:
        assert inner is outer
    assert current_wait_budget().seconds == 60


@given(st.text(max_size=12))
def test_a_retry_after_of_any_text_is_seconds_or_nothing(text: str) -> None:
    found = seconds_of(text)
    assert found is None or 0 <= found < 10**9


@pytest.mark.parametrize("value", ["\u00b2", "\u0663", "-1", "1e999", "9" * 5000, "soon", ""])
def test_a_hostile_retry_after_is_no_crash(org: World, value: str) -> None:
    assert seconds_of(value) is None


def test_pauses_grow_up_to_a_maximum() -> None:
    pauses = ExponentialBackoff(1, 8)
    assert [0.5 * most <= pauses.next_pause() <= most for most in (1, 2, 4, 8, 8, 8)] == [True] * 6


def test_a_job_is_asked_again_after_trouble_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    no_pauses(monkeypatch)
    answers: list[Any] = [None, TransportError("lost", code="ConnectionError"), ThrottledError("429"), None, "done"]

    def ask() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, ZohoError):
            raise answer
        return answer

    assert poll_job(ask, "job") == "done"
    with pytest.raises(TransportError, match="did not end in time"):
        poll_job(lambda: None, "job", timeout=0.01)


def test_config_and_options_set_max_wait(org: World) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell()
    before = backoff.MAX_WAIT_SECONDS
    try:
        shell.run_line_magic("load_ext", "zoho_magic")
        shell.run_line_magic("config", "ZohoMagic.max_wait = 3600.0")
        assert current_wait_budget().seconds == 3600
        for line in ("zoho_pull -h", "zoho_coql -h", "zoho_push -h"):
            with capture_output() as told:
                shell.run_line_magic(*line.split())
            assert "--max-wait SECONDS" in told.stdout
    finally:
        backoff.set_max_wait(before)
        shell.run_line_magic("unload_ext", "zoho_magic")


# Connections that went quiet, clocks that are set back


@pytest.mark.parametrize("back", [3600.0, 86_400.0, 400 * 86_400.0])
def test_a_clock_set_back_locks_no_token_request_out(back: float) -> None:
    limiter, now = RefreshRateLimiter(), 1_800_000_000.0
    for _ in range(10):
        limiter.acquire(now)
    limiter.block(now)
    limiter.acquire(now - back)
    with pytest.raises(ThrottledError) as refused:
        _acquire(limiter, now - back, 11)
    assert refused.value.retry_after <= 600


def _acquire(limiter: RefreshRateLimiter, now: float, times: int) -> None:
    for _ in range(times):
        limiter.acquire(now)


class _Silent:
    """A proxy in front of a server that goes silent: old connections stay open and nothing comes any more."""

    def __init__(self, target: int) -> None:
        self._target, self.accepted, self._silent = target, 0, threading.Event()
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def go_silent(self) -> None:
        """Connections there are now are never answered again; new ones are."""
        self._silent.set()
        self._silent = threading.Event()

    def close(self) -> None:
        for one in (self._server, *self._open):
            with suppress(OSError):  # the other end may have closed it
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            self.accepted += 1
            there = socket.create_connection(("127.0.0.1", self._target))
            self._open += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._pump, args=(*pair, self._silent), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
        while True:
            try:
                part = source.recv(65536)
                if silent.is_set() and part:
                    continue
                if not part:
                    sink.close()
                    return
                sink.sendall(part)
            except OSError:
                return


def test_a_connection_that_died_silently_costs_one_timeout_and_no_error(
    org: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator, _ = org
    monkeypatch.setattr("zoho_magic.http.transport.TIMEOUT", (1.0, 1.0))
    proxy = _Silent(int(simulator.url.rsplit(":", 1)[1]))
    url = f"http://127.0.0.1:{proxy.port}"
    credentials = _credentials(simulator, url)
    with ZohoSession(credentials, clock=simulator.clock.time) as zoho:
        zoho.pull("Leads", fields=["Last_Name"], via="records")
        proxy.go_silent()
        simulator.clock.advance(4000)  # the token has expired: its request must not meet a dead connection
        begun = time.monotonic()
        assert len(zoho.pull("Leads", fields=["Last_Name"], via="records")) > 200
        assert time.monotonic() - begun < 4
    proxy.close()


def test_a_token_request_never_uses_a_connection_again(org: World) -> None:
    simulator, _ = org
    proxy = _Silent(int(simulator.url.rsplit(":", 1)[1]))
    with ZohoSession(_credentials(simulator, f"http://127.0.0.1:{proxy.port}"), clock=simulator.clock.time) as zoho:
        for count in (1, 2, 3):
            zoho.refresh()
            assert proxy.accepted == count
    proxy.close()


def test_a_token_request_that_reached_nobody_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    no_pauses(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    simulator = Simulator(rows=1, port=port)
    zoho = ZohoSession(_credentials(simulator, f"http://127.0.0.1:{port}"), clock=simulator.clock.time, max_wait=20)
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(zoho.token))
    asking.start()
    time.sleep(0.1)
    with simulator, zoho:
        asking.join(20)
    assert found[0].expires_in > 0


def _credentials(simulator: Simulator, url: str) -> Any:
    from zoho_magic import Secret
    from zoho_magic.config.credentials import Credentials

    return Credentials(
        client_id=simulator.client_id,
        client_secret=Secret(simulator.client_secret),
        refresh_token=Secret(simulator.refresh_token()),
        accounts_url=url,
        api_url=url,
    )
