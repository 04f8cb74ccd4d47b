"""Everything HTTP: one pool, the one place that decides what is sent again, and no secret in any failure.

`requests` is imported at the first call, so that importing this package stays fast.
"""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..data_centres import is_loopback, trusted_origin
from ..errors import TransportError, ZohoError, capture
from ..fork_safety import renew_after_fork
from ..secret import Secret
from .backoff import ExponentialBackoff, WaitBudget, current_wait_budget, seconds_of
from .call_log import CallLog
from .concurrency_limiter import THROTTLED, ConcurrencyLimiter

if TYPE_CHECKING:
    import requests

__all__ = ["MAX_RESPONSE_BYTES", "Transport"]

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and seconds of silence before a call is given up."""

MAX_RESPONSE_BYTES = 256 << 20
"""Bytes of an answer, unpacked, that are read; the largest pages of records have some 20 MB."""

IDLE_SECONDS = 45.0
"""How long a connection may be idle and still be used."""

_TRANSIENT_STATUS = (500, 502, 503, 504)
_TOO_MANY = 429
_SILENT = ("ReadTimeout", "ConnectTimeout")

T = TypeVar("T")


class Transport:
    """Sends requests to trusted hosts and returns whatever they answered, with a body that arrived whole.

    Args:
        trusted: origins a person vouched for in Python, beside Zoho's and loopback.
        limiter: how many calls of `send` run at once.
        max_response_bytes: bytes of an answer, unpacked, that are read; what is streamed is not counted.
        log: counts every call.

    Raises (both methods):
        TransportError: nobody answered, the answer broke off, or it pointed at a host that is not Zoho's.
    """

    def __init__(
        self,
        trusted: Collection[str] = (),
        *,
        limiter: ConcurrencyLimiter | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        log: CallLog | None = None,
    ) -> None:
        self._trusted = frozenset(trusted)
        self.limiter = limiter or ConcurrencyLimiter()
        self.max_response_bytes = max_response_bytes
        self.log = log or CallLog()
        self._pools: dict[bool, requests.Session] = {}
        self._lock = threading.Lock()
        self._last_use = 0.0
        renew_after_fork(self, _lock=threading.Lock, _pools=dict)

    def post_form(
        self, url: str, form: Mapping[str, str | Secret | None], parse: Callable[[requests.Response], T]
    ) -> T:
        """POST a form to the accounts server, following no redirect, and return what `parse` makes of the answer.

        Credentials go in the body: a URL ends up in logs and in the text of exceptions. The connection is a fresh one:
        an hour lies between two of these calls, and firewalls forget idle connections without a word. What did not
        reach Zoho is sent again, nothing else.

        Args:
            url: on an accounts server.
            form: field -> value; values that are None are left out.
            parse: makes of the answer what may be seen; the answer itself is not returned.
        """
        self._check(url)
        budget, backoff = current_wait_budget(), ExponentialBackoff()
        post = partial(self._post_form, url, form, parse)
        while True:
            begun = time.monotonic()
            outcome = capture(post, _failure)
            self.log.record("POST", url, outcome, time.monotonic() - begun)
            if not isinstance(outcome, BaseException):
                return outcome
            if not (_is_unreached(outcome) and budget.wait(backoff.next_pause(), str(outcome.args[0]))):
                raise outcome

    def send(
        self, method: str, url: str, *, auth: Callable[[Any], Any], idempotent: bool, **options: Any
    ) -> requests.Response:
        """One API call, sent again while that is safe and `max_wait` lasts.

        After a 429, or where Zoho was not reached, any call is sent again: it was not carried out. After a 5xx, a lost
        connection or a cut-off body only with `idempotent`.

        Args:
            method, url: of the call.
            auth: signs it, see `ZohoAuth`.
            idempotent: whether it may be carried out twice.
            options: as for `requests.request`.
        """
        self._check(url)
        options.setdefault("timeout", TIMEOUT)
        call = partial(self._exchange, method, url, auth, options)
        retry = _Retry(current_wait_budget(), self.limiter, idempotent, _can_be_sent_again(options))
        while True:
            begun = time.monotonic()
            with self.limiter.slot():
                outcome = capture(call, _failure)
            self.log.record(method, url, outcome, time.monotonic() - begun)
            if not retry.wait(outcome, time.monotonic() - begun):
                break
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def close(self) -> None:
        """Close every connection; the next call opens new ones."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    # What is below has secrets in clear and runs inside `capture` only.

    def _post_form(
        self, url: str, form: Mapping[str, str | Secret | None], parse: Callable[[requests.Response], T]
    ) -> T:
        fields = {k: v.reveal() if isinstance(v, Secret) else v for k, v in form.items() if v is not None}
        with self._new_pool(is_loopback(url)) as pool:
            return parse(
                pool.post(
                    url,
                    data=fields,
                    auth=_no_auth,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    headers={"Connection": "close"},
                )
            )

    def _exchange(
        self, method: str, url: str, auth: Callable[[Any], Any], options: Mapping[str, Any]
    ) -> requests.Response:
        try:
            response = self._pool(is_loopback(url)).request(method, url, auth=auth, **options)
        except Exception as error:
            if _error_name(error) in _SILENT:
                self._forget_connections()
            raise
        finally:
            self._last_use = time.time()
        for answer in (response, *response.history):
            answer.request.headers["Authorization"] = "Zoho-oauthtoken ****"
        return response

    def _check(self, url: str) -> None:
        if trusted_origin(url, extra=self._trusted) is None:
            raise _not_sent("That address is not one of Zoho's, so nothing was sent.", _HOST_HINT)

    def _forget_connections(self) -> None:
        """Let the next call open new connections; calls under way keep theirs."""
        with self._lock:
            self._pools = {}

    def _pool(self, local: bool) -> requests.Session:
        with self._lock:
            # By the wall clock, which goes on while a laptop sleeps. Firewalls drop idle connections without a word,
            # and the next call on one would wait for its timeout.
            if abs(time.time() - self._last_use) > IDLE_SECONDS:
                self._pools = {}
                self._last_use = time.time()
            if local not in self._pools:
                self._pools[local] = self._new_pool(local)
            return self._pools[local]

    def _new_pool(self, local: bool) -> requests.Session:
        from .adapters import make_session

        return make_session(local=local, trusted=self._trusted, max_body_bytes=self.max_response_bytes)


