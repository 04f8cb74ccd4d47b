"""Attack: names, scopes, codes and messages with escape sequences, which a terminal obeys, and marks that turn text
round, with which a name makes a question read as another one."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from zoho_magic import ZohoError, ZohoSession
from zoho_magic.errors import printable
from zoho_magic.login.prompts import LoginInstructions
from zoho_magic.notebook import cards
from zoho_magic.simulator import Fault, Simulator

HOSTILE = "Acme\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u2066\x00"
OBEYED = "\x1b\x07\x9b\x00\u202e\u2066\x7f"


def harmless(text: str) -> bool:
    return "Acme" in text and not set(OBEYED) & set(text)


@pytest.fixture
def hostile(simulator: Simulator, session: ZohoSession) -> ZohoSession:
    org = {"org": [{"company_name": HOSTILE, "zgid": "1", "license_details": {"paid_type": HOSTILE}}]}
    user = {"users": [{"id": "1", "full_name": HOSTILE, "email": HOSTILE}]}
    simulator.faults.add(Fault("/crm/v8/org", body=org, times=10**6))
    simulator.faults.add(Fault("/crm/v8/users", body=user, times=10**6))
    token = {"access_token": simulator.access_token(), "scope": HOSTILE, "expires_in": 3600, "api_domain": HOSTILE}
    simulator.faults.add(Fault("/oauth/v2/token", body=token, times=10**6))
    return session


def test_a_status_shows_none_in_a_terminal(hostile: ZohoSession) -> None:
    status = hostile.status()
    assert harmless(str(status))
    assert harmless(repr(status))
    assert harmless(status.organisation + status.name + status.email + "".join(status.scopes))


def test_a_status_card_shows_none_in_a_page(hostile: ZohoSession) -> None:
    shell = InteractiveShell()
    cards.register(shell)
    data, _ = shell.display_formatter.format(hostile.status())
    assert harmless(data["text/html"])
    assert harmless(data["text/plain"])


@pytest.mark.parametrize("path", ["/crm/v8/coql", "/oauth/v2/token"])
def test_an_error_shows_none(session: ZohoSession, simulator: Simulator, path: str) -> None:
    body = {"code": f"Acme{OBEYED}", "message": HOSTILE, "details": {HOSTILE: HOSTILE}, "error": f"Acme{OBEYED}"}
    simulator.faults.add(Fault(path, status=400, body=body, times=10**6))
    with pytest.raises(ZohoError) as failed:
        session.coql("select id from Leads")
    error = failed.value
    shown = f"{error} {error.code} {error.hint} {error.operation}"
    assert harmless(shown)
    with capture_output() as told:
        shell = InteractiveShell()
        shell.user_ns["error"] = error
        shell.run_cell("raise error")
    assert not set(OBEYED) - {"\x1b"} & set(told.stdout + told.stderr)
    assert "[2J" not in (told.stdout + told.stderr).replace("\ufffd[2J", "")


def test_instructions_show_none() -> None:
    assert harmless(str(LoginInstructions("Acme" + OBEYED, code=HOSTILE, steps=(HOSTILE,))))


def test_what_is_harmless_stays() -> None:
    assert printable("Größe الاسم 東京 👩‍👩‍👧\n\tok")[:13] == "Größe الاسم 東"


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert ZohoError("no")._render_traceback_() == ["ZohoError: no"]
