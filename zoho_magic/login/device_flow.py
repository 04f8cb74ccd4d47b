"""Signing in on another device: Zoho's own device flow, one call at a time.

https://www.zoho.com/accounts/protocol/oauth/limited-input-devices.html: its grant types are Zoho's, not RFC 8628's, its
times are milliseconds, and the account may turn out to be in another data centre, where the asking then goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..auth import oauth
from ..auth.oauth import PostForm, Token, TokenResponse
from ..config.credentials import Credentials
from ..data_centres import trusted_origin
from ..error_catalog import error_for
from ..errors import ThrottledError, TransportError, ZohoError
from ..http.backoff import wait_budget
from ..secret import Secret
from . import account_location
from .prompts import LoginInstructions

__all__ = ["DeviceLogin", "Step"]

SLOW_DOWN_INTERVAL = 30.0  # "only one request per 30 seconds", though `interval` says 5
_INTERVAL, _LIFE = 5.0, 300.0


@dataclass(frozen=True)
class Step:
    """Where a device login is: the token once there is one, else how many seconds to wait before the next `poll`."""

    retry_in: float = 0.0
    token: Token | None = None


@dataclass(repr=False)
class DeviceLogin:
    """One code waiting for its person. `poll()` makes at most one call and never waits; see `begin`.

    Attributes:
        credentials: as in use now; they change when the account is found in another data centre.
        user_code, link: what to type, and where.
        complete: the link with the code in it, for a QR code.
        expires_at: by the session's clock.
    """

    credentials: Credentials
    user_code: str
    link: str
    verification_uri_complete: str
    expires_at: float
    _device_code: Secret
    _interval: float
    _next_at: float
    _post: PostForm
    _get: account_location.Get
    _clock: Callable[[], float]
    _asked: Credentials

    @classmethod
    def begin(
        cls, credentials: Credentials, post: PostForm, get: account_location.Get, clock: Callable[[], float]
    ) -> DeviceLogin:
        """Ask Zoho for a code.

        Raises:
            AuthError: Zoho does not know the client (only a "non-browser" client may do this) or a scope.
            ThrottledError, TransportError: too often, or nobody answered.
        """
        answer = post(f"{credentials.accounts}/oauth/v3/device/code", _request(credentials))
        code, user_code = answer.fields.get("device_code"), answer.fields.get("user_code")
        if not isinstance(code, Secret) or not user_code:
            refused = oauth.to_error(answer, "device", credentials.error_context)
            raise account_location.with_data_centre_hint(refused, credentials, credentials, post, get)
        seconds, now = _seconds(answer, "interval", 1000, _INTERVAL), clock()
        link = _link(answer, "verification_url", credentials) or f"{credentials.accounts}/oauth/v3/device"
        return cls(
            credentials=credentials,
            user_code=str(user_code),
            link=link,
            verification_uri_complete=_link(answer, "verification_uri_complete", credentials) or link,
            expires_at=now + _seconds(answer, "expires_in", 10_000, _LIFE),
            _device_code=code,
            _interval=seconds,
            _next_at=now + seconds,
            _post=post,
            _get=get,
            _clock=clock,
            _asked=credentials,
        )

    @property
    def seconds_left(self) -> int:
        """How long the code is still good for."""
        return max(0, int(self.expires_at - self._clock()))

    @property
    def instructions(self) -> LoginInstructions:
        """What the person is told."""
        steps = ("Open it on any device, sign in, and check that the code is the same.",)
        title = "Sign in to Zoho on any device"
        return LoginInstructions(
            title, self.link, steps, self.user_code, self.verification_uri_complete, self.seconds_left
        )

    def poll(self) -> Step:
        """Ask Zoho whether the person has agreed, if it is time to ask.

        Raises:
            AuthError: she refused, the code expired, or the client is not known where her account is.
            ThrottledError: Zoho blocks the client for a while.
        """
        if (early := self._next_at - self._clock()) > 0:
            return Step(early)
        try:
            with wait_budget(0.0):  # whoever polls must not wait
                answer = self._post(f"{self.credentials.accounts}/oauth/v3/device/token", self._form())
        except TransportError:
            return self._schedule_next_poll()  # a network that comes and goes ends nothing before the code does
        return self._handle_response(answer)

    def _handle_response(self, answer: TokenResponse) -> Step:
        error = answer.fields.get("error")
        if error == "authorization_pending":
            return self._schedule_next_poll()
        if error == "slow_down":
            self._interval = max(self._interval, SLOW_DOWN_INTERVAL)
            return self._schedule_next_poll()
        if error == "other_dc":
            return self._switch_data_centre(str(answer.fields.get("user_location") or ""))
        try:
            facts = self.credentials.error_context
            return Step(token=oauth.parse_token(answer, "device", self.credentials.accounts, self._clock, facts))
        except ZohoError as refused:
            failure = refused
        raise self._explained(failure)

    def _schedule_next_poll(self) -> Step:
        if (left := self.expires_at - self._clock()) <= 0:
            raise error_for("expired", operation="device", **self.credentials.error_context)
        self._next_at = self._clock() + min(self._interval, left)
        return Step(self._next_at - self._clock())

    def _switch_data_centre(self, location: str) -> Step:
        before = self.credentials
        self.credentials = account_location.credentials_for_location(before, "", location, self._get)
        if self.credentials is before:  # it would send us round in circles
            raise error_for("other_dc", operation="device", **before.error_context)
        self._next_at = self._clock()
        return Step(0.0)

    def _explained(self, error: ZohoError) -> ZohoError:
        if isinstance(error, ThrottledError):
            return error
        return account_location.with_data_centre_hint(error, self._asked, self.credentials, self._post, self._get)

    def _form(self) -> dict[str, str | Secret | None]:
        return {
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "grant_type": "device_token",
            "code": self._device_code,
        }


def _request(credentials: Credentials) -> dict[str, str | Secret | None]:
    return {
        "client_id": credentials.client_id,
        "grant_type": "device_request",
        "scope": ",".join(credentials.scopes),
        "access_type": "offline",  # the default, online, brings no refresh token
        "prompt": "consent",
    }


def _seconds(answer: TokenResponse, name: str, milliseconds_from: float, default: float) -> float:
    """Milliseconds as Zoho sends them, or seconds as RFC 8628 and some of Zoho's pages have it."""
    value: Any = answer.fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 10**9:
        return default
    return value / 1000 if value >= milliseconds_from else float(value)


def _link(answer: TokenResponse, name: str, credentials: Credentials) -> str:
    url = str(answer.fields.get(name) or "")
    return (
        url if trusted_origin(url, extra={credentials.accounts, *credentials.trusted_origins}, loopback=False) else ""
    )
