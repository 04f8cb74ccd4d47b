"""The device login: one call a poll, by a clock that the tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.login_env import Someone, signing_in
from tests.support.pull_env import no_pauses
from tests.support.simulator_fixture import as_new
from zoho_magic import AuthError, ThrottledError, ZohoSession
from zoho_magic.login.device_flow import DeviceLogin, Step
from zoho_magic.simulator import Fault, Simulator

CODES, TOKENS = "/oauth/v3/device/code", "/oauth/v3/device/token"


@pytest.fixture(scope="module")
def one() -> Iterator[Simulator]:
    with Simulator(rows=3, data_centres=("us", "eu"), own_secrets=True) as zoho:
        yield zoho


@pytest.fixture
def simulator(one: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    no_pauses(monkeypatch)
    return as_new(one)


@pytest.fixture
def zoho(simulator: Simulator, isolated: Path) -> Iterator[ZohoSession]:
    eu = simulator.secret("eu")
    with signing_in(simulator, isolated / ".env", ZOHO_REDIRECT_URI="", ZOHO_CLIENT_SECRET_EU=eu) as session:
        yield session


def agree(simulator: Simulator, waiting: DeviceLogin, decision: str = "accept") -> None:
    simulator.options.auto_consent = decision
    assert requests.get(waiting.verification_uri_complete, timeout=10).status_code == 200


def next_poll(simulator: Simulator, waiting: DeviceLogin) -> Step:
    step = waiting.poll()
    if step.token is None and step.retry_in:
        simulator.clock.advance(step.retry_in)
        step = waiting.poll()
    return step


def polls(simulator: Simulator) -> int:
    return simulator.traffic.count(path=TOKENS)


def test_times_are_milliseconds(simulator: Simulator, zoho: ZohoSession) -> None:
    waiting = zoho.begin_device_login()
    assert waiting.seconds_left in (299, 300)
    assert 4 < waiting.poll().retry_in <= 5
    assert waiting.link == f"{simulator.url}/oauth/v3/device"
    assert waiting.verification_uri_complete == f"{waiting.link}?user_code={waiting.user_code}"


@pytest.mark.parametrize(
    ("interval", "expires_in", "wait", "left"), [(5, 900, 5, 900), ("x", None, 5, 300), (-1, 0, 5, 300)]
)
def test_seconds_and_nonsense_are_read_too(
    simulator: Simulator, zoho: ZohoSession, interval: object, expires_in: object, wait: int, left: int
) -> None:
    body = {"device_code": "1004.d", "user_code": "AB", "interval": interval, "expires_in": expires_in}
    simulator.faults.add(Fault(method="POST", path=CODES, status=200, body=body))
    waiting = zoho.begin_device_login()
    assert wait - 1 < waiting.poll().retry_in <= wait
    assert left - 1 <= waiting.seconds_left <= left


def test_nothing_is_asked_before_its_time(simulator: Simulator, zoho: ZohoSession) -> None:
    waiting = zoho.begin_device_login()
    assert [waiting.poll().token for _ in range(5)] == [None] * 5
    assert polls(simulator) == 0
    assert next_poll(simulator, waiting).retry_in > 0
    assert polls(simulator) == 1


def test_slow_down_is_thirty_seconds_from_then_on(simulator: Simulator, zoho: ZohoSession) -> None:
    waiting = zoho.begin_device_login()
    assert 4 < next_poll(simulator, waiting).retry_in <= 5
    for _ in range(3):
        assert 29 < next_poll(simulator, waiting).retry_in <= 30


def test_once_she_agrees_there_is_a_token_that_lasts(simulator: Simulator, zoho: ZohoSession, isolated: Path) -> None:
    someone = Someone(simulator)

    def agrees_later(seconds: float) -> None:
        someone._pause(seconds)
        if len(someone.waits) == 3:
            simulator.options.auto_consent = "accept"
            requests.get(someone.invitations[-1].qr_url, timeout=10)

    object.__setattr__(someone.person, "sleep", agrees_later)
    status = zoho.login("device", ui=someone.person)
    assert status.connected
    assert len(zoho.pull("Leads")) == 3
    saved = ZohoSession.from_env(isolated / ".env").credentials
    assert saved.refresh_token is not None
    assert saved.refresh_token.reveal().startswith("1004.")
    assert someone.taken_away == someone.invitations


def test_without_a_refresh_token_the_one_there_was_stays(
    simulator: Simulator, zoho: ZohoSession, isolated: Path
) -> None:
    zoho.exchange(simulator.grant_code())
    before = zoho.credentials.refresh_token
    answer = {"access_token": simulator.access_token(), "expires_in": 3600}
    simulator.faults.add(Fault(method="POST", path=TOKENS, status=200, body=answer))
    zoho.login("device", ui=Someone(simulator).person)
    assert zoho.credentials.refresh_token == before


def test_the_invitation_has_code_link_time_and_a_picture(simulator: Simulator, zoho: ZohoSession) -> None:
    waiting = zoho.begin_device_login()
    text = str(waiting.instructions)
    for part in (waiting.user_code, waiting.link, "4 min 59 s", "▄"):
        assert part in text
    assert waiting.instructions.qr_url == waiting.verification_uri_complete
    assert waiting._device_code.reveal() not in text + repr(waiting)


def test_an_account_elsewhere_is_polled_there_with_that_places_secret(
    simulator: Simulator, zoho: ZohoSession, isolated: Path
) -> None:
    simulator.options.user_data_centre = "eu"
    waiting = zoho.begin_device_login()
    agree(simulator, waiting)
    moved = next_poll(simulator, waiting)
    assert (moved.token, moved.retry_in) == (None, 0.0)
    assert waiting.credentials.accounts == simulator.origin("eu")
    token = waiting.poll().token
    assert token is not None
    assert [call.data_centre for call in simulator.traffic.calls if call.path == TOKENS] == ["us", "eu"]


def test_an_account_elsewhere_ends_connected_there(simulator: Simulator, zoho: ZohoSession, isolated: Path) -> None:
    simulator.options.user_data_centre = "eu"
    simulator.options.auto_consent = "accept"
    someone = Someone(simulator)
    shows = someone.person.show
    object.__setattr__(someone.person, "show", lambda one: (requests.get(one.qr_url, timeout=10), shows(one))[1])
    assert zoho.login("device", ui=someone.person).dc == "eu"
    assert ZohoSession.from_env(isolated / ".env", clock=simulator.clock.time).status().connected


def test_without_that_places_secret_the_hint_says_where_it_goes(simulator: Simulator, isolated: Path) -> None:
    simulator.options.user_data_centre = "eu"
    with signing_in(simulator, isolated / ".env") as zoho:
        waiting = zoho.begin_device_login()
        agree(simulator, waiting)
        next_poll(simulator, waiting)
        with pytest.raises(AuthError) as failure:
            waiting.poll()
    assert failure.value.code == "invalid_client"
    assert "ZOHO_CLIENT_SECRET_EU" in failure.value.hint
    assert "Multi-DC" in failure.value.hint


@pytest.mark.parametrize("location", ["", "us", "atlantis", "../../evil"])
def test_a_place_nobody_knows_ends_it(simulator: Simulator, zoho: ZohoSession, location: str) -> None:
    body = {"error": "other_dc", "user_location": location}
    simulator.faults.add(Fault(method="POST", path=TOKENS, status=200, body=body))
    waiting = zoho.begin_device_login()
    with pytest.raises(AuthError) as failure:
        next_poll(simulator, waiting)
    assert failure.value.code == "other_dc"


def test_a_refusal_ends_it(simulator: Simulator, zoho: ZohoSession, isolated: Path) -> None:
    before = (isolated / ".env").read_bytes()
    waiting = zoho.begin_device_login()
    agree(simulator, waiting, "reject")
    with pytest.raises(AuthError, match="refused"):
        next_poll(simulator, waiting)
    assert (isolated / ".env").read_bytes() == before


def test_a_code_that_nobody_used_expires(simulator: Simulator, zoho: ZohoSession) -> None:
    someone = Someone(simulator)
    with pytest.raises(AuthError, match="device code expired"):
        zoho.login("device", ui=someone.person)
    assert 299 <= sum(someone.waits) <= 301
    assert someone.taken_away == someone.invitations


def test_without_a_network_it_expires_just_the_same(simulator: Simulator, zoho: ZohoSession) -> None:
    simulator.faults.add(Fault(method="POST", path=TOKENS, reset="before", times=1000))
    with pytest.raises(AuthError, match="device code expired"):
        zoho.login("device", ui=Someone(simulator).person)


def test_a_network_that_comes_back_loses_nothing(simulator: Simulator, zoho: ZohoSession) -> None:
    simulator.faults.add(Fault(method="POST", path=TOKENS, reset="before"))
    waiting = zoho.begin_device_login()
    agree(simulator, waiting)
    assert next_poll(simulator, waiting).token is None
    assert next_poll(simulator, waiting).token is not None


def test_a_throttle_is_one(simulator: Simulator, zoho: ZohoSession) -> None:
    body = {"error": "Access Denied", "error_description": "x", "status": "failure"}
    simulator.faults.add(Fault(method="POST", path=TOKENS, status=400, body=body))
    with pytest.raises(ThrottledError):
        next_poll(simulator, zoho.begin_device_login())


def test_a_link_to_somewhere_else_is_not_shown(simulator: Simulator, zoho: ZohoSession) -> None:
    body = {
        "device_code": "1004.d",
        "user_code": "AB",
        "verification_url": "https://accounts.zoho.com.evil.example/device",
        "verification_uri_complete": "javascript:alert(1)",
    }
    simulator.faults.add(Fault(method="POST", path=CODES, status=200, body=body))
    waiting = zoho.begin_device_login()
    assert waiting.link == waiting.verification_uri_complete == f"{simulator.url}/oauth/v3/device"


def test_a_client_that_may_not_is_told(simulator: Simulator, zoho: ZohoSession) -> None:
    simulator.faults.add(Fault(method="POST", path=CODES, status=200, body={"error": "invalid_scope"}))
    with pytest.raises(AuthError, match="does not know one of the scopes"):
        zoho.begin_device_login()
