"""`%zoho_setup` and `%zoho_exchange` in a real terminal: a pseudo-terminal with IPython in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoho_magic import ZohoSession
from zoho_magic.scopes import PRESETS
from zoho_magic.simulator import Simulator

pexpect = pytest.importorskip(
    "pexpect", reason="pseudo-terminals need pexpect, which IPython brings along but on Windows"
)


class Terminal:
    """IPython in a pseudo-terminal; `screen` is everything that was ever shown."""

    def __init__(self) -> None:
        command = ["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit", "--colors=NoColor"]
        self._child = pexpect.spawn(sys.executable, command, encoding="utf-8", timeout=15, dimensions=(50, 300))
        self.screen = ""
        self.wait_for("In [1]: ")

    def wait_for(self, text: str) -> str:
        """Everything shown up to and with this text."""
        self._child.expect_exact(text)
        shown = str(self._child.before + self._child.after)
        self.screen += shown
        return shown

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and answer it."""
        self.wait_for(question)
        self._child.sendline(text)

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def terminal(simulator: Simulator, isolated: Path) -> Iterator[Terminal]:
    (isolated / ".env").write_text(f"ZOHO_ACCOUNTS_URL={simulator.url}\nZOHO_API_URL={simulator.url}\n")
    opened = Terminal()
    opened._child.sendline("%load_ext zoho_magic")
    opened.wait_for("In [2]: ")
    yield opened
    opened.close()


def test_setup_asks_the_steps_of_the_form_and_hides_the_secrets(
    terminal: Terminal, simulator: Simulator, isolated: Path
) -> None:
    code = simulator.grant_code()
    terminal._child.sendline("%zoho_setup")
    terminal.answer("[us]: ", "")
    terminal.answer("Client id: ", simulator.client_id)
    terminal.answer("Client secret (hidden): ", simulator.client_secret)
    terminal.answer("[read and write]: ", "read only")
    terminal.answer("Grant code (hidden): ", code)
    terminal.wait_for("Connected as Patricia Boyle")
    terminal.wait_for("In [3]: ")
    assert "https://api-console.zoho.com" in terminal.screen
    assert ",".join(PRESETS["read only"]) in terminal.screen
    assert simulator.client_id in terminal.screen, "control: what is not hidden is seen"
    for secret in (simulator.client_secret, code):
        assert secret not in terminal.screen
        assert not any(secret.encode() in file.read_bytes() for file in (isolated.parent / "home").rglob("*.sqlite"))
    saved = ZohoSession.from_env(isolated / ".env").credentials
    assert saved.refresh_token
    assert saved.scopes == PRESETS["read only"]


def test_enter_keeps_what_is_stored(terminal: Terminal, simulator: Simulator, isolated: Path) -> None:
    lines = f"ZOHO_CLIENT_ID={simulator.client_id}\nZOHO_CLIENT_SECRET={simulator.client_secret}\nZOHO_DC=eu\n"
    with (isolated / ".env").open("a") as file:
        file.write(lines)
    terminal._child.sendline("%zoho_setup --ask")
    terminal.answer("[eu]: ", "")
    terminal.answer(f"[{simulator.client_id}]: ", "")
    terminal.answer("enter keeps the stored one): ", "")
    terminal.answer("[read and write]: ", "ZohoCRM.modules.READ, ZohoCRM.org.READ")
    terminal.wait_for("ZohoCRM.modules.READ,ZohoCRM.org.READ\r\n")
    terminal.answer("Grant code (hidden): ", simulator.grant_code())
    terminal.wait_for("Connected")
    terminal.wait_for("In [3]: ")
    saved = ZohoSession.from_env(isolated / ".env").credentials
    assert saved.client_secret is not None
    assert saved.client_secret.reveal() == simulator.client_secret
    assert saved.scopes == ("ZohoCRM.modules.READ", "ZohoCRM.org.READ")


def test_exchange_asks_for_the_code_and_an_empty_answer_is_one_red_line(
    terminal: Terminal, simulator: Simulator, isolated: Path
) -> None:
    terminal._child.sendline("%zoho_exchange")
    assert "CredentialsMissing: Not set: ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET" in terminal.wait_for("In [3]: ")
    with (isolated / ".env").open("a") as file:
        file.write(f"ZOHO_CLIENT_ID={simulator.client_id}\nZOHO_CLIENT_SECRET={simulator.client_secret}\n")
    terminal._child.sendline("%zoho_exchange")
    terminal.answer("Grant code from https://api-console.zoho.com", "")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.wait_for("In [4]: "))
    assert "CredentialsMissing: ZOHO_GRANT_CODE is needed and nobody typed it.\r\n-> Put ZOHO_GRANT_CODE" in shown
    terminal._child.sendline("%zoho_exchange")
    terminal.answer("Grant code from https://api-console.zoho.com", simulator.grant_code())
    terminal.wait_for("Connected as Patricia Boyle")


def test_a_wrong_answer_is_asked_again_and_the_rest_is_kept(
    terminal: Terminal, simulator: Simulator, isolated: Path
) -> None:
    terminal._child.sendline("%zoho_setup")
    terminal.answer("[us]: ", "moon")
    terminal.answer("[us]: ", "USDataCenter")
    terminal.answer("Client id: ", simulator.client_secret)
    terminal.answer("Client id: ", f'"{simulator.client_id}",')
    terminal.answer("Client secret (hidden): ", simulator.client_id)
    terminal.answer("Client secret (hidden): ", simulator.client_secret)
    terminal.answer("]: ", simulator.grant_code())
    terminal.answer("]: ", "")
    terminal.answer("Grant code (hidden): ", "1000.ab.cd")
    terminal.answer("Grant code (hidden): ", f"'{simulator.grant_code()}',")
    terminal.wait_for("Connected as Patricia Boyle")
