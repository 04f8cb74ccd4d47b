"""The listener for one redirect, and everything else that may knock at its port."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.login_env import free_port, redirect_uri
from zoho_magic import ConfigurationError, Secret, TransportError
from zoho_magic.login.authorization import MatchResult
from zoho_magic.login.loopback_server import LoopbackServer

QUESTION = "https://accounts.zoho.eu/oauth/v2/auth?x=1"
GOOD, CODE = "state=good&code=1000.c0de&", "1000.c0de"


def verdict(query: Secret) -> MatchResult:
    text = query.reveal()
    if not text.startswith("state=good"):
        return ""
    return "refused" if "error=" in text else "accepted"


@pytest.fixture
def uri() -> str:
    return redirect_uri()


@pytest.fixture
def listener(uri: str) -> Iterator[LoopbackServer]:
    with LoopbackServer(uri, Secret(QUESTION), verdict) as listening:
        yield listening


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, allow_redirects=False, timeout=10)


def unanswered(listener: LoopbackServer) -> bool:
    with pytest.raises(TransportError, match="Nobody came back") as failure:
        listener.wait(0)
    return failure.value.code == "timeout"


def test_the_one_redirect_is_answered_with_a_page_and_given_on(listener: LoopbackServer, uri: str) -> None:
    page = get(f"{uri}?{GOOD}")
    assert listener.wait(5) == Secret(GOOD)
    assert page.status_code == 200
    assert "go back to your notebook" in page.text
    assert "history.replaceState" in page.text
    assert CODE not in page.text
    assert "prefers-color-scheme" in page.text or "color-scheme:light dark" in page.text
    assert "http" not in page.text, "everything it needs is in it"


def test_nothing_about_it_is_kept_or_told_on(listener: LoopbackServer, uri: str) -> None:
    headers = get(f"{uri}?{GOOD}").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


def test_the_start_is_unguessable_and_leads_one_browser_to_the_question(listener: LoopbackServer, uri: str) -> None:
    """Attack: another user of the machine reads `state`, or a secret in the question, from the same address."""
    origin = uri.rpartition("/")[0]
    for guess in ("/start", "/start/", "/start/x"):
        assert get(origin + guess).status_code == 404
    answer = get(listener.start_url)
    assert (answer.status_code, answer.headers["Location"]) == (302, QUESTION)
    again = get(listener.start_url)
    assert again.status_code == 410
    assert "Location" not in again.headers


def test_a_second_redirect_changes_nothing(listener: LoopbackServer, uri: str) -> None:
    get(f"{uri}?{GOOD}")
    again = get(f"{uri}?state=good&code=1000.another")
    assert again.status_code == 410
    assert "answered already" in again.text
    assert listener.wait(5) == Secret(GOOD)


def test_of_many_at_once_one_is_taken(listener: LoopbackServer, uri: str) -> None:
    answers: list[int] = []
    start = threading.Barrier(8)

    def redirect(number: int) -> None:
        start.wait()
        answers.append(get(f"{uri}?state=good&code={number}").status_code)

    threads = [threading.Thread(target=redirect, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, *[410] * 7]


@pytest.mark.parametrize("path", ["/favicon.ico", "/", "/callback/", "/Callback", "/callback%2F", "/x"])
def test_other_addresses_are_nobodys(listener: LoopbackServer, uri: str, path: str) -> None:
    found = urlsplit(uri)
    assert get(f"{found.scheme}://{found.netloc}{path}?{GOOD}").status_code == 404
    assert unanswered(listener)


def test_a_wrong_state_is_turned_away_and_the_right_one_still_welcome(listener: LoopbackServer, uri: str) -> None:
    assert get(f"{uri}?state=forged&code=1000.attacker").status_code == 400
    assert unanswered(listener)
    assert get(f"{uri}?{GOOD}").status_code == 200


def test_a_refusal_has_a_page_of_its_own(listener: LoopbackServer, uri: str) -> None:
    assert "Access was not given" in get(f"{uri}?state=good&error=access_denied").text
    assert listener.wait(5)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS"])
def test_only_get_is_answered(listener: LoopbackServer, uri: str, method: str) -> None:
    assert requests.request(method, f"{uri}?{GOOD}", timeout=10).status_code == 501
    assert unanswered(listener)


def test_a_name_that_was_made_to_point_here_is_not_ours(listener: LoopbackServer, uri: str) -> None:
    assert get(f"{uri}?{GOOD}", Host="evil.example:8976").status_code == 404
    assert get(listener.start_url, Host="evil.example").status_code == 404
    assert unanswered(listener)


def test_a_page_that_loads_us_as_a_picture_is_nobody_coming_back(listener: LoopbackServer, uri: str) -> None:
    assert get(f"{uri}?{GOOD}", **{"Sec-Fetch-Mode": "no-cors"}).status_code == 404
    assert get(f"{uri}?{GOOD}", **{"Sec-Fetch-Mode": "navigate"}).status_code == 200


def connection(uri: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(uri).port or 0), timeout=10)


@pytest.mark.parametrize(
    "said", [b"", b"\x16\x03\x01\x02", b"GET", b"\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"x" * 70_000]
)
def test_a_probe_that_says_nothing_of_use_is_in_nobodys_way(listener: LoopbackServer, uri: str, said: bytes) -> None:
    with connection(uri) as probe:
        probe.sendall(said)
        assert get(f"{uri}?{GOOD}").status_code == 200
        assert listener.wait(5) == Secret(GOOD)


def test_it_is_over_at_once_though_a_probe_hangs_on(uri: str) -> None:
    with connection_during(uri) as probe:
        assert probe.recv(1) == b""


class connection_during:  # noqa: N801  # reads as a function
    """A connection opened while the listener was there and said nothing; the listener is gone by now."""

    def __init__(self, uri: str) -> None:
        with LoopbackServer(uri, Secret(QUESTION), verdict):
            self._probe = connection(uri)
            self._probe.settimeout(2)  # it would hang up by itself later
            get(f"{uri}?{GOOD}")

    def __enter__(self) -> socket.socket:
        return self._probe

    def __exit__(self, *_: object) -> None:
        self._probe.close()


def test_it_says_nothing_anywhere(listener: LoopbackServer, uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    for query in (GOOD, "state=x", GOOD):
        get(f"{uri}?{query}")
        requests.post(f"{uri}?{query}", timeout=10)
    with connection(uri) as probe:
        probe.sendall(b"GARBAGE\r\n\r\n")
        probe.recv(10)
    assert capfd.readouterr() == ("", "")


def test_it_listens_on_loopback_only(listener: LoopbackServer, uri: str) -> None:
    port = urlsplit(uri).port or 0
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        if not str(address).startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((str(address), port), timeout=5)
    assert {server.socket.getsockname()[0] for server in listener._servers} <= {"127.0.0.1", "::1"}
    assert listener._servers


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        return probe.connect_ex(("::1", 9)) in (errno.ECONNREFUSED, 0)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_on_either_address_is_not_used(uri: str, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as other:
        if ":" in address and not has_ipv6():
            pytest.skip("no IPv6 here")
        other.bind((address, urlsplit(uri).port or 0))
        other.listen()
        with pytest.raises(TransportError, match="in use by another program") as failure:
            LoopbackServer(uri, Secret(QUESTION), verdict).__enter__()
    assert "--paste-url" in failure.value.hint


def test_another_process_cannot_take_the_port_while_it_waits(listener: LoopbackServer, uri: str) -> None:
    port = urlsplit(uri).port or 0
    for option in (socket.SO_REUSEADDR, getattr(socket, "SO_REUSEPORT", socket.SO_REUSEADDR)):
        with socket.socket() as racer:
            racer.setsockopt(socket.SOL_SOCKET, option, 1)
            with pytest.raises(OSError, match="in use"):  # noqa: PT012  # one of the two fails, by system
                racer.bind(("127.0.0.1", port))
                racer.listen()


def test_the_port_is_free_again_afterwards(uri: str) -> None:
    for _ in range(2):
        with LoopbackServer(uri, Secret(QUESTION), verdict) as listening:
            get(f"{uri}?{GOOD}")
            assert listening.wait(5)
    with pytest.raises(requests.ConnectionError):
        get(uri)


@pytest.mark.parametrize(
    "uri", ["https://localhost:1/x", "http://example.com/x", "http://0.0.0.0:1/x", "http://[::]:1/x"]
)
def test_only_this_machine_is_listened_on(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="not on this machine"):
        LoopbackServer(uri, Secret(QUESTION), verdict)


def test_an_address_may_be_a_number() -> None:
    uri = f"http://127.0.0.1:{free_port()}/cb"
    with LoopbackServer(uri, Secret(QUESTION), verdict) as listening:
        get(f"{uri}?{GOOD}")
        assert listening.wait(5) == Secret(GOOD)


def test_ctrl_c_ends_the_waiting_and_frees_the_port(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listening = LoopbackServer(uri, Secret(QUESTION), verdict)

    def interrupt(_: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(listening._answered, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt), listening:
        listening.wait(60)
    with pytest.raises(requests.ConnectionError):
        get(uri)
