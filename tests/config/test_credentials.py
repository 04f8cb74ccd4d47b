"""Credentials: where each value comes from, what is refused, and what a file up the tree cannot do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.support.secret_scan import leaks
from zoho_magic import ConfigurationError, Secret
from zoho_magic.config.credentials import Credentials, load, save, wrap_secrets
from zoho_magic.config.settings import DC_CLIENT_SECRET_VARS, ENV_VARS, SECRET_FIELDS
from zoho_magic.scopes import READ_WRITE

HIDDEN = "S3C" + "R3T"


@pytest.fixture
def env(isolated: Path) -> Path:
    path = isolated / ".env"
    path.write_text(
        f"ZOHO_CLIENT_ID=1000.ABC\nZOHO_CLIENT_SECRET={HIDDEN}\nZOHO_DC=EU\nZOHO_SCOPES=ZohoCRM.org.READ, openid\n"
        "ZOHO_ENVIRONMENT=Sandbox\nZOHO_SOID=ZohoCRM.1\nZOHO_REDIRECT_URI=http://localhost:1/x\n"
    )
    return path


def test_everything_has_a_key() -> None:
    fields = {field.name for field in dataclasses.fields(Credentials)} - {
        "client_secret_by_dc",
        "trusted_origins",
        "path",
        "sources",
        "keyring_error",
        "file_wins",
        "conflicts",
        "file_notes",
        "contents",
        "trust_file",
        "ignore_invalid",
        "invalid",
    }
    assert set(ENV_VARS) == fields
    assert set(ENV_VARS) >= SECRET_FIELDS


def test_values_come_from_the_file_under_the_environment(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOHO_CLIENT_ID", "1000.XYZ")
    monkeypatch.setenv("ZOHO_SOID", "")
    found = load(env)
    assert (found.client_id, found.soid) == ("1000.XYZ", "ZohoCRM.1")
    assert found.client_secret == Secret(HIDDEN)
    assert (found.dc, found.environment) == ("eu", "sandbox")
    assert found.scopes == ("ZohoCRM.org.READ", "openid")
    assert found.sources == {
        "client_id": "environment",
        **dict.fromkeys(["client_secret", "dc", "scopes", "environment", "soid", "redirect_uri"], ".env"),
    }
    facts = {"dc": "eu", "console": "https://api-console.zoho.eu", "environment": "sandbox"}
    assert facts.items() <= {name: fact for name, fact in found.error_context.items() if name != "notes"}.items()
    assert found.accounts == "https://accounts.zoho.eu"
    assert HIDDEN not in repr(found)


def test_without_a_file_there_are_defaults(isolated: Path) -> None:
    found = load(isolated / ".env")
    assert (found.dc, found.scopes, found.environment, found.client_secret) == ("us", READ_WRITE, "production", None)
    assert found.sources == {}


@pytest.mark.parametrize(
    ("key", "value", "said", "hint"),
    [
        ("ZOHO_DC", "eus", "is none of us, eu, in", "Did you mean us?"),
        ("ZOHO_DC", "moon!", "is none of us, eu, in", "Set it to one of them."),
        ("ZOHO_ENVIRONMENT", "test", "is none of production, sandbox, developer", ""),
        ("ZOHO_CLIENT_SECRET", "S3C" + "R3T with spaces", "has spaces or characters", "Copy it again"),
        ("ZOHO_REFRESH_TOKEN", "S3C" + "R3T\u00e9", "has spaces or characters", "Copy it again"),
        ("ZOHO_CLIENT_ID", "a b", "has spaces or characters", "Copy it again"),
        ("ZOHO_REDIRECT_URI", "localhost:1/x", "does not begin with http:// or https://", "as in Zoho's console"),
        ("ZOHO_SCOPES", "ZohoCRM.modules.ALL$openid", "which is no scope", "with commas"),
        ("ZOHO_ACCOUNTS_URL", "https://accounts.zoho.com.evil.example", "does not name a Zoho host", "trusted=[...]"),
        ("ZOHO_ACCOUNTS_URL", "http://accounts.zoho.com", "does not name a Zoho host", "Remove ZOHO_ACCOUNTS_URL"),
        ("ZOHO_API_URL", "https://136.143.190.155", "does not name a Zoho host", "Remove ZOHO_API_URL"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_value_that_cannot_be_used_is_named_with_its_place(
    env: Path, monkeypatch: pytest.MonkeyPatch, place: str, key: str, value: str, said: str, hint: str
) -> None:
    if place == ".env":
        env.write_text(env.read_text() + f"{key}='{value}'\n")
    else:
        monkeypatch.setenv(key, value)
    with pytest.raises(ConfigurationError) as failure:
        load(env)
    assert str(failure.value).startswith(f"{key} (from {place}) ")
    assert said in failure.value.args[0]
    assert hint in failure.value.hint
    assert not leaks(failure.value, HIDDEN)


def test_only_the_origin_of_an_address_counts(env: Path) -> None:
    credentials = load(env).replace(accounts_url="https://Accounts.Zoho.in:443/oauth", api_url="http://127.0.0.1:8000/")
    assert (credentials.accounts, credentials.api_url) == ("https://accounts.zoho.in", "http://127.0.0.1:8000")


def test_a_person_can_vouch_for_a_host_in_python_only(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOHO_ACCOUNTS_URL", "https://zoho.proxy.example/")
    monkeypatch.setenv("ZOHO_TRUSTED", "https://zoho.proxy.example")
    with pytest.raises(ConfigurationError):
        load(env)
    found = load(env, trusted_origins=frozenset({"https://Zoho.Proxy.example:443/"}))
    assert found.accounts == "https://zoho.proxy.example"
    assert found.trusted_origins == {"https://zoho.proxy.example"}


@pytest.mark.parametrize("trusted", ["zoho.proxy.example", "https://a@b", "*"])
def test_what_is_vouched_for_must_be_an_origin(env: Path, trusted: str) -> None:
    with pytest.raises(ConfigurationError, match="not an origin"):
        load(env, trusted_origins=frozenset({trusted}))


def test_a_copy_is_checked_like_a_file(env: Path) -> None:
    changed = load(env).replace(dc=" IN ", client_secret=f" {HIDDEN}2\n", grant_code=Secret("code"), refresh_token=None)
    assert changed.client_secret == Secret(f"{HIDDEN}2")
    assert (changed.dc, changed.grant_code, changed.refresh_token) == ("in", Secret("code"), None)
    assert changed.scopes == ("ZohoCRM.org.READ", "openid")
    assert changed.sources["dc"] == changed.sources["client_secret"] == "this session"
    with pytest.raises(ConfigurationError, match="ZOHO_CLIENT_SECRET has spaces") as failure:
        changed.replace(client_secret=f"{HIDDEN} x")
    assert not leaks(failure.value, HIDDEN)
    assert changed.replace(scopes=["a.b", "c"]).scopes == ("a.b", "c")
    assert changed.replace(client_id="", redirect_uri="").client_id == ""


def test_what_is_missing_is_named_all_at_once(env: Path) -> None:
    with pytest.raises(ConfigurationError) as failure:
        load(env).require("client_id", "refresh_token", "grant_code")
    assert failure.value.args[0] == (
        f"Not set: ZOHO_REFRESH_TOKEN, ZOHO_GRANT_CODE (looked in the environment and in {env})."
    )
    assert failure.value.hint == f"Run %zoho_setup, or put them into {env}."
    with pytest.raises(ConfigurationError, match=r"in memory\)") as failure:
        Credentials().require("client_id")
    assert failure.value.hint == "Run %zoho_setup, or put it into .env."
    load(env).require("client_id", "client_secret")


def test_saving_writes_the_named_fields_and_removes_empty_ones(env: Path) -> None:
    changed = load(env).replace(refresh_token=f"{HIDDEN}3", scopes="a.b,c.d", soid="", dc="in")
    save(changed, "refresh_token", "scopes", "soid")
    text = env.read_text()
    assert f"ZOHO_REFRESH_TOKEN={HIDDEN}3\n" in text
    assert "ZOHO_SCOPES=a.b,c.d\n" in text
    assert "ZOHO_SOID" not in text
    assert "ZOHO_DC=EU" in text
    assert load(env).refresh_token == Secret(f"{HIDDEN}3")


def test_no_scopes_are_saved_as_none(env: Path) -> None:
    save(load(env).replace(scopes=()), "scopes")
    assert "ZOHO_SCOPES" not in env.read_text()


def test_what_lives_in_memory_is_saved_nowhere(isolated: Path) -> None:
    save(Credentials(client_secret=Secret(HIDDEN)), "client_secret")
    assert list(isolated.iterdir()) == []


def test_secrets_are_concealed_and_the_rest_is_not() -> None:
    fields = wrap_secrets({"client_secret": HIDDEN, "grant_code": Secret("x"), "refresh_token": None, "dc": "eu"})
    assert fields == {"client_secret": Secret(HIDDEN), "grant_code": Secret("x"), "refresh_token": None, "dc": "eu"}


def test_each_data_centre_may_have_a_secret_of_its_own(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env.write_text(
        env.read_text() + f"{DC_CLIENT_SECRET_VARS['eu']}={HIDDEN}-eu\n{DC_CLIENT_SECRET_VARS['in']}={HIDDEN}-in\n"
    )
    found = load(env)
    assert (found.client_secret, found.sources["client_secret"]) == (Secret(f"{HIDDEN}-eu"), ".env")
    monkeypatch.setenv(DC_CLIENT_SECRET_VARS["eu"], f"{HIDDEN}-env")
    found = load(env)
    assert (found.client_secret, found.sources["client_secret"]) == (Secret(f"{HIDDEN}-env"), "environment")
    monkeypatch.setenv("ZOHO_DC", "jp")
    assert load(env).client_secret == Secret(HIDDEN)
    monkeypatch.setenv(DC_CLIENT_SECRET_VARS["eu"], f"{HIDDEN} x")
    with pytest.raises(ConfigurationError, match=DC_CLIENT_SECRET_VARS["eu"]) as failure:
        load(env)
    assert not leaks(failure.value, HIDDEN)


@pytest.mark.parametrize(("said", "meant"), [("1", "1"), ("On", "1"), ("yes", "1"), ("0", ""), ("off", ""), ("no", "")])
def test_a_switch_is_on_or_off(env: Path, said: str, meant: str) -> None:
    env.write_text(env.read_text() + f"{ENV_VARS['token_cache']}={said}\n")
    assert load(env).token_cache == meant
