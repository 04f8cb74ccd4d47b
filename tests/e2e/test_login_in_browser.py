"""Signing in from JupyterLab with a real browser: the consent page clicked, and what is left of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.lab import Lab, Notebook
from tests.e2e.sentinels import Sentinels, history
from tests.support.login_env import redirect_uri
from zoho_magic import ZohoSession
from zoho_magic.simulator import Simulator

pytestmark = pytest.mark.browser

# What the kernel takes for a browser writes the address down, and the test's Chromium goes there.
SCRIPT = '#!/bin/sh\nprintf "%s" "$1" > "{file}.new" && mv "{file}.new" "{file}"\n'


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(rows=5, data_centres=("us", "eu"), redirect_uri=redirect_uri()) as zoho:
        yield zoho


@contextmanager
def notebook(lab: Lab, simulator: Simulator, name: str, *cells: str, **more: str) -> Iterator[tuple[Notebook, Path]]:
    """A notebook whose kernel has that browser, and the file it writes to."""
    opened = lab.files / f"{name}-opened"
    script = lab.home / f"{name}-browser"
    script.write_text(SCRIPT.format(file=opened), encoding="utf-8")
    script.chmod(0o755)
    known = {
        "ZOHO_CLIENT_ID": simulator.client_id,
        "ZOHO_CLIENT_SECRET": simulator.client_secret,
        "ZOHO_REDIRECT_URI": simulator.redirect_uri,
        "ZOHO_ACCOUNTS_URL": simulator.url,
        "ZOHO_API_URL": simulator.url,
        **more,
    }
    env = "".join(f"{key}={value}\n" for key, value in known.items())
    first = f"import os\nos.environ['BROWSER'] = {str(script)!r}\n%load_ext zoho_magic\n'loaded'"
    with lab.notebook(name, first, *cells, env=env) as here:
        here.run(0)
        yield here, opened


def address_in(file: Path, page: Any) -> str:
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline, "the kernel opened no browser"
        page.wait_for_timeout(50)
    return file.read_text(encoding="utf-8")


def nothing_left(lab: Lab, here: Notebook, simulator: Simulator) -> None:
    sentinels = Sentinels(simulator)
    saved = here.save()
    assert "Connected as Patricia Boyle" in saved, "control: outputs are in the file"
    assert sentinels.shown_in(saved) == []
    assert sentinels.left_in(lab.home) == {}
    assert [frame for frame in here.frames if sentinels.shown_in(frame)] == []


def test_bare_login_clicked_through(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    with notebook(lab, simulator, "login", "%zoho_login", "%zoho_pull Leads --limit 2") as (here, opened):
        output = here.run(1)
        expect(output).to_contain_text("The kernel and your browser are on the same machine.")
        start = address_in(opened, here.page)
        assert "state" not in start
        assert "code_challenge" not in start
        browser = here.page.context.new_page()
        browser.goto(start)
        expect(browser.get_by_role("heading")).to_contain_text("would like to access")
        browser.get_by_label("Account in").select_option("eu")
        browser.get_by_role("button", name="Accept").click()
        expect(browser.get_by_role("heading")).to_have_text("Zoho said yes")
        assert browser.url == simulator.redirect_uri, "no code in the address bar"
        assert Sentinels(simulator).shown_in(browser.content()) == []
        here.shot(browser, "login-accepted")
        browser.emulate_media(color_scheme="dark")
        here.shot(browser, "login-accepted-dark")
        expect(output).to_contain_text("Connected as Patricia Boyle", timeout=20_000)
        expect(output).to_contain_text("eu (Europe)")
        expect(output).not_to_contain_text(start)
        here.shot(output, "login-connected")
        expect(here.run(2)).to_contain_text("2 rows")
        nothing_left(lab, here, simulator)
        browser.go_back()
        assert "code=" not in browser.url
        saved = ZohoSession.from_env(here.path.with_name(".env")).credentials
    assert (saved.dc, saved.accounts) == ("eu", simulator.origin("eu"))
    assert "zoho_login" in "".join(history(file) for file in lab.home.rglob("history.sqlite")), "control"


def test_a_refusal_is_one_line_and_leaves_nothing(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    with notebook(lab, simulator, "refused", "%zoho_login --browser") as (here, opened):
        output = here.run(1)
        browser = here.page.context.new_page()
        browser.goto(address_in(opened, here.page))
        browser.get_by_role("button", name="Reject").click()
        expect(browser.get_by_role("heading")).to_have_text("Access was not given")
        assert browser.url == simulator.redirect_uri
        expect(output).to_contain_text("AuthError: The request for access was refused.", timeout=20_000)
        expect(output).not_to_contain_text("Traceback")


def test_interrupting_the_kernel_ends_the_waiting(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    with notebook(lab, simulator, "stopped", "%zoho_login --browser") as (here, opened):
        output = here.run(1)
        address_in(opened, here.page)
        here.page.locator("[data-jp-item-name=interrupt] jp-button").click()
        expect(output).to_contain_text("Sign-in stopped; nothing has changed.", timeout=20_000)
        expect(output).not_to_contain_text("Traceback")


def test_a_device_login_from_the_form_leaves_the_kernel_free(lab: Lab, simulator: Simulator) -> None:
    from playwright.sync_api import expect

    with notebook(lab, simulator, "device", "%zoho_setup", "6 * 7", "%zoho") as (here, _):
        form = here.run(1).locator(".zoho-setup")
        form.get_by_role("tab", name="Another device").click()
        form.get_by_role("button", name="Show a code").click()
        expect(form.get_by_role("img", name="QR code of the link")).to_be_visible(timeout=20_000)
        expect(here.run(2)).to_contain_text("42")
        (device,) = simulator.accounts.devices._waiting.values()
        expect(form).to_contain_text(device.user_code)
        here.shot(form, "form-device")
        link = form.get_by_role("link", name="Open Zoho").get_attribute("href")
        assert link == f"{simulator.url}/oauth/v3/device"
        phone = here.page.context.new_page()
        phone.goto(f"{link}?user_code={device.user_code}")
        phone.get_by_role("button", name="Accept").click()
        expect(form).to_contain_text("Connected as Patricia Boyle", timeout=30_000)
        expect(here.run(3)).to_contain_text("Connected as Patricia Boyle")
        nothing_left(lab, here, simulator)
