"""What people paste, set or leave over: the first message names the cause, and no grant code is spent for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.simulator_fixture import as_new
from zoho_magic import AuthError, ConfigurationError, Secret, ZohoError, ZohoSession
from zoho_magic.config import pasted
from zoho_magic.data_centres import DATA_CENTRES
from zoho_magic.simulator import Simulator

SECRET = "ab" * 21
ID = "1000.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123"
CODE = ".".join(("1000", "0123456789abcdef" * 2, "fedcba9876543210" * 2))
TOKEN = "/oauth/v2/token"
CONSOLE_FILE = json.dumps({"client_id": ID, "client_secret": SECRET, "code": CODE, "grant_type": "authorization_code"})


@pytest.fixture(scope="module")
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=3, data_centres=("us", "eu")) as one:
        yield one


@pytest.fixture
def simulator(zoho: Simulator) -> Simulator:
    return as_new(zoho)


def write(isolated: Path, simulator: Simulator, *lines: str, **changes: str | None) -> Path:
    """A `.env` of the simulator with some keys changed, left out (None) or written as lines."""
    known: dict[str, str | None] = {
        "ZOHO_CLIENT_ID": simulator.client_id,
        "ZOHO_CLIENT_SECRET": simulator.client_secret,
        "ZOHO_ACCOUNTS_URL": simulator.url,
        "ZOHO_API_URL": simulator.url,
        **changes,
    }
    path = isolated / ".env"
    text = [f"{key}={value}" for key, value in known.items() if value is not None]
    path.write_text("\n".join([*text, *lines]) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


WRAPPINGS = (
    *("{}", " {} ", "\t{}\n", "\xa0{}\xa0", "\ufeff{}", "\u200b{}\u200b", "{},", "{};", " {} ,", "{}\\"),
    *(
        "'{}'",
        '"{}"',
        "`{}`",
        "<{}>",
        "\u201c{}\u201d",
        "\u2018{}\u2019",
        "\u00ab{}\u00bb",
        '"{}",',
        "'{}';",
        "\"'{}'\"",
    ),
    *(
        "code={}",
        "code = {}",
        "Code: {}",
        "code={},",
        '"code": "{}",',
        "ZOHO_GRANT_CODE={}",
        "export ZOHO_GRANT_CODE='{}'",
    ),
    *("set ZOHO_GRANT_CODE={}", '$env:ZOHO_GRANT_CODE="{}"', "grant code: {}", "grant_code={}"),
    *(
        "?code={}",
        "?code={}&location=us&",
        "code={}&location=us",
        "http://localhost:8976/callback?code={}&location=us&",
    ),
    *(
        "https://example.com/cb?state=1&code={}",
        "http://localhost/oauth?location=us&amp;code={}",
        "'https://a.b/?code={}'",
    ),
    *('{{"code": "{}"}}', '{{"client_id": "", "code": "{}", "scope": []}}', ' {{"code":"{}","scope":null}} '),
)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_code_is_taken_out_of_its_wrapping(simulator: Simulator, isolated: Path, wrapping: str) -> None:
    write(isolated, simulator)
    with ZohoSession.from_env(clock=simulator.clock.time) as session:
        assert session.exchange(wrapping.format(simulator.grant_code())).connected
    assert simulator.traffic.count(path=TOKEN) == 1


NO_CODES = {  # pasted -> what the first message says
    ID: "is a client ID, not a grant code",
    f'"{ID}",': "is a client ID",
    SECRET: "is a client secret, not a grant code",
    f"'{SECRET}'": "is a client secret",
    "$code": "the name of a variable, which is not expanded here",
    "{code}": "the name of a variable",
    "${CODE}": "the name of a variable",
    "%CODE%": "the name of a variable",
    "1000.": "cut short",
    "1000.ab12": "cut short",
    CODE[:36]: "cut short",
    CODE[:38] + "\u2026": "is a placeholder",
    "1000.xxxxx.xxx-x": "is a placeholder",
    "ZohoCRM.modules.ALL,ZohoCRM.org.READ": "is a list of scopes",
    "https://api-console.zoho.eu": "is an address",
    "accounts.zoho.eu": "is an address",
    "self_client.json": "There is no file self_client.json",
    "~/Downloads/self_client.json": "There is no file self_client.json",
    "self_client.txt": "is the name of a file",
    "[1, 2]": "is JSON",
    "{": "is not complete",
    '{"client_id": "x"}': "has no grant code",
    '{"code": 5}': "has no grant code",
    '{"error": "invalid_client"}': "has no grant code",
    '{"installed": {"client_id": "x"}}': "has no grant code",
    CONSOLE_FILE[:-5]: "is not complete",
    json.dumps({"code": ID}): "The code in The JSON is a client ID",
    "http://localhost:8976/callback?error=access_denied": "access was refused",
    f"http://localhost:8976/callback?code={SECRET}": "The code in the address is a client secret",
    "hello": "is not a grant code",
    "two words": "has spaces or characters",
    "c\u00f6de": "has spaces or characters",
    "-": "is not a grant code",
}


@pytest.mark.parametrize("text", NO_CODES)
def test_what_is_no_code_is_named_and_nothing_is_sent(simulator: Simulator, isolated: Path, text: str) -> None:
    before = write(isolated, simulator).read_text()
    with ZohoSession.from_env() as session, pytest.raises(ConfigurationError) as failure:
        session.exchange(text)
    assert NO_CODES[text] in str(failure.value.args[0])
    assert "1000.<hex>.<hex>" in failure.value.hint
    assert SECRET not in str(failure.value)
    assert not simulator.traffic.calls
    assert (isolated / ".env").read_text() == before


BAD_VALUES = {  # key, value -> what the message says of it
    ("ZOHO_CLIENT_ID", SECRET): "is a client secret",
    ("ZOHO_CLIENT_ID", CODE): "is a grant code or a token",
    ("ZOHO_CLIENT_ID", "abc"): "does not begin with '1000.'",
    ("ZOHO_CLIENT_ID", "1000.A B"): "has spaces or characters",
    ("ZOHO_CLIENT_SECRET", ID): "is a client ID",
    ("ZOHO_CLIENT_SECRET", CODE): "is a grant code or a token",
    ("ZOHO_CLIENT_SECRET", "ab cd"): "has spaces or characters",
    ("ZOHO_REFRESH_TOKEN", ID): "is a client ID",
    ("ZOHO_REFRESH_TOKEN", SECRET): "is a client secret",
    ("ZOHO_REFRESH_TOKEN", "ZohoCRM.modules.ALL"): "is a list of scopes",
    ("ZOHO_GRANT_CODE", ID): "is a client ID",
    ("ZOHO_GRANT_CODE", "$CODE"): "the name of a variable",
    ("ZOHO_DC", "moon"): "is none of us, eu",
    ("ZOHO_ENVIRONMENT", "sandbx"): "is none of production",
    ("ZOHO_SCOPES", CODE): "is no scope",
    ("ZOHO_SCOPES", SECRET): "is no scope",
    ("ZOHO_REDIRECT_URI", "localhost:8976"): "does not begin with http",
    ("ZOHO_REDIRECT_URI", "http://localhost:99999/callback"): "has no valid port",
    ("ZOHO_REDIRECT_URI", "http://localhost:port/"): "has no valid port",
}


@pytest.mark.parametrize("source", [".env", "environment"])
@pytest.mark.parametrize(("key", "value"), BAD_VALUES)
def test_a_setting_that_is_something_else_is_named(
    simulator: Simulator, isolated: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, source: str
) -> None:
    write(isolated, simulator, **{key: value if source == ".env" else None})
    if source == "environment":
        monkeypatch.setenv(key, value)
        if key == "ZOHO_CLIENT_SECRET":  # an address is never used with a secret of another source
            write(isolated, simulator, **{key: None, "ZOHO_ACCOUNTS_URL": None, "ZOHO_API_URL": None})
    with pytest.raises(ConfigurationError) as failure:
        ZohoSession.from_env()
    assert str(failure.value.args[0]).startswith(f"{key} (from {source}) ")
    assert BAD_VALUES[key, value] in str(failure.value.args[0])
    assert ("(line " in str(failure.value.args[0])) == (source == ".env")
    assert SECRET not in str(failure.value)
    assert not simulator.traffic.calls


@pytest.mark.parametrize("wrapping", ['"{}"', "'{}'", "{},", "{};", "`{}`", "<{}>", " {} "])
@pytest.mark.parametrize("key", ["ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN"])
def test_a_setting_in_a_wrapping_works(
    simulator: Simulator, isolated: Path, monkeypatch: pytest.MonkeyPatch, key: str, wrapping: str
) -> None:
    """`docker --env-file` and `%env` keep quotes."""
    values = {
        "ZOHO_CLIENT_ID": simulator.client_id,
        "ZOHO_CLIENT_SECRET": simulator.client_secret,
        "ZOHO_REFRESH_TOKEN": simulator.refresh_token(),
        "ZOHO_ACCOUNTS_URL": simulator.url,
        "ZOHO_API_URL": simulator.url,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, wrapping.format(value) if name == key else value)
    with ZohoSession.from_env(clock=simulator.clock.time) as session:
        assert session.status().connected


SPELLINGS = {
    **{"com": "us", "Europe": "eu", "https://accounts.zoho.eu": "eu", "accounts.zoho.eu": "eu", "USDataCenter": "us"},
    **{".in": "in", "com.au": "au", "EU": "eu", "'eu'": "eu", "zoho.eu": "eu", "https://www.zohoapis.in/": "in"},
    **{"EU_DATACENTER": "eu", "United States": "us", "uk": "uk", "zohocloud.ca": "ca", "Japan (jp)": "jp", "eu,": "eu"},
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_data_centre_is_understood(isolated: Path, text: str) -> None:
    (isolated / ".env").write_text(f"ZOHO_DC={text}\n")
    assert ZohoSession.from_env().credentials.dc == SPELLINGS[text]


@pytest.mark.parametrize("dc", DATA_CENTRES)
def test_an_accounts_url_alone_implies_its_data_centre(isolated: Path, dc: str) -> None:
    (isolated / ".env").write_text(f"ZOHO_ACCOUNTS_URL={DATA_CENTRES[dc].accounts_url}\n")
    credentials = ZohoSession.from_env().credentials
    assert (credentials.dc, credentials.error_context["server"]) == (dc, dc)
    other = "us" if dc != "us" else "eu"
    assert credentials.replace(dc=other).accounts == DATA_CENTRES[other].accounts_url
    (isolated / ".env").write_text(f"ZOHO_ACCOUNTS_URL={DATA_CENTRES[dc].accounts_url}\nZOHO_DC={other}\n")
    with pytest.raises(ConfigurationError, match="contradict") as failure:
        ZohoSession.from_env()
    assert {"ZOHO_DC", "ZOHO_ACCOUNTS_URL"} <= set(str(failure.value.args[0]).replace(" ", "\n").split())


FILES = {  # lines of a `.env` without a client id -> what the next step says
    "set ZOHO_CLIENT_ID=1000.A": "did you mean ZOHO_CLIENT_ID",
    '$env:ZOHO_CLIENT_ID="1000.A"': "did you mean ZOHO_CLIENT_ID",
    "zoho_client_id=1000.A": "did you mean ZOHO_CLIENT_ID",
    "CLIENT_ID=1000.A": "did you mean ZOHO_CLIENT_ID",
    "ZOHO_CLIENTID=1000.A": "did you mean ZOHO_CLIENT_ID",
    "ZOHO_CLIENT-ID=1000.A": "did you mean ZOHO_CLIENT_ID",
    "ZOHO_CLEINT_ID=1000.A": "did you mean ZOHO_CLIENT_ID",
}


@pytest.mark.parametrize("line", FILES)
def test_a_misspelt_key_is_named_with_its_line(isolated: Path, line: str) -> None:
    (isolated / ".env").write_text(f"# mine\n{line}\n")
    with pytest.raises(ConfigurationError, match="ZOHO_CLIENT_ID") as failure:
        ZohoSession.from_env().exchange(CODE)
    assert FILES[line] in failure.value.hint
    assert "ine 2" in failure.value.hint


def test_a_file_that_is_no_env_file_is_named_and_left_alone(isolated: Path) -> None:
    (isolated / "self_client.json").write_text(CONSOLE_FILE)
    with pytest.raises(ConfigurationError, match=r"is no \.env file"):
        ZohoSession.from_env("self_client.json")
    (isolated / ".env").symlink_to("nowhere")
    with pytest.raises(ConfigurationError, match=r"a link to .*nowhere, which does not exist"):
        ZohoSession.from_env().exchange(CODE)
    assert (isolated / "self_client.json").read_text() == CONSOLE_FILE


def test_the_file_of_the_console_connects_in_one_move(simulator: Simulator, isolated: Path) -> None:
    write(isolated, simulator, ZOHO_CLIENT_ID=None, ZOHO_CLIENT_SECRET=None)
    scopes = ["ZohoCRM.modules.ALL", "ZohoCRM.org.READ", "ZohoCRM.users.READ"]
    given = {"client_id": simulator.client_id, "client_secret": simulator.client_secret, "scope": scopes}
    (isolated / "self_client.json").write_text(json.dumps({**given, "code": simulator.grant_code()}))
    with ZohoSession.from_env(clock=simulator.clock.time) as session:
        status = session.exchange("self_client.json")
        assert status.connected
        assert any("self_client.json still holds the client secret" in warning for warning in status.warnings)
    text = (isolated / ".env").read_text()
    assert f"ZOHO_SCOPES={','.join(scopes)}" in text
    assert f"ZOHO_CLIENT_SECRET={simulator.client_secret}" in text


@pytest.mark.parametrize("key", ["ZOHO_REFRESH_TOKEN", "ZOHO_CLIENT_SECRET"])
def test_a_refusal_says_which_of_two_values_was_used(simulator: Simulator, isolated: Path, key: str) -> None:
    wrong = {"ZOHO_REFRESH_TOKEN": CODE, "ZOHO_CLIENT_SECRET": SECRET}[key]
    write(isolated, simulator, f"{key}={wrong}", ZOHO_REFRESH_TOKEN=simulator.refresh_token())
    with ZohoSession.from_env() as session, pytest.raises(AuthError) as failure:
        session.refresh()
    assert f"{key} is in .env 2 times" in failure.value.hint


def test_a_stale_token_in_the_environment_is_named(
    simulator: Simulator, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VS Code puts a `.env` of yesterday into the environment of every kernel."""
    write(isolated, simulator, ZOHO_REFRESH_TOKEN=simulator.refresh_token())
    monkeypatch.setenv("ZOHO_REFRESH_TOKEN", CODE)
    with ZohoSession.from_env() as session, pytest.raises(AuthError) as failure:
        session.refresh()
    assert 'del os.environ["ZOHO_REFRESH_TOKEN"]' in failure.value.hint
    monkeypatch.delenv("ZOHO_REFRESH_TOKEN")
    monkeypatch.setenv("ZOHO_CLIENT_ID", " ")
    with ZohoSession.from_env(clock=simulator.clock.time) as session:
        assert session.status().connected


