"""POST /oauth/v2/token: three grants, each checked in the order of oauth.md 13.

Method, `grant_type`, throttle, client, secret, redirect URI, then the code or refresh token itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping

from flask import Response, request

from ..access import note
from ..context import World, world
from .answers import nothing, parameters, refuse, reply, throttled
from .model import Client, Code, Grant, RefreshToken
from .scopes import known, split

__all__ = ["token", "tokens_for"]

Given = Mapping[str, str]


def token() -> Response:
    """An access token, or `{"error": ...}` with HTTP 200; 400 for another method or no `grant_type`."""
    given = parameters(request)
    if request.method != "POST" or not given.get("grant_type"):
        return nothing(400)
    grant = GRANTS.get(given["grant_type"])
    if grant is None:
        refuse("invalid_client")
    note(request, grant_type=given["grant_type"])
    here = world()
    with here.accounts.lock:
        return reply(grant(here, given))


def tokens_for(here: World, grant: Grant, refresh: RefreshToken | None, show_refresh: bool = True) -> dict[str, object]:
    """Mint an access token and word the answer. `api_domain` is the user's data centre's."""
    minted: dict[str, object] = {"access_token": here.accounts.tokens.mint(grant, refresh)}
    if refresh and show_refresh:
        minted["refresh_token"] = refresh.token
    return minted | _particulars(here, grant)


def _particulars(here: World, grant: Grant) -> dict[str, object]:
    seconds = here.options.token_lifetime
    domain = {"api_domain": here.options.api_domain or here.apis[grant.user.data_centre], "token_type": "Bearer"}
    if here.options.legacy_expiry:
        # The shape Zoho's SDK still reads: `expires_in` is milliseconds when `expires_in_sec` is there (oauth.md 3).
        return {"expires_in_sec": seconds, **domain, "expires_in": seconds * 1000}
    return {"scope": " ".join(grant.scopes), **domain, "expires_in": seconds}


def _by_code(here: World, given: Given) -> dict[str, object]:
    accounts = here.accounts
    code = accounts.tokens.code(given.get("code", ""))
    if code and code.offline and _is_home(here, code) and _opened_too_many(here, code.grant):
        throttled(here.options)
    client = accounts.clients.proven(given, here.data_centre)
    if code and not _is_home(here, code):
        refuse(here.options.wrong_data_centre_error)
    _redirect_matches(client, code, given.get("redirect_uri"))
    if code is None or code.grant.client_id != client.id:
        refuse("invalid_code")
    if not _verified(code.challenge, given.get("code_verifier", "")):
        refuse(here.options.pkce_error)
    accounts.tokens.use(given["code"])
    return tokens_for(here, code.grant, _opened(here, code.grant) if code.offline else None)


def _by_refresh_token(here: World, given: Given) -> dict[str, object]:
    accounts = here.accounts
    text = given.get("refresh_token", "")
    refresh = accounts.tokens.refresh(text)
    if refresh and _is_home(here, refresh) and accounts.lately.full(text, here.options.mints_per_window):
        throttled(here.options)
    client = accounts.clients.proven(given, here.data_centre)
    if refresh and not _is_home(here, refresh):
        refuse(here.options.wrong_data_centre_error)
    if refresh is None or refresh.grant.client_id != client.id:
        refuse("invalid_code")
    accounts.lately.note(text)
    return tokens_for(here, refresh.grant, refresh, show_refresh=False)


def _by_client_credentials(here: World, given: Given) -> dict[str, object]:
    """A self client acts as its owner. Limits of this grant are not documented, so there are none."""
    client = here.accounts.clients.proven(given, here.data_centre, kind="self")
    scope = given.get("scope", "")
    # This endpoint is reported to refuse scopes separated by spaces (oauth.md 10).
    if re.search(r"\s", scope.strip()) or not known(split(scope)):
        refuse("invalid_scope")
    if given.get("soid") != f"ZohoCRM.{here.options.org_id}":
        refuse("missing_org_info")
    return tokens_for(here, Grant(client.id, here.accounts.user(here.data_centre), split(scope)), None)


GRANTS: dict[str, Callable[[World, Given], dict[str, object]]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client_credentials,
}


def _opened_too_many(here: World, grant: Grant) -> bool:
    return here.accounts.lately.full(grant.owner, here.options.refresh_tokens_per_window)


def _opened(here: World, grant: Grant) -> RefreshToken:
    here.accounts.lately.note(grant.owner)
    return here.accounts.tokens.open(grant)


def _is_home(here: World, found: Code | RefreshToken) -> bool:
    return found.grant.user.data_centre == here.data_centre


def _redirect_matches(client: Client, code: Code | None, redirect_uri: str | None) -> None:
    """A self client's code needs no redirect URI, and one that is not known any more may have been such a code."""
    if code and code.redirect_uri is None:
        return
    if (code or redirect_uri is not None) and redirect_uri not in client.redirect_uris:
        refuse("invalid_redirect_uri")


def _verified(challenge: tuple[str, str] | None, verifier: str) -> bool:
    if challenge is None:
        return True
    method, expected = challenge
    if not re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return expected == (digest if method == "S256" else verifier)
