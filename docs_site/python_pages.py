"""The pages of the Python reference: public names only, grouped as people think.

A new public method of `ZohoSession` or a new name in `zoho_magic.__all__` appears by itself: on the page that `GROUPS`
gives it, else on the page "explore".
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable

METHOD = "zoho_magic.session.ZohoSession."
GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "connect": (
        "Connect",
        "Get access to an account, keep it, and give it up.",
        (
            *("ZohoSession", "get_session", "open_session", "use_session", "from_env", "login", "exchange"),
            *("begin_device_login", "begin_paste_login", "complete_login", "status", "token", "auth", "api", "refresh"),
            *("revoke", "forget_tokens", "share", "use_keyring", "save", "close", "credentials"),
            *("Credentials", "Status", "Token", "Secret", "LoginUI", "DATA_CENTRES"),
        ),
    ),
    "pull": ("Pull", "Records as typed frames.", ("pull", "plan", "Plan", "deleted", "views", "home_currency")),
    "query": ("Query", "COQL, Zoho's query language.", ("coql",)),
    "push": (
        "Push",
        "Write rows, see before what would change, and undo it.",
        ("push", "count_inserted", "PushReport", "diff", "undo", "kept_pushes", "tag", "upload"),
    ),
    "mirror": (
        "Mirror",
        "Land records in files and databases, and keep them equal to the CRM.",
        (
            *("export", "batches", "sync", "plan_sync", "scan", "compare", "Comparison", "backup", "check_backup"),
            *("ExportReport", "SyncReport", "SyncPlan", "BackupReport"),
        ),
    ),
    "explore": (
        "Explore",
        "What there is in the CRM, and every other call.",
        ("modules", "fields", "users", "roles", "profiles", "territories", "currencies", "business_hours", "tags"),
    ),
    "exceptions": ("Exceptions", "Every error has a `hint`, the next step.", ("ZohoError",)),
}


def pages() -> dict[str, Callable[[], str]]:
    """The path of each page and what makes it."""
    return {f"reference/{group}.md": lambda group=group: _page(group) for group in GROUPS}


def members() -> dict[str, list[str]]:
    """Group -> the dotted path of each of its names, in the order of `GROUPS`, new names last."""
    found = _public()
    placed: dict[str, list[str]] = {group: [] for group in GROUPS}
    for group, (_, _, names) in GROUPS.items():
        placed[group] += [found.pop(name) for name in names if name in found]
    for name, path in found.items():
        placed[_default_group(name)].append(path)
    return placed


def _public() -> dict[str, str]:
    """Every public name -> its dotted path."""
    import zoho_magic
    from zoho_magic import ZohoSession

    names = {name: path_of(name) for name in zoho_magic.__all__}
    methods = [name for name in dir(ZohoSession) if not name.startswith("_")]
    return {**names, **{name: METHOD + name for name in methods}}


def path_of(name: str) -> str:
    """Where a public name is defined: not every export can be found by reading `zoho_magic/__init__.py`."""
    value = getattr(importlib.import_module("zoho_magic"), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{value.__qualname__}"
    return f"zoho_magic.{name}"


def _default_group(name: str) -> str:
    module = importlib.import_module("zoho_magic")
    value = getattr(module, name, None)
    return "exceptions" if inspect.isclass(value) and issubclass(value, Exception) else "explore"


def _page(group: str) -> str:
    title, text, _ = GROUPS[group]
    return "\n".join([f"# {title}", "", text, "", *(_entry(path) for path in members()[group])])


def _entry(path: str) -> str:
    alone = path.startswith(METHOD) or path.endswith((".ZohoSession", ".DATA_CENTRES"))
    return f"::: {path}\n    options: {{{'members: false' if alone else 'inherited_members: false'}}}\n"
