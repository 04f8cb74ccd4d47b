"""Zoho's token endpoints as plain functions: they take what they need and return a `Token`.

Sources: https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html, .../self-client/overview.html,
.../revoke-refresh-token.html, and the CRM guide's "token validity" page.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..data_centres import is_loopback, trusted_origin
from ..error_catalog import CATALOGUE, error_for
from ..errors import ThrottledError, TransportError, ZohoError, printable
from ..scopes import parse_scopes
from ..secret import MaskedText, Secret

__all__ = [
    "PostForm",
    "Token",
    "TokenResponse",
    "client_credentials",
    "exchange",
    "parse_response",
    "parse_token",
    "refresh",
    "revoke",
    "to_error",
]

THROTTLE_SECONDS = 600.0
_DEFAULT_LIFE = 3600.0
_LONGEST_LIFE_IN_SECONDS = 86_400


class PostForm(Protocol):
    """Sends a form to the accounts server: `Transport.post_form` with `parse_response`."""

    def __call__(self, url: str, form: Mapping[str, str | Secret | None]) -> TokenResponse: ...


class AuthHeaders(Mapping[str, str]):
    """Request headers that carry a token and do not show it."""

    __slots__ = ("_line",)

    def __init__(self, token: Secret) -> None:
        self._line = Secret(f"Zoho-oauthtoken {token.reveal()}")

    def __getitem__(self, name: str) -> str:
        if name != "Authorization":
            raise KeyError(name)
        return MaskedText(self._line.reveal())

    def __iter__(self) -> Iterator[str]:
        return iter(("Authorization",))

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "{'Authorization': 'Zoho-oauthtoken ****'}"


@dataclass(frozen=True, repr=False)
class Token:
    """An access token, and what Zoho said about it.

    Attributes:
        access_token: the token itself, a `Secret`.
        refresh_token: the refresh token that came with it, or None (Zoho sends it once, at the exchange).
        scopes: what the token may do, as Zoho granted it; empty where Zoho did not say.
        api_domain: origin of the CRM API for this token, or "" where Zoho named none that can be trusted.
        expires_at: seconds since the epoch.
        warnings: what a person should know about the answer (no refresh token, an unknown API host).

    Example::

        token = %zoho_token
        requests.get("https://www.zohoapis.com/crm/v8/org", headers=token.headers)
    """

    access_token: Secret
    expires_at: float
    refresh_token: Secret | None = None
    scopes: tuple[str, ...] = ()
    api_domain: str = ""
    warnings: tuple[str, ...] = ()
    clock: Callable[[], float] = time.time

    @property
    def expires_in(self) -> int:
        """Whole seconds left, never negative."""
        return max(0, int(self.expires_at - self.clock()))

    @property
    def headers(self) -> AuthHeaders:
        """Headers for a call of your own; their repr is masked. Send them to Zoho's hosts only.

        Example::

            requests.get(f"{zoho.api}/crm/v8/org", headers=zoho.token.headers)
        """
        return AuthHeaders(self.access_token)

    def reveal(self) -> str:
        """The token as text. As a cell's last line this prints it into the notebook."""
        return self.access_token.reveal()

    def __repr__(self) -> str:
        return f"Token(****, expires in {self.expires_in // 60} min {self.expires_in % 60} s)"


