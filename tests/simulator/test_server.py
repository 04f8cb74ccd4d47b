"""The simulator as a server: starting and stopping, faults, the clock, what it remembers, its command line."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

from zoho_magic.simulator import Clock, Fault, Options, Simulator
from zoho_magic.simulator.__main__ import _parser, _simulator, main
from zoho_magic.simulator.access import covers

INFO = "/oauth/serverinfo"
TOKEN = "/oauth/v2/token"


@pytest.fixture
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=1) as simulator:
        yield simulator


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def ids(zoho: Simulator) -> dict[str, str]:
    return {"client_id": zoho.client_id, "client_secret": zoho.client_secret}


# --- starting and stopping ---


def test_stop_closes_open_connections_and_threads(http: requests.Session) -> None:
    before = set(threading.enumerate())
    with Simulator(rows=1, data_centres=("us", "in")) as zoho:
        assert http.get(zoho.url + INFO, timeout=5).ok
        assert set(threading.enumerate()) > before
        began = time.monotonic()
    assert time.monotonic() - began < 1
    assert set(threading.enumerate()) == before
    gc.collect()  # an unclosed socket would warn here, and warnings are errors
    with pytest.raises(requests.ConnectionError):
        requests.get(zoho.url + INFO, timeout=5)


def test_start_is_idempotent_and_restartable(http: requests.Session) -> None:
    zoho = Simulator(rows=1)
    refresh_token = zoho.refresh_token()
    with zoho:
        url = zoho.url
        assert zoho.start().url == url
    with zoho:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **ids(zoho)}
        assert "access_token" in http.post(zoho.url + TOKEN, data=form, timeout=5).json()


def test_a_taken_port_is_an_oserror(zoho: Simulator) -> None:
    port = int(zoho.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        Simulator(rows=1, port=port).start()


def test_keep_alive_after_an_unread_body(zoho: Simulator) -> None:
    with socket.create_connection(("127.0.0.1", int(zoho.url.rsplit(":", 1)[1]))) as wire:
        for _ in range(3):
            wire.sendall(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
            answer = wire.recv(65536)
            assert answer.startswith(b"HTTP/1.1 404 ")
            assert b"Connection: close" not in answer
            assert answer.endswith(b"}")


def test_calls_in_flight_are_counted(zoho: Simulator) -> None:
    zoho.options.latency = 0.2
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: requests.get(zoho.url + INFO, timeout=5), range(6)))
    assert zoho.traffic.peak == 6
    assert zoho.traffic.in_flight == 0


def test_a_cleared_log_leaves_out_the_calls_that_began_before(zoho: Simulator) -> None:
    zoho.faults.add(Fault(path=INFO, delay=0.4))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, zoho.url + INFO, timeout=5)
        while not zoho.traffic.in_flight:
            time.sleep(0.002)
        zoho.traffic.clear()
        requests.get(zoho.url + INFO, timeout=5)
        assert not slow.done()
    assert zoho.traffic.peak == len(zoho.traffic.calls) == 1


# --- faults ---


def test_fault_status_with_times_and_after(zoho: Simulator, http: requests.Session) -> None:
    zoho.faults.add(Fault(method="GET", path=INFO, status=500, after=1, times=2))
    answers = [http.get(zoho.url + INFO, timeout=5) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 500, 500, 200]
    assert answers[1].json()["code"] == "INTERNAL_ERROR"
    assert zoho.faults.remaining() == []


def test_faults_match_method_and_path(zoho: Simulator, http: requests.Session) -> None:
    zoho.faults.add(Fault(method="POST", path="/oauth/", status=503))
    zoho.faults.add(Fault(path=r"/crm/v\d+/org", status=429))
    assert http.get(zoho.url + INFO, timeout=5).status_code == 200
    assert http.post(zoho.url + TOKEN, timeout=5).status_code == 503
    assert http.get(zoho.url + "/crm/v8/users", timeout=5).status_code == 401
    answer = http.get(zoho.url + "/crm/v8/org", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")


def test_html_instead_of_json(zoho: Simulator, http: requests.Session) -> None:
    zoho.faults.add(Fault(path=INFO, html=True))
    answer = http.get(zoho.url + INFO, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("body", "sent"), [({}, b"{}"), ([1], b"[1]"), ("text", b"text"), (b"\xff", b"\xff")])
def test_a_body_and_headers_of_your_own(zoho: Simulator, http: requests.Session, body: object, sent: bytes) -> None:
    zoho.faults.add(Fault(path=INFO, body=body, headers={"Retry-After": "7"}))
    answer = http.get(zoho.url + INFO, timeout=5)
    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (200, sent, "7")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_says_no_length(zoho: Simulator, http: requests.Session, status: int) -> None:
    zoho.faults.add(Fault(path=INFO, status=status, body=""))
    answer = http.get(zoho.url + INFO, timeout=5)
    assert (answer.status_code, answer.content) == (status, b"")
    assert "Content-Length" not in answer.headers
    assert http.get(zoho.url + INFO, timeout=5).ok


def test_headers_alone_are_added_to_the_real_answer(zoho: Simulator, http: requests.Session) -> None:
    zoho.faults.add(Fault(path=INFO, headers={"X-Extra": "1"}))
    answer = http.get(zoho.url + INFO, timeout=5)
    assert answer.headers["X-Extra"] == "1"
    assert answer.json()["result"] == "success"


@pytest.mark.parametrize(("reset", "used"), [("before", False), ("after", True)])
def test_reset_connection(zoho: Simulator, http: requests.Session, reset: str, used: bool) -> None:
    form = {"grant_type": "authorization_code", "code": zoho.grant_code(), **ids(zoho)}
    zoho.faults.add(Fault(path=TOKEN, reset=reset))  # type: ignore[arg-type]
    with pytest.raises(requests.ConnectionError):
        http.post(zoho.url + TOKEN, data=form, timeout=5)
    assert zoho.traffic.calls[-1].status is None
    answer = http.post(zoho.url + TOKEN, data=form, timeout=5).json()
    assert ("error" in answer) == used, "after: the call happened, and only its answer was lost"


@pytest.mark.parametrize("truncate", [True, 10, 0])
def test_truncated_body(zoho: Simulator, http: requests.Session, truncate: bool | int) -> None:
    zoho.faults.add(Fault(path=INFO, truncate=truncate))
    began = time.monotonic()
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        http.get(zoho.url + INFO, timeout=5)
    assert time.monotonic() - began < 3, "cut, not left hanging"
    assert http.get(zoho.url + INFO, timeout=5).ok


def test_delayed_answer_exceeds_the_clients_timeout(zoho: Simulator, http: requests.Session) -> None:
    zoho.faults.add(Fault(path=INFO, delay=30))
    with pytest.raises(requests.Timeout):
        http.get(zoho.url + INFO, timeout=0.1)
    began = time.monotonic()
    zoho.stop()
    assert time.monotonic() - began < 2, "stopping does not wait for it"


def test_the_clock_may_jump_at_a_call(zoho: Simulator, http: requests.Session) -> None:
    form = {"grant_type": "authorization_code", "code": zoho.grant_code(), **ids(zoho)}
    zoho.faults.add(Fault(path=TOKEN, advance=200))
    assert http.post(zoho.url + TOKEN, data=form, timeout=5).json() == {"error": "invalid_code"}


def test_faults_clear(zoho: Simulator, http: requests.Session) -> None:
    zoho.faults.add(Fault(status=500, times=9))
    assert len(zoho.faults.remaining()) == 1
    zoho.faults.clear()
    assert http.get(zoho.url + INFO, timeout=5).ok


def test_latency_is_added_to_every_answer(http: requests.Session) -> None:
    with Simulator(rows=1, options=Options(latency=0.1)) as zoho:
        began = time.monotonic()
        http.get(zoho.url + INFO, timeout=5)
        assert time.monotonic() - began >= 0.1


# --- the clock ---


def test_the_clock_begins_where_told_and_moves_when_told() -> None:
    clock = Clock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert clock.now().tzinfo is timezone.utc
    assert clock.now().isoformat().startswith("2026-01-01T00:00:")
    clock.advance(3600)
    assert clock.now().isoformat().startswith("2026-01-01T01:00:")
    assert clock.time() == pytest.approx(clock.now().timestamp(), abs=1)


# --- traffic ---


def test_request_log_hides_secrets(zoho: Simulator, http: requests.Session) -> None:
    secrets = zoho.connection() | {"state": "s-t-a-t-e", "access": zoho.access_token()}
    query = {
        "grant_type": "refresh_token",
        "client_secret": secrets["client_secret"],
        "refresh_token": secrets["refresh_token"],
        "code": secrets["grant_code"],
        "state": secrets["state"],
        "page_token": "p",
        "anything": secrets["access"],
        "scope": "x",
    }
    http.post(zoho.url + TOKEN, params=query, data=ids(zoho), timeout=5)
    http.get(f"{zoho.url}/crm/v8/{secrets['access']}", timeout=5)
    told = repr(zoho.traffic.calls)
    for name in ("client_secret", "refresh_token", "grant_code", "state", "access"):
        assert secrets[name] not in told, name
    call = zoho.traffic.calls[0]
    assert (call.method, call.path, call.status, call.data_centre) == ("POST", TOKEN, 200, "us")
    assert (call.query["scope"], call.query["page_token"], call.query["state"]) == ("x", "p", "***")


def test_no_repr_of_the_accounts_server_shows_a_token(zoho: Simulator) -> None:
    connection = zoho.connection()
    tokens = zoho.accounts.tokens
    code, refresh = tokens.code(connection["grant_code"]), tokens.refresh(connection["refresh_token"])
    told = repr([code, refresh, zoho.client])
    assert "Grant(" in told
    assert not [secret for name, secret in connection.items() if name not in ("url", "client_id") and secret in told]


def test_request_log_counts_by_method_path_status_and_grant(zoho: Simulator, http: requests.Session) -> None:
    http.get(zoho.url + INFO, timeout=5)
    http.get(zoho.url + "/crm/v8/org", timeout=5)
    form = {"grant_type": "refresh_token", "refresh_token": zoho.refresh_token(), **ids(zoho)}
    http.post(zoho.url + TOKEN, data=form, timeout=5)
    http.post(zoho.url + TOKEN, data={"grant_type": zoho.client_secret}, timeout=5)
    count = zoho.traffic.count
    assert (count(), count(method="GET"), count(path="/oauth"), count(path=r"/crm/v\d/org")) == (4, 2, 3, 1)
    assert (count(status=401), count(grant_type="refresh_token"), count("POST", INFO)) == (1, 1, 0)
    assert zoho.client_secret not in repr(zoho.traffic.calls), "a grant type that is none is not kept"
    zoho.traffic.clear()
    assert count() == 0


# --- who may call the API ---


@pytest.mark.parametrize(
    ("granted", "needed", "ok"),
    [
        ("ZohoCRM.modules.ALL", "ZohoCRM.modules.leads.READ", True),
        ("ZohoCRM.modules.READ", "ZohoCRM.modules.leads.READ", True),
        ("ZohoCRM.modules.READ", "ZohoCRM.modules.leads.CREATE", False),
        ("ZohoCRM.modules.leads.READ", "ZohoCRM.modules.leads.READ", True),
        ("zohocrm.modules.LEADS.read", "ZohoCRM.modules.Leads.READ", True),
        ("ZohoCRM.modules.leads.ALL", "ZohoCRM.modules.deals.READ", False),
        ("ZohoCRM.modules.leads.ALL", "ZohoCRM.modules.READ", False),
        ("ZohoCRM.modules.WRITE", "ZohoCRM.modules.leads.DELETE", True),
        ("ZohoCRM.modules.WRITE", "ZohoCRM.modules.leads.READ", False),
        ("ZohoCRM.settings.ALL", "ZohoCRM.settings.fields.READ", True),
        ("ZohoCRM.settings.ALL", "ZohoCRM.modules.READ", False),
        ("ZohoCRM.settings.fields.READ", "ZohoCRM.settings.ALL", False),
        ("email", "ZohoCRM.settings.fields.READ", False),
    ],
)
def test_what_a_scope_covers(granted: str, needed: str, ok: bool) -> None:
    assert covers([granted], needed) is ok


@pytest.mark.parametrize("header", [None, "", "Basic eDp5", "Zoho-oauthtoken", "Bearer "])
def test_without_a_usable_header(zoho: Simulator, http: requests.Session, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    query = {"access_token": zoho.access_token()}
    answer = http.get(zoho.url + "/crm/v8/org", params=query, headers=headers, timeout=5)
    body = {"code": "AUTHENTICATION_FAILURE", "details": {}, "message": "Authentication failed", "status": "error"}
    assert (answer.status_code, answer.json()) == (401, body)


@pytest.mark.parametrize("scheme", ["Zoho-oauthtoken", "Bearer"])
def test_a_token_opens_the_api_under_either_prefix_for_an_hour(
    zoho: Simulator, http: requests.Session, scheme: str
) -> None:
    http.headers["Authorization"] = f"{scheme} {zoho.access_token()}"
    assert http.get(zoho.url + "/crm/v8/org", timeout=5).status_code == 200
    zoho.clock.advance(3601)
    answer = http.get(zoho.url + "/crm/v8/org", timeout=5)
    body = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
    assert (answer.status_code, answer.json()) == (401, body)


def test_a_token_of_another_data_centre_is_invalid(http: requests.Session) -> None:
    with Simulator(rows=1, data_centres=("us", "eu")) as zoho:
        http.headers["Authorization"] = f"Bearer {zoho.access_token(data_centre='eu')}"
        assert http.get(zoho.origin("eu") + "/crm/v8/org", timeout=5).status_code == 200
        assert http.get(zoho.origin("us") + "/crm/v8/org", timeout=5).json()["code"] == "INVALID_TOKEN"


def test_a_missing_scope(zoho: Simulator, http: requests.Session) -> None:
    http.headers["Authorization"] = f"Bearer {zoho.access_token('ZohoCRM.users.READ')}"
    answer = http.get(zoho.url + "/crm/v8/org", timeout=5)
    assert answer.status_code == 401
    message = "invalid oauth scope to access this URL"
    assert answer.json() == {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": message, "status": "error"}


def test_a_method_the_api_does_not_have(zoho: Simulator, http: requests.Session) -> None:
    answer = http.patch(zoho.url + "/crm/v8/org", timeout=5)
    message = "The http request method type is not a valid one"
    body = {"code": "INVALID_REQUEST_METHOD", "details": {}, "message": message, "status": "error"}
    assert (answer.status_code, answer.json()) == (400, body)


# --- the command line ---


def test_the_command_line_serves_until_stopped(http: requests.Session) -> None:
    command = [sys.executable, "-m", "zoho_magic.simulator", "--json", "--rows", "1", "--redirect-uri", "http://x/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        assert list(told) == ["url", "client_id", "client_secret", "grant_code", "refresh_token"]
        form = {name: told[name] for name in ("client_id", "client_secret")}
        code = {"grant_type": "authorization_code", "code": told["grant_code"], **form}
        refresh = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"], **form}
        for grant in (code, refresh):
            assert "access_token" in http.post(told["url"] + TOKEN, data=grant, timeout=5).json()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_command_line_says_when_the_port_is_taken(zoho: Simulator) -> None:
    port = zoho.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "zoho_magic.simulator", "--rows", "1", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=dict(os.environ))
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot serve on port {port}: ")
    assert done.stdout == ""


PLUGIN_TESTS = """
import pytest, requests

