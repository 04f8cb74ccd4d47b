"""Errors: one line, one next step, nothing secret, and an entry for every code Zoho documents for signing in."""

from __future__ import annotations

import copy
import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoho_magic
from zoho_magic import ApiError, AuthError, QueryError, ThrottledError, TransportError, ZohoError, errors
from zoho_magic.error_catalog import CATALOGUE, error_for

FACTS = {
    "console": "https://api-console.zoho.in",
    "dc": "in",
    "environment": "sandbox",
    "scope": "ZohoCRM.modules.leads.READ",
    "server": "in",
    "likely": "Zoho made the token for Europe (eu). ",
    "wait": "42 s",
    "permissions": " (Crm_Implied_View_Leads)",
}
# Access tokens look like this; written apart so that no scanner takes this file for a leak.
TOKEN = ".".join(("1000", "0123456789abcdef" * 2, "fedcba9876543210" * 2))

SIGNING_IN = {  # zoho/oauth.md sections 2, 3, 6 and 9
    "access_denied": AuthError,
    "oauth_app_blocked": AuthError,
    "client_not_granted": AuthError,
    "prompt_required": AuthError,
    "invalid_client": AuthError,
    "invalid_client_secret": AuthError,
    "invalid_redirect_uri": AuthError,
    "invalid_code": AuthError,
    "invalid_scope": AuthError,
    "missing_org_info": AuthError,
    "general_error": AuthError,
    "Access Denied": ThrottledError,
    "authorization_pending": AuthError,
    "slow_down": ThrottledError,
    "other_dc": AuthError,
    "expired": AuthError,
    "AUTHENTICATION_FAILURE": AuthError,
    "INVALID_TOKEN": AuthError,
    "OAUTH_SCOPE_MISMATCH": AuthError,
    "NO_PERMISSION": AuthError,
    "AUTHORIZATION_FAILED": AuthError,
    "INVALID_URL_PATTERN": ApiError,
    "INTERNAL_ERROR": ApiError,
    "TOO_MANY_REQUESTS": ThrottledError,
    "INVALID_OAUTHTOKEN": AuthError,
    "INVALID_OAUTHSCOPE": AuthError,
}


@pytest.mark.parametrize("code", SIGNING_IN)
def test_every_code_of_signing_in_is_in_the_catalogue(code: str) -> None:
    error = error_for(code, operation="refresh", **FACTS)
    assert type(error) is SIGNING_IN[code]
    assert (error.code, error.operation) == (code, "refresh")


@pytest.mark.parametrize("entry", CATALOGUE)
def test_every_entry_is_one_line_and_a_next_step(entry: str) -> None:
    code, _, doing = entry.partition("@")
    for facts in (FACTS, {}):
        error = error_for(code, operation=doing or "GET /crm/v8/Leads", **facts)
        assert isinstance(error, ZohoError)
        for text in (str(error.args[0]), error.hint):
            assert text.strip() == text
            assert 10 < len(text) < 320
            assert not set("{}\n?") & set(text), text
            assert text.endswith((".", ")"))
    assert str(error) == f"{error.args[0]}\n-> {error.hint}"


@pytest.mark.parametrize("entry", CATALOGUE)
def test_an_entry_names_only_facts_there_are(entry: str) -> None:
    sentences = CATALOGUE[entry].message + CATALOGUE[entry].hint
    named = {field for _, field, _, _ in string.Formatter().parse(sentences) if field is not None}
    assert named <= {*FACTS, "operation", "zoho_message"}


def test_hints_name_the_console_the_scope_the_permission_and_the_wait() -> None:
    assert "https://api-console.zoho.in" in error_for("invalid_client", **FACTS).hint
    assert "ZohoCRM.modules.leads.READ" in error_for("OAUTH_SCOPE_MISMATCH", operation="GET /x", **FACTS).hint
    assert "GET /x" in str(error_for("OAUTH_SCOPE_MISMATCH", operation="GET /x", **FACTS))
    assert "(Crm_Implied_View_Leads)" in str(error_for("NO_PERMISSION", **FACTS))
    assert "Wait 42 s" in error_for("TOO_MANY_REQUESTS", **FACTS).hint
    assert "now in" in error_for("INVALID_TOKEN", **FACTS).hint


def test_one_code_can_mean_two_things() -> None:
    assert str(error_for("invalid_code", operation="refresh")) != str(error_for("invalid_code", operation="exchange"))
    assert "nothing to revoke" in str(error_for("invalid_code", operation="revoke"))


def test_a_code_nobody_knows_is_shown_with_what_zoho_said() -> None:
    error = error_for("NEW_ONE", zoho_message='bad {field} {"api_name": "x"} {0} %s', operation="POST /crm/v8/{x}")
    assert type(error) is ApiError
    assert error.args[0] == 'Zoho answered NEW_ONE. bad {field} {"api_name": "x"} {0} %s'
    assert error_for("NEW_ONE").args[0] == "Zoho answered NEW_ONE."
    assert error_for("").code == "an unnamed error"


def test_nothing_shaped_like_a_token_survives() -> None:
    device = TOKEN.replace("1000", "1004", 1)
    error = error_for(
        f"ODD {TOKEN}", zoho_message=f"token {TOKEN}, {device}; {TOKEN[:40]}", operation=f"GET /crm/v8/x?token={TOKEN}"
    )
    shown = f"{error!r} {error} {vars(error)}"
    for part in TOKEN.split(".")[1:]:
        assert part not in shown
    assert "****" in shown


@given(st.text(), st.text(), st.text())
def test_whatever_zoho_says_becomes_one_short_line(code: str, said: str, doing: str) -> None:
    error = error_for(code, zoho_message=said, operation=doing)
    assert len(error.args[0]) < 520
    assert len(error.args[0].splitlines()) <= 1


def test_it_is_one_red_line_and_a_hint_in_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZOHO_MAGIC_DEBUG", raising=False)
    error = AuthError("No.", hint="Do this.")
    assert error._render_traceback_() == ["\x1b[1mAuthError: No.\x1b[0m", "-> Do this."]
    assert AuthError("No.")._render_traceback_() == ["\x1b[1mAuthError: No.\x1b[0m"]
    assert str(AuthError("No.")) == "No."


def test_it_is_a_traceback_when_somebody_debugs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOHO_MAGIC_DEBUG", "1")
    with pytest.raises(ZohoError) as failure:
        raise error_for("invalid_code")
    assert "test_errors.py" in "".join(failure.value._render_traceback_())


def test_an_error_survives_copying_and_another_process() -> None:
    throttled = error_for("Access Denied", operation="refresh", wait="9 s")
    throttled.wait = 9.0  # type: ignore[attr-defined]
    refused = error_for("NEW_ONE")
    refused.details = {"a": 1}  # type: ignore[attr-defined]
    lost = TransportError("Lost.", hint="Again.", code="X")
    lost.may_have_been_sent = False
    for error in (throttled, refused, lost, QueryError("Q", operation="x")):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_the_tree_in_the_docstring_is_the_tree_there_is() -> None:
    public = {name for name in errors.__all__ if name != "error_for"}
    assert all(issubclass(getattr(errors, name), ZohoError) for name in public)
    assert all(name in (errors.__doc__ or "") for name in public)
    assert public <= set(zoho_magic.__all__)
