"""POST /oauth/v2/token: three grants, each checked in the order of oauth.md 13.

Method, `grant_type`, throttle, client, secret, redirect URI, then the code or refresh token itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping

from flask import Response, request

from ..access import record
from ..context import SimulatorContext, current_context
from .answers import empty_response, json_response, parameters, refuse, refuse_throttled
from .model import Client, Code, Grant, RefreshToken
from .scopes import all_known, split_scopes

__all__ = ["token", "tokens_for"]

Given = Mapping[str, str]


def token() -> Response:
    """An access token, or `{"error": ...}` with HTTP 200; 400 for another method or no `grant_type`."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return empty_response(400)
    grant = GRANTS.get(given["grant_type"])
    if grant is None:
        refuse("invalid_client")
    record(request, grant_type=given["grant_type"])
    here = current_context()
    with here.accounts.lock:
        return json_response(grant(here, given))


def tokens_for(
    here: SimulatorContext, grant: Grant, refresh: RefreshToken | None, show_refresh: bool = True
) -> dict[str, object]:
    """A new access token and the response for it. `api_domain` is the user's data centre's."""
    issued: dict[str, object] = {"access_token": here.accounts.tokens.issue_access_token(grant, refresh)}
    if refresh and show_refresh:
        issued["refresh_token"] = refresh.token
    return issued | _token_details(here, grant)


def _token_details(here: SimulatorContext, grant: Grant) -> dict[str, object]:
    seconds = here.options.token_lifetime
    domain = {"api_domain": here.options.api_domain or here.apis[grant.user.data_centre], "token_type": "Bearer"}
    if here.options.legacy_expiry:
        # The shape Zoho's SDK still reads: `expires_in` is milliseconds when `expires_in_sec` is there (oauth.md 3).
        return {"expires_in_sec": seconds, **domain, "expires_in": seconds * 1000}
    return {"scope": " ".join(grant.scopes), **domain, "expires_in": seconds}


def _by_code(here: SimulatorContext, given: Given) -> dict[str, object]:
    accounts = here.accounts
    code = accounts.tokens.code(given.get("code", ""))
    if code and code.offline and _is_of_this_data_centre(here, code) and _too_many_refresh_tokens(here, code.grant):
        refuse_throttled(here.options)
    client = accounts.clients.authenticate(given, here.data_centre)
    if code and not _is_of_this_data_centre(here, code):
        refuse(here.options.wrong_data_centre_error)
    _check_redirect_uri(client, code, given.get("redirect_uri"))
    if code is None or code.grant.client_id != client.id:
        refuse("invalid_code")
    if not _verify_challenge(code.challenge, given.get("code_verifier", "")):
        refuse(here.options.pkce_error)
    accounts.tokens.redeem(given["code"])
    return tokens_for(here, code.grant, _issue_refresh_token(here, code.grant) if code.offline else None)


def _by_refresh_token(here: SimulatorContext, given: Given) -> dict[str, object]:
    accounts = here.accounts
    text = given.get("refresh_token", "")
    refresh = accounts.tokens.refresh(text)
    if (
        refresh
        and _is_of_this_data_centre(here, refresh)
        and accounts.rate_limits.is_full(text, here.options.access_tokens_per_window)
    ):
        refuse_throttled(here.options)
    client = accounts.clients.authenticate(given, here.data_centre)
    if refresh and not _is_of_this_data_centre(here, refresh):
        refuse(here.options.wrong_data_centre_error)
    if refresh is None or refresh.grant.client_id != client.id:
        refuse("invalid_code")
    accounts.rate_limits.record(text)
    return tokens_for(here, refresh.grant, refresh, show_refresh=False)


def _by_client_credentials(here: SimulatorContext, given: Given) -> dict[str, object]:
    """A self client acts as its owner. Limits of this grant are not documented, so there are none."""
    client = here.accounts.clients.authenticate(given, here.data_centre, kind="self")
    scope = given.get("scope", "")
    # This endpoint is reported to refuse scopes separated by spaces (oauth.md 10).
    if re.search(r"\s", scope.strip()) or not all_known(split_scopes(scope)):
        refuse("invalid_scope")
    if given.get("soid") != f"ZohoCRM.{here.options.org_id}":
        refuse("missing_org_info")
    return tokens_for(here, Grant(client.id, here.accounts.user(here.data_centre), split_scopes(scope)), None)


GRANTS: dict[str, Callable[[SimulatorContext, Given], dict[str, object]]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client_credentials,
}


def _too_many_refresh_tokens(here: SimulatorContext, grant: Grant) -> bool:
    return here.accounts.rate_limits.is_full(grant.owner, here.options.refresh_tokens_per_window)


def _issue_refresh_token(here: SimulatorContext, grant: Grant) -> RefreshToken:
    here.accounts.rate_limits.record(grant.owner)
    return here.accounts.tokens.issue_refresh_token(grant)


def _is_of_this_data_centre(here: SimulatorContext, found: Code | RefreshToken) -> bool:
    return found.grant.user.data_centre == here.data_centre


def _check_redirect_uri(client: Client, code: Code | None, redirect_uri: str | None) -> None:
    """A self client's code needs no redirect URI, and one that is not known any more may have been such a code."""
    if code and code.redirect_uri is None:
        return
    if (code or redirect_uri is not None) and redirect_uri not in client.redirect_uris:
        refuse("invalid_redirect_uri")


def _verify_challenge(challenge: tuple[str, str] | None, verifier: str) -> bool:
    if challenge is None:
        return True
    method, expected = challenge
    if not re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return expected == (digest if method == "S256" else verifier)
