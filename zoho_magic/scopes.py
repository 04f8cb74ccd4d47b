"""OAuth scopes: the sets a person chooses from, and the one a call needs.

Grammar and names: https://www.zoho.com/crm/developer/docs/api/v8/scopes.html. `ZohoCRM.coql.READ` and
`ZohoFiles.files.ALL` are not in Zoho's OpenAPI files, but its console accepts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "ALL_SCOPES",
    "KNOWN_SCOPES",
    "PRESETS",
    "READ_ONLY",
    "READ_WRITE",
    "SCOPE_MEANINGS",
    "TASKS",
    "covers",
    "has_crm_scope",
    "missing_scopes",
    "parse_scopes",
    "scope_for",
    "with_named_settings",
]

READ_ONLY = (
    "ZohoCRM.modules.READ",
    "ZohoCRM.settings.READ",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.bulk.READ",
    "ZohoSearch.securesearch.READ",
)
READ_WRITE = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.READ",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.bulk.ALL",
    "ZohoFiles.files.ALL",
    "ZohoSearch.securesearch.READ",
)
ALL_SCOPES = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.users.ALL",
    "ZohoCRM.org.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.bulk.ALL",
    "ZohoFiles.files.ALL",
    "ZohoCRM.files.CREATE",
    "ZohoCRM.notifications.ALL",
    "ZohoSearch.securesearch.READ",
    "AaaServer.profile.READ",
)
PRESETS = {"read only": READ_ONLY, "read and write": READ_WRITE, "everything": ALL_SCOPES}

KNOWN_SCOPES = tuple(dict.fromkeys((*READ_ONLY, *READ_WRITE, *ALL_SCOPES)))
"""Every scope the form offers one by one."""

SCOPE_MEANINGS = {
    "ZohoCRM.modules.READ": ("Records", "read records"),
    "ZohoCRM.modules.ALL": ("Records", "read, create, change and delete records"),
    "ZohoCRM.coql.READ": ("Records", "query records with COQL"),
    "ZohoSearch.securesearch.READ": ("Records", "count records"),
    "ZohoCRM.settings.READ": ("Settings and people", "read modules, fields, layouts and views"),
    "ZohoCRM.settings.ALL": ("Settings and people", "read and change modules, fields, layouts and views"),
    "ZohoCRM.users.READ": ("Settings and people", "read users"),
    "ZohoCRM.users.ALL": ("Settings and people", "read and change users"),
    "ZohoCRM.org.READ": ("Settings and people", "read the organisation"),
    "ZohoCRM.org.ALL": ("Settings and people", "read and change the organisation"),
    "AaaServer.profile.READ": ("Settings and people", "read your own Zoho profile"),
    "ZohoCRM.bulk.READ": ("Large amounts", "pull many records as a file"),
    "ZohoCRM.bulk.ALL": ("Large amounts", "pull and push many records as a file"),
    "ZohoFiles.files.ALL": ("Large amounts", "upload the file of a large push"),
    "ZohoCRM.files.CREATE": ("Other", "upload files"),
    "ZohoCRM.notifications.ALL": ("Other", "be notified of changes"),
}
"""Scope -> its group in the form and what it allows, in words. To offer another scope, add a row."""

_NAMED_SETTINGS = tuple(
    f"ZohoCRM.settings.{what}.READ" for what in ("modules", "fields", "layouts", "related_lists", "custom_views")
)


def with_named_settings(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes with named ones instead of `ZohoCRM.settings.READ`, which Zoho's pages disagree about.

    Example::

        >>> with_named_settings(("ZohoCRM.settings.READ",))[0]
        'ZohoCRM.settings.modules.READ'
    """
    pairs = (_NAMED_SETTINGS if scope == "ZohoCRM.settings.READ" else (scope,) for scope in scopes)
    return tuple(dict.fromkeys(one for names in pairs for one in names))


