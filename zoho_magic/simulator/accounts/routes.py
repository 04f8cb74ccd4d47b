"""The accounts server's addresses."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response

from .answers import OAuthRefusal, json_response
from .authorize import AuthorizationErrorPage, authorize, refresh_implicit_token
from .consent import submit_consent
from .device import device_code, device_page, device_token
from .enhance import add_scopes, enhance_token
from .exchange import token
from .identity import profile, servers
from .revoke import revoke, revoke_as_client

__all__ = ["accounts_blueprint"]

ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]  # what they say to a wrong method is theirs to decide
ROUTES = (
    ("/oauth/v2/auth", authorize, ANY),
    ("/oauth/v2/auth/refresh", refresh_implicit_token, ["GET"]),
    ("/oauth/v2/auth/consent", submit_consent, ["POST"]),
    ("/oauth/v2/token", token, ANY),
    ("/oauth/v2/token/revoke", revoke, ANY),
    ("/oauth/v2/revoke/token", revoke_as_client, ANY),
    ("/oauth/v2/token/scopeenhance", enhance_token, ANY),
    ("/oauth/v2/token/addextrascope", add_scopes, ["GET"]),
    ("/oauth/v3/device", device_page, ["GET"]),
    ("/oauth/v3/device/code", device_code, ANY),
    ("/oauth/v3/device/token", device_token, ANY),
    ("/oauth/serverinfo", servers, ["GET"]),
    ("/oauth/user/info", profile, ["GET"]),
)


def accounts_blueprint() -> Blueprint:
    """Everything below /oauth, ready to register."""
    blueprint = Blueprint("accounts", __name__)
    for path, view, methods in ROUTES:
        blueprint.add_url_rule(path, view_func=view, methods=methods)
    blueprint.register_error_handler(OAuthRefusal, lambda refusal: json_response(refusal.body, refusal.status))
    blueprint.register_error_handler(AuthorizationErrorPage, lambda error: error.page())
    blueprint.after_request(_like_zoho)
    return blueprint


def _like_zoho(response: Response) -> Response:
    """The headers and cookies of a captured answer (oauth.md 3)."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-XSS-Protection"] = "1"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Content-Language"] = "en-US"
    for cookie in ("iamcsr", "_zcsr_tmp"):
        response.set_cookie(cookie, secrets.token_hex(16), path="/")
    return response
