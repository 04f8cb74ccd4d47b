"""Every user of the org: COQL and bulk read name people by their id."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

from ..http.responses import CrmApi, parse_json
from .parallel import map_parallel

__all__ = ["list_users"]

_KINDS = ("AllUsers", "DeletedUsers")


def list_users(api: CrmApi) -> dict[str, tuple[str, str]]:
    """User id -> full name, e-mail address; deleted users too, for they own records still (ZohoCRM.users.READ).

    https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
    """
    found = chain.from_iterable(map_parallel([partial(_users, api, kind) for kind in _KINDS], len(_KINDS)))
    return {str(user["id"]): (str(user.get("full_name") or ""), str(user.get("email") or "")) for user in found}


def _users(api: CrmApi, kind: str) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = []
    page, more = 1, True
    while more:
        params = {"type": kind, "page": page, "per_page": 200}
        answer = parse_json(api.request("GET", "/crm/v8/users", params=params))
        users += answer.get("users", [])
        page, more = page + 1, bool((answer.get("info") or {}).get("more_records"))
    return users
