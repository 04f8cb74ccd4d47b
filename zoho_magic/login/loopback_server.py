"""A listener on this machine for one redirect: the one that answers the question asked, and nothing else.

It binds loopback addresses only, on the port of the redirect URI: Zoho compares that URI letter for letter, so the port
is fixed. It writes no log.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import SplitResult, urlsplit

from ..errors import CredentialsMissing, TransportError, ZohoError
from ..secret import Secret
from .authorization import MatchResult
from .callback_pages import CSP, page

__all__ = ["LoopbackServer"]

_SILENCE_SECONDS = 5.0
_FAMILIES = {
    "localhost": ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")),
    "127.0.0.1": ((socket.AF_INET, "127.0.0.1"),),
    "::1": ((socket.AF_INET6, "::1"),),
}
_NO_SUCH_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class LoopbackServer:
    """Listens while it is entered, for the answer to one question.

    Args:
        redirect_uri: as registered; only http to localhost, 127.0.0.1 or [::1] can be listened on.
        question: the page to send the browser to from `start`.
        verdict: whether a query string is the answer; "" for everything else.

    Raises (on entering):
        CredentialsMissing: the redirect URI is not on this machine.
        TransportError: the port is taken, or may not be used.

    Example::

        with Loopback(question.redirect_uri, Secret(question.url), question.verdict) as here:
            webbrowser.open(here.start)
            query = here.wait(300)
    """

    def __init__(self, redirect_uri: str, authorization: Secret, match: Callable[[Secret], MatchResult]) -> None:
        self._uri = _checked(redirect_uri)
        self._question = authorization
        self._verdict = match
        self._servers: list[_Server] = []
        self._lock = threading.Lock()
        self._answer: Secret | None = None
        self._answered = threading.Event()
        # Unguessable, and good for one browser: what it leads to holds `state`, and may hold a secret.
        self._start = f"/start/{secrets.token_urlsafe(18)}"
        self._is_started = False

    @property
    def start_url(self) -> str:
        """An address here that leads one browser to the question, which itself shows in no process list."""
        return f"http://{self._uri.netloc}{self._start}"

    def __enter__(self) -> LoopbackServer:
        try:
            for family, address in _FAMILIES[self._uri.hostname or ""]:
                self._listen(family, (address, self._uri.port or 80))
        except OSError as error:
            failure = _port_error(self._uri, error.errno)
        else:
            if self._servers:
                return self
            failure = _port_error(self._uri, errno.EADDRNOTAVAIL)
        self.__exit__(None, None, None)
        raise failure

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._servers:
            self._servers.pop().stop()

    def wait(self, seconds: float) -> Secret:
        """The query string of the answer.

        Raises:
            TransportError: nobody answered in that time.
        """
        end = time.monotonic() + seconds
        # In slices: on Windows Ctrl-C does not get through to a thread that waits.
        while not self._answered.wait(min(0.5, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                raise TransportError(
                    f"Nobody came back from Zoho's page within {_format_duration(seconds)}.",
                    hint="Run it again. If the page said 'Invalid Redirect Uri', register exactly "
                    f"{self._uri.geturl()} for the client; if the browser is on another machine, use --paste-url.",
                    code="timeout",
                    operation="login",
                )
        assert self._answer is not None
        return self._answer

    def answer(self, path: str, query: Secret) -> tuple[int, str, Callable[[], None]]:
        """Status, page, and what to do once the page is sent, for a request to one of our own addresses."""
        if path == self._start:
            return 410, page("again"), _noop
        if path != (self._uri.path or "/"):
            return 404, page("nothing"), _noop
        verdict = self._verdict(query)
        with self._lock:
            if not verdict:
                return 400, page("unknown"), _noop
            if self._answer is not None:
                return 410, page("again"), _noop
            self._answer = query
        return 200, page(verdict), self._answered.set

    def redirect_target(self, path: str) -> str:
        """Where `start_url` leads, the first time; "" after that and for any other path."""
        if path != self._start:
            return ""
        with self._lock:
            first, self._is_started = not self._is_started, True
        return self._question.reveal() if first else ""

    def is_expected_host(self, host: str | None) -> bool:
        """Whether the request was meant for this name: another one may be a page that had its name changed to us."""
        return host == self._uri.netloc

    def _listen(self, family: socket.AddressFamily, address: tuple[str, int]) -> None:
        try:
            server = _Server(family, address, self)
        except OSError as error:
            if error.errno in _NO_SUCH_FAMILY:
                return
            raise
        self._servers.append(server)
        server.begin()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], listener: LoopbackServer) -> None:
        self.address_family = family
        self.listener = listener
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="zoho_magic redirect"
        )
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind, to this one address; never ask a name server what this machine is called."""
        # Elsewhere it only ends the wait for a port that was just used; on Windows it would let others share ours.
        alone = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        self.socket.setsockopt(socket.SOL_SOCKET, alone, 1)
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def begin(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in list(self._open):  # a port probe that never said a word
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        super().shutdown_request(request)
        self._open.discard(request)

    def handle_error(self, *_: object) -> None:
        """Say nothing: a traceback would hold the request."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENCE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        owner, found = self.server.listener, urlsplit(self.path)
        after: Callable[[], None] = _noop
        # A page somewhere that loads us as an image or a script is nobody coming back from Zoho.
        is_navigation = self.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        if not owner.is_expected_host(self.headers.get("Host")) or not is_navigation:
            self._send(404, page("nothing"))
        elif question := owner.redirect_target(found.path):
            self._send(302, "", Location=question)
        else:
            status, text, after = owner.answer(found.path, Secret(found.query))
            self._send(status, text)
        after()

    def _send(self, status: int, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response_only(status)
        for name, value in {**_HEADERS, **headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing: the request line holds the code."""


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Connection": "close",
}


def _noop() -> None:
    pass


def _format_duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"


def _checked(redirect_uri: str) -> SplitResult:
    found = urlsplit(redirect_uri)
    if found.scheme != "http" or found.hostname not in _FAMILIES:
        raise CredentialsMissing(
            f"The redirect URI {redirect_uri} is not on this machine, so no browser can come back here.",
            hint="Use %zoho_login --paste-url, or register http://localhost:8976/callback and set ZOHO_REDIRECT_URI.",
        )
    return found


def _port_error(uri: SplitResult, number: int | None) -> ZohoError:
    port = uri.port or 80
    why = "is in use by another program" if number == errno.EADDRINUSE else "may not be used"
    return TransportError(
        f"Port {port}, to which Zoho would send the browser back, {why}.",
        hint="Another sign-in may be waiting in another kernel: end it there. Or use %zoho_login --paste-url.",
        code="port",
        operation="login",
    )
