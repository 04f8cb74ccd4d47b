"""The form's login methods beside the pasted code: a link whose last address is pasted, and a code for another device.

A device login waits on a thread of its own: the kernel stays free, and the form says how it goes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets as widgets

from ..errors import CredentialsMissing
from ..login.authorization import REDIRECT_URI
from ..login.device_flow import DeviceLogin
from ..login.methods import LoginResult, PasteUrlLogin, result_of_device
from .cards import login_card

__all__ = ["LEFT_STYLE", "DeviceTab", "PasteTab", "countdown"]

ErrorHandler = Callable[[Callable[[], None]], Callable[..., None]]


class PasteTab:
    """Login by any browser: a button for the link, a field for the address it ended on.

    Args:
        begin: makes a consent page from what the form holds.
        address: the field for the address.
        redirect_uri: what the client must have registered.
        guarded: shows what a callback raises.
    """

    def __init__(
        self, on_start: Callable[[], PasteUrlLogin], address: Any, redirect_uri: str, guarded: ErrorHandler
    ) -> None:
        self.address = address
        self.button = widgets.Button(description="Show the link")
        self.invitation = widgets.HTML()
        self._begin = on_start
        self._waiting: PasteUrlLogin | None = None
        about = widgets.HTML(
            "For a client of the type <b>Server-based Applications</b> whose redirect URI is exactly "
            f"<code>{escape(redirect_uri or REDIRECT_URI)}</code>."
        )
        self.widget = widgets.VBox([about, self.button, self.invitation, self.address])
        self.button.on_click(guarded(self._show))

    def finish(self) -> LoginResult:
        """What the pasted address is worth. Raises CredentialsMissing without one, else as `PastedLogin.finish`."""
        if self._waiting is None or self.address.secret is None:
            raise CredentialsMissing(
                "Still missing: the address your browser ended on (step 4).",
                hint="Press Show the link, sign in there, paste the address it ends on, then press Connect.",
            )
        typed = self.address.secret
        self.address.forget()
        return self._waiting.finish(typed)

    def clear(self) -> None:
        """Show no link any more."""
        self._waiting, self.invitation.value = None, ""
        self.address.forget()

    def _show(self) -> None:
        self._waiting = self._begin()
        self.invitation.value = login_card(self._waiting.instructions)


class DeviceTab:
    """Login by another device: a code, a QR code, the time that is left, and a way out.

    Args:
        begin: asks Zoho for a code, with what the form holds.
        done: takes what came of it.
        guarded: shows what a callback raises.
        pause: waits so many seconds or until the event is set, and says whether it was.
    """

    def __init__(
        self,
        on_start: Callable[[], DeviceLogin],
        on_token: Callable[[LoginResult], None],
        guarded: ErrorHandler,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self.button = widgets.Button(description="Show a code")
        self.cancel = widgets.Button(description="Cancel", disabled=True)
        self.invitation = widgets.HTML()
        self.waiting: threading.Thread | None = None
        self._begin, self._done, self._guarded, self._pause = on_start, on_token, guarded, wait
        self._stop = threading.Event()
        about = widgets.HTML(
            "For a client of the type <b>Non-browser Applications</b>; any telephone or computer will do."
        )
        self.widget = widgets.VBox([about, widgets.HBox([self.button, self.cancel]), self.invitation])
        self.button.on_click(guarded(self._show))
        self.cancel.on_click(guarded(self.stop))

    def stop(self) -> None:
        """Wait no longer; nothing changes."""
        self._stop.set()
        self._reset()

    def _show(self) -> None:
        self.stop()
        login, self._stop = self._begin(), threading.Event()
        shown = replace(login.instructions, expires_in=0)  # it counts down instead
        self.invitation.value = login_card(shown) + countdown("The code is good for", login.seconds_left)
        self.button.disabled, self.cancel.disabled = True, False
        wait = self._guarded(lambda: self._wait(login, self._stop))
        self.waiting = threading.Thread(target=wait, daemon=True, name="zoho_magic device login")
        self.waiting.start()

    def _wait(self, login: DeviceLogin, stop: threading.Event) -> None:
        try:
            while (step := login.poll()).token is None:
                if self._pause(stop, step.retry_in):
                    return
        finally:
            if not stop.is_set():
                self._reset()
        self._done(result_of_device(login, step.token))

    def _reset(self) -> None:
        self.button.disabled, self.cancel.disabled, self.invitation.value = False, True, ""


def countdown(text: str, seconds: float) -> str:
    """HTML that counts the seconds down by itself, without a message from the kernel."""
    life = int(seconds)
    return f'<div class="zoho-left" style="--from:{life};--life:{life}s">{escape(text)} </div>'


# A registered integer is rounded: (seconds - 29.5) / 60 gives the whole minutes where CSS has no round().
LEFT_STYLE = """@property --zoho-left { syntax: "<integer>"; inherits: false; initial-value: 0 }
@property --zoho-minutes { syntax: "<integer>"; inherits: false; initial-value: 0 }
@keyframes zoho-left { from { --zoho-left: var(--from) } to { --zoho-left: 0 } }
.zoho-left { margin-top: .35em }
.zoho-left::after { content: counter(minutes) " min " counter(seconds) " s.";
  --zoho-minutes: calc((var(--zoho-left) - 29.5) / 60);
  counter-reset: minutes var(--zoho-minutes) seconds calc(var(--zoho-left) - 60 * var(--zoho-minutes));
  animation: zoho-left var(--life) linear forwards }"""
