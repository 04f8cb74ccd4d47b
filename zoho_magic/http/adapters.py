"""The `requests` side of `transport`: imported at the first call, because `requests` takes a while to load."""

from __future__ import annotations

import http.client
import io
import socket
import time
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import DecodeError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError

from ..data_centres import trusted_origin
from ..errors import TransportError

__all__ = ["REQUEST_ERRORS", "error_name", "make_session"]

POOL_MAXSIZE = 32
MAX_ANSWER_SECONDS = 900.0
"""Seconds from the end of a request to the end of its answer: one byte a second is not silence, and never ends."""
_CHUNK_BYTES = 1 << 18

REQUEST_ERRORS = (requests.exceptions.RequestException, HTTPError, OSError, ValueError)
"""What a request can raise when it fails."""


def error_name(error: BaseException) -> str:
    """What went wrong, in one word: the class in `requests`, or what urllib3 found where that says too little."""
    reason = getattr(next(iter(error.args), None), "reason", next(iter(error.args), None))
    if isinstance(reason, ReadTimeoutError):
        return "ReadTimeout"
    if isinstance(reason, NewConnectionError):
        return "Unreached"
    if isinstance(reason, SSLError) and not isinstance(next(iter(reason.args), None), SSLCertVerificationError):
        return "ConnectionError"
    return type(error).__name__


class _TimedReader(io.RawIOBase):
    """Reads a socket until a moment, however steadily bytes come in."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._silence = sock.gettimeout()
        self._deadline = time.monotonic() + MAX_ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        if self._silence is not None and left < self._silence:
            self._socket.settimeout(left)
        found: int | None = self._raw.readinto(buffer)
        return found

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedTlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


_POOL_CLASSES = {"http": _Pool, "https": _TlsPool}


class BufferedAdapter(HTTPAdapter):
    """Reads the whole body before it returns, up to a size; never sends anything twice.

    Args:
        max_body_bytes: bytes of a body, unpacked. What is streamed is not counted.
    """

    def __init__(self, max_body_bytes: int, **options: Any) -> None:
        self._max_body_bytes = max_body_bytes
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As HTTPAdapter.init_poolmanager, with a limit on the time of an answer."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOL_CLASSES

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """As HTTPAdapter.proxy_manager_for, with a limit on the time of an answer."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOL_CLASSES
        return manager

    def send(self, request: Any, stream: bool = False, *args: Any, **kwargs: Any) -> requests.Response:
        """As HTTPAdapter.send, with the body read unless it is streamed."""
        response = super().send(request, stream, *args, **kwargs)
        if not stream:
            self._read_body(response)
        return response

    def _read_body(self, response: requests.Response) -> None:
        # `response.content` reads 10 kB at a time, which takes as long as parsing what was read.
        try:
            response._content = self._parts(response)
        except (ProtocolError, DecodeError, ReadTimeoutError, SSLError) as error:
            raise next(told(error) for kind, told in _REQUESTS_ERRORS.items() if isinstance(error, kind)) from error

    def _parts(self, response: requests.Response) -> bytes:
        parts, size = [], 0
        while part := response.raw.read(_CHUNK_BYTES, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > self._max_body_bytes:
                response.close()
                raise _too_large(self._max_body_bytes)
        return b"".join(parts)


def _too_large(most: int) -> TransportError:
    return TransportError(
        f"Zoho's answer is larger than {most >> 20} MiB, so the rest was not read.",
        hint="Ask for fewer rows or fields; max_response_bytes of the session sets the limit.",
        code="TooLarge",
    )


# What `response.content` would have raised.
_REQUESTS_ERRORS: dict[type[HTTPError], type[requests.exceptions.RequestException]] = {
    ProtocolError: requests.exceptions.ChunkedEncodingError,
    DecodeError: requests.exceptions.ContentDecodingError,
    ReadTimeoutError: requests.exceptions.ConnectionError,
    SSLError: requests.exceptions.SSLError,
}


class SameOriginSession(requests.Session):
    """Follows a redirect only to the host that sent it."""

    def __init__(self, trusted: frozenset[str]) -> None:
        super().__init__()
        self._trusted = trusted

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """As Session.get_redirect_target; raises TransportError for another host."""
        target = super().get_redirect_target(resp)
        if target and self._origin(urljoin(resp.url, target)) != self._origin(resp.url):
            raise TransportError(
                "Zoho's answer pointed to another host; it was not followed.",
                hint="Check ZOHO_DC, and any proxy in between.",
            )
        return target

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Keep the token: the host is the same, and ~/.netrc has no business here."""

    def _origin(self, url: str) -> str | None:
        return trusted_origin(url, extra=self._trusted)


def make_session(*, local: bool, trusted: frozenset[str], max_body_bytes: int) -> requests.Session:
    """A pool of connections. It tries each call once: `Transport` decides what is sent again.

    Args:
        local: whether it talks to this machine; a proxy from the environment has no business in between.
        trusted: origins beside Zoho's that a redirect may stay on.
        max_body_bytes: see `BufferedAdapter`.
    """
    pool = SameOriginSession(trusted)
    pool.trust_env = not local
    pool.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # every call stands for itself
    for scheme in ("https://", "http://"):
        pool.mount(scheme, BufferedAdapter(max_body_bytes, max_retries=0, pool_maxsize=POOL_MAXSIZE))
    return pool
