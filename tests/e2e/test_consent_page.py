"""The consent page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.e2e.lab import Lab
from zoho_magic.simulator import Simulator

pytestmark = pytest.mark.browser


@pytest.fixture
def page(lab: Lab) -> Iterator[Any]:
    context = lab.browser.new_context()
    page = context.new_page()
    page.route("http://localhost:8976/**", lambda route: route.fulfill(body="received"))
    yield page
    context.close()


def test_a_person_presses_a_button_and_lands_at_the_redirect_uri(page: Any) -> None:
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
