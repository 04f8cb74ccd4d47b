"""Every route over real HTTP: each ends connected, saved and able to pull; none leaves a secret behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.login_env import Someone, redirect_uri, signing_in
from tests.support.pull_env import no_pauses
from tests.support.secret_scan import leaks
from tests.support.simulator_fixture import as_new
from zoho_magic import (
    AuthError,
    ConfigurationError,
    Secret,
    ThrottledError,
    TransportError,
    ZohoError,
    ZohoSession,
)
from zoho_magic.login.environment import RuntimeEnvironment
from zoho_magic.scopes import READ_WRITE
from zoho_magic.simulator import Fault, Simulator

LAPTOP, HUB, NOBODY = (
    RuntimeEnvironment(),
    RuntimeEnvironment(remote="on JupyterHub"),
    RuntimeEnvironment(interactive=False),
)
MORE = "ZohoCRM.notifications.ALL"


@pytest.fixture(scope="module")
def one() -> Iterator[Simulator]:
    with Simulator(rows=3, data_centres=("us", "eu"), redirect_uri=redirect_uri()) as zoho:
        yield zoho


@pytest.fixture
def simulator(one: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    no_pauses(monkeypatch)
    as_new(one).options.auto_consent = "accept"
    return one


@pytest.fixture
def zoho(simulator: Simulator, isolated: Path) -> Iterator[ZohoSession]:
    with signing_in(simulator, isolated / ".env") as session:
        yield session


@pytest.fixture
def someone(simulator: Simulator) -> Someone:
    return Someone(simulator, Someone.redirected)


def env(isolated: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (isolated / ".env").read_text().splitlines())


def again(simulator: Simulator) -> ZohoSession:
    return ZohoSession.from_env(clock=simulator.clock.time)


def works(zoho: ZohoSession, simulator: Simulator) -> None:
    """The state every route ends in: this session pulls, and a new one does from what was saved."""
    assert zoho.status().connected
    assert len(zoho.pull("Leads")) == 3
    other = again(simulator)
    assert other.status().connected
    other.close()


# To the end of every route


@pytest.mark.parametrize("route", ["browser", "paste-url", "device", "client-credentials", "code"])
def test_every_route_ends_connected_and_saved(
    zoho: ZohoSession, simulator: Simulator, someone: Someone, isolated: Path, route: str
) -> None:
    shows = someone.person.show
    if route == "device":
        object.__setattr__(someone.person, "show", lambda one: (requests.get(one.qr_url, timeout=9), shows(one))[1])
    changes: dict[str, Any] = {"soid": simulator.soid} if route == "client-credentials" else {}
    changes |= {"grant_code": simulator.grant_code()} if route == "code" else {}
    status = zoho.login(route, ui=someone.person, environment=LAPTOP, timeout=10, **changes)
    assert (status.connected, status.dc, status.warnings) == (True, "us", ())
    works(zoho, simulator)
    assert ("ZOHO_REFRESH_TOKEN" in env(isolated)) is (route != "client-credentials")
    assert "ZOHO_GRANT_CODE" not in env(isolated)
    assert (isolated / ".env").stat().st_mode & 0o777 == 0o600
    assert someone.taken_away == someone.invitations


def test_bare_says_why_and_goes_there(zoho: ZohoSession, simulator: Simulator, someone: Someone) -> None:
    zoho.login(ui=someone.person, environment=LAPTOP, timeout=10)
    assert "same machine" in someone.invitations[0].title
    works(zoho, simulator)


def test_bare_where_the_browser_is_elsewhere(zoho: ZohoSession, simulator: Simulator, someone: Someone) -> None:
    zoho.login(ui=someone.person, environment=HUB)
    assert "on JupyterHub" in someone.invitations[0].title
    works(zoho, simulator)


def test_unattended_a_self_client_needs_nobody(zoho: ZohoSession, simulator: Simulator, someone: Someone) -> None:
    zoho.login(ui=someone.person, environment=NOBODY, soid=simulator.soid, redirect_uri="")
    works(zoho, simulator)


def test_unknown_login_method_is_refused_with_a_suggestion(zoho: ZohoSession) -> None:
    with pytest.raises(ConfigurationError, match="Unknown login method") as failure:
        zoho.login("devise")
    assert failure.value.hint == "Did you mean device?"


def test_without_a_client_nothing_is_asked(simulator: Simulator, isolated: Path, someone: Someone) -> None:
    with signing_in(simulator, isolated / ".env", ZOHO_CLIENT_ID="", ZOHO_CLIENT_SECRET="") as zoho:
        for route in ("auto", "browser", "device"):
            with pytest.raises(ConfigurationError, match="ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET"):
                zoho.login(route, ui=someone.person, environment=LAPTOP)
    assert someone.invitations == []
    assert simulator.traffic.count() == 0


def test_a_file_that_cannot_be_written_is_told_first(zoho: ZohoSession, someone: Someone, isolated: Path) -> None:
    zoho.credentials  # noqa: B018  # read it while it is there
    (isolated / ".env").unlink()
    (isolated / ".env").mkdir()
    with pytest.raises(ConfigurationError, match="folder"):
        zoho.login("browser", ui=someone.person, environment=LAPTOP)
    assert someone.invitations == []


# Refused, ignored, left


def untouched(isolated: Path, before: bytes) -> bool:
    return (isolated / ".env").read_bytes() == before


def test_a_refusal_changes_nothing(zoho: ZohoSession, simulator: Simulator, someone: Someone, isolated: Path) -> None:
    before = (isolated / ".env").read_bytes()
    simulator.options.auto_consent = "reject"
    for route in ("browser", "paste-url"):
        with pytest.raises(AuthError, match="access was refused"):
            zoho.login(route, ui=someone.person, environment=LAPTOP, timeout=10)
    assert "Access was not given" in someone.page.text
    assert untouched(isolated, before)
    assert someone.taken_away == someone.invitations


def test_nobody_comes_back(zoho: ZohoSession, simulator: Simulator, isolated: Path) -> None:
    before = (isolated / ".env").read_bytes()
    absent = Someone(simulator)
    object.__setattr__(absent.person, "open_browser", lambda _: None)
    with pytest.raises(TransportError, match=r"within 0\.05 seconds") as failure:
        zoho.login("browser", ui=absent.person, environment=LAPTOP, timeout=0.05)
    assert simulator.redirect_uri in failure.value.hint
    assert untouched(isolated, before)


def test_ctrl_c_while_waiting_frees_the_port_and_changes_nothing(
    zoho: ZohoSession, simulator: Simulator, someone: Someone, isolated: Path
) -> None:
    before = (isolated / ".env").read_bytes()

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    object.__setattr__(someone.person, "open_browser", interrupt)
    with pytest.raises(KeyboardInterrupt):
        zoho.login("browser", ui=someone.person, environment=LAPTOP)
    assert untouched(isolated, before)
    with pytest.raises(requests.ConnectionError):
        requests.get(simulator.redirect_uri, timeout=5)


def test_an_empty_paste_is_told(zoho: ZohoSession, simulator: Simulator) -> None:
    with pytest.raises(ConfigurationError, match="No input was given"):
        zoho.login("paste-url", ui=Someone(simulator).person, environment=HUB)


# Attacks


def forged(simulator: Simulator, someone: Someone, **fields: str) -> str:
    """The real redirect with some fields replaced."""
    from urllib.parse import parse_qsl, urlencode, urlsplit

    address = urlsplit(someone.redirected())
    return f"{simulator.redirect_uri}?{urlencode({**dict(parse_qsl(address.query)), **fields})}"


@pytest.mark.parametrize("server", ["https://accounts.zoho.eu.evil.example", "http://accounts.zoho.eu", "file:///etc"])
def test_a_foreign_accounts_server_never_hears_of_the_code(
    zoho: ZohoSession, simulator: Simulator, isolated: Path, server: str
) -> None:
    before, asked = (isolated / ".env").read_bytes(), simulator.traffic.count(path="/oauth/v2/token")
    someone = Someone(simulator, lambda her: forged(simulator, her, **{"accounts-server": server}))
    with pytest.raises(AuthError, match="not Zoho's"):
        zoho.login("paste-url", ui=someone.person, environment=HUB)
    assert simulator.traffic.count(path="/oauth/v2/token") == asked
    assert untouched(isolated, before)


def test_a_code_injected_with_another_state_is_not_exchanged(zoho: ZohoSession, simulator: Simulator) -> None:
    someone = Someone(simulator, lambda her: forged(simulator, her, state="attacker", code=simulator.grant_code()))
    with pytest.raises(AuthError, match="not the answer"):
        zoho.login("paste-url", ui=someone.person, environment=HUB)
    assert simulator.traffic.count(path="/oauth/v2/token") == 0


def test_a_stolen_code_is_worthless_without_the_verifier(zoho: ZohoSession, simulator: Simulator) -> None:
    someone = Someone(simulator)
    waiting = zoho.begin_paste_login()
    someone.invitations.append(waiting.instructions)
    stolen = someone.redirected()
    other = zoho.begin_paste_login()
    mixed = stolen.replace(waiting.authorization.state.reveal(), other.authorization.state.reveal())
    with pytest.raises(AuthError) as failure:
        other.finish(Secret(mixed))
    assert failure.value.code == "invalid_code"
    assert zoho.complete_login(waiting.finish(Secret(stolen))).connected


def test_a_process_that_has_the_port_already_gets_no_browser_sent_to_it(
    zoho: ZohoSession, simulator: Simulator, someone: Someone
) -> None:
    import socket
    from urllib.parse import urlsplit

    port = urlsplit(simulator.redirect_uri).port or 0
    with socket.create_server(("127.0.0.1", port)), pytest.raises(TransportError, match="in use by another program"):
        zoho.login("browser", ui=someone.person, environment=LAPTOP)
    assert someone.seen == []
    assert simulator.traffic.count() == 0


def test_nothing_secret_in_any_failure_log_or_page(
    zoho: ZohoSession, simulator: Simulator, someone: Someone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator.faults.add(Fault(method="POST", path="/oauth/v2/token", status=200, body={"error": "invalid_code"}))
    seen: list[str] = []
    object.__setattr__(someone.person, "prompt", lambda _: seen.append(someone.redirected()) or seen[-1])
    with pytest.raises(ZohoError) as failure:
        zoho.login("paste-url", ui=someone.person, environment=HUB)
    (code,) = (part.partition("=")[2] for part in seen[0].split("&") if "code=" in part)
    assert code.startswith("1000.")
    assert leaks(failure.value, code, simulator.client_secret) == []
    assert code not in caplog.text
    assert simulator.client_secret not in caplog.text


# Where the account is


def at_home_in_eu(simulator: Simulator, isolated: Path, **secret: str) -> Any:
    simulator.options.user_data_centre = "eu"
    return signing_in(simulator, isolated / ".env", **secret)


@pytest.mark.parametrize("route", ["browser", "paste-url"])
def test_the_redirect_says_where_and_it_is_saved(
    simulator: Simulator, someone: Someone, isolated: Path, route: str
) -> None:
    with at_home_in_eu(simulator, isolated) as zoho:
        assert zoho.login(route, ui=someone.person, environment=LAPTOP, timeout=10).dc == "eu"
        assert env(isolated)["ZOHO_DC"] == "eu"
        assert zoho.api == simulator.api("eu")
        works(zoho, simulator)


def test_each_place_has_its_own_secret(isolated: Path) -> None:
    with Simulator(rows=3, data_centres=("us", "eu"), own_secrets=True, redirect_uri=redirect_uri()) as simulator:
        simulator.options.auto_consent = "accept"
        someone = Someone(simulator, Someone.redirected)
        with at_home_in_eu(simulator, isolated) as zoho:
            with pytest.raises(AuthError) as failure:
                zoho.login("paste-url", ui=someone.person, environment=HUB)
            for part in ("Europe (eu)", "ZOHO_CLIENT_SECRET_EU", "https://api-console.zoho.com", "Multi-DC"):
                assert part in failure.value.hint
            assert "ZOHO_DC" not in env(isolated)
        with at_home_in_eu(simulator, isolated, ZOHO_CLIENT_SECRET_EU=simulator.secret("eu")) as zoho:
            zoho.login("paste-url", ui=someone.person, environment=HUB)
            assert env(isolated)["ZOHO_CLIENT_SECRET"] == simulator.secret("us")
            works(zoho, simulator)


def test_a_secret_that_appears_in_the_environment_is_seen(zoho: ZohoSession, monkeypatch: pytest.MonkeyPatch) -> None:
    assert zoho.credentials.replace(dc="eu").client_secret == zoho.credentials.client_secret
    monkeypatch.setenv("ZOHO_CLIENT_SECRET_EU", "another")
    assert zoho.credentials.replace(dc="eu").client_secret == Secret("another")
    assert zoho.credentials.replace(dc="eu").replace(dc="us").client_secret == zoho.credentials.client_secret


def test_a_code_of_another_place_names_the_place(isolated: Path) -> None:
    with Simulator(rows=3, data_centres=("us", "in", "eu")) as simulator:
        client = simulator.register(kinds=["self"], home="in", multi_dc=False)
        known = {"ZOHO_CLIENT_ID": client.id, "ZOHO_CLIENT_SECRET": client.secrets["in"]}
        with signing_in(simulator, isolated / ".env", **known) as zoho, pytest.raises(AuthError) as failure:
            zoho.exchange("1000.x.y")
    assert "India (in)" in failure.value.hint
    assert "ZOHO_DC=in" in failure.value.hint
    assert "eu" not in failure.value.hint


def test_a_client_that_nobody_knows_gets_the_usual_hint(zoho: ZohoSession) -> None:
    with pytest.raises(AuthError, match="does not know this client id") as failure:
        zoho.exchange("1000.x.y", client_id="1000.NOBODY")
    assert "ZOHO_CLIENT_ID" in failure.value.hint


def test_looking_for_the_place_sends_no_secret(
    zoho: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    post = zoho._transport.post_form
    monkeypatch.setattr(
        zoho._transport, "post_form", lambda url, form, parse: sent.append((url, dict(form))) or post(url, form, parse)
    )
    with pytest.raises(AuthError):
        zoho.exchange("1000.x.y", client_id="1000.NOBODY")
    (_, first), *others = sent
    assert first["client_secret"] == Secret(simulator.client_secret)
    assert [url for url, _ in others] == [f"{simulator.origin(dc)}/oauth/v2/token" for dc in ("us", "eu")]
    for _, form in others:
        assert form == {"grant_type": "refresh_token", "client_id": "1000.NOBODY", "refresh_token": "none"}


def test_a_place_that_does_not_answer_keeps_nobody_waiting(
    zoho: ZohoSession, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr("zoho_magic.login.account_location.TIMEOUT_SECONDS", 0.05)
    held, post = threading.Event(), zoho._transport.post_form

    def slow(url: str, form: Any, parse: Any) -> Any:
        if url.startswith(simulator.origin("eu")):
            held.wait(10)
        return post(url, form, parse)

    monkeypatch.setattr(zoho._transport, "post_form", slow)
    with pytest.raises(AuthError, match="does not know this client id"):
        zoho.exchange("1000.x.y", client_id="1000.NOBODY")
    assert not held.is_set()
    held.set()


def test_the_api_that_zoho_names_sets_the_place(zoho: ZohoSession, simulator: Simulator, isolated: Path) -> None:
    simulator.options.api_domain = "https://www.zohoapis.eu"
    zoho.exchange(simulator.grant_code())
    assert zoho.credentials.dc == env(isolated)["ZOHO_DC"] == "eu"


def test_a_fresh_token_refused_names_the_place_it_was_made_for(zoho: ZohoSession, simulator: Simulator) -> None:
    simulator.options.api_domain = "https://www.zohoapis.eu"
    zoho.exchange(simulator.grant_code())
    refused = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
    simulator.faults.add(Fault(method="GET", path="/crm/v8/org", status=401, body=refused, times=2))
    with pytest.raises(AuthError) as failure:
        zoho.request("GET", "/crm/v8/org")
    assert "Europe (eu)" in failure.value.hint
    assert "https://www.zohoapis.eu" in failure.value.hint


# Client credentials


def test_the_organisation_is_found_through_an_earlier_login_and_remembered(
    zoho: ZohoSession, simulator: Simulator, isolated: Path
) -> None:
    zoho.exchange(simulator.grant_code())
    (told,) = zoho.login("client-credentials", environment=NOBODY).warnings
    assert "valid until you revoke it" in told
    assert env(isolated)["ZOHO_SOID"] == simulator.soid
    assert "ZOHO_REFRESH_TOKEN" not in env(isolated)
    simulator.clock.advance(3600)
    works(zoho, simulator)


@pytest.mark.parametrize("typed", ["{}", " ZohoCRM.{} "])
def test_else_it_is_asked_for(zoho: ZohoSession, simulator: Simulator, typed: str) -> None:
    someone = Someone(simulator, lambda _: typed.format(simulator.options.org_id))
    zoho.login("client-credentials", ui=someone.person, environment=LAPTOP)
    works(zoho, simulator)


@pytest.mark.parametrize("typed", ["Northbeam", "1; drop", "ZohoBooks.1"])
def test_what_is_no_organisation_is_not_sent(zoho: ZohoSession, simulator: Simulator, typed: str) -> None:
    with pytest.raises(ConfigurationError, match="organisation id is a number"):
        zoho.login("client-credentials", ui=Someone(simulator, lambda _: typed).person, environment=LAPTOP)
    assert simulator.traffic.count() == 0


def test_another_organisation_is_told(zoho: ZohoSession) -> None:
    with pytest.raises(AuthError) as failure:
        zoho.login("client-credentials", soid="ZohoCRM.1")
    assert failure.value.code == "missing_org_info"


# More scopes


def refresh_tokens(simulator: Simulator) -> int:
    return len(simulator.accounts.tokens._refresh)


def test_the_hint_names_the_scope_and_the_command(zoho: ZohoSession, simulator: Simulator) -> None:
    zoho.exchange(simulator.grant_code("ZohoCRM.users.READ"))
    with pytest.raises(AuthError) as failure:
        zoho.request("GET", "/crm/v8/settings/fields", params={"module": "Leads"})
    assert "%zoho_login --add-scope ZohoCRM.settings.fields.READ" in failure.value.hint


def test_more_scopes_keep_the_refresh_token(
    zoho: ZohoSession, simulator: Simulator, someone: Someone, isolated: Path
) -> None:
    zoho.login("browser", ui=someone.person, environment=LAPTOP, timeout=10)
    before, count = env(isolated)["ZOHO_REFRESH_TOKEN"], refresh_tokens(simulator)
    status = zoho.login(add_scopes=[MORE], ui=someone.person, environment=LAPTOP, timeout=10)
    assert MORE in status.scopes
    assert (env(isolated)["ZOHO_REFRESH_TOKEN"], refresh_tokens(simulator)) == (before, count)
    assert set(env(isolated)["ZOHO_SCOPES"].split(",")) == {*READ_WRITE, MORE}
    works(zoho, simulator)


def test_the_link_that_adds_scopes_is_shown_to_nobody(
    zoho: ZohoSession, simulator: Simulator, someone: Someone
) -> None:
    zoho.login("browser", ui=someone.person, environment=LAPTOP, timeout=10)
    zoho.login(add_scopes=[MORE], ui=someone.person, environment=LAPTOP, timeout=10)
    assert someone.invitations
    assert not any("enhance_token" in str(shown) for shown in someone.invitations)
    for thread in someone._browsing:
        thread.join(10)
    assert any("enhance_token" in hop.url for hop in someone.seen[-1].history), "control: it is in the browser"


def test_refused_scopes_change_nothing(
    zoho: ZohoSession, simulator: Simulator, someone: Someone, isolated: Path
) -> None:
    zoho.login("browser", ui=someone.person, environment=LAPTOP, timeout=10)
    before = (isolated / ".env").read_bytes()
    simulator.options.auto_consent = "reject"
    with pytest.raises(AuthError, match="refused"):
        zoho.login(add_scopes=[MORE], ui=someone.person, environment=LAPTOP, timeout=10)
    assert untouched(isolated, before)


def test_where_zoho_does_not_offer_it_there_is_a_new_consent(
    zoho: ZohoSession, simulator: Simulator, someone: Someone
) -> None:
    zoho.login("browser", ui=someone.person, environment=LAPTOP, timeout=10)
    answer = {"error": "invalid_client"}
    simulator.faults.add(Fault(method="POST", path="/oauth/v2/token/scopeenhance", status=200, body=answer))
    assert MORE in zoho.login(add_scopes=[MORE], ui=someone.person, environment=LAPTOP, timeout=10).scopes
    works(zoho, simulator)


def test_a_throttled_enhancement_is_no_reason_for_a_new_consent(
    zoho: ZohoSession, simulator: Simulator, someone: Someone
) -> None:
    zoho.login("browser", ui=someone.person, environment=LAPTOP, timeout=10)
    count, shown = refresh_tokens(simulator), len(someone.invitations)
    answer = {"error": "Access Denied", "error_description": "x", "status": "failure"}
    simulator.faults.add(Fault(method="POST", path="/oauth/v2/token/scopeenhance", status=400, body=answer))
    with pytest.raises(ThrottledError):
        zoho.login(add_scopes=[MORE], ui=someone.person, environment=LAPTOP, timeout=10)
    assert (refresh_tokens(simulator), len(someone.invitations)) == (count, shown)


def test_a_self_client_generates_a_code_with_all_scopes(simulator: Simulator, isolated: Path) -> None:
    someone = Someone(simulator, lambda _: simulator.grant_code([*READ_WRITE, MORE]))
    with signing_in(simulator, isolated / ".env", ZOHO_REDIRECT_URI="") as zoho:
        zoho.exchange(simulator.grant_code(READ_WRITE))
        assert MORE in zoho.login(add_scopes=[MORE], ui=someone.person, environment=LAPTOP).scopes
        assert MORE in str(someone.invitations[0])
        works(zoho, simulator)


def test_client_credentials_just_ask_for_more(zoho: ZohoSession, simulator: Simulator) -> None:
    zoho.login("client-credentials", soid=simulator.soid, redirect_uri="")
    assert MORE in zoho.login(add_scopes=[MORE], environment=NOBODY).scopes
