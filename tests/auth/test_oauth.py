"""Zoho's token endpoints, asked over HTTP: what they give, and every way in which they refuse."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.secret_scan import leaks
from tests.support.simulator_fixture import as_new
from zoho_magic import ApiError, AuthError, Secret, ThrottledError, Token, TransportError, ZohoError
from zoho_magic.auth import oauth
from zoho_magic.http.transport import Transport
from zoho_magic.simulator import Fault, Simulator

FACTS = {"console": "https://api-console.zoho.eu", "dc": "eu", "environment": "production"}
TOKEN = "/oauth/v2/token"
HIDDEN = "S3C" + "R3T"


@pytest.fixture(scope="module")
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=1) as zoho:
        yield zoho


@pytest.fixture
def simulator(zoho: Simulator) -> Simulator:
    return as_new(zoho)


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close()


class Asker:
    """The four calls, with a simulator's client filled in."""

    def __init__(self, zoho: Simulator, transport: Transport) -> None:
        self.zoho = zoho
        self.common: dict[str, Any] = {
            "post": lambda url, form: transport.post_form(url, form, oauth.parse_response),
            "error_context": FACTS,
        }
        self.client = {"client_id": zoho.client_id, "client_secret": Secret(zoho.client_secret)}

    def exchange(self, code: str | None = None, **other: Any) -> Token:
        given = {"code": Secret(self.zoho.grant_code() if code is None else code), "clock": self.zoho.clock.time}
        return oauth.exchange(self.zoho.url, **{**self.client, **given, **self.common, **other})

    def refresh(self, token: str | None = None, **other: Any) -> Token:
        given = {"refresh_token": Secret(token or self.zoho.refresh_token()), "clock": self.zoho.clock.time}
        return oauth.refresh(self.zoho.url, **{**self.client, **given, **self.common, **other})

    def client_credentials(self, **other: Any) -> Token:
        given = {"scopes": ("ZohoCRM.org.READ", "ZohoCRM.users.READ"), "soid": self.zoho.soid}
        return oauth.client_credentials(self.zoho.url, **{**self.client, **given, **self.common, **other})

    def revoke(self, token: str) -> None:
        oauth.revoke(self.zoho.url, token=Secret(token), **self.common)

    def answer(self, body: Any, status: int = 200, path: str = TOKEN, **other: Any) -> None:
        self.zoho.faults.add(Fault(path, "POST", status=status, body=body, **other))

    def works(self, token: Token) -> bool:
        return requests.get(f"{self.zoho.url}/crm/v8/org", headers=token.headers, timeout=5).status_code == 200


@pytest.fixture
def ask(simulator: Simulator, transport: Transport) -> Asker:
    return Asker(simulator, transport)


# What is given


def test_a_code_becomes_tokens(ask: Asker, simulator: Simulator) -> None:
    token = ask.exchange()
    assert ask.works(token)
    assert token.refresh_token is not None
    assert ask.works(ask.refresh(token.refresh_token.reveal()))
    assert "ZohoCRM.modules.ALL" in token.scopes
    assert token.api_domain == simulator.url
    assert token.expires_in in (3599, 3600)
    assert token.warnings == ()


def test_a_refresh_keeps_the_refresh_token(ask: Asker) -> None:
    token = ask.refresh()
    assert ask.works(token)
    assert token.refresh_token is None
    assert token.warnings == ()


def test_client_credentials_have_scopes_and_no_refresh_token(ask: Asker) -> None:
    token = ask.client_credentials()
    assert ask.works(token)
    assert token.scopes == ("ZohoCRM.org.READ", "ZohoCRM.users.READ")
    assert (token.refresh_token, token.warnings) == (None, ())


def _consented(zoho: Simulator, **query: str) -> str:
    """The code of a consent in the browser."""
    zoho.options.auto_consent = "accept"
    asked = {
        "client_id": zoho.client_id,
        "response_type": "code",
        "redirect_uri": zoho.redirect_uri,
        "scope": "ZohoCRM.org.READ",
        **query,
    }
    page = requests.get(f"{zoho.url}/oauth/v2/auth", params=asked, allow_redirects=False, timeout=5)
    return parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]


def test_without_offline_access_a_note_says_why_there_is_no_refresh_token(ask: Asker, simulator: Simulator) -> None:
    token = ask.exchange(_consented(simulator), redirect_uri=simulator.redirect_uri)
    assert ask.works(token)
    assert token.refresh_token is None
    assert "access_type=offline and prompt=consent" in token.warnings[0]


