"""Both documented ways to revoke. A revoked refresh token takes its access tokens along."""

from __future__ import annotations

from flask import Response, request

from ..context import World, world
from .answers import Refused, nothing, parameters, reply
from .model import Client, RefreshToken

__all__ = ["revoke", "revoke_as_client"]


def revoke() -> Response:
    """POST /oauth/v2/token/revoke with a refresh token, no client needed; 400 for one this place does not know."""
    if request.method != "POST":
        return nothing(400)
    here = world()
    with here.accounts.lock:
        refresh = _here(here, request.values.get("token", ""))
        if refresh is None:
            raise _failed(here)
        _end(here, refresh)
    return reply({"status": "success"})


def revoke_as_client() -> Response:
    """POST /oauth/v2/revoke/token: the client by HTTP Basic, `token_type` refresh_token (default) or access_token."""
    given = parameters(request)
    basic = request.authorization
    if request.method != "POST" or basic is None or basic.type != "basic":
        return nothing(400)
    here = world()
    with here.accounts.lock:
        client = here.accounts.clients.proven(given, here.data_centre)
        kind = given.get("token_type", "refresh_token")
        ended = kind in WAYS and WAYS[kind](here, client, given.get("token", ""))
    if not ended:
        raise _failed(here)
    return reply({"status": "success"})


def _end_refresh(here: World, client: Client, text: str) -> bool:
    refresh = _here(here, text)
    if refresh is None or refresh.grant.client_id != client.id:
        return False
    _end(here, refresh)
    return True


def _end_access(here: World, client: Client, text: str) -> bool:
    access = here.accounts.access(text, here.data_centre)
    if access is None or access.client_id != client.id:
        return False
    here.accounts.tokens.forget(text)
    return True


WAYS = {"refresh_token": _end_refresh, "access_token": _end_access}


def _here(here: World, text: str) -> RefreshToken | None:
    refresh = here.accounts.tokens.refresh(text)
    return refresh if refresh and refresh.grant.user.data_centre == here.data_centre else None


def _end(here: World, refresh: RefreshToken) -> None:
    """The next consent counts as a first one again (our reading: the user sees the connection as gone)."""
    here.accounts.tokens.close(refresh)
    here.accounts.consents.forget(refresh.grant.owner)


def _failed(here: World) -> Refused:
    return Refused({"error": here.options.revoke_error}, 400)
