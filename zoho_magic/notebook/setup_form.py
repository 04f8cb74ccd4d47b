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

from ..config.credentials import Credentials
from ..config.pasted import clean, kind_of, parse_grant
from ..data_centres import DATA_CENTRES
from ..errors import ConfigurationError, CredentialsMissing, ZohoError
from ..login.methods import LoginResult
from ..scopes import KNOWN_SCOPES, PRESETS, SCOPE_MEANINGS, parse_scopes, with_named_settings
from ..secret import Secret
from ..session import ZohoSession
from ..status import Status
from .cards import error_card, not_connected_card, note_card, status_card
from .login_tabs import LEFT_STYLE, DeviceTab, PasteTab, countdown

__all__ = ["SecretField", "SetupForm"]

_CHOSEN = "chosen one by one"


class SecretField(widgets.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field that hands over what is typed, at Enter or on leaving it, and goes blank.

    Args:
        empty: what the field says while it holds nothing.
        settings: as for `ipywidgets.Password`.
    """

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)

    def __init__(self, *, empty: str = "", **settings: Any) -> None:
        super().__init__(continuous_update=False, placeholder=empty, **settings)
        self._empty = empty
        self._secret: Secret | None = None
        self.observe(self._capture, "value")

    @property
    def secret(self) -> Secret | None:
        """What was typed, if anything."""
        return self._secret

    def take(self, secret: Secret) -> None:
        """Hold a secret that was pasted elsewhere."""
        self._secret = secret
        self.placeholder = "•••••••• taken; type again to replace it"

    def forget(self, empty: str | None = None) -> None:
        """Hold nothing any more, and say `empty` from now on."""
        self._empty = self._empty if empty is None else empty
        self._secret, self.value, self.placeholder = None, "", self._empty

    def close(self) -> None:
        """Forget, then close: a front end keeps the last state of a widget that was closed."""
        self.forget()
        super().close()

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """As Widget.get_state, with an empty value whatever was typed."""
        state: dict[str, Any] = super().get_state(key=key, drop_defaults=drop_defaults)
        return {**state, "value": ""} if "value" in state else state

    def _capture(self, change: dict[str, Any]) -> None:
        if change["new"]:
            typed, self.value = change["new"].strip(), ""
            self._secret = Secret(typed) if typed else self._secret
            self.placeholder = "•••••••• taken; type again to replace it" if self._secret else self._empty


class SelfClientUpload(widgets.FileUpload):  # type: ignore[misc]
    """A field for the self_client.json of Zoho's console; what was dropped is handed over and not kept.

    Args:
        on_text: takes the file's text.
    """

    def __init__(self, on_text: Callable[[Secret], None]) -> None:
        super().__init__(accept=".json", multiple=False, description="self_client.json", layout={"width": "auto"})
        self._on_text = on_text
        self.observe(self._capture, "value")

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """As Widget.get_state, without the content of a file."""
        state: dict[str, Any] = super().get_state(key=key, drop_defaults=drop_defaults)
        empty: dict[str, Any] = {"value": [], "data": [], "metadata": []}
        return {name: empty.get(name, value) for name, value in state.items()}

    def _capture(self, change: dict[str, Any]) -> None:
        files = change["new"].values() if isinstance(change["new"], dict) else change["new"]
        texts = [Secret(bytes(file["content"]).decode("utf-8-sig", "replace")) for file in files]
        if texts:
            self.set_trait("value", {} if isinstance(change["new"], dict) else ())
            self._on_text(texts[0])


class SetupForm:
    """The form as `widget`; the parts are attributes, so that a test or a notebook cell can drive it.

    Args:
        session: the session it connects; nothing in it or in `.env` changes until Zoho has accepted.
    """

    def __init__(self, session: ZohoSession) -> None:
        self._session = session
        now = session.credentials
        self.data_centre = _field(widgets.Dropdown, "Data centre", options=[*map(_option, DATA_CENTRES)], value=now.dc)
        self.method = _field(widgets.Dropdown, "Sign in by", options=[*_METHODS.values()], index=0)
        self.console = widgets.HTML()
        self.upload = SelfClientUpload(self._fill_in)
        self.client_id = _field(
            widgets.Text, "Client id", value=now.client_id, placeholder="1000.…", continuous_update=False
        )
        self.client_secret = _field(SecretField, "Client secret", empty=_stored(now.client_secret))
        self.scopes = _field(widgets.Dropdown, "Scopes", options=[*PRESETS, _CHOSEN], value=_preset(now.scopes))
        self.scope_checkboxes = {
            name: _checkbox(name, name in now.scopes) for name in sorted({*KNOWN_SCOPES, *now.scopes})
        }
        self.scope_line = widgets.HTML()
        self.generate_help = widgets.HTML()
        self._make_login_tabs(now)
        self.button = widgets.Button(description="Connect", button_style="primary")
        self.status = widgets.HTML()
        self.status.add_class("zoho-status")
        self._scope_grid = _scope_groups(self.scope_checkboxes)
        self._file = widgets.VBox([widgets.HTML(_FILE_HELP), self.upload])
        self.widget = self._build_layout()
        self._connect_callbacks()

    def _make_login_tabs(self, now: Credentials) -> None:
        self.code = _field(SecretField, "Grant code", empty=_waiting(now.grant_code))
        self.code_left = widgets.HTML()
        self.paste = PasteTab(
            lambda: self._session.begin_paste_login(**self._client()),
            _field(SecretField, "Address"),
            now.redirect_uri,
            self._show_errors,
        )
        self.device = DeviceTab(
            lambda: self._session.begin_device_login(**self._client()), self._finish, self._show_errors
        )
        by_code = widgets.VBox([self.generate_help, self.code, self.code_left])
        self.login_methods = widgets.Tab([by_code, self.paste.widget, self.device.widget])
        for index, title in enumerate(_METHODS):
            self.login_methods.set_title(index, title)  # `titles=` is unknown to ipywidgets 7

    @property
    def wanted_scopes(self) -> tuple[str, ...]:
        """The scopes of the chosen set, or the ones ticked."""
        ticked = tuple(name for name, box in self.scope_checkboxes.items() if box.value)
        return PRESETS.get(self.scopes.value, ticked)

    def _build_layout(self) -> widgets.Widget:
        steps = (
            _step(1, "Data centre and way to authorise", self.data_centre, self.method),
            _step(2, "Client ID and secret", self._file, self.console, self.client_id, self.client_secret),
            _step(3, "Scopes", self.scopes, self._scope_grid, self.scope_line),
            _step(4, "Authorise", self.login_methods),
        )
        return _Form([widgets.HTML(_STYLE), *steps, self.button, self.status]).add_class("zoho-setup")

    def _connect_callbacks(self) -> None:
        self.scopes.observe(self._show_errors(self._tick_preset), "value")
        self._method_link = traitlets.link((self.method, "index"), (self.login_methods, "selected_index"))
        self.login_methods.observe(self._show_errors(self._show_method), "selected_index")
        for part in (self.data_centre, self.scopes, *self.scope_checkboxes.values()):
            part.observe(self._show_errors(self._show_steps), "value")
        self.code.observe(self._show_errors(self._show_code_left), "placeholder")
        self.button.on_click(self._show_errors(self._connect))
        self.client_id.observe(self._show_errors(self._sort_client_id), "value")
        self._show_steps()
        self._show_errors(self._show_status)()

    def _tick_preset(self) -> None:
        for name, box in self.scope_checkboxes.items():
            box.value = name in PRESETS.get(self.scopes.value, self.wanted_scopes)

    def _show_method(self) -> None:
        """Follow the chosen way to authorise; what went wrong on the way before is no longer said."""
        self._show_steps()
        self._show_status()

    def _show_steps(self) -> None:
        link = _link(DATA_CENTRES[self.data_centre.value].console_url)
        index = self.login_methods.selected_index or 0
        self.console.value = (
            f"In {link} add a client of the type <b>{_CLIENT_TYPES[index]}</b> and copy its id and secret."
        )
        self._file.layout.display = "" if index == 0 else "none"
        self._scope_grid.layout.display = "" if self.scopes.value == _CHOSEN else "none"
        self.scope_line.value = _to_copy(",".join(self.wanted_scopes)) + self._second_line()
        self.generate_help.value = (
            f"In {link} open <b>Generate Code</b>, paste the line of scopes, and copy the code it gives you. "
            "It works once, for a few minutes."
        )

    def _second_line(self) -> str:
        named = with_named_settings(self.wanted_scopes)
        if named == self.wanted_scopes:
            return ""
        told = "<details><summary>If the console refuses <code>ZohoCRM.settings.READ</code></summary>"
        return f"{told}{_to_copy(','.join(named))}</details>"

    def _sort_client_id(self) -> None:
        """Take what is no client ID out of the field at once, and put it where it belongs."""
        typed = Secret(clean(self.client_id.value))
        kind = kind_of(typed.reveal())
        if kind == "JSON":
            self.client_id.value = ""
            self._fill_in(typed)
        elif target := {"a client secret": self.client_secret, "a grant code or a token": self.code}.get(kind):
            self.client_id.value = ""
            target.take(typed)
            self.status.value = note_card(f"That was {kind}: it was moved to its field.")
        elif self.client_id.value != typed.reveal():
            self.client_id.value = typed.reveal()

    def _fill_in(self, text: Secret) -> None:
        """Fill the form from a self_client.json."""
        try:
            found = parse_grant(text)
        except ConfigurationError as error:
            self._show_failure(error)
            return
        self.client_id.value = found.get("client_id", self.client_id.value)
        if "client_secret" in found:
            self.client_secret.take(found["client_secret"])
        self.code.take(found["grant_code"])
        self.login_methods.selected_index = 0
        self._choose_scopes(parse_scopes(found.get("scopes", "")))
        self.status.value = note_card("Everything is filled in: press Connect, then delete the downloaded file.")

    def _choose_scopes(self, wanted: tuple[str, ...]) -> None:
        if wanted and set(wanted) <= set(self.scope_checkboxes):
            self.scopes.value = _preset(wanted)
            for name, box in self.scope_checkboxes.items():
                box.value = name in wanted

    def _show_code_left(self) -> None:
        told = countdown("Press Connect: unless you chose longer, the code dies in", _CODE_LIFE)
        self.code_left.value = told if self.code.secret else ""

    def _show_status(self) -> None:
        status = self._session.status()
        self.status.value = status_card(status) if status.connected else not_connected_card(status, _NEXT_STEP)

    def _connect(self) -> None:
        self.button.disabled, self.button.description = True, "Connecting…"
        self.status.value = note_card("Connecting…")
        try:
            self.status.value = status_card(self._connected())
            self._clear_secrets()
        finally:
            self.button.disabled, self.button.description = False, "Connect"

    def _connected(self) -> Status:
        if self.login_methods.selected_index == [*_METHODS].index("Your browser"):
            return self._session.complete_login(self.paste.finish())
        now, wanted = self._session.credentials, self._wanted()
        if self.code.secret is None and now.grant_code is None and not _has_changes(now, wanted) and now.refresh_token:
            return self._session.status()
        self._check_complete(
            now, wanted, {_MISSING_LABELS[self.login_methods.selected_index or 0]: self.code.secret or now.grant_code}
        )
        return self._session.exchange(self.code.secret, **wanted)

    def _client(self) -> dict[str, Any]:
        """What the first three steps hold. Raises CredentialsMissing, naming the gaps."""
        wanted = self._wanted()
        self._check_complete(self._session.credentials, wanted, {})
        return wanted

    def _finish(self, got: LoginResult) -> None:
        self.status.value = status_card(self._session.complete_login(got))
        self._clear_secrets()

    def _wanted(self) -> dict[str, Any]:
        typed = {"client_secret": self.client_secret.secret} if self.client_secret.secret else {}
        return {
            "dc": self.data_centre.value,
            "client_id": self.client_id.value.strip(),
            "scopes": self.wanted_scopes,
            **typed,
        }

    def _check_complete(self, now: Credentials, wanted: dict[str, Any], proof: dict[str, Any]) -> None:
        there = {
            "the client id (step 2)": wanted["client_id"],
            "the client secret (step 2)": wanted.get("client_secret", now.client_secret),
            "a scope (step 3)": wanted["scopes"],
            **proof,
        }
        if gaps := [label for label, value in there.items() if not value]:
            raise CredentialsMissing(f"Still missing: {', '.join(gaps)}.", hint="Fill it in, then press Connect.")

    def _clear_secrets(self) -> None:
        now = self._session.credentials
        self.client_secret.forget(_stored(now.client_secret))
        self.code.forget(_waiting(now.grant_code))
        self.paste.clear()

    def _show_errors(self, act: Callable[[], None]) -> Callable[..., None]:
        # A front end drops what a callback raises or prints, so every failure becomes the status.
        def run(*_: Any) -> None:
            try:
                act()
            except ZohoError as error:
                self._show_failure(error)
            except Exception as error:  # noqa: BLE001  # shown, not swallowed
                what = f"Something unexpected went wrong ({type(error).__name__})."
                self._show_failure(ZohoError(what, hint="Run %zoho in a cell to see more, and please report it."))

        return run

    def _show_failure(self, error: ZohoError) -> None:
        setting = str(error.details.get("setting", ""))
        field, hint = _FORM_HINTS.get(error.code, _FIELD_OF.get(setting, ("", error.hint)))
        if field == "client_id":
            self.client_id.value = ""
        elif field:
            getattr(self, field).forget()
        self.status.value = error_card(error, hint)


_METHODS = {  # title of the tab -> the same where the way is chosen
    "A code": "A code from Zoho's console (simplest for yourself)",
    "Your browser": "Your browser: sign in and agree there",
    "Another device": "Another device: a telephone or another computer",
}
_CLIENT_TYPES = ("Self Client", "Server-based Applications", "Non-browser Applications")
_FILE_HELP = "If you have downloaded <b>self_client.json</b>, drop it here: it fills in steps 2 to 4."
_MISSING_LABELS = ("the grant code (step 4)", "the address (step 4)", "your consent: press Show a code (step 4)")
_CODE_LIFE = 180  # a self client's code, unless its person chose 5, 7 or 10 minutes
_NEXT_STEP = "Fill in the steps from 1 to 4, then press Connect."
_FORM_HINTS = {  # Zoho's code -> the field to type again, if any; what to do in the form
    "invalid_code": ("code", "Generate a new code (step 4), paste it and press Connect at once."),
    "invalid_client_secret": ("client_secret", "Copy the secret of this data centre again (step 2), then Connect."),
    "invalid_client": ("", "Compare the data centre (step 1) and the client id (step 2) with Zoho's console."),
}


_FIELD_OF = {  # setting -> the field that held something else; what to do
    "grant_code": ("code", "Copy the code that Generate Code shows (step 4) and press Connect; none was used up."),
    "client_secret": ("client_secret", "Copy the client secret from Zoho's console again (step 2), then Connect."),
    "client_id": ("client_id", "Copy the client ID, which begins with 1000., from Zoho's console (step 2)."),
}


class _Form(widgets.VBox):  # type: ignore[misc]
    def __repr__(self) -> str:
        return "The Zoho setup form. If you see this text instead of it, run: %zoho_setup --ask"


def _field(kind: Callable[..., Any], label: str, **settings: Any) -> Any:
    return kind(description=label, layout={"width": "auto"}, style={"description_width": "8em"}, **settings)


def _checkbox(name: str, value: bool) -> Any:
    _, meaning = SCOPE_MEANINGS.get(name, _OWN_SCOPE)
    label = f"{name}: {meaning}" if meaning else name
    return widgets.Checkbox(description=label, value=value, indent=False, layout={"width": "auto"})


def _scope_groups(checkboxes: dict[str, Any]) -> Any:
    groups: dict[str, list[Any]] = {group: [] for group, _ in (*SCOPE_MEANINGS.values(), _OWN_SCOPE)}
    for name, box in checkboxes.items():
        groups[SCOPE_MEANINGS.get(name, _OWN_SCOPE)[0]].append(box)
    parts = [[widgets.HTML(f"<b>{escape(group)}</b>"), *boxes] for group, boxes in groups.items() if boxes]
    return widgets.VBox([part for group in parts for part in group]).add_class("zoho-marks")


_OWN_SCOPE = ("Your own", "")  # a scope of the settings that the table does not know


def _step(number: int, title: str, *parts: Any) -> Any:
    head = widgets.HTML(f'<span class="zoho-number">{number}</span><b>{escape(title)}</b>')
    return widgets.VBox([head, *parts]).add_class("zoho-step")


def _option(dc: str) -> tuple[str, str]:
    found = DATA_CENTRES[dc]
    known = f"{found.display_name}: {found.crm_host} ({dc})"
    return known + ("" if found.documented else ", CRM hosts less certain"), dc


def _preset(scopes: tuple[str, ...]) -> str:
    return next((name for name, preset in PRESETS.items() if set(preset) == set(scopes)), _CHOSEN)


def _stored(secret: Secret | None) -> str:
    return "stored; leave empty to keep it" if secret else ""


def _waiting(code: Secret | None) -> str:
    return "ZOHO_GRANT_CODE is there; leave empty to use it" if code else ""


def _has_changes(now: Credentials, wanted: dict[str, Any]) -> bool:
    return any(getattr(now, name) != value for name, value in wanted.items())


def _link(url: str) -> str:
    return f'<a href="{escape(url)}" target="_blank" rel="noopener">{escape(url.removeprefix("https://"))}</a>'


def _to_copy(text: str) -> str:
    line = escape(text).replace(",", ",<wbr>")  # breaks between names, not inside; copied without them
    return (
        f'<div class="zoho-line"><code>{line}</code>'
        f'<button type="button" class="jupyter-button" onclick="{escape(_COPY)}">Copy</button></div>'
    )


# execCommand, because navigator.clipboard exists on https and localhost only; the line stays marked either way.
_COPY = (
    "getSelection().selectAllChildren(this.previousElementSibling);"
    "this.textContent = document.execCommand('copy') ? 'Copied' : 'Press Ctrl+C'"
)

# The dropdown's own arrow is black in dark themes too.
_STYLE = """<style>
.zoho-setup { max-width: 46em; padding: 4px 18px 14px; border: 1px solid rgba(128,128,128,.35); border-radius: 8px;
  color: var(--jp-ui-font-color1, inherit); --jp-widgets-dropdown-arrow: url("data:image/svg+xml,%3Csvg \
xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E%3Cpath d='M4 6l5 5 5-5' fill='none' stroke='%23888' \
stroke-width='2'/%3E%3C/svg%3E") }
.zoho-setup, .zoho-setup .zoho-step { overflow: visible }
.zoho-setup .zoho-step { margin-top: 10px }
.zoho-setup .zoho-step > :not(:first-child), .zoho-setup > .jupyter-button { margin-left: 30px }
.zoho-setup .zoho-number { display: inline-block; width: 1.6em; margin-right: .6em; border-radius: 50%;
  line-height: 1.6em; text-align: center; font-weight: 600; background: rgba(128,128,128,.22) }
.zoho-setup .widget-html-content { line-height: 1.45; overflow-wrap: anywhere }
.zoho-setup .widget-label { text-align: left }
.zoho-setup a { color: var(--jp-content-link-color, inherit); text-decoration: underline }
.zoho-setup .zoho-marks { overflow: visible }
.zoho-setup > .zoho-status { margin-left: 30px }
.zoho-setup > .zoho-status > .widget-html-content > div { display: block !important; box-sizing: border-box }
.zoho-setup .zoho-marks .widget-checkbox { height: 24px; line-height: 24px }
.zoho-setup .zoho-marks label { display: flex; align-items: center }
.zoho-setup .zoho-line { display: flex; gap: 8px; align-items: flex-start }
.zoho-setup .zoho-line code { flex: 1; padding: 4px 8px; border-radius: 4px; user-select: all; color: inherit;
  background: rgba(128,128,128,.15); overflow-wrap: anywhere }
.zoho-setup .zoho-line button { flex: none; min-width: 6em }
.zoho-setup > .jupyter-button { margin-top: 14px; margin-bottom: 6px; min-width: 9em }
"""
_STYLE += f"{LEFT_STYLE}</style>"
