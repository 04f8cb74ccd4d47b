"""The session: tokens kept fresh, calls sent once or again, secrets sent to Zoho and to nobody else."""

from __future__ import annotations

import gc
import io
import logging
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.pull_env import no_pauses
from tests.support.recording_server import Listener
from tests.support.secret_scan import leaks
from tests.support.simulator_fixture import as_new
from zoho_magic import (
    ApiError,
    AuthError,
    ConfigurationError,
    Secret,
    ThrottledError,
    Token,
    TransportError,
    ZohoError,
    ZohoSession,
    get_session,
)
from zoho_magic.config.credentials import Credentials
from zoho_magic.http.adapters import make_session
from zoho_magic.http.transport import Transport
from zoho_magic.session_registry import current_session, use_session
from zoho_magic.simulator import Fault, Simulator

ORG = "/crm/v8/org"
TOKEN = "/oauth/v2/token"
REFUSED = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
UNTOLD = pytest.warns(UserWarning, match="Not saved")


@pytest.fixture(scope="module")
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=5) as zoho:
        yield zoho


@pytest.fixture
def simulator(zoho: Simulator) -> Simulator:
    return as_new(zoho)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    no_pauses(monkeypatch)


def token_requests(simulator: Simulator) -> int:
    return simulator.traffic.count(path=TOKEN, grant_type="refresh_token")


def together(count: int, act: Callable[[], Any]) -> list[Any]:
    """What so many threads get that begin at the same moment; an error counts as a result."""
    start = threading.Barrier(count)

    def one(_: int) -> Any:
        start.wait()
        try:
            return act()
        except ZohoError as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came true")


def change(env_file: Path, **values: str) -> None:
    lines = [line for line in env_file.read_text().splitlines() if line.partition("=")[0] not in values]
    env_file.write_text("\n".join([*lines, *(f"{key}={value}" for key, value in values.items() if value), ""]))


# One token for everybody


def test_a_token_is_issued_when_first_needed_and_kept(session: ZohoSession, simulator: Simulator) -> None:
    assert token_requests(simulator) == 0
    token = session.token
    assert session.token is token
    assert session.request("GET", ORG).json()["org"]
    assert token_requests(simulator) == 1


def test_a_token_is_renewed_a_minute_before_it_expires(session: ZohoSession, simulator: Simulator) -> None:
    token = session.token
    simulator.clock.advance(3600 - 65)
    assert session.token is token
    simulator.clock.advance(6)
    assert session.token is not token
    assert token_requests(simulator) == 2


def test_a_hundred_threads_at_expiry_ask_for_one_token(session: ZohoSession, simulator: Simulator) -> None:
    first = session.token
    simulator.clock.advance(3600)
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.1))
    tokens = together(100, lambda: session.token)
    assert token_requests(simulator) == 2
    assert {id(token) for token in tokens} == {id(session.token)}
    assert tokens[0] is not first


def test_a_hundred_threads_share_one_failure(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(TOKEN, body={"error": "invalid_client_secret"}, delay=0.5))
    errors = together(100, lambda: session.token)
    assert {type(error) for error in errors} == {AuthError}
    assert {error.code for error in errors} == {"invalid_client_secret"}
    assert len({id(error) for error in errors}) == 100
    assert simulator.traffic.count(path=TOKEN) == 1
    assert session.token.expires_in > 3000


def test_many_threads_refused_at_once_ask_for_one_token(session: ZohoSession, simulator: Simulator) -> None:
    simulator.accounts.tokens.revoke_access_token(session.token.reveal())
    answers = together(20, lambda: session.request("GET", ORG))
    assert {answer.status_code for answer in answers} == {200}
    assert token_requests(simulator) == 2


def test_refresh_asks_now_and_once_for_all_who_ask_together(session: ZohoSession, simulator: Simulator) -> None:
    token = session.token
    assert session.refresh() is not token
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.2))
    tokens = together(10, session.refresh)
    assert len({id(token) for token in tokens}) == 1
    assert token_requests(simulator) == 3


def test_nobody_gets_the_token_of_other_credentials(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.3))
    with ThreadPoolExecutor(1) as thread:
        early = thread.submit(lambda: session.token)
        until(lambda: not simulator.faults.remaining())
        change(env_file, ZOHO_REFRESH_TOKEN=simulator.refresh_token("ZohoCRM.org.READ"))
        assert session.token.scopes == ("ZohoCRM.org.READ",)
        assert early.result().scopes != ("ZohoCRM.org.READ",)
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    assert token_requests(simulator) == 2


def test_an_exchange_wins_over_a_refresh_that_was_under_way(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(TOKEN, headers={"X-Slow": "yes"}, delay=0.3))
    with ThreadPoolExecutor(1) as thread:
        early = thread.submit(lambda: session.token)
        until(lambda: not simulator.faults.remaining())
        session.exchange(simulator.grant_code("ZohoCRM.org.READ"))
        early.result()
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    assert token_requests(simulator) == 1


# Zoho's limit of ten in ten minutes


