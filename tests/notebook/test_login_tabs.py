"""The form's other two ways to sign in, driven as a front end drives them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest
import requests

from tests.support.login_env import redirect_uri, signing_in
from tests.support.pull_env import no_pauses
from tests.support.simulator_fixture import as_new
from zoho_magic import ZohoSession
from zoho_magic.notebook.setup_form import SetupForm
from zoho_magic.simulator import Fault, Simulator

TOKENS = "/oauth/v3/device/token"
CODE, BROWSER, DEVICE = range(3)


@pytest.fixture(scope="module")
def one() -> Iterator[Simulator]:
    with Simulator(rows=3, data_centres=("us", "eu"), redirect_uri=redirect_uri()) as zoho:
        yield zoho


@pytest.fixture
def simulator(one: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    no_pauses(monkeypatch)
    as_new(one).options.auto_consent = "accept"
    return one


@pytest.fixture
def form(simulator: Simulator, isolated: Path) -> Iterator[SetupForm]:
    with signing_in(simulator, isolated / ".env") as session:
        made = SetupForm(session)
        yield made
        made.device.stop()
        if made.device.waiting is not None:
            made.device.waiting.join(10)
        widgets.Widget.close_all()


def press(button: widgets.Button) -> None:
    button._handle_msg({"content": {"data": {"method": "custom", "content": {"event": "click"}}}, "buffers": []})


def type_into(widget: Any, text: str) -> None:
    update = {"method": "update", "state": {"value": text}, "buffer_paths": []}
    widget._handle_msg({"content": {"data": update}, "buffers": []})


def saved_state() -> str:
    return json.dumps(widgets.Widget.get_manager_state())


def link_in(html: str) -> str:
    from html import unescape

    return unescape(html.split('href="')[1].split('"')[0])


def scanned(form: SetupForm) -> str:
    """Where the QR code leads; it is the link with the code in it."""
    import re

    code = re.search(r">([A-Z]{8})<", form.device.invitation.value)
    assert code, form.device.invitation.value
    return f"{link_in(form.device.invitation.value)}?user_code={code[1]}"


class Clock:
    """Stands for the waiting: it moves the simulator's clock, or holds until it is let go."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.held, self.go = threading.Event(), threading.Event()

    def __call__(self, stop: threading.Event, seconds: float) -> bool:
        self.held.set()
        assert self.go.wait(10)
        self.simulator.clock.advance(seconds)
        return stop.is_set()


@pytest.fixture
def clock(form: SetupForm, simulator: Simulator) -> Iterator[Clock]:
    form.device._pause = held = Clock(simulator)
    yield held
    held.go.set()


def ended(form: SetupForm) -> str:
    assert form.device.waiting is not None
    form.device.waiting.join(10)
    assert not form.device.waiting.is_alive()
    assert (form.device.button.disabled, form.device.cancel.disabled) == (False, True)
    return str(form.status.value)


# Another device


def test_the_code_is_shown_and_the_kernel_stays_free(form: SetupForm, clock: Clock) -> None:
    press(form.device.button)
    assert clock.held.wait(10)
    shown = form.device.invitation.value
    assert "data:image/svg+xml" in shown
    assert 'class="zoho-left" style="--from:' in shown
    assert (form.device.button.disabled, form.device.cancel.disabled) == (True, False)


def test_it_ends_connected_by_itself(form: SetupForm, clock: Clock, simulator: Simulator, isolated: Path) -> None:
    press(form.device.button)
    requests.get(scanned(form), timeout=10)
    clock.go.set()
    assert "Connected as Patricia Boyle" in ended(form)
    assert form.device.invitation.value == ""
    again = ZohoSession.from_env(isolated / ".env").credentials
    assert again.refresh_token
    assert again.refresh_token.reveal() not in saved_state()


def test_cancel_ends_it_without_another_call(form: SetupForm, clock: Clock, simulator: Simulator) -> None:
    press(form.device.button)
    assert clock.held.wait(10)
    press(form.device.cancel)
    assert form.device.invitation.value == ""
    clock.go.set()
    assert "Not connected" in ended(form)
    assert simulator.traffic.count(path=TOKENS) == 0


def test_a_new_code_after_a_cancelled_one_is_not_disturbed_by_it(
    form: SetupForm, clock: Clock, simulator: Simulator
) -> None:
    press(form.device.button)
    assert clock.held.wait(10)
    first = form.device.waiting
    press(form.device.cancel)
    press(form.device.button)
    clock.go.set()
    assert first is not None
    first.join(10)
    requests.get(scanned(form), timeout=10)
    assert "Connected as Patricia Boyle" in ended(form)


@pytest.mark.parametrize(("answer", "told"), [("access_denied", "refused"), ("expired", "device code expired")])
def test_trouble_is_shown_in_the_status(
    form: SetupForm, clock: Clock, simulator: Simulator, answer: str, told: str
) -> None:
    simulator.faults.add(Fault(method="POST", path=TOKENS, status=200, body={"error": answer}))
    clock.go.set()
    press(form.device.button)
    assert told in ended(form)
    assert form.device.invitation.value == ""


def test_gaps_are_named_before_anything_is_sent(form: SetupForm, simulator: Simulator) -> None:
    form.client_id.value = ""
    for button in (form.device.button, form.paste.button):
        press(button)
        assert "Still missing: the client id (step 2)." in form.status.value
    assert simulator.traffic.count() == 0


def test_connect_says_which_button_it_is(form: SetupForm, simulator: Simulator) -> None:
    form.login_methods.selected_index = DEVICE
    press(form.button)
    assert "press Show a code (step 4)" in form.status.value
    assert simulator.traffic.count() == 0


# A browser anywhere


def test_the_pasted_address_connects(form: SetupForm, isolated: Path, simulator: Simulator) -> None:
    form.login_methods.selected_index = BROWSER
    assert simulator.redirect_uri in form.paste.widget.children[0].value
    press(form.paste.button)
    assert ">Open Zoho</a>" in form.paste.invitation.value
    address = requests.get(link_in(form.paste.invitation.value), allow_redirects=False, timeout=10).headers["Location"]
    type_into(form.paste.address, address)
    assert address.split("code=")[1][:20] not in saved_state()
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value
    assert form.paste.invitation.value == ""
    assert form.paste.address.secret is None
    assert ZohoSession.from_env(isolated / ".env").credentials.refresh_token


def test_without_an_address_it_says_what_to_do(form: SetupForm, simulator: Simulator) -> None:
    form.login_methods.selected_index = BROWSER
    press(form.button)
    assert "the address your browser ended on (step 4)" in form.status.value
    press(form.paste.button)
    type_into(form.paste.address, "http://localhost:1/elsewhere?code=S3CR3T")
    press(form.button)
    assert "not the address the browser ended on" in form.status.value
    assert "S3CR3T" not in saved_state()
    assert simulator.traffic.count(path="/oauth/v2/token") == 0


# A code


def test_a_typed_code_counts_down_until_it_is_used(form: SetupForm, simulator: Simulator) -> None:
    assert form.code_left.value == ""
    type_into(form.code, simulator.grant_code())
    assert "--from:180" in form.code_left.value
    press(form.button)
    assert "Connected as Patricia Boyle" in form.status.value
    assert form.code_left.value == ""