TASKS = {
    "metadata": ("ZohoCRM.settings.modules.READ", "ZohoCRM.settings.fields.READ"),
    "pull": ("ZohoCRM.modules.READ",),
    "names of users": ("ZohoCRM.users.READ",),
    "COQL": ("ZohoCRM.coql.READ",),
    "bulk read": ("ZohoCRM.bulk.READ",),
    "push": ("ZohoCRM.modules.CREATE", "ZohoCRM.modules.UPDATE"),
}
"""What each task needs, https://www.zoho.com/crm/developer/docs/api/v8/scopes.html. To add a task, add a row."""


def covers(granted: tuple[str, ...], needed: str) -> bool:
    """Whether one of the scopes opens what `needed` opens, at least for one module or setting.

    Example::

        >>> covers(("ZohoCRM.settings.ALL",), "ZohoCRM.settings.fields.READ")
        True
    """
    *groups, operation = needed.lower().split(".")
    for scope in granted:
        *others, allowed = scope.lower().split(".")
        short = min(len(groups), len(others))
        writes = allowed == "write" and operation in ("create", "update")
        if groups[:short] == others[:short] and short > 1 and (allowed in (operation, "all") or writes):
            return True
    return False


def missing_scopes(granted: tuple[str, ...], tasks: Iterable[str] = TASKS) -> dict[str, tuple[str, ...]]:
    """Task -> the scopes it needs and the token has not; tasks that lack nothing are left out."""
    lacking = {task: tuple(one for one in TASKS[task] if not covers(granted, one)) for task in tasks}
    return {task: scopes for task, scopes in lacking.items() if scopes}


def has_crm_scope(granted: tuple[str, ...]) -> bool:
    """Whether a token with these scopes may do anything in the CRM; Zoho may also say nothing about them."""
    return not granted or any(scope.lower().startswith("zohocrm.") for scope in granted)


# The first pattern that fits the path names the scope; {op} is the operation of the HTTP method.
_SCOPE_BY_PATH = (
    (r"/crm/v\d[\d.]*/org/currencies", "ZohoCRM.settings.currencies.{op}"),
    (r"/crm/v\d[\d.]*/org", "ZohoCRM.org.{op}"),
    (r"/crm/v\d[\d.]*/users", "ZohoCRM.users.{op}"),
    (r"/crm/v\d[\d.]*/settings/recycle_bin/.*restore", "ZohoCRM.settings.recycle_bin.UPDATE"),
    (r"/crm/v\d[\d.]*/settings/(?P<what>\w+)", "ZohoCRM.settings.{what}.{op}"),
    (r"/crm/v\d[\d.]*/coql", "ZohoCRM.coql.READ"),
    (r"/crm/v\d[\d.]*/upload", "ZohoFiles.files.CREATE"),
    (r"/crm/bulk/v\d[\d.]*/read", "ZohoCRM.bulk.READ"),
    (r"/crm/bulk/v\d[\d.]*/write", "ZohoCRM.bulk.CREATE"),
    (r"/crm/v\d[\d.]*/(?P<what>\w+)/actions/count", "ZohoSearch.securesearch.READ"),
    (r"/crm/v\d[\d.]*/(?P<what>\w+)", "ZohoCRM.modules.{what}.{op}"),
)
_OPERATION = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "PATCH": "UPDATE", "DELETE": "DELETE"}


def parse_scopes(text: str) -> tuple[str, ...]:
    """Scopes from one line: commas in what people write, spaces in what Zoho answers.

    Example::

        >>> parse_scopes("ZohoCRM.modules.ALL, ZohoCRM.org.READ")
        ('ZohoCRM.modules.ALL', 'ZohoCRM.org.READ')
    """
    return tuple(dict.fromkeys(re.findall(r"[^\s,]+", text)))


def scope_for(method: str, path: str) -> str:
    """The narrowest scope that opens a CRM path, or "" for a path this table does not know.

    Example::

        >>> scope_for("GET", "/crm/v8/settings/fields")
        'ZohoCRM.settings.fields.READ'
    """
    for pattern, scope in _SCOPE_BY_PATH:
        if match := re.match(pattern, path):
            return scope.format(op=_OPERATION.get(method.upper(), "ALL"), **match.groupdict())
    return ""
