"""Which scopes exist, and how they are written in requests and answers."""

from __future__ import annotations

import re

__all__ = ["DEFAULT_SCOPES", "all_known", "split_scopes"]

# The self-client line known to work (oauth.md 10), plus what search, counts and the profile need.
DEFAULT_SCOPES = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.bulk.ALL",
    "ZohoFiles.files.ALL",
    "ZohoCRM.files.ALL",
    "ZohoCRM.org.READ",
    "ZohoCRM.users.READ",
    "ZohoCRM.coql.READ",
    "ZohoSearch.securesearch.READ",
    "AaaServer.profile.READ",
)
AREAS = (
    r"zohocrm\.(modules|settings|users|org|coql|bulk|notifications|files|share|mass_convert|change_owner|templates|zia"
    r"|functions)",
    r"zohofiles\.files",
    r"zohosearch\.securesearch",
    r"aaaserver\.profile",
)
SCOPE = re.compile(
    rf"(({'|'.join(AREAS)})(\.\w+)*\.(all|read|create|update|delete|write|custom)|openid|email|profile|phone)",
    re.IGNORECASE,
)


def split_scopes(scope: str) -> tuple[str, ...]:
    """The scopes of a request, each once. Commas are documented; spaces work too (oauth.md 2)."""
    return tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", scope))))


def all_known(scopes: tuple[str, ...]) -> bool:
    """True when there is at least one scope and all of them exist."""
    return bool(scopes) and all(SCOPE.fullmatch(scope) for scope in scopes)