def test_it_is_running(zoho_simulator):
    headers = {"Authorization": f"Zoho-oauthtoken {zoho_simulator.access_token()}"}
    assert len(requests.get(f"{zoho_simulator.url}/crm/v8/Leads?fields=Email", headers=headers).json()["data"]) > 50

@pytest.mark.zoho_simulator(rows=3, behaviour="worst")
def test_it_takes_settings(zoho_simulator):
    assert zoho_simulator.crm.count("Leads") == 3
    assert zoho_simulator.options.users_forbidden
"""


def test_the_pytest_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(PLUGIN_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", "test_mine.py"]
    plugin = ["-p", "zoho_magic.simulator.pytest_plugin"]  # as the entry point does where the package is installed
    entry = 'zoho_simulator = "zoho_magic.simulator.pytest_plugin"'
    assert entry in (Path(__file__).parents[2] / "pyproject.toml").read_text()
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([*command, *plugin], cwd=tmp_path, env=alone, capture_output=True, text=True, timeout=60)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_costs_next_to_nothing() -> None:
    script = (
        "import sys, zoho_magic.simulator.pytest_plugin; print([m for m in ('flask', 'requests') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


def test_calls_are_recorded_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    with Simulator(rows=5, record=file) as zoho:
        token = zoho.access_token()
        form = {"grant_type": "refresh_token", "refresh_token": zoho.refresh_token(), "client_id": zoho.client_id,
                "client_secret": zoho.client_secret}  # fmt: skip
        requests.post(f"{zoho.url}/oauth/v2/token", params=form, timeout=10)
        headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        requests.get(f"{zoho.url}/crm/v8/Leads", params={"fields": "Email"}, headers=headers, timeout=10)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["method"], line["path"], line["status"], line["credits"]) for line in lines] == [
        ("POST", "/oauth/v2/token", 200, 0),
        ("GET", "/crm/v8/Leads", 200, 1),
    ]
    assert lines[1]["query"] == {"fields": "Email"}
    for secret in (token, zoho.client_secret, form["refresh_token"]):
        assert secret not in file.read_text()


def test_options_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("nope=1", "job_seconds=x", "job_seconds", "users_forbidden=maybe"):
        with pytest.raises(SystemExit):
            main(["--option", wrong])
        assert f"--option {wrong}" in capsys.readouterr().err
    given = _parser().parse_args(["--option", 'coql_left_out=["email"]', "--option", "org_id=42", "--rows", "1"])
    options = _simulator(given).options
    assert (options.coql_left_out, options.org_id) == (("email",), "42")
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert [name for name, *_ in Options.rows() if f"  {name}=" not in told] == []