class _Retry:
    """Whether one call is sent again, and how long after.

    Args:
        budget: what may be waited.
        limiter: is told of throttling and of success.
        idempotent: whether the call may be carried out twice.
        repeatable: whether its body can be sent a second time.
    """

    def __init__(self, budget: WaitBudget, limiter: ConcurrencyLimiter, idempotent: bool, repeatable: bool) -> None:
        self._budget, self._limiter = budget, limiter
        self._idempotent, self._repeatable = idempotent, repeatable
        self._backoff = ExponentialBackoff()
        self._timeouts = 0

    def wait(self, outcome: requests.Response | BaseException, seconds: float) -> bool:
        """Wait for the next try; False if there is none.

        Args:
            outcome: of the last try.
            seconds: that it took.
        """
        if isinstance(outcome, BaseException):
            return self._wait_after_failure(outcome, seconds)
        if outcome.status_code == _TOO_MANY:
            return self._wait_while_throttled(outcome)
        self._limiter.on_success()
        if outcome.status_code not in _TRANSIENT_STATUS or not (self._idempotent and self._repeatable):
            return False
        pause = max(self._backoff.next_pause(), seconds_of(outcome.headers.get("Retry-After", "")) or 0.0)
        return self._budget.wait(pause, f"Zoho answered HTTP {outcome.status_code}.")

    def _wait_while_throttled(self, response: requests.Response) -> bool:
        # With no credits left a later try meets the same, for hours.
        if not self._repeatable or response.headers.get("X-API-CREDITS-REMAINING", "").strip() == "0":
            return False
        asked = seconds_of(response.headers.get("Retry-After", ""))
        if (asked or 0.0) > self._budget.left:
            return False
        self._limiter.on_throttled(asked)
        return self._budget.wait(self._limiter.seconds_blocked(), THROTTLED)

    def _wait_after_failure(self, error: BaseException, seconds: float) -> bool:
        lost = getattr(error, "code", "") in _LOST and self._idempotent and self._repeatable
        if not (lost or _is_unreached(error)):
            return False
        if getattr(error, "code", "") in _SILENT:
            # The first may have been a connection that nobody but this end remembers: the next one is a new one.
            self._timeouts += 1
            self._budget.charge(seconds if self._timeouts > 1 else 0.0)
        return self._budget.wait(self._backoff.next_pause(), str(error.args[0]))