def test_the_eleventh_token_request_is_refused_here(session: ZohoSession, simulator: Simulator) -> None:
    for _ in range(10):
        session.refresh()
    with pytest.raises(ThrottledError) as failure:
        session.refresh()
    assert 590 < failure.value.retry_after <= 600
    assert f"Wait {round(failure.value.retry_after + 0.5)} s" in failure.value.hint
    assert token_requests(simulator) == 10
    assert session.request("GET", ORG).status_code == 200, "the token at hand stays usable"
    simulator.clock.advance(failure.value.retry_after)
    session.refresh()
    assert token_requests(simulator) == 11
    assert simulator.traffic.count(path=TOKEN, status=400) == 0


def test_sessions_of_one_process_share_the_count(simulator: Simulator, env_file: Path) -> None:
    for _ in range(10):
        another = ZohoSession.from_env(env_file, clock=simulator.clock.time)
        assert another.token
        another.close()
    one_more = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    with pytest.raises(ThrottledError):
        _ = one_more.token
    assert token_requests(simulator) == 10


def test_another_refresh_token_has_a_count_of_its_own(
    session: ZohoSession, simulator: Simulator, env_file: Path
) -> None:
    for _ in range(10):
        session.refresh()
    change(env_file, ZOHO_REFRESH_TOKEN=simulator.refresh_token())
    assert session.refresh()
    session.exchange(simulator.grant_code())
    for _ in range(9):
        session.refresh()
    with pytest.raises(ThrottledError):
        session.refresh()
    assert simulator.traffic.count(path=TOKEN, status=400) == 0


def test_token_requests_that_did_not_happen_do_not_count(
    session: ZohoSession, simulator: Simulator, env_file: Path
) -> None:
    right = simulator.client_secret
    change(env_file, ZOHO_CLIENT_SECRET="mistyped")
    for _ in range(12):
        with pytest.raises(AuthError):
            session.refresh()
    change(env_file, ZOHO_CLIENT_SECRET=right)
    simulator.stop()
    for _ in range(12):
        with pytest.raises(TransportError, match="could not be reached"):
            session.refresh()
    session.close()


def test_a_lost_answer_counts_because_zoho_may_have_issued(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(TOKEN, reset="after", times=10))
    for _ in range(10):
        with pytest.raises(TransportError):
            session.refresh()
    with pytest.raises(ThrottledError):
        session.refresh()
    assert token_requests(simulator) == 10


def test_after_zoho_throttled_nothing_is_asked_for_a_minute(session: ZohoSession, simulator: Simulator) -> None:
    simulator.options.access_tokens_per_window = 0
    with pytest.raises(ThrottledError) as failure:
        session.refresh()
    assert failure.value.retry_after == 600
    simulator.options.access_tokens_per_window = 10
    with pytest.raises(ThrottledError) as failure:
        session.refresh()
    assert 50 < failure.value.retry_after <= 60
    assert token_requests(simulator) == 1
    simulator.clock.advance(61)
    assert session.refresh()


# Where credentials come from


def test_an_edited_env_file_is_picked_up(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    before = session.token
    change(env_file, ZOHO_REFRESH_TOKEN=simulator.refresh_token("ZohoCRM.org.READ"))
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    assert session.token is not before
    change(env_file, ZOHO_DC="in")
    assert session.credentials.dc == "in"


def test_a_broken_env_file_is_told_until_it_is_corrected(session: ZohoSession, env_file: Path) -> None:
    token, text = session.token, env_file.read_text()
    env_file.write_text(text + "ZOHO_DC='eu\n")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"Line 6 of .* is broken"):
            _ = session.token
    env_file.write_text(text)
    assert session.token is token


