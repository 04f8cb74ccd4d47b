"""Zoho CRM in a notebook: `%load_ext zoho_magic`, or `ZohoSession.from_env()` in a script.

Public names are imported at first use, so that `%load_ext` and `import zoho_magic` cost next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .auth.oauth import Token
    from .config.credentials import Credentials
    from .crm.read.planner import Plan
    from .crm.write.report import PushReport
    from .data_centres import DATA_CENTRES
    from .errors import (
        ApiError,
        AuthError,
        ConfigurationError,
        CredentialsMissing,
        LoginError,
        MissingDependency,
        PushError,
        QueryError,
        ThrottledError,
        TransportError,
        ZohoError,
    )
    from .login.prompts import LoginUI
    from .mirror.report import ExportReport
    from .secret import Secret
    from .session import ZohoSession
    from .session_registry import get_session, open_session, use_session
    from .status import Status

__all__ = [
    "DATA_CENTRES",
    "ApiError",
    "AuthError",
    "Comparison",
    "ConfigurationError",
    "Credentials",
    "CredentialsMissing",
    "ExportReport",
    "LoginError",
    "LoginUI",
    "MissingDependency",
    "Plan",
    "PushError",
    "PushReport",
    "QueryError",
    "Secret",
    "Status",
    "SyncPlan",
    "SyncReport",
    "ThrottledError",
    "Token",
    "TransportError",
    "ZohoError",
    "ZohoSession",
    "get_session",
    "open_session",
    "use_session",
]
__version__ = "0.1.0"

_MODULE_OF = {
    "Comparison": "mirror.compare",
    "Credentials": "config.credentials",
    "DATA_CENTRES": "data_centres",
    "ExportReport": "mirror.report",
    "LoginUI": "login.prompts",
    "Plan": "crm.read.planner",
    "PushReport": "crm.write.report",
    "Secret": "secret",
    "Status": "status",
    "SyncPlan": "mirror.sync_report",
    "SyncReport": "mirror.sync_report",
    "Token": "auth.oauth",
    "ZohoSession": "session",
    "get_session": "session_registry",
    "open_session": "session_registry",
    "use_session": "session_registry",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF.get(name, 'errors')}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(ip: Any) -> None:
    """`%load_ext zoho_magic`: add the magics, TAB completion and cards. No I/O, nothing printed."""
    from .notebook import cards, completion, magics, query_file

    for front_end in (magics, completion, cards, query_file):
        front_end.register(ip)


def unload_ipython_extension(ip: Any) -> None:
    """`%unload_ext zoho_magic`: take all of it away again; the session and its tokens stay."""
    from .notebook import cards, completion, magics, query_file

    for front_end in (magics, completion, cards, query_file):
        front_end.unregister(ip)
