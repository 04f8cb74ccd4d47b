"""What a login shows to a person and asks of her, whatever she sits in front of."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getpass
from typing import Any

from ..errors import printable

__all__ = ["LoginInstructions", "LoginUI"]


@dataclass(frozen=True)
class LoginInstructions:
    """What to do now to sign in.

    Attributes:
        title: in one line.
        link: the page to open, which belongs to this sign-in alone; "" for none.
        steps: what else to know, in order.
        code: what to type there, for a device; "" for none.
        scan: the address to show as a QR code; "" for none.
        seconds: how long it is good for.
    """

    title: str
    link: str = ""
    steps: tuple[str, ...] = ()
    code: str = ""
    qr_url: str = ""
    expires_in: int = 0

    def __str__(self) -> str:
        from .qr_code import to_text

        lines = [
            self.title,
            *([f"  {self.link}"] if self.link else []),
            *([f"  Code: {self.code}"] if self.code else []),
        ]
        lines += [f"  {step}" for step in self.steps]
        lines += [f"  Good for {self.expires_in // 60} min {self.expires_in % 60} s."] if self.expires_in else []
        return "\n".join([printable("\n".join(lines)), *([to_text(self.qr_url)] if self.qr_url else [])])

    __repr__ = __str__


@dataclass(frozen=True)
class LoginUI:
    """How to talk to whoever signs in; the defaults suit a script in a terminal.

    Attributes:
        show: shows the instructions of a login; what it returns removes them again.
        prompt: asks a question and hides what is typed.
        open_browser: opens an address in a browser on this machine.
        sleep: waits so many seconds.

    Example::

        zoho.login("paste-url", ui=LoginUI(prompt=lambda question: my_dialog(question)))
    """

    show: Callable[[LoginInstructions], Callable[[], None]] = lambda invitation: _printed(invitation)
    prompt: Callable[[str], str] = lambda question: _typed(question)
    open_browser: Callable[[str], Any] = lambda url: _browsed(url)
    sleep: Callable[[float], Any] = lambda seconds: threading.Event().wait(seconds)

    @contextmanager
    def showing(self, invitation: LoginInstructions) -> Iterator[None]:
        """Show the instructions while the block runs.

        Args:
            invitation: the instructions of a login.
        """
        taken_away = self.show(invitation)
        try:
            yield
        finally:
            taken_away()


def _printed(invitation: LoginInstructions) -> Callable[[], None]:
    sys.stderr.write(f"{invitation}\n")
    sys.stderr.flush()
    return lambda: None


def _typed(question: str) -> str:
    try:
        return getpass(question)
    except EOFError:
        return ""


def _browsed(url: str) -> None:
    import webbrowser

    # Some browsers return only when they are closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True, name="zoho_magic browser").start()