def test_pkce_is_carried_through(ask: Asker, simulator: Simulator) -> None:
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {"code_challenge": challenge, "code_challenge_method": "S256", "access_type": "offline"}
    code = _consented(simulator, **query)
    with pytest.raises(AuthError):
        ask.exchange(code, redirect_uri=simulator.redirect_uri, code_verifier=Secret("w" * 43))
    token = ask.exchange(code, redirect_uri=simulator.redirect_uri, code_verifier=Secret(verifier))
    assert token.refresh_token is not None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in_sec": 3600, "expires_in": 3600000}, 3600),
        ({"expires_in_sec": "1800", "expires_in": 1800000}, 1800),
        ({"expires_in": 3600000}, 3600),
        ({"expires_in": 86400}, 86400),
        ({}, 3600),
        ({"expires_in": None}, 3600),
        ({"expires_in": "soon"}, 3600),
        ({"expires_in": 0}, 3600),
        ({"expires_in": -5}, 3600),
        ({"expires_in": [1]}, 3600),
    ],
)
def test_how_long_a_token_lives(ask: Asker, said: dict[str, Any], seconds: int) -> None:
    ask.answer({"access_token": "abc", **said})
    assert ask.refresh(clock=lambda: 0.0).expires_at == seconds


@pytest.mark.parametrize("said", ["NaN", "Infinity", "1" + "0" * 400])
def test_a_life_that_is_no_number_is_the_usual_one(ask: Asker, said: str) -> None:
    ask.answer(f'{{"access_token": "abc", "expires_in": {said}}}')
    assert ask.refresh(clock=lambda: 0.0).expires_at == 3600


def test_the_simulators_legacy_shape_is_read(ask: Asker, simulator: Simulator) -> None:
    simulator.options.legacy_expiry = True
    token = ask.refresh()
    assert token.expires_in in (3599, 3600)
    assert token.scopes == ()


@pytest.mark.parametrize("scope", ["a.b c.d", "a.b,c.d", "a.b, c.d a.b"])
def test_scopes_come_back_with_spaces_or_commas(ask: Asker, scope: str) -> None:
    ask.answer({"access_token": "abc", "scope": scope})
    assert ask.refresh().scopes == ("a.b", "c.d")


@pytest.mark.parametrize("domain", ["https://www.zohoapis.in", "https://www.zohoapis.in/", "HTTPS://WWW.zohoapis.in"])
def test_zohos_own_api_host_is_believed(ask: Asker, domain: str) -> None:
    ask.answer({"access_token": "abc", "api_domain": domain})
    token = ask.refresh()
    assert (token.api_domain, token.warnings) == ("https://www.zohoapis.in", ())


@pytest.mark.parametrize(
    "domain", ["https://www.zohoapis.in.evil.example", "http://www.zohoapis.in", "https://api.zoho.com", "", 7]
)
def test_a_foreign_api_host_is_not_believed_and_said(ask: Asker, domain: object) -> None:
    ask.answer({"access_token": "abc", "api_domain": domain})
    token = ask.refresh()
    assert (token.api_domain, token.warnings) == ("", (oauth.UNKNOWN_API_NOTE,))


class Fixed:
    """Stands for a server elsewhere: loopback is all there is to ask here."""

    status_code = 200

    def __init__(self, content: bytes) -> None:
        self.content = content


def test_a_loopback_api_is_believed_from_a_loopback_server_only() -> None:
    body = b'{"access_token":"abc","api_domain":"http://127.0.0.1:1"}'
    asked = {
        "client_id": "x",
        "client_secret": None,
        "refresh_token": Secret("r"),
        "post": lambda *_: oauth.parse_response(Fixed(body)),
    }
    assert oauth.refresh("https://accounts.zoho.com", **asked).api_domain == ""  # type: ignore[arg-type]
    assert oauth.refresh("http://127.0.0.1:2", **asked).api_domain == "http://127.0.0.1:1"  # type: ignore[arg-type]


def test_credentials_travel_in_the_body_only(ask: Asker, simulator: Simulator) -> None:
    ask.refresh()
    assert [call.query for call in simulator.traffic.calls] == [{}]


# The token