def exchange(
    accounts_url: str,
    *,
    client_id: str,
    client_secret: Secret | None,
    code: Secret,
    redirect_uri: str = "",
    code_verifier: Secret | None = None,
    post: PostForm,
    clock: Callable[[], float] = time.time,
    error_context: Mapping[str, Any] = {},
) -> Token:
    """Exchange a grant code for an access token and, if consent was offline, a refresh token.

    Args:
        accounts_url: origin of the accounts server of the user's data centre.
        client_id: from Zoho's console.
        client_secret: from the same page; None for a mobile or desktop client that has none.
        code: the grant code; it works once, for one to ten minutes.
        redirect_uri: as registered, for server-based and mobile clients; "" for a self client.
        code_verifier: the PKCE verifier, where the consent carried a challenge.
        post: how to send a form.
        clock: seconds since the epoch.
        error_context: what an error's hint may name (console, dc).

    Raises:
        AuthError: Zoho refused the client, the secret, the redirect URI or the code.
        ThrottledError: too many requests; the code is not spent.
        TransportError: nobody answered, or not in Zoho's JSON.
    """
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": client_secret,
        "code": code,
        "redirect_uri": redirect_uri or None,
        "code_verifier": code_verifier,
    }
    token = parse_token(post(_url(accounts_url), form), "exchange", accounts_url, clock, error_context)
    return token if token.refresh_token else _with_note(token, NO_REFRESH_TOKEN_NOTE)


NO_REFRESH_TOKEN_NOTE = (
    "Zoho sent no refresh token, so this connection ends with the access token. Ask for consent with "  # noqa: S105
    "access_type=offline and prompt=consent (a self client's code always brings one)."
)


def refresh(
    accounts_url: str,
    *,
    client_id: str,
    client_secret: Secret | None,
    refresh_token: Secret,
    post: PostForm,
    clock: Callable[[], float] = time.time,
    error_context: Mapping[str, Any] = {},
) -> Token:
    """Request a new access token with a refresh token, which stays valid. Raises as `exchange` does."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": refresh_token,
    }
    return parse_token(post(_url(accounts_url), form), "refresh", accounts_url, clock, error_context)


def client_credentials(
    accounts_url: str,
    *,
    client_id: str,
    client_secret: Secret | None,
    scopes: Sequence[str],
    soid: str,
    post: PostForm,
    clock: Callable[[], float] = time.time,
    error_context: Mapping[str, Any] = {},
) -> Token:
    """An access token for the self client's own account; there is no refresh token, this call is simply repeated.

    Args:
        scopes: joined with commas: this endpoint refuses a list with spaces.
        soid: `ZohoCRM.<organisation id>`.
    Otherwise as `exchange`.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": ",".join(scopes),
        "soid": soid or None,
    }
    return parse_token(post(_url(accounts_url), form), "client credentials", accounts_url, clock, error_context)


def revoke(accounts_url: str, *, token: Secret, post: PostForm, error_context: Mapping[str, Any] = {}) -> None:
    """Revoke a refresh token at Zoho, and with it every access token issued from it.

    Uses `/oauth/v2/token/revoke`, the endpoint of the CRM guide (revoke-tokens.html) and of Zoho's SDK.

    Raises:
        AuthError: Zoho does not know the token (HTTP 400).
        TransportError, ThrottledError: as `exchange`.
    """
    answer = post(f"{accounts_url}/oauth/v2/token/revoke", {"token": token})
    if answer.status == 200 and answer.fields.get("status") == "success":
        return
    if answer.status == 400 and not _is_throttle(answer):
        raise error_for("invalid_code", operation="revoke", **error_context)
    raise to_error(answer, "revoke", error_context)


def _url(accounts_url: str) -> str:
    return f"{accounts_url}/oauth/v2/token"


@dataclass(frozen=True)
class TokenResponse:
    """What Zoho said, tokens as `Secret`; no fields where it was not a JSON object."""

    status: int
    fields: Mapping[str, Any]


def parse_response(response: Any) -> TokenResponse:
    """What Zoho answered to a form, without the response, which remembers the request and its secrets."""
    try:
        fields = json.loads(response.content)
    except (ValueError, RecursionError):
        fields = {}
    return TokenResponse(response.status_code, _wrap_secrets(fields) if isinstance(fields, dict) else {})


def _wrap_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: Secret(v) if _is_secret(k) and isinstance(v, str) else v for k, v in fields.items()}


def _is_secret(key: str) -> bool:
    return key.endswith("_token") or key == "device_code"


