"""Adding scopes to a refresh token that exists: the scope enhancement of oauth.md 6."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, request

from ..context import world
from .answers import nothing, parameters, refuse, reply
from .authorize import FAILED, Asked, Mistake, checked, redirect
from .consent import Asking, ask
from .model import RefreshToken, User

__all__ = ["add_scopes", "enhance_token"]

LIFETIME = 600


def enhance_token() -> Response:
    """POST /oauth/v2/token/scopeenhance: a token that allows asking for more, for ten minutes."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return nothing(400)
    here = world()
    with here.accounts.lock:
        client = here.accounts.clients.proven(given, here.data_centre)
        refresh = here.accounts.tokens.refresh(given.get("refresh_token", ""))
        if given["grant_type"] != "update_scopes_token":
            refuse("invalid_client")
        if refresh is None or refresh.grant.client_id != client.id:
            refuse("invalid_code")
        token = here.accounts.tokens.enhancing(refresh, LIFETIME)
    return reply({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})


def add_scopes() -> Response:
    """GET /oauth/v2/token/addextrascope: the person agrees to more; the refresh token then gains those scopes."""
    asked = checked(request.args, ("update_scopes",))
    refresh = world().accounts.tokens.enhanced(request.args.get("enhance_token", ""))
    if refresh is None or refresh.grant.client_id != asked.client.id:
        raise Mistake(*FAILED)
    return ask(
        Asking(
            asked.client,
            asked.scopes,
            accept=lambda user: _accepted(refresh, asked, user),
            reject=lambda: redirect(asked, "?", "error=access_denied"),
        )
    )


def _accepted(refresh: RefreshToken, asked: Asked, _user: User) -> Response:
    both = dict.fromkeys([*refresh.grant.scopes, *asked.scopes])
    refresh.grant = replace(refresh.grant, scopes=tuple(both))
    return redirect(asked, "?", "status=success&scope_enhanced=true")
