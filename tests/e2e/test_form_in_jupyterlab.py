"""The setup form as a person meets it: JupyterLab in Chromium, light and dark, the notebook saved with its widgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.lab import Lab, Notebook
from tests.e2e.sentinels import Sentinels
from zoho_magic import ZohoSession
from zoho_magic.scopes import PRESETS
from zoho_magic.simulator import Simulator

pytestmark = pytest.mark.browser
CELL = "%load_ext zoho_magic\n%zoho_setup"


@contextmanager
def setup_form(lab: Lab, simulator: Simulator, theme: str) -> Iterator[tuple[Notebook, Any]]:
    """A notebook with the form in its first cell's output."""
    env = f"ZOHO_ACCOUNTS_URL={simulator.url}\nZOHO_API_URL={simulator.url}\n"
    with lab.notebook(f"form-{theme}", CELL, "%zoho", theme=theme, env=env) as notebook:
        yield notebook, notebook.run(0).locator(".zoho-setup")


def fill(form: Any, simulator: Simulator, **other: str) -> None:
    typed = {"Client id": simulator.client_id, "Client secret": simulator.client_secret, **other}
    for label, value in typed.items():
        form.get_by_label(label).fill(value)


def connect(form: Any, expected: str) -> None:
    from playwright.sync_api import expect

    form.get_by_role("button", name="Connect", exact=True).click()
    expect(form).to_contain_text(expected, timeout=20_000)
    expect(form.get_by_role("button", name="Connect", exact=True)).to_be_enabled()


def test_from_nothing_to_connected(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    with setup_form(lab, simulator, "light") as (notebook, form):
        expect(form).to_contain_text("Not connected to Zoho CRM yet")
        link = form.get_by_role("link", name="api-console.zoho.com").first
        assert link.get_attribute("href") == "https://api-console.zoho.com"
        form.get_by_label("Scopes").select_option("chosen one by one")
        form.get_by_label("AaaServer.profile.READ").check()
        expect(form).to_contain_text("ZohoCRM.modules.READ: read records")
        expect(form.locator("code").first).to_contain_text("AaaServer.profile.READ")
        notebook.shot(form, "form-scopes-light")
        form.get_by_label("Scopes").select_option("read only")
        expect(form.locator("code").first).not_to_contain_text("AaaServer")  # the kernel has answered
        form.get_by_role("button", name="Copy", exact=True).click()
        expect(form.get_by_role("button", name="Copied", exact=True)).to_be_visible()
        assert notebook.page.evaluate("navigator.clipboard.readText()") == ",".join(PRESETS["read only"])

        fill(form, simulator, **{"Grant code": simulator.grant_code(",".join(PRESETS["read only"]))})
        connect(form, "Connected as Patricia Boyle")
        assert [form.get_by_label(label).input_value() for label in ("Client secret", "Grant code")] == ["", ""]
        notebook.shot(form, "form-connected-light")
        card, button = (
            form.locator(".zoho-status b").locator(".."),
            form.get_by_role("button", name="Connect", exact=True),
        )
        assert abs(card.bounding_box()["x"] - button.bounding_box()["x"]) < 3, "the status is aligned with the button"
        card = notebook.run(1)
        expect(card).to_contain_text("%zoho_pull")
        notebook.shot(card, "card-light")
        assert_nothing_secret_was_saved(notebook, simulator)
        stored = ZohoSession.from_env(notebook.path.with_name(".env")).credentials
    assert stored.refresh_token
    assert stored.scopes == PRESETS["read only"]


def test_trouble_is_one_line_and_a_next_step(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    wrong = "S3CR3T-of-another-client"
    with setup_form(lab, simulator, "dark") as (notebook, form):
        connect(form, "Still missing: the client id (step 2), the client secret (step 2), the grant code (step 4).")
        form.get_by_role("tab", name="Another device").click()
        expect(form).not_to_contain_text("Still missing")
        expect(form).to_contain_text("Non-browser Applications and copy")
        expect(form.get_by_label("Sign in by")).to_have_value(re.compile("Another device"))
        form.get_by_label("Sign in by").select_option(index=0)
        expect(form).to_contain_text("Self Client and copy")
        fill(form, simulator, **{"Client secret": wrong, "Grant code": "1000.ab.cd"})
        assert_taken_before_anything_is_sent(form)
        assert_nothing_secret_was_saved(notebook, simulator, wrong)
        assert simulator.traffic.count() == 0
        connect(form, "The client secret is not the one Zoho (us) has for this client.")
        form.get_by_label("Client secret").fill(simulator.client_secret)
        connect(form, "Generate a new code (step 4), paste it and press Connect at once.")
        assert form.locator(".widget-html").last.inner_text().count("\n") == 1
        notebook.shot(form, "form-spent-code-dark")
        form.get_by_label("Grant code").fill(simulator.grant_code())
        form.get_by_label("Grant code").press("Tab")
        left = form.locator(".zoho-left")
        expect(left).to_be_visible()
        shown = left.evaluate("element => getComputedStyle(element, '::after').counterReset")
        assert re.fullmatch(r"minutes (3 seconds 0|2 seconds [1-5]?\d)", shown), shown
        notebook.shot(form, "form-countdown-dark")
        connect(form, "Connected as Patricia Boyle")
        notebook.shot(form, "form-connected-dark")
        notebook.shot(notebook.run(1), "card-dark")
        assert_nothing_secret_was_saved(notebook, simulator, wrong)


def assert_taken_before_anything_is_sent(form: Any) -> None:
    from playwright.sync_api import expect

    form.get_by_label("Grant code").press("Tab")
    for label in ("Client secret", "Grant code"):
        expect(form.get_by_label(label)).to_have_attribute("placeholder", re.compile("taken"), timeout=20_000)
        expect(form.get_by_label(label)).to_have_value("")


def assert_nothing_secret_was_saved(notebook: Notebook, simulator: Simulator, *more: str) -> None:
    saved, sentinels = notebook.save(), Sentinels(simulator, *more)
    assert f'"value": "{simulator.client_id}"' in saved, "control: the widgets' state is in the file"
    assert sentinels.shown_in(saved) == []
    assert notebook.frames, "control: the kernel's messages were seen"
    assert [frame for frame in notebook.frames if sentinels.shown_in(frame)] == []