def test_the_environment_wins_and_is_watched(
    session: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", simulator.refresh_token("ZohoCRM.org.READ"))
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    assert session.status().sources["ZOHO_REFRESH_TOKEN"] == "environment"
    monkeypatch.delenv("ZOHO_REFRESH_TOKEN")
    assert session.token.scopes != ("ZohoCRM.org.READ",)
    assert session.status().warnings == ()


def test_what_the_environment_hides_is_said_and_kept(
    session: ZohoSession, simulator: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", simulator.refresh_token("ZohoCRM.org.READ"))
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    with pytest.warns(UserWarning, match="ZOHO_REFRESH_TOKEN in the process environment hides the one saved"):
        status = session.exchange(simulator.grant_code("ZohoCRM.users.READ"))
    assert session.refresh().scopes == ("ZohoCRM.users.READ",)
    assert "hides" in status.warnings[0]
    assert session.credentials.refresh_token is not None
    assert session.credentials.refresh_token.reveal() in env_file.read_text()
    monkeypatch.delenv("ZOHO_REFRESH_TOKEN")
    assert session.status().warnings[1:] == ()
    assert session.token.scopes == ("ZohoCRM.users.READ",)
    change(env_file, ZOHO_REFRESH_TOKEN=simulator.refresh_token("ZohoCRM.org.READ"))
    assert session.token.scopes == ("ZohoCRM.org.READ",), "what the file gives back is kept no longer"


def test_values_set_in_python_outlive_an_edit(simulator: Simulator, isolated: Path) -> None:
    path = isolated / ".env"
    there = simulator.connection()
    credentials = Credentials(
        client_id=there["client_id"],
        client_secret=Secret(there["client_secret"]),
        accounts_url=simulator.url,
        api_url=simulator.url,
        path=path,
    )
    session = ZohoSession(credentials, clock=simulator.clock.time)
    session.exchange(there["grant_code"])
    path.write_text(path.read_text() + "ZOHO_DC=eu\n")
    assert session.refresh()
    assert session.credentials.dc == "eu"
    assert "CLIENT" not in path.read_text()
    session.close()


def test_client_credentials_need_no_refresh_token(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    change(env_file, ZOHO_REFRESH_TOKEN="", ZOHO_SOID=simulator.soid, ZOHO_SCOPES="ZohoCRM.org.READ")
    assert session.token.scopes == ("ZohoCRM.org.READ",)
    simulator.clock.advance(3600)
    assert session.request("GET", ORG).json()["org"]
    assert simulator.traffic.count(grant_type="client_credentials") == 2
    assert session.status().connected


def test_nothing_set_is_named_with_the_next_step(isolated: Path) -> None:
    session = ZohoSession.from_env()
    with pytest.raises(ConfigurationError, match="ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN"):
        _ = session.token
    status = session.status()
    assert not status.connected
    assert "%zoho_setup" in status.next_step
    assert session.credentials.path == isolated / ".env"


# Exchanging a code


def test_an_exchange_saves_the_refresh_token_and_its_changes(
    session: ZohoSession, simulator: Simulator, env_file: Path
) -> None:
    change(env_file, ZOHO_REFRESH_TOKEN="", ZOHO_CLIENT_SECRET="", ZOHO_GRANT_CODE=simulator.grant_code())
    status = session.exchange(client_secret=simulator.client_secret, dc="in")
    assert (status.connected, status.dc, status.warnings) == (True, "in", ())
    text = env_file.read_text()
    assert f"ZOHO_CLIENT_SECRET={simulator.client_secret}\n" in text
    assert "ZOHO_DC=in\n" in text
    assert "ZOHO_GRANT_CODE" not in text
    later = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    assert later.request("GET", ORG).json()["org"]
    later.close()


def test_an_exchange_counts_as_one_token_request_and_gives_the_token(
    session: ZohoSession, simulator: Simulator
) -> None:
    session.exchange(simulator.grant_code())
    assert session.token.refresh_token == session.credentials.refresh_token
    assert token_requests(simulator) == 0


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, AuthError),
        ({"client_secret": "wrong", "dc": "eu", "scopes": ("a.b",)}, AuthError),
        ({"client_id": "1000.NOBODY"}, AuthError),
        ({"dc": "moon"}, ConfigurationError),
        ({"accounts_url": "https://accounts.zoho.com.evil.example"}, ConfigurationError),
    ],
)
def test_a_failed_exchange_leaves_everything_as_it_was(
    session: ZohoSession, env_file: Path, changes: dict[str, Any], kind: type[ZohoError]
) -> None:
    token, credentials, before = session.token, session.credentials, env_file.read_bytes()
    signature = env_file.stat()
    with pytest.raises(kind):
        session.exchange("1000.a.b", **changes)
    assert env_file.read_bytes() == before
    assert (env_file.stat().st_ino, env_file.stat().st_mtime_ns) == (signature.st_ino, signature.st_mtime_ns)
    assert session.token is token
    assert session.credentials is credentials


def test_an_unwritable_file_is_noticed_before_the_code_is_spent(simulator: Simulator, isolated: Path) -> None:
    there = simulator.connection()
    credentials = Credentials(
        client_id=there["client_id"],
        client_secret=Secret(there["client_secret"]),
        accounts_url=simulator.url,
        api_url=simulator.url,
        path=isolated / "gone" / ".env",
    )
    session = ZohoSession(credentials, clock=simulator.clock.time)
    with pytest.raises(ConfigurationError, match="its folder does not exist"):
        session.exchange(there["grant_code"])
    assert simulator.traffic.count(path=TOKEN) == 0
    (isolated / "gone").mkdir()
    assert session.exchange(there["grant_code"]).connected
    session.close()


def test_a_refresh_token_that_cannot_be_saved_is_kept(simulator: Simulator, env_file: Path, isolated: Path) -> None:
    obstacle = isolated / ".env.lock"

    def clock() -> float:
        # It is asked for the time when the tokens are there and nothing is saved yet.
        if simulator.traffic.count(grant_type="authorization_code"):
            obstacle.mkdir(exist_ok=True)
        return simulator.clock.time()

    session = ZohoSession.from_env(env_file, clock=clock)
    with UNTOLD:
        status = session.exchange(simulator.grant_code(), client_id=simulator.client_id)
    assert status.connected
    assert "%zoho --save" in status.warnings[0]
    assert session.refresh()
    with pytest.raises(ConfigurationError):
        session.save()
    saved = session.credentials.refresh_token
    assert saved is not None
    assert saved.reveal() not in env_file.read_text()
    simulator.traffic.clear()
    obstacle.rmdir()
    assert session.save().warnings == ()
    assert saved.reveal() in env_file.read_text()
    session.close()


def test_a_code_without_offline_access_says_so(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(TOKEN, body={"access_token": "abc"}))
    simulator.faults.add(Fault("/crm/", status=204, body=b"", times=9))
    assert any("no refresh token" in warning for warning in session.exchange("1000.a.b").warnings)


