"""GET /oauth/v2/auth: the consent page, error pages that never redirect, and the redirect back.

Only a rejection reaches the redirect URI; every other error is a page (oauth.md 2). What the real endpoint says to an
unknown `code_challenge_method` or a missing challenge is not documented: here "An error occurred".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import Response, request

from ..context import SimulatorContext, current_context
from .answers import empty_response
from .consent import show_consent
from .consents import ConsentRequest
from .model import AccountUser, Client, Code, Grant
from .pages import error_page
from .scopes import all_known, split_scopes

__all__ = [
    "AuthorizationErrorPage",
    "AuthorizationRequest",
    "authorize",
    "redirect",
    "refresh_implicit_token",
    "validate_request",
]

Given = Mapping[str, str]


class AuthorizationErrorPage(Exception):  # noqa: N818 - a page, as much as an error
    """The request cannot be answered by a redirect; the person sees a page instead."""

    def __init__(self, title: str, text: str, status: int | None = None) -> None:
        super().__init__(title)
        self.title = title
        self.text = text
        self.status = status

    def page(self) -> Response:
        """The page they see."""
        return error_page(self.title, self.text, self.status or current_context().options.error_page_status)


FAILED = ("An error occurred", "We are unable to process your request.", 500)


@dataclass(frozen=True)
class AuthorizationRequest:
    """An authorization request that passed every check."""

    client: Client
    response_type: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    offline: bool
    prompt: bool
    challenge: tuple[str, str] | None


def authorize() -> Response:
    """The consent page for a valid request, an error page for another; 400 for a method other than GET."""
    if request.method != "GET":
        return empty_response(400)
    asked = validate_request(request.args, ("code", "token"))
    return show_consent(
        ConsentRequest(
            asked.client,
            asked.scopes,
            accept=lambda user: _redirect_accepted(current_context(), asked, user),
            reject=lambda: redirect(asked, "?", "error=access_denied"),
            prompt=asked.prompt,
        )
    )


def refresh_implicit_token() -> Response:
    """GET /oauth/v2/auth/refresh: a JavaScript client's new token without a page.

    Its errors are documented by name only; they are put where the token would have been.
    """
    here = current_context()
    asked = validate_request(request.args, ("token",))
    user = here.accounts.user(here.options.user_data_centre or here.data_centre)
    if not here.accounts.consents.has_consented((asked.client.id, user.zuid, user.data_centre)):
        return redirect(asked, "#&", "error=client_not_granted")
    if asked.prompt:
        return redirect(asked, "#&", "error=prompt_required")
    return _redirect_with_token(here, asked, user)


def validate_request(given: Given, response_types: tuple[str, ...]) -> AuthorizationRequest:
    """The request, if nothing is wrong with it. Raises `AuthorizationErrorPage`."""
    response_type = _response_type(given, response_types)
    client = _client(given, response_type)
    scopes = split_scopes(given.get("scope", ""))
    if not all_known(scopes):
        raise AuthorizationErrorPage("Invalid OAuth scope", "Scope does not exist.")
    if given.get("redirect_uri", "") not in client.redirect_uris:
        raise AuthorizationErrorPage(
            "Invalid Redirect Uri", "Redirect URI passed does not match with the one configured."
        )
    return AuthorizationRequest(
        client=client,
        response_type=response_type,
        redirect_uri=given["redirect_uri"],
        scopes=scopes,
        state=given.get("state"),
        offline=given.get("access_type") == "offline",
        prompt=given.get("prompt") == "consent",
        challenge=_challenge(given),
    )


def redirect(asked: AuthorizationRequest, mark: str, answer: str) -> Response:
    """Back to the client: after `mark` comes the state (its place is not documented), then the answer."""
    state = f"state={quote(asked.state, safe='')}&" if asked.state is not None else ""
    joint = "&" if mark == "?" and "?" in asked.redirect_uri else mark
    return Response(b"", 302, {"Location": f"{asked.redirect_uri}{joint}{state}{answer}"})


def _response_type(given: Given, allowed: tuple[str, ...]) -> str:
    if not given.get("client_id") or not given.get("response_type"):
        raise AuthorizationErrorPage("Invalid response type", "Client ID or response type is missing.")
    if given["response_type"] not in allowed:
        raise AuthorizationErrorPage(*FAILED)
    return given["response_type"]


def _client(given: Given, response_type: str) -> Client:
    here = current_context()
    client = here.accounts.clients.find(given["client_id"], here.data_centre)
    if client is None or (response_type == "token" and "javascript" not in client.kinds):
        raise AuthorizationErrorPage("Invalid Client", "Client ID passed does not exist.")
    return client


def _challenge(given: Given) -> tuple[str, str] | None:
    """PKCE, with Zoho's default method `plain`."""
    challenge, method = given.get("code_challenge"), given.get("code_challenge_method", "plain")
    if method not in ("plain", "S256") or (challenge is None and current_context().options.require_pkce):
        raise AuthorizationErrorPage(*FAILED)
    return None if challenge is None else (method, challenge)


def _redirect_accepted(here: SimulatorContext, asked: AuthorizationRequest, user: AccountUser) -> Response:
    if asked.response_type == "token":
        return _redirect_with_token(here, asked, user)
    accounts = here.accounts
    key = ("codes", asked.client.id)
    if accounts.rate_limits.is_full(key, here.options.codes_per_window):
        return redirect(asked, "?", "error=access_denied")
    accounts.rate_limits.record(key)
    return redirect(asked, "?", f"{_code_query(here, asked, user)}&")


def _code_query(here: SimulatorContext, asked: AuthorizationRequest, user: AccountUser) -> str:
    """The query of a successful redirect, as captured: `accounts-server` encoded, and the caller adds a last `&`."""
    grant = Grant(asked.client.id, user, asked.scopes)
    offline = asked.offline and (asked.prompt or not here.accounts.consents.has_offline_consent(grant.owner))
    here.accounts.consents.remember(grant.owner, asked.offline)
    expires = here.clock.time() + here.options.code_lifetime
    code = here.accounts.tokens.issue_code(Code(grant, expires, offline, asked.redirect_uri, asked.challenge))
    return urlencode({"code": code, "location": user.data_centre, "accounts-server": here.origins[user.data_centre]})


def _redirect_with_token(here: SimulatorContext, asked: AuthorizationRequest, user: AccountUser) -> Response:
    """The token itself in the fragment, which begins `#&` as documented. Never a refresh token."""
    grant = Grant(asked.client.id, user, asked.scopes)
    here.accounts.consents.remember(grant.owner, offline=False)
    token = here.accounts.tokens.issue_access_token(grant)
    domain = here.options.api_domain or here.apis[user.data_centre]
    seconds = here.options.token_lifetime
    place = user.data_centre
    return redirect(asked, "#&", f"access_token={token}&expires_in={seconds}&location={place}&api_domain={domain}")
