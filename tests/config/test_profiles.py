"""Profiles: several accounts alive at once, one line on another one, sandbox and developer environments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ipython_shell import Shell, loaded_shell
from tests.support.simulator_fixture import as_new
from zoho_magic import Secret, Token, get_session, session
from zoho_magic.config import profiles
from zoho_magic.config.credentials import Credentials
from zoho_magic.data_centres import DATA_CENTRES
from zoho_magic.notebook.magics import ZohoMagic
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import close_sessions, current_session, open_session
from zoho_magic.simulator import Simulator

TOKEN = "/oauth/v2/token"
ON_DATA = ("zoho_refresh", "zoho_token", "zoho_revoke", "zoho_modules", "zoho_fields", "zoho_pull", "zoho_push")


@pytest.fixture(scope="module")
def main() -> Iterator[Simulator]:
    with Simulator(rows=5) as zoho:
        yield zoho


@pytest.fixture(scope="module")
def copy() -> Iterator[Simulator]:
    with Simulator(rows=12) as zoho:
        yield zoho


@pytest.fixture
def simulator(main: Simulator) -> Simulator:
    return as_new(main)


@pytest.fixture
def prod(copy: Simulator, env_file: Path) -> Simulator:
    """The account of the profile `prod`, beside the `.env` of `simulator`; its org has another name and more rows."""
    copy = as_new(copy)
    write(env_file.with_name(".env.prod"), copy)
    return copy


@pytest.fixture
def shell(prod: Simulator) -> Iterator[Shell]:
    with loaded_shell() as opened:
        yield opened


def write(path: Path, zoho: Simulator, **more: str) -> None:
    lines = {
        "ZOHO_CLIENT_ID": zoho.client_id,
        "ZOHO_CLIENT_SECRET": zoho.client_secret,
        "ZOHO_REFRESH_TOKEN": zoho.refresh_token(),
        "ZOHO_ACCOUNTS_URL": zoho.url,
        "ZOHO_API_URL": zoho.url,
        **more,
    }
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="utf-8")


def token_requests(zoho: Simulator) -> int:
    return zoho.traffic.count(path=TOKEN)


# Both alive


def test_two_profiles_are_alive_at_once_and_switching_back_is_instant(
    shell: Shell, simulator: Simulator, prod: Simulator
) -> None:
    first = shell.run("%zoho_token")
    assert shell.run("%zoho --env .env.prod").api_url == prod.url
    other = shell.run("%zoho_token")
    assert shell.run("%zoho --env .env").api_url == simulator.url
    calls = len(simulator.traffic.calls), len(prod.traffic.calls)
    assert shell.run("%zoho_token") is first
    shell.run("%zoho --env prod")
    assert shell.run("%zoho_token") is other
    assert (token_requests(simulator), token_requests(prod)) == (1, 1)
    assert (len(simulator.traffic.calls), len(prod.traffic.calls)) == calls, "nothing is asked again"


def test_a_line_uses_another_profile_and_the_next_does_not(shell: Shell, simulator: Simulator, prod: Simulator) -> None:
    counts = [
        len(shell.run(f"%zoho_pull Leads --converted both --fields Last_Name{where}"))
        for where in ("", " --profile prod", " --profile .env.prod", "")
    ]
    assert counts == [5, 12, 12, 5]
    assert current_session() is get_session()
    assert get_session().credentials.accounts == simulator.url


@pytest.mark.parametrize(
    "line",
    [
        "%zoho_refresh --profile prod",
        "%zoho_token --profile prod",
        "%zoho_modules --profile prod",
        "%zoho_fields Leads --profile prod",
        "%zoho_pull Leads --profile prod --limit 1",
        "%zoho_pull Leads --profile prod --explain",
        "%zoho_coql --profile prod select Last_Name from Leads",
        "%%zoho_coql found --profile prod\nselect Last_Name from Leads",
        "%zoho_push Leads rows --insert --dry-run --profile prod",
        "%zoho --profile prod",
        "%zoho_revoke --profile prod",
    ],
)
def test_every_magic_on_data_takes_a_profile(shell: Shell, simulator: Simulator, prod: Simulator, line: str) -> None:
    shell.ip.user_ns["rows"] = [{"Last_Name": "Ng"}]
    shell.run(line)
    assert prod.traffic.calls
    assert not simulator.traffic.calls


def test_revoking_one_profile_leaves_the_others(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    shell.run("%zoho_revoke --profile prod")
    assert "ZOHO_REFRESH_TOKEN" not in env_file.with_name(".env.prod").read_text()
    assert "ZOHO_REFRESH_TOKEN" in env_file.read_text()
    assert shell.run("%zoho").connected
    assert not shell.run("%zoho --profile prod").connected


def test_a_code_is_exchanged_for_the_profile_named(shell: Shell, prod: Simulator, env_file: Path) -> None:
    before = env_file.read_bytes()
    assert shell.run(f"%zoho_exchange {prod.grant_code()} --profile prod").profile == "prod"
    assert env_file.read_bytes() == before


def test_python_gets_the_same_sessions(shell: Shell, prod: Simulator, env_file: Path) -> None:
    token = shell.run("%zoho_token --profile prod")
    assert get_session("prod").token is token
    assert get_session("prod") is get_session(".env.prod") is get_session(env_file.with_name(".env.prod"))
    assert get_session("prod") is not get_session()
    assert current_session() is get_session()


def test_a_deletion_asks_with_the_profiles_name(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "n")
    shell.ip.user_ns["rows"] = [{"id": "1"}]
    shell._outcome("%zoho_push Leads rows --delete --profile prod")
    assert "in Leads of prod?" in asked[0]


# Names and files


def test_a_name_is_a_file_beside_the_nearest_env(
    prod: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = env_file.with_name("below")
    below.mkdir()
    monkeypatch.chdir(below)
    assert profiles.path_of("prod") == env_file.with_name(".env.prod")
    assert profiles.path_of("new") == env_file.with_name(".env.new")
    assert profiles.path_of("new.env") == below / "new.env"
    assert profiles.path_of("./new") == below / "new"
    env_file.with_name(".env.eu.prod").touch()
    assert profiles.path_of("eu.prod") == env_file.with_name(".env.eu.prod")
    (below / "prod").touch()
    assert profiles.path_of("prod") == below / "prod", "a file of that very name is the one that was meant"


def test_a_folder_of_that_name_is_in_nobodys_way(prod: Simulator, env_file: Path) -> None:
    env_file.with_name("prod").mkdir()
    assert get_session("prod").token


def test_known_profiles_are_those_beside_the_nearest_env(prod: Simulator, env_file: Path) -> None:
    for name in (".env.example", ".env.lock", ".env.prod.lock", ".env.zoho_magic.tmp", ".env.a~", "x.env"):
        env_file.with_name(name).touch()
    env_file.with_name(".env.sandbox").touch()
    env_file.with_name(".env.folder").mkdir()
    assert profiles.list_profiles() == ["prod", "sandbox"]


@pytest.mark.parametrize("line", ["%zoho_pull Leads --profile TYPED", "%zoho_token --profile TYPED"])
def test_an_unknown_profile_is_refused_and_the_known_ones_are_named(
    shell: Shell, simulator: Simulator, env_file: Path, line: str
) -> None:
    shown = shell.failed(line)
    assert shown.startswith("CredentialsMissing: There is no such profile: there are prod.\n-> ")
    assert "TYPED" not in shown
    assert ".env.NAME beside the nearest .env" in shown
    assert not simulator.traffic.calls
    assert not env_file.with_name(".env.TYPED").exists()


def test_a_new_profile_begins_with_env(shell: Shell, prod: Simulator, env_file: Path) -> None:
    assert "There is no such profile" in shell.failed("%zoho --env eu")
    assert shell.run("%zoho").file == str(env_file)
    there = prod.connection()
    open_session("eu").exchange(
        there["grant_code"],
        client_id=there["client_id"],
        client_secret=there["client_secret"],
        accounts_url=there["url"],
        api_url=there["url"],
    )
    assert profiles.list_profiles() == ["eu", "prod"]
    assert shell.run("%zoho --env eu").connected
    frame = shell.run("%zoho --profiles")
    assert dict(zip(frame["profile"], frame["current"], strict=True)) == {".env": False, "eu": True, "prod": False}
    assert "back to .env: %zoho --env .env" in str(shell.run("%zoho"))


def test_the_environment_never_makes_a_line_use_another_account(
    shell: Shell, simulator: Simulator, prod: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell.run("%zoho_token --profile prod")
    prod.traffic.clear()
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", simulator.refresh_token())
    monkeypatch.setenv("ZOHO_ACCOUNTS_URL", simulator.url)
    assert len(shell.run("%zoho_pull Leads --limit 3 --profile prod")) == 3
    assert prod.traffic.calls
    assert not simulator.traffic.calls
    status = get_session("prod").status()
    assert status.sources["ZOHO_REFRESH_TOKEN"] == ".env.prod"
    assert any("ZOHO_REFRESH_TOKEN" in line and ".env.prod was named" in line for line in status.warnings)
    assert shell.run("%zoho --env prod").api_url == prod.url
    assert ZohoSession.from_env(env_file.with_name(".env.prod")).api == prod.url
    assert not simulator.traffic.calls


def test_a_url_of_the_environment_is_never_used_with_secrets_of_a_named_file(
    prod: Simulator, simulator: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = env_file.with_name(".env.prod")
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "ACCOUNTS_URL" not in line))
    monkeypatch.setenv("ZOHO_ACCOUNTS_URL", simulator.url)
    assert ZohoSession.from_env(path).credentials.accounts_url == ""


def test_different_values_in_file_and_environment_are_named(
    shell: Shell, prod: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", "1000." + "a" * 8)
    close_sessions()
    (line,) = [line for line in get_session().status().warnings if "different values" in line]
    assert "ZOHO_REFRESH_TOKEN" in line
    assert "the environment's is used" in line


def test_neither_when_the_file_leaves_its_secrets_to_the_keyring(
    prod: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = env_file.with_name(".env.prod")
    lines = [line for line in path.read_text().splitlines() if "SECRET" not in line and "TOKEN" not in line]
    path.write_text("\n".join([*lines, "ZOHO_KEYRING=work-1"]))
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", prod.refresh_token())
    assert get_session("prod").credentials.refresh_token is None


# What is shown and offered


def test_the_card_shows_profile_and_environment(shell: Shell, copy: Simulator, env_file: Path) -> None:
    write(env_file.with_name(".env.test"), copy, ZOHO_ENVIRONMENT="sandbox")
    status = shell.run("%zoho --profile test")
    assert (status.profile, status.environment) == ("test", "sandbox")
    assert "Profile:      test (sandbox)" in shell.shown
    shell.run("%zoho")
    assert "Profile:" not in shell.shown


def test_every_magic_on_data_says_so_in_its_help(shell: Shell) -> None:
    for name in (*ON_DATA, "zoho", "zoho_coql", "zoho_exchange"):
        shell.run(f"%{name} -h")
        assert ".env.NAME" in shell.shown, name
    assert set(ON_DATA) < set(ZohoMagic.magics["line"])


def test_tab_offers_profiles_and_their_modules(shell: Shell, simulator: Simulator, prod: Simulator) -> None:
    assert shell.offered("%zoho_pull Leads --profile p") == ["%zoho_pull Leads --profile prod"]
    assert shell.offered("%zoho --env p") == ["%zoho --env prod"]
    assert shell.offered("%zoho_pull --profile prod Lea") == []
    assert not prod.traffic.calls, "TAB alone connects to nothing"
    shell.run("%zoho_modules --profile prod")
    assert shell.offered("%zoho_pull --profile prod Lea") == ["%zoho_pull --profile prod Leads"]
    line = "%zoho_pull --profile=prod Leads --fields Last_N"
    assert shell.offered(line) == [f"{line}ame"]
    assert prod.traffic.calls
    assert not simulator.traffic.calls


# Environments


@pytest.mark.parametrize("environment", ["production", "sandbox", "developer"])
@pytest.mark.parametrize("dc", ["us", "eu", "in", "au", "jp", "cn", "ca", "sa"])
def test_each_environment_has_its_host_in_each_data_centre(dc: str, environment: str) -> None:
    tld = {"us": "com", "au": "com.au", "cn": "com.cn"}.get(dc, dc)
    host = {"production": "www", "sandbox": "sandbox", "developer": "developer"}[environment]
    credentials = Credentials(dc=dc, environment=environment)
    answered = Token(Secret("x"), 0.0, api_domain=f"https://www.zohoapis.{tld}")
    silent = Token(Secret("x"), 0.0)
    assert {session.api_origin(credentials, token) for token in (answered, silent)} == {
        f"https://{host}.zohoapis.{tld}"
    }
    assert credentials.accounts == DATA_CENTRES[dc].accounts_url, "the accounts server is the same for all three"


def test_a_token_of_one_environment_is_not_used_in_another(shell: Shell, copy: Simulator, env_file: Path) -> None:
    path = env_file.with_name(".env.test")
    write(path, copy, ZOHO_ENVIRONMENT="sandbox")
    token = shell.run("%zoho_token --profile test")
    path.write_text(path.read_text().replace("sandbox", "developer"))
    assert shell.run("%zoho_token --profile test") is not token
