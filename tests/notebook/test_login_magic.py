"""%zoho_login on a line: what it takes, what it shows, what stays; in a shell and in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.notebook.test_terminal import Terminal
from tests.support.ipython_shell import Shell, loaded_shell
from tests.support.login_env import redirect_uri, signing_in
from tests.support.simulator_fixture import as_new
from zoho_magic import ZohoSession
from zoho_magic.login.prompts import LoginInstructions
from zoho_magic.notebook import prompts as ask
from zoho_magic.notebook.cards import login_card
from zoho_magic.session_registry import use_session
from zoho_magic.simulator import Simulator


@pytest.fixture(scope="module")
def one() -> Iterator[Simulator]:
    with Simulator(rows=3, redirect_uri=redirect_uri()) as zoho:
        yield zoho


@pytest.fixture
def simulator(one: Simulator) -> Simulator:
    as_new(one).options.auto_consent = "accept"
    return one


@pytest.fixture
def zoho(simulator: Simulator, isolated: Path) -> Iterator[ZohoSession]:
    with signing_in(simulator, isolated / ".env") as session:
        use_session(session)
        yield session


@pytest.fixture
def shell(zoho: ZohoSession) -> Iterator[Shell]:
    with loaded_shell() as opened:
        yield opened


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person who opens the link she is shown and pastes where it ends; her answers."""
    answers: list[str] = []
    show = ask._show_instructions

    def invite(shell: Any, invitation: LoginInstructions) -> Any:
        if invitation.link:
            answers.append(requests.get(invitation.link, allow_redirects=False, timeout=10).headers["Location"])
        return show(shell, invitation)

    monkeypatch.setattr(ask, "_show_instructions", invite)
    monkeypatch.setattr(ask, "getpass", lambda _: answers[-1])
    return answers


LOGIN_OPTIONS = ["--browser", "--paste-url", "--device", "--client-credentials", "--add-scope ZohoCRM.org.READ"]


@pytest.mark.parametrize(("first", "second"), [*permutations(LOGIN_OPTIONS, 2)])
def test_two_routes_on_one_line_exclude_each_other(shell: Shell, simulator: Simulator, first: str, second: str) -> None:
    told = shell.failed(f"%zoho_login {first} {second}")
    assert "UsageError: %zoho_login:" in told
    assert "cannot be used together" in told
    for option in (first, second):
        assert option.split()[0] in told
    assert simulator.traffic.count() == 0


def test_an_option_it_does_not_know(shell: Shell) -> None:
    assert "Did you mean --device?" in shell.failed("%zoho_login --devise")


def test_a_secret_typed_by_mistake_is_not_repeated(shell: Shell) -> None:
    assert "TYPED-BY-MISTAKE" not in shell.failed("%zoho_login TYPED-BY-MISTAKE")


def test_help_and_tab(shell: Shell) -> None:
    shell.run("%zoho_login -h")
    assert "--add-scope" in shell.shown
    assert "%zoho_login --device" in shell.offered("%zoho_login --de")


def test_paste_url_ends_with_the_card_and_keeps_nothing(
    shell: Shell, simulator: Simulator, answered: list[str], isolated: Path
) -> None:
    status = shell.run("%zoho_login --paste-url")
    assert status.connected
    assert "Connected as Patricia Boyle" in shell.shown
    code = re.search(r"code=([\w.]+)", answered[0])
    assert code
    kept = repr(dict(shell.ip.user_ns)) + shell.shown + (isolated / ".env").read_text()
    assert code[1] not in kept
    assert len(shell.run("%zoho_pull Leads")) == 3


def test_more_scopes_with_spaces_or_commas(shell: Shell, simulator: Simulator, answered: list[str]) -> None:
    shell.run("%zoho_login --paste-url")
    shell.run("%zoho_login --add-scope ZohoCRM.notifications.ALL,ZohoCRM.files.CREATE AaaServer.profile.READ")
    wanted = {"ZohoCRM.notifications.ALL", "ZohoCRM.files.CREATE", "AaaServer.profile.READ"}
    assert wanted <= set(shell.run("%zoho").scopes)


def test_client_credentials_need_no_more_than_the_line(shell: Shell, simulator: Simulator, isolated: Path) -> None:
    with (isolated / ".env").open("a") as file:
        file.write(f"ZOHO_SOID={simulator.soid}\n")
    assert shell.run("%zoho_login --client-credentials").connected


def test_ctrl_c_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ask, "getpass", interrupt)
    told = shell.failed("%zoho_login --paste-url")
    assert "LoginError: Sign-in stopped; nothing has changed." in told
    assert "Traceback" not in told


def test_a_kernel_takes_the_link_away_once_it_is_used(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Shown:
        def __init__(self) -> None:
            self.now: list[object] = []

        def update(self, what: object) -> None:
            self.now.append(what)

    shown = Shown()
    monkeypatch.setattr(ask, "display", lambda what, display_id: shown.now.append(what) or shown)
    link = LoginInstructions("Sign in", "https://accounts.zoho.eu/oauth/v2/auth?state=abc")
    monkeypatch.setattr(shell.ip, "kernel", object(), raising=False)
    ask._show_instructions(shell.ip, link)()
    assert shown.now[0] is link
    assert "state" not in repr(shown.now[-1])


def test_an_invitation_is_text_and_not_markup() -> None:
    card = login_card(LoginInstructions("<b>x", 'https://a/"><script>', ("<i>",), "<c>"))
    assert "<script>" not in card
    assert "<i>" not in card
    assert "<c>" not in card
    assert 'rel="noopener noreferrer"' in card


# A terminal


@pytest.fixture
def terminal(zoho: ZohoSession) -> Iterator[Terminal]:
    opened = Terminal()
    opened._child.sendline("%load_ext zoho_magic")
    opened.wait_for("In [2]: ")
    yield opened
    opened.close()


def test_in_a_terminal_the_address_is_hidden(terminal: Terminal, isolated: Path) -> None:
    terminal._child.sendline("%zoho_login --paste-url")
    shown = terminal.wait_for("The address it ended on (hidden): ")
    link = re.search(r"http://\S+/oauth/v2/auth\?\S+", shown)
    assert link, shown
    address = requests.get(link[0], allow_redirects=False, timeout=10).headers["Location"]
    terminal._child.sendline(address)
    terminal.wait_for("Connected as Patricia Boyle")
    terminal.wait_for("In [")  # some versions do not count a line with "paste" in it
    code = address.split("code=")[1].split("&")[0]
    assert code not in terminal.screen
    home = isolated.parent / "home"
    assert not any(code.encode() in file.read_bytes() for file in home.rglob("*.sqlite"))
    assert ZohoSession.from_env(isolated / ".env").credentials.refresh_token


def test_in_a_terminal_ctrl_c_ends_the_waiting_for_a_browser(terminal: Terminal, simulator: Simulator) -> None:
    terminal._child.sendline("import webbrowser; webbrowser.open = lambda url: True")
    terminal.wait_for("In [3]: ")
    terminal._child.sendline("%zoho_login --browser")
    terminal.wait_for("/start")
    terminal._child.sendintr()
    terminal.wait_for("Sign-in stopped; nothing has changed.")
    terminal.wait_for("In [4]: ")
    with pytest.raises(requests.ConnectionError):
        requests.get(simulator.redirect_uri, timeout=5)
