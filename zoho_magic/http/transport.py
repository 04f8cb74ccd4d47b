"""Everything HTTP: one pool, retries with jitter for what may be repeated, and no secret in any failure.

`requests` is imported at the first call, so that importing this package stays fast.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..data_centres import is_loopback, trusted_origin
from ..errors import TransportError, ZohoError
from ..fork_safety import renew_after_fork
from ..secret import Secret

if TYPE_CHECKING:
    import requests

__all__ = ["Transport"]

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and seconds of silence before a call is given up."""


IDLE_SECONDS = 45.0
"""How long a connection may be idle and still be used."""
_SILENT = ("ReadTimeout", "ConnectTimeout")


class Transport:
    """Sends requests to trusted hosts and returns whatever they answered, with a body that arrived whole.

    Args:
        trusted: origins a person vouched for in Python, beside Zoho's and loopback.

    Raises (both methods):
        TransportError: nobody answered, the answer broke off, or it pointed at a host that is not Zoho's.
    """

    def __init__(self, trusted: Collection[str] = ()) -> None:
        self._trusted = frozenset(trusted)
        self._pools: dict[tuple[bool, bool], requests.Session] = {}
        self._lock = threading.Lock()
        self._last_use = 0.0
        renew_after_fork(self, _lock=threading.Lock, _pools=dict)

    def post_form(self, url: str, form: Mapping[str, str | Secret | None]) -> requests.Response:
        """POST a form to the accounts server, once, following no redirect; values that are None are left out.

        Credentials go in the body: a URL ends up in logs and in the text of exceptions.
        """

        def send(pool: requests.Session) -> requests.Response:
            fields = {k: v.reveal() if isinstance(v, Secret) else v for k, v in form.items() if v is not None}
            return pool.post(url, data=fields, auth=_no_auth, timeout=TIMEOUT, allow_redirects=False)

        response = self._send_without_leaking(url, False, send)
        response.request.body = None
        return response

    def request(
        self, method: str, url: str, auth: Callable[[Any], Any], idempotent: bool, **options: Any
    ) -> requests.Response:
        """One API call; with `idempotent` it is sent again after 429, 5xx, a lost connection or a cut-off body."""
        options.setdefault("timeout", TIMEOUT)
        response = self._send_without_leaking(
            url, idempotent, lambda pool: pool.request(method, url, auth=auth, **options)
        )
        for answer in (response, *response.history):
            answer.request.headers["Authorization"] = "Zoho-oauthtoken ****"
        return response

    def close(self) -> None:
        """Close every connection; the next call opens new ones."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def _send_without_leaking(
        self, url: str, idempotent: bool, send: Callable[[requests.Session], requests.Response]
    ) -> requests.Response:
        # The frames below hold bodies and headers in their arguments, and %xmode Verbose prints arguments: no
        # exception that passed through them may leave, not even as __context__ of the one raised here.
        origin = trusted_origin(url, extra=self._trusted)
        if origin is None:
            raise _not_sent("That address is not one of Zoho's, so nothing was sent.", _HOST_HINT)
        outcome = _send_or_error(lambda: send(self._pool(idempotent, is_loopback(origin))))
        self._last_use = time.time()
        if isinstance(outcome, BaseException):
            if getattr(outcome, "code", "") in _SILENT:
                self._forget_connections()
            raise outcome
        return outcome

    def _forget_connections(self) -> None:
        """Let the next call open new connections; calls under way keep theirs."""
        with self._lock:
            self._pools = {}

    def _pool(self, idempotent: bool, local: bool) -> requests.Session:
        with self._lock:
            # By the wall clock, which goes on while a laptop sleeps. Firewalls drop idle connections without a word,
            # and the next call on one would wait for its timeout.
            if abs(time.time() - self._last_use) > IDLE_SECONDS:
                self._pools = {}
                self._last_use = time.time()
            if (idempotent, local) not in self._pools:
                from .adapters import make_session

                self._pools[idempotent, local] = make_session(idempotent=idempotent, local=local, trusted=self._trusted)
            return self._pools[idempotent, local]


_HOST_HINT = "Use a path (/crm/v8/...) or a Zoho host over https; vouch for another one with trusted=[...] in Python."


def _no_auth(request: Any) -> Any:
    # Without an auth object requests would add a login from ~/.netrc.
    return request


def _send_or_error(send: Callable[[], requests.Response]) -> requests.Response | BaseException:
    """The answer, or a fresh exception that remembers nothing of the request."""
    from .adapters import REQUEST_ERRORS, error_name

    try:
        return send()
    except KeyboardInterrupt:
        return KeyboardInterrupt()
    except ZohoError as error:
        return copy.copy(error)
    except REQUEST_ERRORS as error:
        return _failure(error_name(error))


_FAILURES = {  # as `pool.named` calls it -> what happened, what to do
    "Unreached": ("Zoho could not be reached.", "Check your connection and proxy, then run it again."),
    "SSLError": ("Zoho's certificate could not be verified.", "Behind a proxy? Set REQUESTS_CA_BUNDLE to its own."),
    "ProxyError": ("The proxy refused the connection.", "Check HTTPS_PROXY."),
    "ConnectTimeout": ("Zoho did not answer in time.", "Check your connection, then run it again."),
    "ReadTimeout": ("Zoho accepted the call but did not answer in time.", "Run it again; a write may have happened."),
    "ConnectionError": ("The connection broke before Zoho answered.", "Run it again; a write may have happened."),
    "ChunkedEncodingError": ("Zoho's answer broke off.", "Run it again; a write may have happened."),
    "ContentDecodingError": ("Zoho's answer could not be unpacked.", "Run it again."),
    "OSError": ("The call could not be prepared.", "Check REQUESTS_CA_BUNDLE, and that files to be sent exist."),
}
# Whatever is not in here may have been sent, and carried out.
_NEVER_SENT = frozenset(
    {
        *("Unreached", "SSLError", "ProxyError", "ConnectTimeout", "OSError"),
        *("InvalidURL", "InvalidSchema", "MissingSchema", "InvalidHeader", "InvalidProxyURL"),
        *("InvalidJSONError", "UnicodeEncodeError", "LocationParseError", "ValueError"),
    }
)
_UNKNOWN = ("The call to Zoho failed ({kind}).", "Check what was passed to the call, then your connection.")


def _failure(kind: str) -> TransportError:
    happened, hint = _FAILURES.get(kind, _UNKNOWN)
    error = TransportError(happened.format(kind=kind), hint=hint, code=kind)
    error.may_have_been_sent = kind not in _NEVER_SENT
    return error


def _not_sent(happened: str, hint: str) -> TransportError:
    error = TransportError(happened, hint=hint)
    error.may_have_been_sent = False
    return error
