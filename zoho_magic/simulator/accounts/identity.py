"""Who is who and where: the list of data centres, and the signed-in person's profile."""

from __future__ import annotations

from flask import Response, request

from ..access import authorize
from ..api_refusal import ApiRefusal
from ..context import current_context
from .answers import json_response

__all__ = ["profile", "servers"]

# Accounts has its own names for the API's errors (oauth.md 9); the rest of such a body is not documented.
NAMES = {
    "AUTHENTICATION_FAILURE": "INVALID_OAUTHTOKEN",
    "INVALID_TOKEN": "INVALID_OAUTHTOKEN",
    "OAUTH_SCOPE_MISMATCH": "INVALID_OAUTHSCOPE",
}


def servers() -> Response:
    """GET /oauth/serverinfo: every data centre's accounts server."""
    return json_response({"result": "success", "locations": current_context().origins})


def profile() -> Response:
    """GET /oauth/user/info, for AaaServer.profile.READ."""
    here = current_context()
    try:
        authorize(request, "AaaServer.profile.READ")
    except ApiRefusal as refusal:
        return json_response(
            {**refusal.body, "code": NAMES.get(refusal.body["code"], "INVALID_OAUTHTOKEN")}, refusal.status
        )
    user = here.accounts.user(here.data_centre)
    names = {"First_Name": user.first_name, "Last_Name": user.last_name}
    full = f"{user.first_name} {user.last_name}"
    return json_response({**names, "Display_Name": full, "Email": user.email, "ZUID": user.zuid})
