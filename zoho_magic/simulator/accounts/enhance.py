"""Adding scopes to a refresh token that exists: the scope enhancement of oauth.md 6."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, request

from ..context import current_context
from .answers import empty_response, json_response, parameters, refuse
from .authorize import FAILED, AuthorizationErrorPage, AuthorizationRequest, redirect, validate_request
from .consent import show_consent
from .consents import ConsentRequest
from .model import AccountUser, RefreshToken

__all__ = ["add_scopes", "enhance_token"]

LIFETIME = 600


def enhance_token() -> Response:
    """POST /oauth/v2/token/scopeenhance: a token that allows asking for more, for ten minutes."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return empty_response(400)
    here = current_context()
    with here.accounts.lock:
        client = here.accounts.clients.authenticate(given, here.data_centre)
        refresh = here.accounts.tokens.refresh(given.get("refresh_token", ""))
        if given["grant_type"] != "update_scopes_token":
            refuse("invalid_client")
        if refresh is None or refresh.grant.client_id != client.id:
            refuse("invalid_code")
        token = here.accounts.tokens.issue_enhance_token(refresh, LIFETIME)
    return json_response({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})


def add_scopes() -> Response:
    """GET /oauth/v2/token/addextrascope: the person agrees to more; the refresh token then gains those scopes."""
    asked = validate_request(request.args, ("update_scopes",))
    refresh = current_context().accounts.tokens.refresh_token_to_enhance(request.args.get("enhance_token", ""))
    if refresh is None or refresh.grant.client_id != asked.client.id:
        raise AuthorizationErrorPage(*FAILED)
    return show_consent(
        ConsentRequest(
            asked.client,
            asked.scopes,
            accept=lambda user: _add_scopes(refresh, asked, user),
            reject=lambda: redirect(asked, "?", "error=access_denied"),
        )
    )


def _add_scopes(refresh: RefreshToken, asked: AuthorizationRequest, _user: AccountUser) -> Response:
    both = dict.fromkeys([*refresh.grant.scopes, *asked.scopes])
    refresh.grant = replace(refresh.grant, scopes=tuple(both))
    return redirect(asked, "?", "status=success&scope_enhanced=true")