def test_a_token_shows_only_how_long_it_lives(ask: Asker) -> None:
    token = ask.exchange()
    assert repr(token).startswith("Token(****, expires in 59 min")
    shown = f"{token} {token.headers} {token.headers.items()} {vars(token)}"
    assert token.reveal() not in shown
    assert token.headers == {"Authorization": f"Zoho-oauthtoken {token.reveal()}"}
    assert len(token.headers) == 1
    with pytest.raises(KeyError):
        token.headers["authorization2"]


def test_a_token_never_has_less_than_no_time() -> None:
    token = Token(Secret("x"), expires_at=10.0, clock=lambda: 50.0)
    assert token.expires_in == 0
    assert repr(token) == "Token(****, expires in 0 min 0 s)"


# What is refused: as the simulator does it

CAUSES = {
    "invalid_client": lambda ask: ask.refresh(client_id="1000.NOBODY"),
    "invalid_client_secret": lambda ask: ask.refresh(client_secret=Secret(HIDDEN)),
    "invalid_redirect_uri": lambda ask: ask.exchange(HIDDEN, redirect_uri="http://localhost:1/other"),
    "invalid_code": lambda ask: ask.exchange(HIDDEN),
    "invalid_scope": lambda ask: ask.client_credentials(scopes=("ZohoCRM.nonsense.ALL",)),
    "missing_org_info": lambda ask: ask.client_credentials(soid=""),
}


@pytest.mark.parametrize("code", CAUSES)
def test_a_refusal_has_its_code_and_a_next_step(ask: Asker, code: str) -> None:
    with pytest.raises(AuthError) as failure:
        CAUSES[code](ask)
    assert failure.value.code == code
    assert failure.value.hint
    assert not leaks(failure.value, HIDDEN, ask.zoho.client_secret)


def test_a_dead_refresh_token_is_told_from_a_dead_code(ask: Asker) -> None:
    with pytest.raises(AuthError, match="no longer accepts the refresh token") as failure:
        ask.refresh(HIDDEN)
    assert (failure.value.code, failure.value.operation) == ("invalid_code", "refresh")
    assert "https://api-console.zoho.eu" in failure.value.hint
    with pytest.raises(AuthError, match="does not accept this grant code"):
        ask.exchange(HIDDEN)


def test_a_code_works_once_and_not_for_long(ask: Asker, simulator: Simulator) -> None:
    code, late = simulator.grant_code(), simulator.grant_code()
    ask.exchange(code)
    simulator.clock.advance(181)
    for spent in (code, late):
        with pytest.raises(AuthError, match="used, expired"):
            ask.exchange(spent)


@pytest.mark.parametrize(("localised", "status"), [(False, 400), (True, 400), (False, 200), (True, 200)])
def test_throttling_is_understood_in_any_language(
    ask: Asker, simulator: Simulator, localised: bool, status: int
) -> None:
    simulator.options.localised_throttle, simulator.options.throttle_status = localised, status
    refresh_token = simulator.refresh_token()
    for _ in range(10):
        ask.refresh(refresh_token)
    with pytest.raises(ThrottledError) as failure:
        ask.refresh(refresh_token)
    assert (failure.value.retry_after, failure.value.code) == (600.0, "Access Denied")
    assert "Wait 10 minutes" in failure.value.hint
    assert not leaks(failure.value, refresh_token)


# What is refused: every other answer there may be