# Revoking and forgetting


def test_revoking_ends_the_token_at_zoho_here_and_in_the_file(
    session: ZohoSession, simulator: Simulator, env_file: Path
) -> None:
    token = session.token
    status = session.revoke()
    assert not status.connected
    assert "%zoho_exchange" in status.next_step
    assert "ZOHO_REFRESH_TOKEN" not in env_file.read_text()
    assert requests.get(simulator.url + ORG, headers=token.headers, timeout=5).status_code == 401
    with pytest.raises(ConfigurationError, match="ZOHO_REFRESH_TOKEN"):
        session.refresh()
    with pytest.raises(ConfigurationError, match="ZOHO_REFRESH_TOKEN"):
        session.revoke()


def test_a_token_zoho_does_not_know_stays_until_it_is_forgotten(
    session: ZohoSession, simulator: Simulator, env_file: Path
) -> None:
    change(env_file, ZOHO_REFRESH_TOKEN="unknown")
    with pytest.raises(AuthError, match="nothing to revoke"):
        session.revoke()
    assert "ZOHO_REFRESH_TOKEN=unknown" in env_file.read_text()
    session.forget_tokens()
    assert "ZOHO_REFRESH_TOKEN" not in env_file.read_text()


def test_what_is_forgotten_here_but_still_set_outside_is_said(
    session: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", simulator.refresh_token())
    with pytest.warns(UserWarning, match="still set in the process environment"):
        status = session.forget_tokens()
    assert not status.connected


# Git


def test_git_is_asked_whenever_there_is_something_to_publish(session: ZohoSession, env_file: Path) -> None:
    os.system(f"git init -q {env_file.parent}")
    assert "git does not ignore" in session.status().warnings[0]
    os.system(f"git -C {env_file.parent} add .env")
    assert "git tracks" in session.status().warnings[0]
    os.system(f"git -C {env_file.parent} rm -q --cached .env && echo .env > {env_file.parent}/.gitignore")
    assert session.status().warnings == ()


def test_saving_where_git_looks_is_loud(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    os.system(f"git init -q {env_file.parent} && git -C {env_file.parent} add .env")
    with pytest.warns(UserWarning, match=r"git tracks .*rm --cached \.env"):
        session.exchange(simulator.grant_code())


# Calls, and the auth object


def test_a_call_is_refreshed_once_after_a_refused_token(session: ZohoSession, simulator: Simulator) -> None:
    simulator.accounts.tokens.revoke_access_token(session.token.reveal())
    assert session.request("GET", ORG).json()["org"]
    assert token_requests(simulator) == 2
    simulator.faults.add(Fault("/crm/", status=401, body=REFUSED, times=2))
    with pytest.raises(AuthError) as failure:
        session.request("GET", ORG)
    assert (failure.value.code, token_requests(simulator)) == ("INVALID_TOKEN", 3)
    assert "ZOHO_DC (now us)" in failure.value.hint


def test_a_users_own_requests_work(session: ZohoSession, simulator: Simulator) -> None:
    answer = requests.get(simulator.url + ORG, auth=session.auth, timeout=5)
    assert answer.json()["org"]
    simulator.accounts.tokens.revoke_access_token(session.token.reveal())
    answer = requests.get(simulator.url + ORG, auth=session.auth, timeout=5)
    assert (answer.status_code, [earlier.status_code for earlier in answer.history]) == (200, [401])
    with requests.get(simulator.url + ORG, auth=session.auth, timeout=5, stream=True) as streamed:
        assert streamed.json()["org"]
    assert token_requests(simulator) == 2


@pytest.mark.parametrize("body", [b"bytes", "text", "file"])
def test_a_body_is_sent_again_from_its_beginning(session: ZohoSession, body: object) -> None:
    expected = b"HTTP/1.1 401 X\r\nContent-Length: 24\r\nConnection: close\r\n\r\n" + b'{"code":"INVALID_TOKEN"}'
    with Listener(expected) as host:
        vouched = session.credentials.replace(api_url=host.url)
        session._store.update(vouched, "api_url")
        given = io.BytesIO(b"the file") if body == "file" else body
        with pytest.raises(AuthError):
            session.request("POST", "/crm/v8/upload", data=given)
    bodies = [heard.partition(b"\r\n\r\n")[2] for heard in host.heard]
    said = {b"bytes": b"bytes", "text": b"text", "file": b"the file"}[body]  # type: ignore[index]
    assert bodies == [said, said]


def test_a_body_that_cannot_be_sent_again_is_not(session: ZohoSession, simulator: Simulator) -> None:
    simulator.accounts.tokens.revoke_access_token(session.token.reveal())
    with pytest.raises(AuthError, match="does not accept the access token"):
        session.request("POST", "/crm/v8/Leads", data=(part for part in [b"{}"]))
    assert (simulator.traffic.count("POST", "/crm"), token_requests(simulator)) == (1, 1)


def test_a_response_no_longer_carries_the_token(session: ZohoSession) -> None:
    answer = session.request("GET", ORG)
    assert answer.request.headers["Authorization"] == "Zoho-oauthtoken ****"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(ORG, status=500, times=2),
        Fault(ORG, status=502, html=True, times=2),
        Fault(ORG, status=503, times=2),
        Fault(ORG, reset="before", times=2),
        Fault(ORG, reset="after", times=2),
    ],
)
def test_reading_is_repeated(session: ZohoSession, simulator: Simulator, method: str, fault: Fault) -> None:
    simulator.faults.add(fault)
    assert session.request(method, ORG).status_code == 200
    assert simulator.traffic.count(path=ORG) == 3


