"""Face 2: the setup form. The steps in order, the status always in view, and no secret left in a field.

A notebook front end saves every widget's state with the notebook, echoes it to every client of the kernel and sends it
again to a reloaded page. `SecretField` takes what was typed out of the field at once and never sends it back.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
import traitlets

from .cards import error_card, note_card, status_card
from .datacenters import DATA_CENTRES
from .errors import CredentialsMissing, ZohoError
from .magics.ask import can_ask, connect
from .scopes import CHOICES, PRESETS
from .secret import Secret
from .session import ZohoSession
from .status import Status

__all__ = ["SecretField", "SetupForm", "setup"]

_CHOSEN = "chosen one by one"
_WIDE = widgets.Layout(width="36em")
_LABEL = {"description_width": "9em"}


def setup(session: ZohoSession, shell: Any) -> widgets.Widget | Status:
    """The form where there is a notebook; questions in a terminal; in an unattended run the status.

    Raises:
        CredentialsMissing: an unattended run that is not connected: there is nobody to fill in a form.
    """
    if not hasattr(shell, "kernel"):
        return connect(session)
    if can_ask(shell):
        return SetupForm(session).widget
    status = session.status()
    if not status.connected:
        raise CredentialsMissing(
            "There is nobody here to fill in the form: this notebook runs unattended.",
            hint=f"Put ZOHO_DC, ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET and ZOHO_GRANT_CODE into {status.file}, "
            "then run %zoho_exchange instead.",
        )
    return status


class SecretField(widgets.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field that hands over what is typed, at Enter or on leaving it, and forgets it.

    Args:
        placeholder: what the empty field says.
    """

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)

    def __init__(self, **settings: Any) -> None:
        super().__init__(continuous_update=False, **settings)
        self._secret: Secret | None = None
        self.observe(self._capture, "value")

    def take(self) -> Secret | None:
        """What was typed since the last time, if anything; the field forgets it."""
        secret, self._secret = self._secret, None
        return secret

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """As Widget.get_state, with an empty value whatever was typed."""
        state: dict[str, Any] = super().get_state(key=key, drop_defaults=drop_defaults)
        return {**state, "value": ""} if "value" in state else state

    def _capture(self, change: dict[str, Any]) -> None:
        if change["new"].strip():
            self._secret = Secret(change["new"].strip())
            self.value = ""
            self.placeholder = "captured, not shown"


class SetupForm:
    """The form as `widget`; the parts are attributes, so that a test or a notebook cell can drive it.

    Args:
        session: the session it connects; nothing in it or in `.env` changes until Zoho has accepted.
    """

    def __init__(self, session: ZohoSession) -> None:
        self._session = session
        now = session.credentials
        self.data_centre = widgets.Dropdown(
            options=[(_name(dc), dc) for dc in DATA_CENTRES], value=now.dc, description="Data centre", style=_LABEL
        )
        self.console = widgets.HTML()
        self.client_id = widgets.Text(value=now.client_id, description="Client id", layout=_WIDE, style=_LABEL)
        kept = "stored; leave empty to keep it" if now.client_secret else ""
        self.client_secret = SecretField(description="Client secret", placeholder=kept, layout=_WIDE, style=_LABEL)
        self.scopes = widgets.Dropdown(
            options=[*PRESETS, _CHOSEN], value=_preset(now.scopes), description="Scopes", style=_LABEL
        )
        self.chosen = widgets.SelectMultiple(
            options=tuple(dict.fromkeys((*CHOICES, *now.scopes))),
            value=now.scopes,
            rows=8,
            description="One by one",
            layout=_WIDE,
            style=_LABEL,
        )
        self.scope_line = widgets.HTML()
        self.code = SecretField(description="Grant code", layout=_WIDE, style=_LABEL)
        self.button = widgets.Button(description="Connect", button_style="primary")
        self.status = widgets.HTML()
        self._wire()
        self.widget = self._laid_out()

    @property
    def wanted_scopes(self) -> tuple[str, ...]:
        """The scopes of the chosen set, or the ones marked in the list."""
        return PRESETS.get(self.scopes.value) or tuple(self.chosen.value)

    def _wire(self) -> None:
        self.data_centre.observe(lambda _: self._show_steps(), "value")
        self.scopes.observe(lambda _: self._show_steps(), "value")
        self.chosen.observe(lambda _: self._show_steps(), "value")
        self.button.on_click(lambda _: self._connect())
        self._show_steps()
        self.status.value = self._told(lambda: status_card(self._session.status()))

    def _laid_out(self) -> widgets.Widget:
        return widgets.VBox(
            [
                _step(1, "Where is your Zoho account?"),
                self.data_centre,
                self.console,
                _step(2, "Which client?"),
                self.client_id,
                self.client_secret,
                _step(3, "What may it do?"),
                self.scopes,
                self.chosen,
                self.scope_line,
                _step(4, "Generate a code there with these scopes, and paste it within its few minutes"),
                self.code,
                self.button,
                self.status,
            ]
        )

    def _show_steps(self) -> None:
        console = DATA_CENTRES[self.data_centre.value].console
        self.console.value = (
            f'Open <a href="{escape(console)}" target="_blank" rel="noopener">{escape(console)}</a>, '
            "add a <b>Self Client</b>, and copy its client id and secret."
        )
        self.chosen.layout.display = "" if self.scopes.value == _CHOSEN else "none"
        line = escape(",".join(self.wanted_scopes))
        self.scope_line.value = (
            f'<code style="user-select:all;overflow-wrap:anywhere;background:rgba(128,128,128,.15)">{line}</code>'
        )

    def _connect(self) -> None:
        # The secrets leave the fields here, before anything is sent anywhere.
        secret, code = self.client_secret.take(), self.code.take()
        self.status.value = note_card("Connecting…")
        self.status.value = self._told(lambda: status_card(self._exchange(secret, code)))

    def _exchange(self, secret: Secret | None, code: Secret | None) -> Status:
        changes: dict[str, Any] = {
            "dc": self.data_centre.value,
            "client_id": self.client_id.value,
            "scopes": self.wanted_scopes,
        }
        if secret is not None:
            changes["client_secret"] = secret
        if code is None and self._session.credentials.grant_code is None:
            self._put_back(secret)
            raise CredentialsMissing("The grant code is missing.", hint="Generate one (step 4) and paste it here.")
        return self._session.exchange(code, **changes)

    def _put_back(self, secret: Secret | None) -> None:
        self.client_secret._secret = secret

    def _told(self, act: Callable[[], str]) -> str:
        # A front end drops what a callback raises or prints, so every failure becomes the status.
        try:
            return act()
        except ZohoError as error:
            return error_card(error)
        except Exception as error:  # noqa: BLE001  # shown, not swallowed
            return error_card(ZohoError(f"Something unexpected went wrong ({type(error).__name__}).", hint=_REPORT))


_REPORT = "Run %zoho_exchange in a cell to see more, and please report it."


def _name(dc: str) -> str:
    found = DATA_CENTRES[dc]
    return f"{found.place} ({dc})" + ("" if found.certain else ", CRM hosts less certain")


def _preset(scopes: tuple[str, ...]) -> str:
    return next((name for name, preset in PRESETS.items() if preset == scopes), _CHOSEN)


def _step(number: int, text: str) -> widgets.HTML:
    return widgets.HTML(f"<b>{number}. {escape(text)}</b>")
