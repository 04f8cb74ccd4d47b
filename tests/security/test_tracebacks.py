"""Attack: an exception that arrives while secrets are in clear, read with every local of every frame.

An alarm, Ctrl-C, a user's own iterator or hook may raise at any line. `%xmode Verbose`, rich's `show_locals`, stack
summaries with `capture_locals` and error reporters then show the locals of all frames the exception passed through.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
import requests

from tests.support.pull_env import no_pauses
from tests.support.secret_scan import leaks
from zoho_magic import Secret, ZohoSession
from zoho_magic.simulator import Fault, Simulator

CHECKED = (f"{os.sep}zoho_magic{os.sep}http", f"{os.sep}zoho_magic{os.sep}auth", f"{os.sep}zoho_magic{os.sep}login")
LIBRARIES = ("requests", "urllib3", f"http{os.sep}client.py", f"json{os.sep}", "cryptography")
POINTS = 12
"""Lines of one run at which an exception is raised; ZOHO_MAGIC_SLOW=1 takes all of them."""


# A line of a finalizer may be the one: Python then only prints that it ignores the exception.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning", "ignore::UserWarning"
)


class Stop(Exception):  # noqa: N818
    """What a time limit raises."""


class _Raiser:
    """Raises at the n-th line that runs in the code that handles secrets, and counts the lines."""

    def __init__(self, at: int) -> None:
        self.at, self.lines = at, 0

    def __enter__(self) -> _Raiser:
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        return self._line if any(part in name for part in (*CHECKED, *LIBRARIES)) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                sys.settrace(None)
                raise Stop
        return self._line


def shown(error: BaseException) -> list[str]:
    """What a tool that records locals prints of each frame, without the frames of tests, and of each exception."""
    todo, found = [traceback.TracebackException.from_exception(error, capture_locals=True)], []
    while todo:
        one = todo.pop()
        frames = [frame for frame in one.stack if f"{os.sep}tests{os.sep}" not in frame.filename]
        found += [f"{frame.filename}:{frame.lineno} {frame.name} {frame.locals}" for frame in frames]
        found += list(one.format_exception_only())
        todo += [behind for behind in (one.__cause__, one.__context__) if behind is not None]
    return found


def _request(zoho: ZohoSession, simulator: Simulator) -> Any:
    return zoho.request("POST", "/crm/v8/coql", json={"select_query": "select id from Leads where id is not null"})


OPERATIONS: dict[str, Callable[[ZohoSession, Simulator], Any]] = {
    "refresh": lambda zoho, _: zoho.refresh(),
    "request": _request,
    "request_with_dead_token": lambda zoho, simulator: (
        simulator.faults.add(Fault("/crm/v8/org", status=401, body={"code": "INVALID_TOKEN", "message": "x"})),
        zoho.request("GET", "/crm/v8/org"),
    ),
    "exchange": lambda zoho, simulator: zoho.exchange(Secret(simulator.grant_code())),
    "revoke": lambda zoho, _: zoho.revoke(),
    "device_login": lambda zoho, _: zoho.begin_device_login(),
    "client_credentials": lambda zoho, _: zoho.login("client-credentials", soid="ZohoCRM.700123456"),
    "shared_token": lambda zoho, _: zoho.share() and zoho.refresh(),
}


@pytest.fixture
def run(simulator: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], _Run]:
    """Runs an operation of a fresh session, with an exception at a line of it."""
    vars(simulator.options).update(
        access_tokens_per_window=10**6, refresh_tokens_per_window=10**6, codes_per_window=10**6
    )
    monkeypatch.setattr("zoho_magic.auth.refresh_limiter.MAX_TOKENS_PER_WINDOW", 10**6)
    no_pauses(monkeypatch)
    lines = [line for line in env_file.read_text().splitlines() if not line.startswith("ZOHO_REFRESH_TOKEN")]

    def one(operation: str, at: int) -> _Run:
        refresh_token = simulator.refresh_token()
        env_file.write_text("\n".join([*lines, f"ZOHO_REFRESH_TOKEN={refresh_token}", ""]))
        with ZohoSession.from_env(clock=simulator.clock.time) as zoho:
            secrets = [simulator.client_secret, refresh_token, zoho.token.reveal()]
            with _Raiser(at) as raiser:
                try:
                    OPERATIONS[operation](zoho, simulator)
                except Exception as error:  # noqa: BLE001
                    sys.settrace(None)
                    return _Run(raiser.lines, error, secrets)
        return _Run(raiser.lines, None, secrets)

    return one


class _Run(NamedTuple):
    lines: int
    error: Exception | None
    secrets: list[str]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_exception_at_any_line_shows_no_secret(operation: str, run: Callable[[str, int], _Run]) -> None:
    whole = run(operation, 10**9)
    assert whole.error is None
    step = 1 if os.environ.get("ZOHO_MAGIC_SLOW") else max(1, whole.lines // POINTS)
    runs = [(at, run(operation, at)) for at in range(1, whole.lines, step)]
    assert sum(isinstance(one.error, Stop) for _, one in runs) > POINTS // 2
    leaks = [
        f"line {at}: {where}"
        for at, one in runs
        if one.error
        for where in shown(one.error)
        if any(secret in where for secret in one.secrets)
    ]
    assert leaks == []


def test_a_time_limit_in_a_users_own_call_shows_no_token(session: ZohoSession, simulator: Simulator) -> None:
    """The frames of `requests` are the user's there; the header in them is masked."""

    def stop(*_: object) -> None:
        raise Stop

    simulator.faults.add(Fault("/crm/v8/org", delay=5, times=2))
    token = session.token.reveal()
    before = signal.signal(signal.SIGALRM, stop)
    try:
        for call in (
            lambda: requests.get(f"{session.api}/crm/v8/org", auth=session.auth, timeout=20),
            lambda: requests.get(f"{session.api}/crm/v8/org", headers=session.token.headers, timeout=20),
        ):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Stop) as stopped:
                call()
            assert [where for where in shown(stopped.value) if token in where] == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_users_own_iterator_that_fails_keeps_its_error_and_shows_no_token(session: ZohoSession) -> None:
    """The body of a call is made while the call waits: its error is the user's, its frames are not."""
    token = session.token.reveal()
    with pytest.raises(ZeroDivisionError) as failed:
        session.request("POST", "/crm/v8/org", data=(1 / 0 for _ in [1]))
    assert [where for where in shown(failed.value) if token in where] == []
    if sys.version_info >= (3, 11):
        assert "test_tracebacks.py" in failed.value.__notes__[0]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError, RecursionError, GeneratorExit])
def test_whatever_is_raised_leaves_without_frames(session: ZohoSession, kind: type[BaseException]) -> None:
    token = session.token.reveal()

    def hook(*_: object, **__: object) -> None:
        raise kind

    with pytest.raises(kind) as raised:
        session.request("GET", "/crm/v8/org", hooks={"response": hook})
    assert [where for where in shown(raised.value) if token in where] == []
    assert leaks(raised.value, token) == []


def test_xmode_verbose_shows_no_secret(session: ZohoSession, simulator: Simulator) -> None:
    """IPython prints arguments and locals of every frame."""
    from IPython.core.ultratb import VerboseTB

    tokens = session.token.reveal(), simulator.client_secret
    with pytest.raises(ZeroDivisionError) as failed:
        session.request("POST", "/crm/v8/org", data=(1 / 0 for _ in [1]))
    text = VerboseTB().text(type(failed.value), failed.value, failed.value.__traceback__)
    assert not [secret for secret in tokens if secret in text]