def test_a_cut_off_body_is_read_again(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(ORG, truncate=True, body={"org": [{"company_name": "x" * 9000}]}, times=2))
    assert session.request("GET", ORG).json()["org"][0]["company_name"] != "x" * 9000
    assert simulator.traffic.count(path=ORG) == 3


def test_reading_is_given_up_in_the_end(session: ZohoSession, simulator: Simulator) -> None:
    session.refresh()
    for fault, kind, said in (
        (Fault(ORG, status=500, times=99), ApiError, "internal error"),
        (Fault(ORG, status=503, html=True, times=99), TransportError, "HTTP 503"),
        (Fault(ORG, truncate=3, body={"org": []}, times=99), TransportError, "broke off"),
        (Fault(ORG, reset="before", times=99), TransportError, "broke before Zoho answered"),
    ):
        simulator.faults.clear()
        simulator.traffic.clear()
        simulator.faults.add(fault)
        with pytest.raises(kind, match=said):
            session.request("GET", ORG)
        assert simulator.traffic.count(path=ORG) > 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_throttled_call_was_not_carried_out_and_is_sent_again(
    session: ZohoSession, simulator: Simulator, method: str
) -> None:
    simulator.faults.add(Fault(ORG, status=429, times=2))
    simulator.faults.add(Fault(ORG, status=200, body={"org": []}))
    assert session.request(method, ORG).json() == {"org": []}
    simulator.faults.add(Fault(ORG, status=429, times=99))
    with pytest.raises(ThrottledError, match="throttling") as failure:
        session.request(method, ORG)
    assert failure.value.retry_after == 60


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/crm/v8/Leads", status=500),
        Fault("/crm/v8/Leads", status=503, html=True),
        Fault("/crm/v8/Leads", reset="before"),
        Fault("/crm/v8/Leads", reset="after"),
        Fault("/crm/v8/Leads", truncate=True, body={"data": []}),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_is_never_repeated(session: ZohoSession, simulator: Simulator, fault: Fault, method: str) -> None:
    simulator.faults.add(fault)
    with pytest.raises(ZohoError) as failure:
        session.request(method, "/crm/v8/Leads", json={"data": []})
    assert simulator.traffic.count(method, "/crm/v8/Leads") == 1
    if isinstance(failure.value, TransportError) and failure.value.code[:4] != "HTTP":
        assert failure.value.may_have_been_sent
        assert "a write may have happened" in failure.value.hint


def test_writing_that_may_be_repeated_is(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault("/crm/v8/coql", status=503))
    simulator.faults.add(Fault("/crm/v8/coql", status=200, body={"data": []}))
    answer = session.request("POST", "/crm/v8/coql", json={"select_query": "x"}, retry=True)
    assert (answer.json(), simulator.traffic.count(path="/crm/v8/coql")) == ({"data": []}, 2)


def test_a_slow_answer_is_told_from_none(session: ZohoSession, simulator: Simulator) -> None:
    assert session.token
    simulator.faults.add(Fault("/crm/", delay=5, headers={"X-Slow": "yes"}))
    with pytest.raises(TransportError, match="accepted the call but did not answer") as failure:
        session.request("POST", "/crm/v8/Leads", json={}, timeout=0.1)
    assert (failure.value.code, failure.value.may_have_been_sent) == ("ReadTimeout", True)


def test_nobody_there_is_told_and_nothing_was_sent(session: ZohoSession, simulator: Simulator) -> None:
    assert session.token
    simulator.stop()
    for method in ("GET", "POST"):
        with pytest.raises(TransportError, match="could not be reached") as failure:
            session.request(method, ORG)
        assert (failure.value.code, failure.value.may_have_been_sent) == ("Unreached", False)


def test_a_mistake_in_the_call_is_said_as_one(session: ZohoSession) -> None:
    with pytest.raises(TransportError, match=r"failed \(InvalidHeader\)") as failure:
        session.request("GET", ORG, headers={"X": "a\nb"})
    assert not failure.value.may_have_been_sent
    with pytest.raises(TypeError, match="parms"):
        session.request("GET", ORG, parms={})


def test_refusals_name_the_scope_the_permission_and_the_path(session: ZohoSession, simulator: Simulator) -> None:
    session.exchange(simulator.grant_code("ZohoCRM.users.READ"))
    with pytest.raises(AuthError, match="do not cover GET /crm/v8/org") as failure:
        session.request("GET", ORG)
    assert "ZohoCRM.org.READ" in failure.value.hint
    with pytest.raises(ApiError, match="no such address: GET /crm/v8/no/such/thing"):
        session.request("GET", "/crm/v8/no/such/thing")
    body = {"code": "NO_PERMISSION", "details": {"permissions": ["Crm_X", "Crm_Y"]}, "message": "", "status": "error"}
    simulator.faults.add(Fault("/crm/", status=403, body=body))
    with pytest.raises(AuthError, match=r"\(Crm_X Crm_Y\)"):
        session.request("GET", ORG)
    simulator.faults.add(Fault("/books/", status=401, body={"code": 57, "message": "You are not authorized"}))
    with pytest.raises(ApiError, match=r"Zoho answered 57\. You are not authorized"):
        session.request("GET", "/books/v3/invoices")


