"""The consent page in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from zoho_magic.simulator import Simulator

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture
def page() -> Iterator[playwright.Page]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("http://localhost:8976/**", lambda route: route.fulfill(body="received"))
        yield page
        browser.close()


def test_a_person_presses_a_button_and_lands_at_the_redirect_uri(page: playwright.Page) -> None:
    with Simulator(rows=1, data_centres=("us", "eu")) as zoho:
        query = {
            "client_id": zoho.client_id,
            "response_type": "code",
            "redirect_uri": zoho.redirect_uri,
            "scope": "ZohoCRM.modules.ALL",
            "state": "a b",
        }
        address = f"{zoho.url}/oauth/v2/auth?{urlencode(query)}"
        page.goto(address)
        page.get_by_label("Account in").select_option("eu")
        page.get_by_role("button", name="Accept").click()
        page.wait_for_url("http://localhost:8976/**")
        landed = parse_qs(urlsplit(page.url).query)
        assert (landed["location"], landed["accounts-server"], landed["state"]) == (
            ["eu"],
            [zoho.origin("eu")],
            ["a b"],
        )
        assert page.url.endswith("&")
        page.goto(address)
        page.get_by_role("button", name="Reject").click()
        page.wait_for_url("http://localhost:8976/**")
        assert parse_qs(urlsplit(page.url).query) == {"state": ["a b"], "error": ["access_denied"]}