DOCUMENTED = [  # zoho/oauth.md 2, 3, 6, 9
    ("access_denied", AuthError),
    ("oauth_app_blocked", AuthError),
    ("client_not_granted", AuthError),
    ("prompt_required", AuthError),
    ("invalid_client", AuthError),
    ("invalid_client_secret", AuthError),
    ("invalid_redirect_uri", AuthError),
    ("invalid_code", AuthError),
    ("invalid_scope", AuthError),
    ("missing_org_info", AuthError),
    ("general_error", AuthError),
    ("Access Denied", ThrottledError),
    ("authorization_pending", AuthError),
    ("slow_down", ThrottledError),
    ("other_dc", AuthError),
    ("expired", AuthError),
]


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(("code", "kind"), DOCUMENTED)
def test_every_documented_code_is_an_error_of_its_kind(
    ask: Asker, code: str, kind: type[ZohoError], status: int
) -> None:
    ask.answer({"error": code}, status)
    with pytest.raises(kind) as failure:
        ask.exchange()
    assert failure.value.code == code
    assert failure.value.operation == "exchange"
    assert failure.value.hint
    assert "?" not in str(failure.value)


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        ({"error": "brand_new", "error_description": "See {this}"}, 200, AuthError, "brand_new"),
        ({"code": "INTERNAL_ERROR", "message": "no", "status": "error"}, 500, ApiError, "INTERNAL_ERROR"),
        ({"error": {"reason": "odd"}}, 200, AuthError, "{'reason': 'odd'}"),
        ({"status": "failure"}, 400, ThrottledError, "Access Denied"),
        ({"status": "failure"}, 200, TransportError, "HTTP 200"),
        ({"status": "failure", "error": "invalid_code", "error_description": "x"}, 400, AuthError, "invalid_code"),
        ({"error": "拒绝访问", "status": "failure", "error_description": "x"}, 200, ThrottledError, "Access Denied"),
        ("", 429, ThrottledError, "Access Denied"),
        ("", 400, TransportError, "HTTP 400"),
        ("", 200, TransportError, "HTTP 200"),
        ({}, 200, TransportError, "HTTP 200"),
        ([], 200, TransportError, "HTTP 200"),
        ("null", 200, TransportError, "HTTP 200"),
        ("{", 200, TransportError, "HTTP 200"),
        (b"\xff\xfe", 200, TransportError, "HTTP 200"),
        ("<html>Sign in</html>", 200, TransportError, "HTTP 200"),
        ("<html>Sorry</html>", 503, TransportError, "HTTP 503"),
        ({"access_token": ""}, 200, TransportError, "HTTP 200"),
        ({"access_token": 5}, 200, TransportError, "HTTP 200"),
        ({"access_token": "S3C" + "R3T\n"}, 200, TransportError, "HTTP 200"),
        ({"access_token": "S3C" + "R3Té"}, 200, TransportError, "HTTP 200"),
        ({"access_token": "S3C" + "R3T x"}, 200, TransportError, "HTTP 200"),
    ],
)
def test_an_answer_without_a_usable_token_is_an_error(
    ask: Asker, body: Any, status: int, kind: type[ZohoError], code: str
) -> None:
    ask.answer(body, status)
    with pytest.raises(kind) as failure:
        ask.refresh()
    assert failure.value.code == code
    assert failure.value.hint
    assert not leaks(failure.value, HIDDEN, ask.zoho.client_secret)


def test_an_unusable_refresh_token_is_no_refresh_token(ask: Asker) -> None:
    ask.answer({"access_token": "abc", "refresh_token": "a\nb"})
    assert ask.exchange().refresh_token is None


def test_a_redirect_is_not_followed(ask: Asker, simulator: Simulator) -> None:
    with Simulator(rows=1) as other:
        ask.answer("", 307, headers={"Location": f"{other.url}{TOKEN}"})
        with pytest.raises(TransportError, match="pointed to another host"):
            ask.refresh()
        assert other.traffic.calls == []


# Revoking


def test_revoking_ends_a_refresh_token_and_its_access_tokens(ask: Asker, simulator: Simulator) -> None:
    refresh_token = simulator.refresh_token()
    token = ask.refresh(refresh_token)
    ask.revoke(refresh_token)
    assert not ask.works(token)
    with pytest.raises(AuthError, match="nothing to revoke") as failure:
        ask.revoke(refresh_token)
    assert not leaks(failure.value, refresh_token)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("", 400, AuthError),
        ({"error": "invalid_token"}, 400, AuthError),
        ({"status": "failure"}, 400, AuthError),
        ({"error": "Access Denied", "status": "failure"}, 400, ThrottledError),
        ({"error": "拒绝访问", "status": "failure", "error_description": "x"}, 400, ThrottledError),
        ("", 429, ThrottledError),
        ("<html>Sign in</html>", 200, TransportError),
        ("<html>Sorry</html>", 502, TransportError),
        ({"status": "failure"}, 200, TransportError),
        ({"code": "INTERNAL_ERROR"}, 500, ApiError),
        ({"error": "general_error"}, 200, AuthError),
    ],
)
def test_a_revocation_that_failed_is_not_taken_for_one_that_was_not_needed(
    ask: Asker, body: Any, status: int, kind: type[ZohoError]
) -> None:
    ask.answer(body, status, f"{TOKEN}/revoke")
    with pytest.raises(kind) as failure:
        ask.revoke(HIDDEN)
    assert ("nothing to revoke" in str(failure.value)) is (kind is AuthError and status == 400)
    assert not leaks(failure.value, HIDDEN)
