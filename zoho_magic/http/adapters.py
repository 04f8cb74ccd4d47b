"""The `requests` side of `transport`: imported at the first call, because `requests` takes a while to load."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import DecodeError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.util import Retry

from ..data_centres import trusted_origin
from ..errors import TransportError

__all__ = ["REQUEST_ERRORS", "error_name", "make_session"]

RETRIES = 4
BACKOFF_SECONDS = 0.3
MAX_RETRY_AFTER_SECONDS = 120
POOL_MAXSIZE = 32
_TRANSIENT_STATUS = (500, 502, 503, 504)

REQUEST_ERRORS = (requests.exceptions.RequestException, HTTPError, OSError, ValueError)
"""What a request can raise when it fails."""


def error_name(error: BaseException) -> str:
    """What went wrong, in one word: the class in `requests`, or what urllib3 found where that says too little."""
    reason = getattr(next(iter(error.args), None), "reason", None)
    if isinstance(reason, ReadTimeoutError):
        return "ReadTimeout"
    if isinstance(reason, NewConnectionError):
        return "Unreached"
    if isinstance(reason, SSLError) and not isinstance(next(iter(reason.args), None), SSLCertVerificationError):
        return "ConnectionError"
    return type(error).__name__


class RetryPolicy(Retry):
    """Retry without 429: the concurrency limiter paces all calls together."""

    RETRY_AFTER_STATUS_CODES = frozenset({503})

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """As Retry.get_retry_after, two minutes at most. urllib3 has `retry_after_max` for that from 2.6.3 only."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, MAX_RETRY_AFTER_SECONDS)


class BufferedRetryAdapter(HTTPAdapter):
    """Reads the body inside the retry loop: one that breaks off is as repeatable as a lost connection."""

    def send(self, request: Any, stream: bool = False, *args: Any, **kwargs: Any) -> requests.Response:
        """As HTTPAdapter.send, with the body read unless it is streamed."""
        retries = self.max_retries
        while True:
            response = super().send(request, stream, *args, **kwargs)
            if stream or (broken := _read_body(response)) is None:
                return response
            if retries.read == 0:
                raise broken
            retries = retries.increment(request.method, request.url, error=ProtocolError("the body broke off"))
            retries.sleep()


def _read_body(response: requests.Response) -> requests.exceptions.RequestException | None:
    # In one piece: `response.content` reads 10 kB at a time, which takes as long as parsing what was read.
    try:
        response._content = response.raw.read(decode_content=True)
    except (ProtocolError, DecodeError, ReadTimeoutError, SSLError) as error:
        return next(told(error) for kind, told in _REQUESTS_ERRORS.items() if isinstance(error, kind))
    return None


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


def make_session(*, idempotent: bool, local: bool, trusted: frozenset[str]) -> requests.Session:
    """A pool of connections whose calls may be repeated after they were sent, or (idempotent=False) only before.

    Args:
        idempotent: whether 5xx, a lost connection and a cut-off body lead to another try.
        local: whether it talks to this machine; a proxy from the environment has no business in between.
        trusted: origins beside Zoho's that a redirect may stay on.
    """
    attempts = RETRIES if idempotent else 0
    patience = RetryPolicy(
        total=RETRIES,
        connect=RETRIES,
        read=attempts,
        status=attempts,
        other=attempts,
        status_forcelist=_TRANSIENT_STATUS if idempotent else (),
        allowed_methods=None,
        backoff_factor=BACKOFF_SECONDS,
        backoff_jitter=BACKOFF_SECONDS,
        raise_on_status=False,
    )
    pool = SameOriginSession(trusted)
    pool.trust_env = not local
    pool.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # every call stands for itself
    for scheme in ("https://", "http://"):
        pool.mount(scheme, BufferedRetryAdapter(max_retries=patience, pool_maxsize=POOL_MAXSIZE))
    return pool