def test_credits_are_noted(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(ORG, headers={"X-API-CREDITS-REMAINING": "1234"}))
    session.request("GET", ORG)
    assert session.status().credits_left == 1234


# Which host


@pytest.mark.parametrize(
    ("domain", "settings", "expected"),
    [
        ("https://www.zohoapis.eu", {}, "https://www.zohoapis.eu"),
        ("https://api.zoho.com", {"ZOHO_DC": "in"}, "https://www.zohoapis.in"),
        ("https://www.zohoapis.eu.evil.example", {}, "https://www.zohoapis.com"),
        ("https://www.zohoapis.eu", {"ZOHO_ENVIRONMENT": "sandbox"}, "https://sandbox.zohoapis.eu"),
        ("https://x.example", {"ZOHO_ENVIRONMENT": "developer", "ZOHO_DC": "ca"}, "https://developer.zohoapis.ca"),
    ],
)
def test_the_api_host_follows_the_answer_and_the_environment(
    session: ZohoSession, simulator: Simulator, env_file: Path, domain: str, settings: dict[str, str], expected: str
) -> None:
    simulator.options.api_domain = domain
    change(env_file, ZOHO_API_URL="", **settings)
    assert session.api == expected


def test_an_environment_nobody_documents_is_refused(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    simulator.options.api_domain = "https://www.zohoapis.uk"
    change(env_file, ZOHO_API_URL="", ZOHO_ENVIRONMENT="sandbox")
    with pytest.raises(ConfigurationError, match="no sandbox host for United Kingdom"):
        _ = session.api
    status = session.status()
    assert status.api_url == ""
    assert "ZOHO_ENVIRONMENT=production" in status.next_step


@pytest.mark.parametrize(
    "url",
    [
        "https://www.zohoapis.com.evil.example/crm/v8/org",
        "https://www.zohoapis.com@evil.example/crm/v8/org",
        "http://www.zohoapis.com/crm/v8/org",
        "https://136.143.190.155/crm/v8/org",
        "crm/v8/org",
        "@evil.example/",
        "",
    ],
)
def test_a_foreign_address_is_refused(session: ZohoSession, url: str) -> None:
    with pytest.raises(TransportError, match="not one of Zoho's"):
        session.request("GET", url)


def test_another_service_on_this_machine_gets_nothing(session: ZohoSession) -> None:
    with Listener() as host:
        for call in (
            lambda: session.request("GET", f"{host.url}/crm/v8/org"),
            lambda: requests.get(f"{host.url}/crm/v8/org", auth=session.auth, timeout=5),
        ):
            with pytest.raises(TransportError, match="the token was not sent"):
                call()
    assert host.heard == []


def test_a_redirect_elsewhere_is_not_followed(session: ZohoSession, simulator: Simulator) -> None:
    with Listener() as host:
        for status in (301, 302, 307, 308):
            simulator.faults.add(Fault(ORG, status=status, body=b"", headers={"Location": f"{host.url}/x"}))
            with pytest.raises(TransportError, match="pointed to another host") as failure:
                session.request("GET", ORG)
            assert not leaks(failure.value, session.token.reveal())
    assert host.heard == []


def test_a_redirect_of_a_users_own_call_leaves_the_token_behind(session: ZohoSession, simulator: Simulator) -> None:
    # Asking for it with Zoho's own 401 does not help either.
    refusal = b"HTTP/1.1 401 X\r\nContent-Length: 24\r\nConnection: close\r\n\r\n" + b'{"code":"INVALID_TOKEN"}'
    with Listener(refusal) as host:
        simulator.faults.add(Fault(ORG, status=302, body=b"", headers={"Location": f"{host.url}/x"}))
        answer = requests.get(simulator.url + ORG, auth=session.auth, timeout=5)
    assert answer.status_code == 401
    assert len(host.heard) == 1
    assert b"authorization" not in host.heard[0].lower()
    assert session.token.reveal().encode() not in host.heard[0]


def test_a_redirect_on_the_same_host_keeps_the_token_whatever_netrc_says(
    simulator: Simulator, session: ZohoSession
) -> None:
    Path.home().joinpath(".netrc").write_text("default login somebody password else\n")
    Path.home().joinpath(".netrc").chmod(0o600)
    for local in (True, False):
        simulator.faults.add(Fault("/crm/v8/moved", status=302, body=b"", headers={"Location": ORG}))
        with make_session(local=local, trusted=frozenset(), max_body_bytes=1 << 20) as connection:
            answer = connection.get(f"{simulator.url}/crm/v8/moved", auth=session.auth, timeout=5)
        assert answer.json()["org"]
    assert session.refresh()


def test_a_proxy_of_the_environment_never_sees_loopback(session: ZohoSession, monkeypatch: pytest.MonkeyPatch) -> None:
    with Listener() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert session.request("GET", ORG).json()["org"]
    assert proxy.heard == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_proxy_in_front_of_zoho_sees_the_host_and_nothing_else(
    session: ZohoSession, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [line.partition("=")[2] for line in env_file.read_text().splitlines()[:3]]
    change(env_file, ZOHO_ACCOUNTS_URL="", ZOHO_API_URL="", ZOHO_DC="eu")
    Path.home().joinpath(".netrc").write_text("default login somebody password else\n")
    with Listener() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(TransportError, match="proxy refused") as failure:
            session.refresh()
    assert not failure.value.may_have_been_sent
    assert proxy.heard
    for heard in proxy.heard:
        assert heard.startswith(b"CONNECT accounts.zoho.eu:443 ")
        assert not [secret for secret in secrets if secret.encode() in heard]
    del failure
    gc.collect()  # Python 3.10 leaves the socket of a refused CONNECT to it, and it would warn in another test


def test_a_form_carries_no_login_from_netrc(monkeypatch: pytest.MonkeyPatch) -> None:
    Path.home().joinpath(".netrc").write_text("default login somebody password else\n")
    with Listener() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        transport = Transport({"http://vouched.example"})
        transport.post_form(
            "http://vouched.example/oauth/v2/token", {"client_secret": Secret("S3C" + "R3T")}, lambda found: found
        )
        transport.close()
    assert b"authorization" not in proxy.heard[0].lower()
    assert proxy.heard[0].endswith(b"client_secret=" + b"S3C" + b"R3T")


def test_cookies_are_not_kept(session: ZohoSession, simulator: Simulator) -> None:
    session.request("GET", ORG)
    assert [list(connection.cookies) for connection in session._transport._pools.values()] == [[]]


# Nothing secret in what goes wrong


@contextmanager
def _secrets(session: ZohoSession, simulator: Simulator, env_file: Path) -> Iterator[list[str]]:
    values = [line.partition("=")[2] for line in env_file.read_text().splitlines()[1:3]]
    yield [*values, session.token.reveal()]


WRONG = {
    "refused code": (None, lambda zoho, code: zoho.exchange(code)),
    "refused refresh": (Fault(TOKEN, body={"error": "invalid_code"}), lambda zoho, _: zoho.refresh()),
    "throttled": (
        Fault(TOKEN, status=400, body={"error": "Access Denied", "status": "failure"}),
        lambda zoho, _: zoho.refresh(),
    ),
    "html": (Fault(TOKEN, html=True), lambda zoho, _: zoho.refresh()),
    "empty": (Fault(TOKEN, status=400, body=b""), lambda zoho, _: zoho.refresh()),
    "cut off": (Fault(TOKEN, truncate=4, body={"access_token": "x"}), lambda zoho, _: zoho.refresh()),
    "reset": (Fault(TOKEN, reset="after"), lambda zoho, _: zoho.refresh()),
    "redirected": (
        Fault(TOKEN, status=307, body=b"", headers={"Location": "https://evil.example/"}),
        lambda zoho, _: zoho.refresh(),
    ),
    "not revoked": (Fault(f"{TOKEN}/revoke", status=400, body=b""), lambda zoho, _: zoho.revoke()),
    "bad secret": (None, lambda zoho, code: zoho.exchange(code, client_secret=code + " x")),
    "bad place": (None, lambda zoho, code: zoho.exchange(code, client_secret=code, dc="moon")),
    "scope": (
        Fault(ORG, status=401, body={"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "", "status": "error"}),
        lambda zoho, _: zoho.request("GET", ORG),
    ),
    "token refused": (Fault(ORG, status=401, body=REFUSED, times=2), lambda zoho, _: zoho.request("GET", ORG)),
    "call reset": (Fault(ORG, reset="after"), lambda zoho, _: zoho.request("POST", ORG, json={})),
    "call not JSON": (Fault(ORG, status=500, html=True), lambda zoho, _: zoho.request("POST", ORG, json={})),
    "foreign": (None, lambda zoho, _: zoho.request("GET", "https://evil.example/")),
    "own call abroad": (None, lambda zoho, _: requests.get("http://127.0.0.1:1/", auth=zoho.auth, timeout=5)),
}


@pytest.mark.parametrize("case", WRONG)
def test_no_error_holds_a_secret(session: ZohoSession, simulator: Simulator, env_file: Path, case: str) -> None:
    fault, act = WRONG[case]
    code = "S3C" + "R3T"
    with _secrets(session, simulator, env_file) as secrets:
        if fault is not None:
            simulator.faults.add(fault)
        with pytest.raises(ZohoError) as failure:
            act(session, code)
        assert not leaks(failure.value, code, *secrets, session.token.reveal())
        assert failure.value.__context__ is None
        assert failure.value.__cause__ is None


def test_no_secret_in_an_error_about_the_file(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    with _secrets(session, simulator, env_file) as secrets:
        env_file.write_text(env_file.read_text() + "ZOHO_DC=moon\n")
        with pytest.raises(ConfigurationError, match=r"ZOHO_DC \(from \.env\)") as failure:
            _ = session.token
        assert not leaks(failure.value, *secrets)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals for threads here")
@pytest.mark.parametrize("path", [TOKEN, ORG])
def test_an_interrupted_call_holds_no_secret(
    session: ZohoSession, simulator: Simulator, env_file: Path, path: str
) -> None:
    with _secrets(session, simulator, env_file) as secrets:
        simulator.faults.add(Fault(path, delay=20, headers={"X-Slow": "yes"}))
        main = threading.main_thread().ident

        def interrupt() -> None:
            until(lambda: not simulator.faults.remaining())
            signal.pthread_kill(main, signal.SIGINT)  # type: ignore[arg-type]

        act = session.refresh if path == TOKEN else lambda: session.request("GET", path)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(interrupt)
            with pytest.raises(KeyboardInterrupt) as failure:
                act()
        assert not leaks(failure.value, *secrets)
        assert failure.value.__context__ is None
        simulator.faults.clear()
        assert session.refresh(), "the next one to ask is not kept waiting"


def test_logs_at_debug_hold_no_secret(
    session: ZohoSession, simulator: Simulator, env_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = simulator.grant_code()
    with _secrets(session, simulator, env_file) as secrets:
        session.exchange(code)
        secrets += [code, session.token.reveal(), session.credentials.refresh_token.reveal()]  # type: ignore[union-attr]
        simulator.faults.add(Fault(ORG, status=503))
        simulator.faults.add(Fault(TOKEN, reset="before"))
        session.request("GET", ORG)
        with pytest.raises(TransportError):
            session.refresh()
        session.revoke()
        simulator.stop()
        with pytest.raises(TransportError):
            session.exchange(code)
        said = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
        assert "urllib3" in {record.name.partition(".")[0] for record in caplog.records}
        assert not [secret for secret in secrets if secret in said]


def test_a_session_shows_nothing_of_what_it_knows(session: ZohoSession, simulator: Simulator, env_file: Path) -> None:
    with _secrets(session, simulator, env_file) as secrets:
        status = session.status()
        shown = f"{session!r} {vars(session)} {session.credentials!r} {session.token!r} {status!r} {vars(status)}"
        assert status.connected
        assert not [secret for secret in secrets if secret in shown]
        assert not [secret for secret in secrets if secret in str(dict(os.environ))]


# Leaving nothing open


def test_a_session_that_is_dropped_leaves_no_socket_open(simulator: Simulator, env_file: Path) -> None:
    session = ZohoSession.from_env(env_file, clock=simulator.clock.time)
    session.request("GET", ORG)
    simulator.faults.add(Fault(ORG, truncate=1, body={"org": []}))
    session.request("GET", ORG)
    session.close()
    assert session.request("GET", ORG).status_code == 200, "a closed session opens again"
    opened = [held for connection in session._transport._pools.values() for held in _sockets(connection)]
    assert opened
    del session
    gc.collect()  # an open one would be a ResourceWarning, which is an error here
    assert [held for held in opened if held.fileno() != -1] == []


def _sockets(connection: requests.Session) -> list[socket.socket]:
    pools = [adapter.poolmanager.pools for adapter in connection.adapters.values()]
    queues = [found[key].pool.queue for found in pools for key in tuple(found.keys())]
    return [held.sock for queue in queues for held in queue if held is not None and held.sock is not None]


# The one session


def test_the_magics_and_a_script_share_one_session(env_file: Path) -> None:
    assert current_session() is None
    session = get_session()
    assert get_session() is session is current_session()
    assert session.credentials.path == env_file
    other = ZohoSession(Credentials())
    use_session(other)
    assert get_session() is other
    use_session(None)
    assert get_session() is not other
    assert get_session().credentials.path == env_file


def test_many_threads_get_the_same_session(env_file: Path) -> None:
    assert len({id(session) for session in together(30, get_session)}) == 1


def test_a_named_file_is_the_one_used(isolated: Path, env_file: Path) -> None:
    other = isolated / "other.env"
    other.write_text("ZOHO_DC=jp\n")
    assert ZohoSession.from_env("other.env").credentials.dc == "jp"
    assert ZohoSession.from_env(other).credentials.path == other
    shutil.copy(other, Path.home() / ".zoho.env")
    assert ZohoSession.from_env("~/.zoho.env").credentials.dc == "jp"


def test_a_status_reports_a_problem_and_its_next_step(session: ZohoSession, simulator: Simulator) -> None:
    simulator.faults.add(Fault(TOKEN, body={"error": "invalid_code"}))
    status = session.status()
    assert not status.connected
    assert "no longer accepts the refresh token" in status.warnings[0]
    assert "%zoho_exchange" in status.next_step
    status = session.status()
    assert (status.connected, status.name, status.next_step) == (True, "Patricia Boyle", "")
    assert isinstance(session.token, Token)


def test_a_missing_scope_leaves_half_of_the_introduction(session: ZohoSession, simulator: Simulator) -> None:
    status = session.exchange(simulator.grant_code("ZohoCRM.users.READ"))
    assert (status.connected, status.name, status.organisation) == (True, "Patricia Boyle", "")
    assert "ZohoCRM.org.READ" in status.warnings[0]
