"""What a session, a token and an error look like on the page and as text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.support.ipython_shell import Shell
from zoho_magic import AuthError, Secret, Status, Token
from zoho_magic.notebook.cards import error_card, not_connected_card, note_card, status_card, token_card

GREEN, AMBER, RED = "#2e9d5b", "#d08700", "#d64545"
CONNECTED = Status(
    connected=True,
    name="Ada <b>Lovelace</b>",
    email="ada@example.com",
    organisation='Engines & "Co"',
    edition="enterprise",
    dc="eu",
    data_centre="Europe",
    environment="production",
    api_url="https://www.zohoapis.eu",
    scopes=("ZohoCRM.modules.ALL", "ZohoCRM.org.READ"),
    expires_in=3599,
    credits_left=12345,
    sources={"ZOHO_CLIENT_ID": ".env", "ZOHO_DC": "environment", "ZOHO_CLIENT_SECRET": ".env"},
    file="/home/ada/.env",
)
NOT_CONNECTED = replace(
    CONNECTED, connected=False, name="", email="", organisation="", expires_in=0, next_step="Run %zoho_setup."
)


class Page(HTMLParser):
    """The text of a page, its tags, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.open = "", set[str](), list[str]()
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def test_a_status_card_says_everything_and_lets_no_markup_through() -> None:
    page = Page(status_card(CONNECTED))
    for text in (
        'Connected as Ada <b>Lovelace</b> at Engines & "Co"',
        "ada@example.com",
        "eu (Europe), production",
        "59 min 59 s left",
        "12,345 left",
        "ZohoCRM.modules.ALL, ZohoCRM.org.READ",
        "ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET from .env; ZOHO_DC from environment",
        "/home/ada/.env",
    ):
        assert text in page.text
    assert page.tags == {"div", "b", "table", "tr", "td"}
    assert "<b>Lovelace" not in status_card(CONNECTED)


def test_the_text_says_the_same_as_the_card() -> None:
    page, text = Page(status_card(CONNECTED)), str(CONNECTED)
    assert CONNECTED.title in text
    for label, value in CONNECTED.details.items():
        assert value in text
        assert value in page.text
        assert label in text
        assert label in page.text


@pytest.mark.parametrize(
    ("status", "edge"),
    [
        (CONNECTED, GREEN),
        (replace(CONNECTED, warnings=("git tracks .env",)), AMBER),
        (NOT_CONNECTED, RED),
    ],
)
def test_the_edge_tells_how_it_is(status: Status, edge: str) -> None:
    assert [colour for colour in (GREEN, AMBER, RED) if colour in status_card(status)] == [edge]


def test_warnings_and_the_next_step_are_in_card_and_text() -> None:
    status = replace(NOT_CONNECTED, warnings=("Not <saved>.",))
    page = Page(status_card(status))
    assert "⚠ Not <saved>." in page.text
    assert "→ Run %zoho_setup." in page.text
    assert str(status).splitlines()[-2:] == ["  ! Not <saved>.", "  -> Run %zoho_setup."]


def test_only_what_is_known_is_shown() -> None:
    bare = Status(False, "us", "United States", "production", "", (), "memory")
    assert list(bare.details) == ["Data centre", "File"]


@pytest.mark.parametrize(
    ("known", "title"),
    [
        ({}, 'Connected as Ada <b>Lovelace</b> at Engines & "Co"'),
        ({"name": ""}, 'Connected as ada@example.com at Engines & "Co"'),
        ({"name": "", "email": ""}, 'Connected to Zoho CRM at Engines & "Co"'),
        ({"name": "", "email": "", "organisation": ""}, "Connected to Zoho CRM"),
        (
            {"name": "", "email": "", "organisation": "", "next_step": "Check ZOHO_DC."},
            "Zoho gave a token, but the CRM did not say whose it is",
        ),
        ({"connected": False}, "Not connected to Zoho CRM"),
    ],
)
def test_the_title_claims_no_more_than_is_known(known: dict[str, object], title: str) -> None:
    assert replace(CONNECTED, **known).title == title  # type: ignore[arg-type]


def test_a_waiting_card_repeats_no_field_of_the_form() -> None:
    page = Page(not_connected_card(replace(NOT_CONNECTED, warnings=("Revoked.",)), "Press Connect."))
    assert page.text == "Not connected to Zoho CRM yet ⚠ Revoked. → Press Connect. "


def test_a_token_card_does_not_show_the_token() -> None:
    token = Token(Secret("1000.abc"), expires_at=161.0, scopes=("ZohoCRM.org.READ",), warnings=("No <refresh>.",))
    page = Page(token_card(replace(token, clock=lambda: 100.0)))
    assert "1000.abc" not in page.text
    assert "1 min 1 s" in page.text
    assert "No <refresh>." in page.text
    assert AMBER in token_card(replace(token, clock=lambda: 200.0))


def test_an_error_card_is_the_line_and_the_next_step() -> None:
    error = AuthError("Zoho refused <it>.", hint="Try again.")
    assert Page(error_card(error)).text == "Zoho refused <it>. → Try again. "
    assert "→ Paste it here." in Page(error_card(error, "Paste it here.")).text
    assert "→" not in Page(error_card(AuthError("Refused."))).text


def test_a_note_is_a_note() -> None:
    assert Page(note_card("Connecting <now>")).text.strip() == "Connecting <now>"


@pytest.mark.parametrize("value", [CONNECTED, Token(Secret("1000.abc"), expires_at=0.0)])
def test_the_shell_shows_card_and_text_until_the_extension_is_unloaded(shell: Shell, value: object) -> None:
    shown, _ = shell.ip.display_formatter.format(value)
    assert shown["text/html"].startswith("<div")
    assert shown["text/plain"] == repr(value)
    shell.run("%unload_ext zoho_magic")
    shown, _ = shell.ip.display_formatter.format(value)
    assert set(shown) == {"text/plain"}