def _can_be_sent_again(options: Mapping[str, Any]) -> bool:
    """Whether every part of the body is there a second time: a file and a generator are used up by the first."""
    files = options.get("files")
    parts = [options.get("data"), *(files.values() if isinstance(files, Mapping) else files or ())]
    flat = [one for part in parts for one in (part if isinstance(part, (tuple, list)) else (part,))]
    return all(one is None or isinstance(one, (str, bytes, Mapping, tuple)) for one in flat)


_HOST_HINT = "Use a path (/crm/v8/...) or a Zoho host over https; vouch for another one with trusted=[...] in Python."


def _no_auth(request: Any) -> Any:
    # Without an auth object requests would add a login from ~/.netrc.
    return request


def _error_name(error: BaseException) -> str:
    from .adapters import error_name

    return error_name(error)


def _failure(error: BaseException) -> BaseException:
    """The error to raise for one that was met: of ours for what a request raises, else itself."""
    from .adapters import REQUEST_ERRORS

    if isinstance(error, ZohoError):
        return copy.copy(error)
    return _transport_error(_error_name(error)) if isinstance(error, REQUEST_ERRORS) else error


def _is_unreached(error: BaseException) -> bool:
    """Whether the call certainly did not reach Zoho, and the next try may."""
    return getattr(error, "code", "") in _UNREACHED


_FAILURES = {  # as `error_name` calls it -> what happened, what to do
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
_UNREACHED = frozenset({"Unreached", "ConnectTimeout"})
_LOST = frozenset({"ReadTimeout", "ConnectionError", "ChunkedEncodingError", "ContentDecodingError"})
# Whatever is not in here may have been sent, and carried out.
_NEVER_SENT = frozenset(
    {
        *("Unreached", "SSLError", "ProxyError", "ConnectTimeout", "OSError"),
        *("InvalidURL", "InvalidSchema", "MissingSchema", "InvalidHeader", "InvalidProxyURL"),
        *("InvalidJSONError", "UnicodeEncodeError", "LocationParseError", "ValueError"),
    }
)
_ADDRESS_ERRORS = ("InvalidSchema", "InvalidURL", "InvalidProxyURL", "LocationParseError", "ValueError")
_PROXY = (
    "The proxy of this machine cannot be used ({kind}).",
    "Correct {variable}: http://host:port; for socks5h:// install PySocks (pip install 'requests[socks]').",
)


def _proxy_variable() -> str:
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
    return next((name for name in names if os.environ.get(name)), "")


_UNKNOWN = ("The call to Zoho failed ({kind}).", "Check what was passed to the call, then your connection.")


def _transport_error(kind: str) -> TransportError:
    happened, hint = _FAILURES.get(kind, _PROXY if kind in _ADDRESS_ERRORS and _proxy_variable() else _UNKNOWN)
    hint = hint.format(variable=_proxy_variable())
    error = TransportError(happened.format(kind=kind), hint=hint, code=kind)
    error.may_have_been_sent = kind not in _NEVER_SENT
    return error


def _not_sent(happened: str, hint: str) -> TransportError:
    error = TransportError(happened, hint=hint)
    error.may_have_been_sent = False
    return error