def parse_token(
    answer: TokenResponse,
    operation: str,
    accounts_url: str,
    clock: Callable[[], float],
    error_context: Mapping[str, Any],
) -> Token:
    """The token in an answer. Raises as `exchange` for any other answer."""
    # Zoho reports refusals with HTTP 200, so the body decides: an access token is success, anything else is not.
    access = _valid_token(answer.fields.get("access_token"))
    if access is None:
        raise (
            _throttled(operation, error_context)
            if _is_bare_failure(answer)
            else to_error(answer, operation, error_context)
        )
    token = Token(
        access_token=access,
        refresh_token=_valid_token(answer.fields.get("refresh_token")),
        scopes=parse_scopes(printable(answer.fields.get("scope") or "")),
        api_domain=_api_domain(answer.fields, accounts_url),
        expires_at=clock() + _lifetime(answer.fields),
        clock=clock,
    )
    return token if token.api_domain or "api_domain" not in answer.fields else _with_note(token, UNKNOWN_API_NOTE)


UNKNOWN_API_NOTE = (
    "Zoho's answer named an API host that is not in the table of data centres; the data centre's own is used."
)


def _with_note(token: Token, note: str) -> Token:
    return replace(token, warnings=(*token.warnings, note))


def _valid_token(token: object) -> Secret | None:
    # A line break in a header makes requests quote the whole value in its exception.
    if not isinstance(token, Secret):
        return None
    text = token.reveal()
    return token if text and text.isascii() and text.isprintable() and " " not in text else None


def _lifetime(fields: Mapping[str, Any]) -> float:
    """Seconds of life: `expires_in` is in milliseconds when `expires_in_sec` is there, or when it is absurd."""
    seconds, either = _number(fields.get("expires_in_sec")), _number(fields.get("expires_in"))
    if seconds or not either:
        return seconds or _DEFAULT_LIFE
    return either / 1000 if either > _LONGEST_LIFE_IN_SECONDS else either


def _number(value: Any) -> float:
    """A number above zero, or 0.0: a token worth nothing from the start would be requested again at every call."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0


def _api_domain(fields: Mapping[str, Any], accounts_url: str) -> str:
    # A loopback API is believed only from a loopback accounts server.
    return trusted_origin(str(fields.get("api_domain") or ""), loopback=is_loopback(accounts_url)) or ""


def _is_throttle(answer: TokenResponse) -> bool:
    # The words of the throttle are in the user's language; that there is a description of a failure is not.
    error = str(answer.fields.get("error"))
    described = answer.fields.get("status") == "failure" and "error_description" in answer.fields
    return error == "Access Denied" or (described and error not in CATALOGUE) or answer.status == 429


def _is_bare_failure(answer: TokenResponse) -> bool:
    # Without a description it is known from token calls only: a failed revocation may look the same.
    return answer.status == 400 and answer.fields.get("status") == "failure" and not answer.fields.get("error")


def to_error(answer: TokenResponse, operation: str, error_context: Mapping[str, Any]) -> ZohoError:
    """The error for an answer that is not what was asked for."""
    if _is_throttle(answer):
        return _throttled(operation, error_context)
    code = str(answer.fields.get("error") or answer.fields.get("code") or "")
    if not code:
        return _not_zoho(answer.status, operation)
    said = answer.fields.get("error_description") or answer.fields.get("message") or ""
    return error_for(code, operation=operation, zoho_message=str(said), **error_context)


def _throttled(operation: str, error_context: Mapping[str, Any]) -> ThrottledError:
    error = error_for("Access Denied", operation=operation, wait="10 minutes", **error_context)
    assert isinstance(error, ThrottledError)
    error.retry_after = THROTTLE_SECONDS
    return error


def _not_zoho(status: int, operation: str) -> ZohoError:
    return TransportError(
        f"The answer to {operation} (HTTP {status}) is not the JSON that Zoho sends.",
        hint="A proxy or a sign-in page may be in between; open accounts.zoho.com in a browser, then run it again.",
        code=f"HTTP {status}",
        operation=operation,
    )
