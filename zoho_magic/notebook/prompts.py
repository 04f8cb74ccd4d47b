"""Asking a person at a prompt, and saying what to do where nobody can answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from getpass import getpass
from typing import Any

from IPython.core.error import StdinNotImplementedError
from IPython.display import display

from ..config.credentials import Credentials
from ..config.pasted import parse_grant
from ..config.settings import ENV_VARS
from ..data_centres import DATA_CENTRES
from ..errors import AuthError, ConfigurationError, CredentialsMissing, LoginError
from ..login.environment import detect
from ..login.prompts import LoginInstructions, LoginUI
from ..scopes import PRESETS
from ..secret import Secret
from ..session import ZohoSession
from ..status import Status
from .lazy_session import is_interactive
from .notes import Message

__all__ = ["exchange", "grant_code", "is_interactive", "login", "run_setup_questions", "setup"]


class _ShownForm:
    """The form that is on the page: a kernel keeps every widget of one that is not closed, 142 each time."""

    form: Any = None

    def replace(self, form: Any) -> None:
        """Close the form before, and remember this one."""
        before, self.form = self.form, form
        if before is not None:
            _close(before)


_shown = _ShownForm()


def _close(widget: Any) -> None:
    """Close a widget with all that is in it."""
    for part in (*getattr(widget, "children", ()), getattr(widget, "layout", None), getattr(widget, "style", None)):
        if part is not None:
            _close(part)
    widget.close()


def setup(session: ZohoSession, shell: Any, *, questions: bool = False) -> Any:
    """The form where there is a notebook; questions in a terminal, or when asked for; in an unattended run the status.

    Raises:
        CredentialsMissing: an unattended run that is not connected: there is nobody to fill in a form.
    """
    if questions or not hasattr(shell, "kernel"):
        return run_setup_questions(session)
    if is_interactive(shell):
        from .setup_form import SetupForm

        _shown.replace(SetupForm(session).widget)
        return _shown.form
    return _unattended(session)


def _unattended(session: ZohoSession) -> Status:
    status = session.status()
    if not status.connected:
        raise CredentialsMissing(
            "There is nobody here to fill in the form: this notebook runs unattended.",
            hint=f"Put ZOHO_DC, ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET and ZOHO_GRANT_CODE into {status.file}, "
            "then run %zoho_exchange instead.",
        )
    return status


def login(session: ZohoSession, shell: Any, method: str, add_scopes: tuple[str, ...]) -> Status:
    """`ZohoSession.login` in a shell: invitations are shown in the cell, and leave it once they are used up.

    Raises:
        ZohoError: Ctrl-C, or "interrupt the kernel".
        CredentialsMissing, AuthError, ThrottledError, TransportError: as `ZohoSession.login`.
    """
    person = LoginUI(show=partial(_show_instructions, shell), prompt=partial(_read, getpass))
    stopped = False
    try:
        return session.login(method, add_scopes=add_scopes, ui=person, environment=detect(is_interactive(shell)))
    except KeyboardInterrupt:
        stopped = True
    assert stopped
    raise LoginError("Sign-in stopped; nothing has changed.", hint="Run %zoho_login again when you like.")


def _show_instructions(shell: Any, invitation: LoginInstructions) -> Callable[[], None]:
    # Without a link it is only a piece of news.
    what = invitation if invitation.link else Message(invitation.title)
    shown = display(what, display_id=True)  # type: ignore[no-untyped-call]
    if shown is None or not hasattr(shell, "kernel"):  # what a terminal has printed stays
        return lambda: None
    # A saved notebook keeps what a cell shows: a link of this sign-in has no business there.
    return lambda: shown.update(Message("The link that stood here has done its duty."))


def exchange(session: ZohoSession, code: str | None) -> Status:
    """Exchange this grant code, `ZOHO_GRANT_CODE` or one that is asked for; the status where there is no need.

    Raises:
        CredentialsMissing: nobody is there to type, or nothing was typed.
        AuthError, ThrottledError, TransportError: as `ZohoSession.exchange`.
    """
    waiting = session.credentials.grant_code is not None
    if code is None and session.credentials.refresh_token and not waiting and (status := session.status()).connected:
        return status
    try:
        return session.exchange(code or grant_code(session))
    except AuthError as error:
        if code is not None or not waiting or error.code != "invalid_code":
            raise
        refused = error
    if not (status := session.status()).connected:
        raise refused
    return replace(status, warnings=(*status.warnings, _OLD_CODE))


_OLD_CODE = "ZOHO_GRANT_CODE is used up or too old. You are connected without it: remove it."


def grant_code(session: ZohoSession) -> str | None:
    """A grant code typed at a hidden prompt; None when `ZOHO_GRANT_CODE` is there already.

    Raises:
        CredentialsMissing: nobody is there to type, or nothing was typed.
    """
    credentials = session.credentials
    credentials.require("client_id", "client_secret")
    if credentials.grant_code is not None:
        return None
    return _read_required(getpass, f"Grant code from {credentials.data_centre.console_url}: ", "grant_code")


def run_setup_questions(session: ZohoSession) -> Status:
    """The steps of the setup form as questions; what is typed for secrets is hidden.

    Raises:
        CredentialsMissing: nobody is there to type, nothing was typed, or what was typed cannot be right.
        AuthError, ThrottledError, TransportError: as `ZohoSession.exchange`.
    """
    now = session.credentials
    now = _ask_again(
        now, "dc", lambda: _read_required(input, f"Data centre ({', '.join(DATA_CENTRES)}) [{now.dc}]: ", "dc", now.dc)
    )
    _print(f"Open {now.data_centre.console_url}, add a Self Client, and copy its client id and secret.")
    _print("Or type the path of the self_client.json that it offers for download.")
    kept = f" [{now.client_id}]" if now.client_id else ""
    which = f"Client id{kept}: "
    now = _ask_again(now, "client_id", lambda: _read_required(input, which, "client_id", now.client_id))
    if now.grant_code is None or now.client_secret is None:
        now = _ask_again(now, "client_secret", lambda: _client_secret(now.client_secret))
        now = _ask_again(now, "scopes", lambda: _scopes(now.scopes))
        _print(f"Generate a code there with these scopes:\n{','.join(now.scopes)}")
    return _exchange(session, now)


def _ask_again(now: Credentials, name: str, ask: Callable[[], Any]) -> Credentials:
    """The credentials with what was typed; asked again, at most twice, where that cannot be right."""
    for _ in range(_TRIES - 1):
        try:
            return _with_typed(now, name, ask())
        except ConfigurationError as error:
            if isinstance(error, CredentialsMissing):
                raise
            _print(str(error))
    return _with_typed(now, name, ask())


def _with_typed(now: Credentials, name: str, typed: Any) -> Credentials:
    is_file = isinstance(typed, str) and (typed.lower().endswith(".json") or typed.startswith("{"))
    return now.replace(**parse_grant(Secret(typed)) if name == "client_id" and is_file else {name: typed})


def _exchange(session: ZohoSession, now: Credentials) -> Status:
    """Exchange a code that is typed; where Zoho refuses the code it is asked for again, and the rest is kept."""
    known = {name: getattr(now, name) for name in _STEPS}
    for left in reversed(range(_TRIES)):
        code = now.grant_code or Secret(_read_required(getpass, "Grant code (hidden): ", "grant_code"))
        now = now.replace(grant_code=None)
        try:
            return session.exchange(code, **known)
        except (AuthError, ConfigurationError) as error:
            is_code = error.code == "invalid_code" or error.details.get("setting") == "grant_code"
            if not left or not is_code:
                raise
            _print(str(error))
    raise AssertionError


_TRIES = 3
_STEPS = ("dc", "client_id", "client_secret", "scopes")


def _client_secret(stored: Secret | None) -> Secret:
    if stored is None:
        return Secret(_read_required(getpass, "Client secret (hidden): ", "client_secret"))
    typed = _read(getpass, "Client secret (hidden; enter keeps the stored one): ")
    return Secret(typed) if typed else stored


def _scopes(now: tuple[str, ...]) -> tuple[str, ...] | str:
    usual = next((name for name, preset in PRESETS.items() if preset == now), ",".join(now))
    answer = _read_required(input, f"Scopes ({', '.join(PRESETS)}, or your own) [{usual}]: ", "scopes", usual)
    return PRESETS.get(answer.lower(), answer)


def _read_required(ask: Callable[[str], str], question: str, name: str, default: str = "") -> str:
    answer = _read(ask, question) or default
    if not answer:
        raise CredentialsMissing(
            f"{ENV_VARS[name]} is needed and nobody typed it.",
            hint=f"Put {ENV_VARS[name]} into .env or the environment, or run this where you can answer.",
        )
    return answer


def _read(ask: Callable[[str], str], question: str) -> str:
    try:
        return ask(question).strip()
    except (StdinNotImplementedError, EOFError):
        return ""


def _print(text: str) -> None:
    print(text)  # noqa: T201  # one side of a conversation
