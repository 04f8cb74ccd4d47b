"""Who is calling the API, and whether their scopes allow it.

Scopes read `service.name[.name...].OPERATION`: a shorter name covers what is below it, ALL covers every
operation, WRITE is CREATE, UPDATE and DELETE, and letter case does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Request

from .accounts.model import Access
from .api_refusal import ApiRefusal
from .context import current_context

__all__ = ["authorize", "covers", "record"]

SCHEMES = ("zoho-oauthtoken", "bearer")
WRITE = ("create", "update", "delete", "write")


def authorize(request: Request, *any_of: str) -> Access:
    """Who sent this request, if their token is alive at this data centre and holds one of the scopes `any_of`.

    No scope given means any live token will do. Raises `ApiRefusal` with Zoho's own 401 bodies: AUTHENTICATION_FAILURE
    without a usable header, INVALID_TOKEN, OAUTH_SCOPE_MISMATCH. Only the header counts, never a parameter.
    """
    here = current_context()
    access = here.accounts.access(_bearer(request), here.data_centre)
    if access is None:
        raise _refusal(here.options.invalid_token_code, "invalid oauth token")
    if any_of and not any(covers(access.scopes, needed) for needed in any_of):
        raise _refusal("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
    return access


def record(request: Request, **facts: Any) -> None:
    """Add facts about this call to the request log: `credits`, `grant_type`. Never a secret."""
    request.environ.setdefault("zoho.notes", {}).update(facts)


def covers(granted: Iterable[str], needed: str) -> bool:
    """True when one of the granted scopes allows what `needed` names."""
    return any(_covers(scope.lower().split("."), needed.lower().split(".")) for scope in granted)


def _covers(granted: list[str], needed: list[str]) -> bool:
    *name, operation = granted
    *wanted, act = needed
    return wanted[: len(name)] == name and (operation in ("all", act) or (operation == "write" and act in WRITE))


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in SCHEMES or not token.strip():
        raise _refusal("AUTHENTICATION_FAILURE", "Authentication failed")
    return token.strip()


def _refusal(code: str, message: str) -> ApiRefusal:
    return ApiRefusal(401, {"code": code, "details": {}, "message": message, "status": "error"})
