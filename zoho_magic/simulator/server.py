"""HTTP on loopback: one threaded server per origin, with keep-alive, and the injected faults.

Werkzeug's own development server closes every connection and lingers 10 ms after each answer, so only its reading of
a request into a WSGI environ is used; each answer is complete in memory and leaves in one write.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import socketserver
import sys
import threading
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.serving import WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from .context import SimulatorContext
from .faults import Fault, Header

__all__ = ["Server"]

NO_FAULT = Fault()
MOST_BYTES = 256 * 1024 * 1024
MISDIRECTED = 421
WRONG_HOST = "This is a local Zoho simulator, not Zoho. It answers to 127.0.0.1 and localhost only."


@dataclass(frozen=True)
class HttpResponse:
    """What goes back; `sent` is how much of the body before the connection is cut (None: all, and it stays open)."""

    status: int
    headers: list[Header]
    body: bytes
    sent: int | None = None


class Handler(WSGIRequestHandler):
    """Reads requests off one connection and writes their answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server  # type: ignore[assignment]

    def run_wsgi(self) -> None:
        """Answer one request, or cut the connection."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        try:
            body = _body(environ)
        except (OSError, ValueError) as error:
            self.close_connection = True  # what follows on the wire may be the rest of this request
            self._write(_refused(HTTPStatus.BAD_REQUEST, f"This request cannot be read: {error}"))
            return
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "zoho.notes": {}}
        answer = self.server.respond(environ) if _is_loopback(environ) else _refused(MISDIRECTED, WRONG_HOST)
        if answer is None:
            self.close_connection = True
        else:
            self._write(answer)

    def _write(self, answer: HttpResponse) -> None:
        reason = HTTPStatus(answer.status).phrase if answer.status in HTTPStatus._value2member_map_ else ""
        lines = [
            f"HTTP/1.1 {answer.status} {reason}",
            "Server: ZGS",
            f"Date: {formatdate(self.server.context.clock.time(), usegmt=True)}",
        ]
        lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() != "content-length"]
        if answer.status not in (204, 304):
            lines.append(f"Content-Length: {len(answer.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.wfile.write(head + (b"" if self.command == "HEAD" else answer.body[: answer.sent]))
        self.close_connection = self.close_connection or answer.sent is not None

    def log(self, *_args: Any) -> None:
        """Say nothing: a request line may carry secrets."""


def _body(environ: dict[str, Any]) -> bytes:
    """The whole body, read before anything else, so that the next request line is next on the wire."""
    if environ.get("wsgi.input_terminated", False):
        return bytes(environ["wsgi.input"].read())
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise ValueError("Content-Length is not a number")
    if int(length) > MOST_BYTES:
        raise ValueError(f"Content-Length is over {MOST_BYTES}")
    return bytes(environ["wsgi.input"].read(int(length)))


def _is_loopback(environ: dict[str, Any]) -> bool:
    """True when the Host header names this machine: a page in a browser cannot reach the server by another name."""
    try:
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:  # a bracket without its other half
        return False
    return host in ("127.0.0.1", "localhost", "::1")


def _refused(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "text/plain;charset=UTF-8")], f"{text}\n".encode())


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """One origin. `start` serves it from daemon threads, `stop` closes every connection and waits for them."""

    allow_reuse_address = os.name != "nt"  # there it would let two servers share a port
    daemon_threads = True
    request_queue_size = 128
    # What Handler.make_environ asks of its server.
    multithread, multiprocess, ssl_context, _server_version = True, False, None, "ZGS"

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.stopping = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._loop = threading.Thread(target=self._accept, name=f"zoho {self.url}", daemon=True)

    def start(self, context: SimulatorContext, app: Flask) -> None:
        """Begin to answer with this app."""
        self.context, self.app = context, app
        self._loop.start()

    def stop(self) -> None:
        """Stop listening, hang up on everyone, and return when every thread is done."""
        self.stopping.set()
        if self._loop.is_alive():
            socket.create_connection(("127.0.0.1", self.server_address[1])).close()  # wakes the loop
            self._loop.join()
        self.server_close()
        with self._lock:
            connections = dict(self._open)
        for connection, thread in connections.items():
            _shut_down(connection)
            thread.join(5)

    def _accept(self) -> None:
        """Instead of `serve_forever`, which wakes up all the time to see whether it should end."""
        while True:
            with contextlib.suppress(OSError):  # a client that went away before it was let in
                connection, address = self.get_request()
                if self.stopping.is_set():
                    self.shutdown_request(connection)
                    return
                self.process_request(connection, address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or sends what is no HTTP, is its own affair: nothing is printed."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a new connection from a thread of its own, where `stop` can find it."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection until it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[request]

    def respond(self, environ: dict[str, Any]) -> HttpResponse | None:
        """The answer to a request, or None when its connection is to be cut; recorded in the request log either way."""
        traffic = self.context.traffic
        with traffic.track() as epoch:
            answer = self._apply_fault(self._next_fault(environ), environ)
            traffic.record(environ, None if answer is None else answer.status, self.context.data_centre, epoch)
        return answer

    def _next_fault(self, environ: dict[str, Any]) -> Fault:
        return self.context.faults.next_for(environ["REQUEST_METHOD"], environ["PATH_INFO"]) or NO_FAULT

    def _apply_fault(self, fault: Fault, environ: dict[str, Any]) -> HttpResponse | None:
        self._pause(fault.delay + self.context.options.latency)
        self.context.clock.advance(fault.advance)
        if fault.reset == "before":
            return None
        real = None if fault.replaces() and not fault.late else self._run_app(environ)
        status, headers, body = fault.answer() if real is None or fault.replaces() else real
        if fault.reset == "after":
            return None
        return HttpResponse(status, headers + list((fault.headers or {}).items()), body, fault.cut(body))

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self.stopping.wait(seconds)

    def _run_app(self, environ: dict[str, Any]) -> tuple[int, list[Header], bytes]:
        chunks, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return int(status.split(" ", 1)[0]), list(headers), b"".join(chunks)


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # already gone
        connection.shutdown(socket.SHUT_RDWR)
