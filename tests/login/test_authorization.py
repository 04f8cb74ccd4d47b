"""The consent page's address, and how little a redirect is believed."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.secret_scan import leaks
from zoho_magic import AuthError, ConfigurationError, Secret, ZohoError
from zoho_magic.config.credentials import Credentials
from zoho_magic.login import authorization

CODE = "1000.c0de.c0de"
CLIENT = Credentials(
    client_id="1000.ABC", client_secret=Secret("x"), scopes=("ZohoCRM.modules.ALL", "ZohoCRM.org.READ")
)


def asked(credentials: Credentials = CLIENT) -> tuple[authorization.AuthorizationRequest, dict[str, list[str]]]:
    question = authorization.build(credentials)
    return question, parse_qs(urlsplit(question.url).query)


def answer(question: authorization.AuthorizationRequest, **other: str) -> Secret:
    fields = {"state": question.state.reveal(), "code": CODE, **other}
    return Secret(urlencode({name: value for name, value in fields.items() if value}) + "&")


def test_the_question_is_offline_forced_and_bound_to_us() -> None:
    question, query = asked()
    assert question.url.startswith("https://accounts.zoho.com/oauth/v2/auth?")
    assert question.redirect_uri == "http://localhost:8976/callback"
    fixed = {"response_type": "code", "access_type": "offline", "prompt": "consent", "code_challenge_method": "S256"}
    assert {name: query[name] for name in fixed} == {name: [value] for name, value in fixed.items()}
    assert query["scope"] == ["ZohoCRM.modules.ALL,ZohoCRM.org.READ"]
    digest = hashlib.sha256(question.verifier.reveal().encode()).digest()
    assert query["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert 43 <= len(question.verifier.reveal()) <= 128
    assert question.verifier.reveal() not in question.url


def test_no_two_questions_are_alike() -> None:
    one, other = asked()[0], asked()[0]
    assert one.state != other.state
    assert one.verifier != other.verifier


def test_a_redirect_says_code_and_place_trailing_ampersand_and_all() -> None:
    question, _ = asked()
    there = {"location": "eu", "accounts-server": "https://accounts.zoho.eu"}
    found = authorization.parse_redirect(question, answer(question, **there), CLIENT)
    assert (found.code, found.accounts, found.location) == (Secret(CODE), "https://accounts.zoho.eu", "eu")


@pytest.mark.parametrize(
    "server",
    [
        "https://accounts.zoho.com.evil.example",
        "https://accounts.zoho.eu@evil.example",
        "https://accounts.zoho.co",
        "https://accounts-zoho.eu",
        "https://accounts.zoho.eu:8443",
        "http://accounts.zoho.eu",
        "https://ACCOUNTS.zoho.eu.",
        "https://xn--accounts-zoho-eu.example",
        "https://accounts.zоho.eu",  # noqa: RUF001  # a Cyrillic o
        "https://accounts.zoho.eu\\@evil.example",
        "//accounts.zoho.eu",
        "https://zoho.eu/accounts.zoho.eu",
        "http://127.0.0.1:9999",
        "http://localhost:9999",
        "javascript:alert(1)",
    ],
)
def test_a_lookalike_accounts_server_never_gets_the_code(server: str) -> None:
    question, _ = asked()
    with pytest.raises(AuthError, match="not Zoho's, so nothing was sent") as failure:
        authorization.parse_redirect(question, answer(question, **{"accounts-server": server}), CLIENT)
    assert leaks(failure.value, CODE, question.verifier.reveal()) == []
    assert "evil" not in str(failure.value)


def test_a_simulator_may_name_a_simulator_and_nothing_else() -> None:
    local = CLIENT.replace(accounts_url="http://127.0.0.1:5000")
    question, _ = asked(local)
    found = authorization.parse_redirect(
        question, answer(question, **{"accounts-server": "http://127.0.0.1:5001"}), local
    )
    assert found.accounts == "http://127.0.0.1:5001"


@pytest.mark.parametrize("state", ["", "wrong", "é", "x" * 10_000])
def test_a_code_with_another_state_is_somebody_elses(state: str) -> None:
    question, _ = asked()
    forged = answer(question, state=state)
    assert question.match(forged) == ""
    with pytest.raises(AuthError, match="not the answer to this sign-in"):
        authorization.parse_redirect(question, forged, CLIENT)


@pytest.mark.parametrize("field", ["state", "code", "accounts-server"])
def test_a_field_given_twice_makes_the_whole_redirect_worthless(field: str) -> None:
    question, _ = asked()
    twice = Secret(f"{answer(question).reveal()}{field}=x&{field}=y")
    assert question.match(twice) == ""


def test_many_fields_are_not_read() -> None:
    question, _ = asked()
    assert question.match(Secret(answer(question).reveal() + "&".join(f"x{n}=1" for n in range(30)))) == ""


@pytest.mark.parametrize("with_state", [True, False])
def test_a_refusal_is_one_with_and_without_state(with_state: bool) -> None:
    question, _ = asked()
    refusal = answer(question, code="", error="access_denied", state=question.state.reveal() if with_state else "")
    assert question.match(refusal) == "refused"
    with pytest.raises(AuthError, match="access was refused") as failure:
        authorization.parse_redirect(question, refusal, CLIENT)
    assert failure.value.code == "access_denied"


def test_a_refusal_with_another_state_is_none() -> None:
    question, _ = asked()
    assert question.match(answer(question, code="", error="access_denied", state="other")) == ""


def test_a_redirect_without_a_code_is_no_answer() -> None:
    question, _ = asked()
    assert question.match(answer(question, code="")) == ""


@pytest.mark.parametrize("around", ["{}", "  {}\n", "'{}'", "<{}>"])
def test_a_pasted_address_is_taken_with_what_sticks_to_it(around: str) -> None:
    question, _ = asked()
    address = f"{question.redirect_uri}?{answer(question).reveal()}"
    query = authorization.query_of_pasted_url(Secret(around.format(address)), question.redirect_uri)
    assert authorization.parse_redirect(question, query, CLIENT).code == Secret(CODE)


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "http://localhost:8976/callback",
        "http://localhost:8977/callback?code=x",
        "https://[",
    ],
)
def test_anything_else_pasted_is_asked_for_again_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address the browser ended on") as failure:
        authorization.query_of_pasted_url(Secret(text), authorization.REDIRECT_URI)
    assert leaks(failure.value, CODE) == []


def test_no_frame_of_a_refused_redirect_shows_the_code() -> None:
    question, _ = asked()
    with pytest.raises(ZohoError) as failure:
        authorization.parse_redirect(question, answer(question, state="other"), CLIENT)
    assert leaks(failure.value, CODE) == []