PROBED = {  # what is wrong -> what the first message says
    "secret of another place": "the client secret is not the one of this data centre",
    "code of another place": "was made in another data centre",
    "device with another type": "not as a client of the type Non-browser Applications",
    "unknown client": "does not know this client id",
}


@pytest.mark.parametrize("case", PROBED)
def test_an_invalid_client_is_told_apart(simulator: Simulator, isolated: Path, case: str) -> None:
    client = simulator.register(kinds=["self"], own_secrets=True)
    known = {"ZOHO_CLIENT_ID": client.id, "ZOHO_CLIENT_SECRET": client.secrets["us"]}
    known |= {"ZOHO_CLIENT_SECRET": client.secrets["eu"]} if case.startswith("secret") else {}
    known |= {"ZOHO_CLIENT_ID": ID} if case.startswith("unknown") else {}
    write(isolated, simulator, **known)
    code = simulator.grant_code(data_centre="eu" if case.startswith("code") else None)
    with ZohoSession.from_env(clock=simulator.clock.time) as session, pytest.raises(ZohoError) as failure:
        session.begin_device_login() if case.startswith("device") else session.exchange(code)
    assert PROBED[case] in str(failure.value.args[0])


SCRIPT = "from zoho_magic import ZohoSession; ZohoSession.from_env().pull('Leads')"


@pytest.mark.parametrize("command", [["-c", SCRIPT], ["-m", "IPython", "--colors=NoColor", "-c", SCRIPT]])
def test_nothing_is_printed_after_the_error_that_ends_a_script(isolated: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=isolated,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "IPYTHONDIR": str(isolated / "ipython")},
    )
    last = (done.stdout + done.stderr).strip().splitlines()[-2:]
    assert "CredentialsMissing: Not set: ZOHO_CLIENT_ID" in last[0]
    assert last[1].startswith("-> ")
    assert "atexit" not in done.stderr


def test_no_value_is_shown_by_the_kinds() -> None:
    for text in (SECRET, CODE, CONSOLE_FILE):
        assert text not in pasted.kind_of(text)
        assert text not in repr(pasted.parse_grant(Secret(CONSOLE_FILE)))
