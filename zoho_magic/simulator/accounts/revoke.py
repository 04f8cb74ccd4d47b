"""Both documented ways to revoke. A revoked refresh token takes its access tokens along."""

from __future__ import annotations

from flask import Response, request

from ..context import SimulatorContext, current_context
from .answers import OAuthRefusal, empty_response, json_response, parameters
from .model import Client, RefreshToken

__all__ = ["revoke", "revoke_as_client"]


def revoke() -> Response:
    """POST /oauth/v2/token/revoke with a refresh token, no client needed; 400 for one this place does not know."""
    if request.method != "POST":
        return empty_response(400)
    here = current_context()
    with here.accounts.lock:
        refresh = _find_refresh_token(here, request.values.get("token", ""))
        if refresh is None:
            raise _revoke_error(here)
        _revoke(here, refresh)
    return json_response({"status": "success"})


def revoke_as_client() -> Response:
    """POST /oauth/v2/revoke/token: the client by HTTP Basic, `token_type` refresh_token (default) or access_token."""
    given = parameters(request)
    basic = request.authorization
    if request.method != "POST" or basic is None or basic.type != "basic":
        return empty_response(400)
    here = current_context()
    with here.accounts.lock:
        client = here.accounts.clients.authenticate(given, here.data_centre)
        kind = given.get("token_type", "refresh_token")
        ended = kind in REVOKE_BY_TYPE and REVOKE_BY_TYPE[kind](here, client, given.get("token", ""))
    if not ended:
        raise _revoke_error(here)
    return json_response({"status": "success"})


def _end_refresh(here: SimulatorContext, client: Client, text: str) -> bool:
    refresh = _find_refresh_token(here, text)
    if refresh is None or refresh.grant.client_id != client.id:
        return False
    _revoke(here, refresh)
    return True


def _end_access(here: SimulatorContext, client: Client, text: str) -> bool:
    access = here.accounts.access(text, here.data_centre)
    if access is None or access.client_id != client.id:
        return False
    here.accounts.tokens.revoke_access_token(text)
    return True


REVOKE_BY_TYPE = {"refresh_token": _end_refresh, "access_token": _end_access}


def _find_refresh_token(here: SimulatorContext, text: str) -> RefreshToken | None:
    refresh = here.accounts.tokens.refresh(text)
    return refresh if refresh and refresh.grant.user.data_centre == here.data_centre else None


def _revoke(here: SimulatorContext, refresh: RefreshToken) -> None:
    """The next consent counts as a first one again (our reading: the user sees the connection as gone)."""
    here.accounts.tokens.revoke(refresh)
    here.accounts.consents.forget(refresh.grant.owner)


def _revoke_error(here: SimulatorContext) -> OAuthRefusal:
    return OAuthRefusal({"error": here.options.revoke_error}, 400)
