"""The seam between the two halves: who is calling the API, and may they?

Scopes read `service.name[.name...].OPERATION`: a shorter name covers what is below it, ALL covers every
operation, WRITE is CREATE, UPDATE and DELETE, and letter case does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Request

from .context import world

__all__ = ["Access", "Denied", "authorise", "charge", "covers", "note"]

SCHEMES = ("zoho-oauthtoken", "bearer")
WRITE = ("create", "update", "delete", "write")


@dataclass(frozen=True)
class Access:
    """Whose call this is. `user_id` is the user's ZUID; `token_id` names the token without being it."""

    user_id: str
    client_id: str
    data_centre: str
    scopes: frozenset[str]
    token_id: str


class Denied(Exception):  # noqa: N818 - an answer, as much as an error
    """The API's refusal; the app answers it as JSON with this status and body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("code", ""))
        self.status = status
        self.body = body


def authorise(request: Request, *any_of: str) -> Access:
    """Who sent this request, if their token is alive at this data centre and holds one of the scopes `any_of`.

    No scope given means any live token will do. Raises `Denied` with Zoho's own 401 bodies: AUTHENTICATION_FAILURE
    without a usable header, INVALID_TOKEN, OAUTH_SCOPE_MISMATCH. Only the header counts, never a parameter.
    """
    here = world()
    access = here.accounts.access(_bearer(request), here.data_centre)
    if access is None:
        raise _refusal("INVALID_TOKEN", "invalid oauth token")
    if any_of and not any(covers(access.scopes, needed) for needed in any_of):
        raise _refusal("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
    return access


def charge(request: Request, credits: int) -> None:
    """Note what this call costs, for `sim.traffic` (the ledger itself is the CRM's)."""
    note(request, credits=credits)


def note(request: Request, **facts: Any) -> None:
    """Note something about this call for `sim.traffic`: `credits`, `grant_type`. Never a secret."""
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


def _refusal(code: str, message: str) -> Denied:
    return Denied(401, {"code": code, "details": {}, "message": message, "status": "error"})
