"""The magics, in a real shell, against a local Zoho."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import requests
from IPython.core.oinspect import getdoc

from tests.support.ipython_shell import Shell, loaded_shell, open_shell
from zoho_magic import Status, Token, ZohoSession
from zoho_magic.notebook import demo
from zoho_magic.notebook.magics import ZohoMagic
from zoho_magic.session_registry import current_session, get_session
from zoho_magic.simulator import Fault, Simulator

MAGICS = sorted(ZohoMagic.magics["line"])
TYPED = "TYPED-BY-MISTAKE"
IPYTHON_7 = "ignore:The default datetime adapter is deprecated:DeprecationWarning"  # its history, on Python 3.12


@pytest.fixture
def shell() -> Iterator[Shell]:
    with loaded_shell() as opened:
        yield opened
    demo.close()


def value_in(env_file: Path, key: str) -> str | None:
    lines = dict(line.split("=", 1) for line in env_file.read_text(encoding="utf-8").splitlines())
    return lines.get(key)


# Loading and unloading


def in_a_new_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", IPYTHON_7, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_loading_prints_nothing_touches_nothing_and_imports_nothing_heavy(env_file: Path) -> None:
    told = in_a_new_process("""
        import os, sys
        from IPython.core.interactiveshell import InteractiveShell
        ip = InteractiveShell.instance()
        touched = []
        def note(event, args):
            if event.startswith("socket.") or event == "subprocess.Popen":
                touched.append(event)
            if event == "open" and not str(args[0]).endswith((".py", ".pyc")):
                touched.append(args[0])
        sys.addaudithook(note)
        ip.run_line_magic("load_ext", "zoho_magic")
        seen = list(touched)
        late = {"zoho_magic.notebook.completion_words", "zoho_magic.session"}  # at the first TAB, the first magic
        heavy = {*late, "requests", "urllib3", "pandas", "pyarrow", "ipywidgets", "flask"} & set(sys.modules)
        built = [m for m in ip.magics_manager.registry["ZohoMagic"].magics["line"].values()
                 if getattr(m, "__func__", m).build_parser.cache_info().currsize]
        assert not built, "help and parsers are built when asked for"
        from zoho_magic.session_registry import current_session
        open(".env").close()
        assert len(touched) == len(seen) + 1, "the hook sees what is opened"
        print(seen, sorted(heavy), current_session())
    """)
    assert told == "[] [] None\n"


def test_a_script_gets_the_session_without_ipython_or_widgets() -> None:
    told = in_a_new_process("""
        import sys
        from zoho_magic import ZohoSession, get_session, ZohoError
        print(sorted({"IPython", "ipywidgets", "traitlets", "requests", "pandas"} & set(sys.modules)))
    """)
    assert told == "[]\n"


def everything_registered(shell: Shell) -> list[object]:
    ip = shell.ip
    return [
        {kind: set(table) for kind, table in ip.magics_manager.magics.items()},
        set(ip.magics_manager.registry),
        list(ip.configurables),
        list(ip.Completer.custom_matchers),
        [{*one.type_printers, *one.deferred_printers} for one in ip.display_formatter.formatters.values()],
        {event: len(callbacks) for event, callbacks in ip.events.callbacks.items()},
        {name: str(hook) for name, hook in ip.hooks.items()},
        {name for name in ip.user_ns if not name.startswith("_i")},
    ]


def test_unloading_leaves_nothing_behind() -> None:
    with open_shell() as shell:
        shell.run("%unload_ext zoho_magic")  # IPython loads its own extension magics at first use
        before = everything_registered(shell)
        shell.run("%load_ext zoho_magic")
        assert everything_registered(shell)[0] != before[0]
        shell.run("%unload_ext zoho_magic")
        after = everything_registered(shell)
        assert after == before
        shell.run("%load_ext zoho_magic")
        assert shell.offered("%zoho_pull --li") == ["%zoho_pull --limit"]


def test_reloading_keeps_the_session_and_its_token(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    session, token = get_session(), shell.run("%zoho_token")
    shell.run("%reload_ext zoho_magic")
    assert get_session() is session
    assert shell.run("%zoho_token") is token
    assert simulator.traffic.count(path="/oauth/v2/token") == 1


def test_reloading_keeps_the_demo(shell: Shell) -> None:
    shell.run("%zoho_demo --rows 20")
    shell.run("%reload_ext zoho_magic")
    assert shell.run("%zoho").connected


# Reading a line


@pytest.mark.parametrize("name", MAGICS)
def test_every_magic_explains_itself(shell: Shell, name: str) -> None:
    assert shell.run(f"%{name} -h") is None
    assert shell.shown.startswith(f"%{name}: ")
    assert "Example" in shell.shown
    assert f"    %{name}" in shell.shown or f"= %{name}" in shell.shown
    shell.run(f"%{name}?")
    assert getdoc(shell.ip.find_line_magic(name)).startswith(f"%{name}: ")
    assert current_session() is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"%zoho_refresh {TYPED}", "unexpected argument"),
        (f"%zoho_exchange code {TYPED}", "unexpected argument"),
        (f"%zoho_exchange -x{TYPED}", "unexpected argument"),
        (f"%zoho_exchange --client-secret {TYPED}", "unknown option"),
        (f"%zoho_exchange --client-secret={TYPED}", "unknown option"),
        (f"%zoho --env={TYPED} --sav={TYPED}", "--save takes no value"),
        (f"%zoho_exchange '{TYPED}", "quote is opened and never closed"),
        (f"%zoho_pull Leads --limit {TYPED}", "--limit must be a positive integer"),
        ("%zoho_pull Leads --limit 0", "--limit must be a positive integer"),
        ("%zoho_pull Leads --limit", "--limit must be a positive integer"),
        ("%zoho_pull Leads --limits 3", "Did you mean --limit?"),
        ("%zoho_pull --limit 3", "MODULE is missing"),
        ("%zoho --env", "--env needs a value"),
    ],
)
def test_a_mistake_on_the_line_is_explained_and_never_repeated(shell: Shell, line: str, told: str) -> None:
    shown = shell.failed(line)
    assert shown.startswith(f"UsageError: {line.split()[0]}: ")
    assert told in shown
    assert TYPED not in shown
    assert len(shown.splitlines()) == 1
    assert current_session() is None


def test_quotes_and_trailing_comments_are_read_as_a_shell_reads_them(shell: Shell, env_file: Path) -> None:
    assert len(shell.run("%zoho_pull 'Leads' --fields \"Last_Name\" Company --limit 2  # don't \"worry")) == 2
    frame = shell.run("%zoho_pull Leads --fields Last_Name,Company --limit=1 # one, with commas")
    assert {"Last_Name", "Company"} <= set(frame.columns)


def test_a_number_sign_inside_a_word_is_part_of_it(shell: Shell) -> None:
    for name in (".env#2", ".env #3"):
        Path(name).touch()
    assert shell.run("%zoho --env .env#2 # the second").file.endswith("/.env#2")
    assert shell.run("%zoho --env '.env #3'").file.endswith("/.env #3")


def test_nothing_on_a_line_is_expanded(shell: Shell, env_file: Path) -> None:
    shell.run("ran, name = [], 'elsewhere'")
    for file in (".env{1+1}", ".env.$name"):
        env_file.with_name(file).touch()
    assert shell.run("%zoho --env .env{1+1}").file.endswith("/.env{1+1}")
    assert shell.run("%zoho --env .env.$name").file.endswith("/.env.$name")
    shell.failed("%zoho_exchange {ran.append(1)}")
    assert shell.run("ran") == []


# Errors


def test_an_error_is_one_red_line_and_a_next_step(shell: Shell, env_file: Path) -> None:
    shown = shell.failed("%zoho_exchange 1000.ab.cd")
    assert [line.split(" ")[0] for line in shown.splitlines()] == ["AuthError:", "->"]
    assert "https://api-console.zoho.com" in shown
    assert "never-issued" not in shown
    assert shell.raw.startswith("\x1b[1mAuthError: ")


def test_debug_shows_the_traceback(shell: Shell, env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOHO_MAGIC_DEBUG", "1")
    shown = shell.failed("%zoho_exchange 1000.ab.cd")
    assert shown.startswith("Traceback (most recent call last):")
    assert "oauth.py" in shown


def test_without_credentials_every_magic_says_what_is_missing(shell: Shell) -> None:
    assert not shell.run("%zoho").connected
    assert "%zoho_setup, or %zoho_demo" in shell.shown
    for name in ("zoho_exchange 1000.code", "zoho_refresh", "zoho_token", "zoho_revoke", "zoho_pull Leads"):
        shown = shell.failed(f"%{name}")
        assert shown.startswith("CredentialsMissing: Not set: ZOHO_"), name
        assert "\n-> Run %zoho_setup" in shown


def test_a_broken_env_file_is_named(shell: Shell, isolated: Path) -> None:
    (isolated / ".env").mkdir()
    shown = shell.failed("%zoho --env .env")
    assert shown.startswith("ConfigurationError: ")
    assert "is a folder" in shown


# Each magic


def test_zoho_shows_who_and_where_and_lists_the_magics(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    status = shell.run("%zoho")
    assert isinstance(status, Status)
    assert (status.name, status.organisation) == ("Patricia Boyle", get_session().status().organisation)
    assert "Connected as Patricia Boyle" in shell.shown
    assert all(f"%{name}" in shell.shown for name in MAGICS)
    assert simulator.client_secret not in shell.shown


def test_env_switches_to_another_file(shell: Shell, env_file: Path) -> None:
    other = env_file.with_name(".env.other")
    env_file.rename(other)
    assert not shell.run("%zoho").connected
    assert shell.run("%zoho --env .env.other").connected
    assert shell.run("%zoho").file == str(other)


def test_save_writes_what_could_not_be_written(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    shell.run("%zoho --save")
    assert "Connected" in shell.shown
    assert value_in(env_file, "ZOHO_CLIENT_SECRET") == simulator.client_secret


def test_exchange_takes_a_code_from_the_line(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    before = value_in(env_file, "ZOHO_REFRESH_TOKEN")
    status = shell.run(f"%zoho_exchange {simulator.grant_code()}  # from the console")
    assert status.connected
    assert value_in(env_file, "ZOHO_REFRESH_TOKEN") not in (None, before)


def test_exchange_takes_a_code_from_the_environment(
    shell: Shell, simulator: Simulator, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOHO_GRANT_CODE", simulator.grant_code())
    assert shell.run("%zoho_exchange").connected


def test_a_refused_code_leaves_file_and_session_as_they_were(shell: Shell, env_file: Path) -> None:
    before, token = env_file.read_bytes(), shell.run("%zoho_token")
    shell.failed("%zoho_exchange 1000.ab.cd")
    assert env_file.read_bytes() == before
    assert shell.run("%zoho_token") is token


def test_a_token_is_masked_and_usable(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    shell.run("token = %zoho_token")
    token = shell.run("token")
    assert isinstance(token, Token)
    assert token.reveal() not in shell.shown
    answer = requests.get(f"{simulator.url}/crm/v8/org", headers=token.headers, timeout=5)
    assert answer.json()["org"][0]["company_name"]


def test_refresh_asks_for_a_new_token(shell: Shell, env_file: Path) -> None:
    first, second = shell.run("%zoho_token"), shell.run("%zoho_refresh")
    assert second.reveal() != first.reveal()
    assert shell.run("%zoho_token") is second


@pytest.mark.parametrize("line", ["%zoho_revoke"])
def test_revoke_ends_it_here_and_at_zoho(shell: Shell, simulator: Simulator, env_file: Path, line: str) -> None:
    shell.run("%zoho_token")
    assert not shell.run(line).connected
    assert value_in(env_file, "ZOHO_REFRESH_TOKEN") is None
    assert simulator.traffic.count(path="/oauth/v2/token/revoke") == 1
    assert shell.failed("%zoho_token").startswith("CredentialsMissing: Not set: ZOHO_REFRESH_TOKEN")


def test_forget_does_not_tell_zoho(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    assert not shell.run("%zoho_revoke --forget").connected
    assert value_in(env_file, "ZOHO_REFRESH_TOKEN") is None
    assert simulator.traffic.count() == 0


def test_pull_gives_a_frame(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    shell.run("leads = %zoho_pull Leads --fields Last_Name Annual_Revenue --limit 7")
    leads = shell.run("leads")
    assert isinstance(leads, pd.DataFrame)
    assert len(leads) == 7
    assert {"id", "Last_Name", "Annual_Revenue"} <= set(leads.columns)


@pytest.mark.parametrize("ids", ["list(chosen['id'])[::-1]", "chosen['id'][::-1]"])
def test_pull_by_id_takes_a_list_or_a_column(shell: Shell, simulator: Simulator, env_file: Path, ids: str) -> None:
    shell.run("chosen = %zoho_pull Deals --fields Stage --limit 5")
    shell.run(f"ids = {ids}")
    shell.run("deals = %zoho_pull Deals --fields Stage --ids $ids")
    assert list(shell.run("deals")["id"]) == list(shell.run("chosen")["id"])[::-1]
    assert shell.run("%zoho_pull Deals --ids $ids --full --explain").credits == 5
    shell.run("whole = %zoho_pull Deals --ids $ids --full")
    assert list(shell.run("whole")["id"]) == list(shell.run("deals")["id"])
    assert "--ids" in shell.failed("%zoho_pull Deals --ids $ids --to deals.csv")


def test_a_query_is_explained(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    for query in ("%zoho_coql --explain select Stage from Deals", "%%zoho_coql --explain\nselect Stage from Deals"):
        plan = shell.run(query)
        assert (plan.api, plan.credits) == ("coql", 1)


def test_counts_say_what_they_leave_out(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    frame = shell.run("%zoho_modules --count")
    assert "converted Leads are not counted" in frame.attrs["warnings"][0]


def test_the_demo_connects_in_memory_and_gives_the_own_session_back(shell: Shell, env_file: Path) -> None:
    own, before = get_session(), env_file.read_bytes()
    status = shell.run("%zoho_demo --rows 20")
    assert status.connected
    assert status.file == "memory"
    assert shell.run("%zoho_exchange").connected
    assert shell.run("%zoho_demo --rows 20").connected
    assert shell.run("%zoho_exchange").connected, "every start brings a fresh code"
    assert shell.run("%zoho_demo --rows 30").api_url != status.api_url
    shell.run("%zoho_demo --stop")
    assert get_session() is own
    assert env_file.read_bytes() == before


def test_the_demo_of_the_simulator_stops_listening(shell: Shell) -> None:
    api = shell.run("%zoho_demo --rows 20").api_url
    shell.run("%zoho_demo --stop")
    with pytest.raises(requests.ConnectionError):
        requests.get(api, timeout=5)


def test_the_crm_does_not_say_whose_the_token_is(shell: Shell, simulator: Simulator, env_file: Path) -> None:
    refusal = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
    simulator.faults.add(Fault(method="GET", path="/crm", status=401, body=refusal, times=9))
    status = shell.run("%zoho")
    assert status.title == "Zoho gave a token, but the CRM did not say whose it is"
    assert any("does not accept the access token" in warning for warning in status.warnings)
    assert "ZOHO_DC" in status.next_step


def test_the_magics_use_the_session_a_script_gets(shell: Shell, env_file: Path) -> None:
    assert isinstance(get_session(), ZohoSession)
    assert shell.run("%zoho_token") is get_session().token
