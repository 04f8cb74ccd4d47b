"""A Zoho whose clients may be signed in to by every route, and a person who does what the invitation says."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from zoho_magic import ZohoSession
from zoho_magic.login.prompts import LoginInstructions, LoginUI
from zoho_magic.simulator import Simulator


def free_port() -> int:
    """One below those that the system gives to outgoing calls: between asking and listening nobody is given it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def redirect_uri() -> str:
    """One that no other test listens on."""
    return f"http://localhost:{free_port()}/callback"


@contextmanager
def signing_in(zoho: Simulator, path: Path, **more: str) -> Iterator[ZohoSession]:
    """A session that knows its client and where Zoho is, and has no token."""
    lines = {
        "ZOHO_CLIENT_ID": zoho.client_id,
        "ZOHO_CLIENT_SECRET": zoho.client_secret,
        "ZOHO_ACCOUNTS_URL": zoho.url,
        "ZOHO_API_URL": zoho.url,
        "ZOHO_REDIRECT_URI": zoho.redirect_uri,
        **more,
    }
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items() if value), encoding="utf-8")
    session = ZohoSession.from_env(path, clock=zoho.clock.time)
    yield session
    session.close()


class Someone:
    """Somebody at a browser: `person` shows her invitations and lets her answer; `seen` is what her browser got."""

    def __init__(self, zoho: Simulator, answers: Callable[[Someone], str] = lambda _: "") -> None:
        self.zoho = zoho
        self.invitations: list[LoginInstructions] = []
        self.taken_away: list[LoginInstructions] = []
        self.seen: list[Any] = []
        self.waits: list[float] = []
        self._browsing: list[threading.Thread] = []
        self.person = LoginUI(
            show=self._show, prompt=lambda _: answers(self), open_browser=self.browse, sleep=self._pause
        )

    @property
    def page(self) -> requests.Response:
        """What her browser shows in the end."""
        for thread in self._browsing:
            thread.join(10)
        (page,) = self.seen
        return page  # type: ignore[no-any-return]

    def browse(self, url: str) -> None:
        """Open an address beside what the kernel does."""
        thread = threading.Thread(target=lambda: self.seen.append(requests.get(url, timeout=10)))
        self._browsing.append(thread)
        thread.start()

    def redirected(self) -> str:
        """The address her browser ends on, at the newest link; nobody listens there."""
        return requests.get(self.invitations[-1].link, allow_redirects=False, timeout=10).headers["Location"]

    def _show(self, invitation: LoginInstructions) -> Callable[[], None]:
        self.invitations.append(invitation)
        return lambda: self.taken_away.append(invitation)

    def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.zoho.clock.advance(seconds)
