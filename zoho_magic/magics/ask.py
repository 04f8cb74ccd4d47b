"""Asking a person at a prompt, and saying what to do where nobody can answer."""

from __future__ import annotations

from collections.abc import Callable
from getpass import getpass
from typing import Any

from IPython.core.error import StdinNotImplementedError

from ..credentials import KEYS
from ..datacenters import DATA_CENTRES
from ..errors import CredentialsMissing
from ..scopes import PRESETS
from ..session import ZohoSession
from ..status import Status

__all__ = ["can_ask", "connect", "grant_code"]


def can_ask(shell: Any) -> bool:
    """Whether somebody can answer: a terminal, or a notebook front end that takes input (not papermill, nbclient)."""
    kernel = getattr(shell, "kernel", None)
    return kernel is None or bool(getattr(kernel, "_allow_stdin", True))


def grant_code(session: ZohoSession) -> str | None:
    """A grant code typed at a hidden prompt; None when `ZOHO_GRANT_CODE` is there already.

    Raises:
        CredentialsMissing: nobody is there to type, or nothing was typed.
    """
    credentials = session.credentials
    credentials.require("client_id", "client_secret")
    if credentials.grant_code is not None:
        return None
    return _asked(getpass, f"Grant code from {credentials.data_centre.console}: ", "grant_code")


def connect(session: ZohoSession) -> Status:
    """The steps of the setup form as questions; what is typed for secrets is hidden."""
    now = session.credentials
    dc = _asked(input, f"Data centre ({', '.join(DATA_CENTRES)}) [{now.dc}]: ", "dc", now.dc).strip().lower()
    now = now.changed(dc=dc)
    print(f"Register a Self Client at {now.data_centre.console}")  # noqa: T201  # a conversation
    client_id = _asked(input, f"Client id [{now.client_id}]: ", "client_id", now.client_id)
    kept = " (enter keeps the stored one)" if now.client_secret else ""
    secret = _asked(getpass, f"Client secret{kept}: ", "client_secret", "kept" if kept else "")
    preset = _asked(input, f"Scopes ({', '.join(PRESETS)}) [read and write]: ", "scopes", "read and write")
    scopes = PRESETS.get(preset.strip().lower()) or preset
    line = scopes if isinstance(scopes, str) else ",".join(scopes)
    print(f"Generate a code there with these scopes:\n{line}")  # noqa: T201
    code = _asked(getpass, "Grant code: ", "grant_code")
    changes = {"dc": dc, "client_id": client_id, "scopes": scopes}
    return session.exchange(code, **changes, **({} if kept and secret == "kept" else {"client_secret": secret}))  # noqa: S105


def _asked(ask: Callable[[str], str], question: str, name: str, default: str = "") -> str:
    try:
        answer = ask(question).strip() or default
    except (StdinNotImplementedError, EOFError):
        answer = ""
    if not answer:
        raise CredentialsMissing(
            f"{KEYS[name]} is needed and nobody typed it.",
            hint=f"Put {KEYS[name]} into .env or the environment, or run this where you can answer.",
        )
    return answer
