"""Zoho's consent page: its address, and the redirect that comes back from it, believed only as far as it was checked.

https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html, .../mobile-and-desktop-apps (PKCE).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..config.credentials import Credentials
from ..data_centres import is_loopback, trusted_origin
from ..error_catalog import error_for
from ..errors import AuthError, ConfigurationError, ZohoError
from ..secret import Secret

__all__ = [
    "REDIRECT_URI",
    "AuthorizationRequest",
    "MatchResult",
    "Redirect",
    "build",
    "parse_query",
    "parse_redirect",
    "query_of_pasted_url",
]

REDIRECT_URI = "http://localhost:8976/callback"
"""Where Zoho sends the browser back to, unless `ZOHO_REDIRECT_URI` says otherwise; registered exactly so."""

MatchResult = Literal["", "accepted", "refused"]
_MOST_FIELDS = 20


@dataclass(frozen=True, repr=False)
class AuthorizationRequest:
    """One question to a person; only the redirect that carries its `state` answers it.

    Attributes:
        url: the consent page. No secret, but it belongs to this question alone.
        redirect_uri: where the answer goes.
        state: what the answer must carry.
        verifier: PKCE: proves at the exchange that the code was asked for here.
    """

    url: str
    redirect_uri: str
    state: Secret
    verifier: Secret

    def match(self, query: Secret) -> MatchResult:
        """Whether a query string answers this question, and how; "" for anything else that knocks."""
        fields = parse_query(query)
        if "error" in fields and "state" not in fields:  # Zoho's page on refusals shows no state
            return "refused"
        if "state" not in fields or not _same(fields["state"], self.state):
            return ""
        return "refused" if "error" in fields else "accepted" if "code" in fields else ""


@dataclass(frozen=True)
class Redirect:
    """What a redirect said: the grant code, and where the account is (`accounts` and `location`, "" where unsaid)."""

    code: Secret
    accounts: str = ""
    location: str = ""


def build(credentials: Credentials) -> AuthorizationRequest:
    """A new question: offline access, always asked, with `state` and PKCE S256.

    Args:
        credentials: client, scopes and redirect URI; its data centre is where the page is.

    Example::

        question = ask(zoho.credentials)
        webbrowser.open(question.url)
    """
    state, verifier = Secret(secrets.token_urlsafe(32)), Secret(secrets.token_urlsafe(48))
    redirect_uri = credentials.redirect_uri or REDIRECT_URI
    query = {
        "client_id": credentials.client_id,
        "response_type": "code",
        "scope": ",".join(credentials.scopes),
        "redirect_uri": redirect_uri,
        "access_type": "offline",
        "prompt": "consent",  # without it Zoho gives a refresh token the first time only
        "state": state.reveal(),
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",  # Zoho's default is plain
    }
    return AuthorizationRequest(
        f"{credentials.accounts}/oauth/v2/auth?{urlencode(query)}", redirect_uri, state, verifier
    )


def parse_redirect(authorization: AuthorizationRequest, query: Secret, credentials: Credentials) -> Redirect:
    """What the redirect with this query string says.

    Raises:
        AuthError: it answers another question, access was refused, or it names an accounts server that is not Zoho's;
            a code is never sent there.
    """
    fields, verdict = parse_query(query), authorization.match(query)
    if verdict == "refused":
        raise error_for(fields["error"].reveal(), operation="consent", **credentials.error_context)
    if verdict != "accepted":
        raise AuthError(
            "That address is not the answer to this sign-in.",
            hint="Use the newest link, and copy the whole address of the page it ends on.",
            code="state",
            operation="consent",
        )
    return Redirect(fields["code"], _server(fields, credentials), _reveal(fields, "location"))


def parse_query(query: Secret) -> dict[str, Secret]:
    """The fields of a query string (a trailing `&` is Zoho's habit); none at all where one comes twice."""
    try:
        pairs = parse_qsl(query.reveal(), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    fields = {name: Secret(value) for name, value in pairs}
    return fields if len(fields) == len(pairs) else {}


def query_of_pasted_url(text: Secret, redirect_uri: str) -> Secret:
    """The query string of a redirected address that somebody pasted.

    Raises:
        ConfigurationError: it is not the redirect URI with something behind it.
    """
    query = _query_if_same_uri(redirect_uri, text)
    if not query:
        raise ConfigurationError(
            f"That is not the address the browser ended on: it begins with {redirect_uri}?",
            hint="Copy the whole address from the browser's address bar, also when the page itself does not load.",
        )
    return query


def _query_if_same_uri(redirect_uri: str, text: Secret) -> Secret:
    typed = html.unescape("".join(text.reveal().split())).strip("'\"`<>,;")
    own = urlsplit(redirect_uri)
    if "://" not in typed and "?" not in typed.lstrip("?") and "state=" in typed:
        return Secret(typed.lstrip("?&"))  # only the query; `state` proves that it is the answer
    try:
        found = urlsplit(typed if "://" in typed else f"{own.scheme}://{typed.lstrip('/')}")
    except ValueError:
        return Secret("")
    same = found.netloc == own.netloc and (found.path or "/") == (own.path or "/")
    return Secret(found.query if same and found.scheme in ("http", "https") else "")


def _server(fields: Mapping[str, Secret], credentials: Credentials) -> str:
    """The accounts server a redirect names. A loopback one is believed only from a loopback Zoho (the simulator)."""
    named = _reveal(fields, "accounts-server")
    origin = trusted_origin(named, extra=credentials.trusted_origins, loopback=is_loopback(credentials.accounts))
    if named and origin is None:
        raise _untrusted_server()
    return origin or ""


def _untrusted_server() -> ZohoError:
    return AuthError(
        "The redirect names an accounts server that is not Zoho's, so nothing was sent there.",
        hint="Somebody may be interfering. Start again, and look at the browser's address bar as you sign in.",
        code="accounts-server",
        operation="consent",
    )


def _reveal(fields: Mapping[str, Secret], name: str) -> str:
    return fields[name].reveal() if name in fields else ""


def _same(one: Secret, other: Secret) -> bool:
    return hmac.compare_digest(one.reveal().encode(errors="replace"), other.reveal().encode())


def _challenge(verifier: Secret) -> str:
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
