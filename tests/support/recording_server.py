"""A host that is not Zoho: it writes down every byte it is sent and answers what it was told to."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType


class Listener:
    """`with Listener(b"HTTP/1.1 401 ...") as host:` then `host.url`, and `host.heard`, one entry a connection.

    The answer may be a function that writes to the socket.
    """

    def __init__(
        self,
        answer: bytes
        | Callable[[socket.socket], None] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.heard.append(_request(connection))
                with suppress(OSError):  # the caller has heard enough
                    connection.sendall(self._answer) if isinstance(self._answer, bytes) else self._answer(connection)


def _request(connection: socket.socket) -> bytes:
    """All of one request: its head, and as much body as that announces."""
    heard, announced = b"", 0
    while b"\r\n\r\n" not in heard or len(heard.partition(b"\r\n\r\n")[2]) < announced:
        part = connection.recv(65536)
        if not part:
            break
        heard += part
        announced = int((re.findall(rb"(?i)content-length: (\d+)", heard) or [0])[0])
    return heard
