"""The sessions that magics and completion use, imported when the first is needed: `%load_ext` must not wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

    from ..session import ZohoSession

__all__ = [
    "find_module",
    "get_session",
    "is_interactive",
    "list_profiles",
    "organisation_and_environment",
    "session_to_set_up",
    "switch_to",
]


def get_session(profile: str | None = None) -> ZohoSession:
    """As `zoho_magic.get_session`."""
    from .. import session_registry

    return session_registry.get_session(profile)


def switch_to(env_file: str, trust_file: bool = False) -> None:
    """Make the session of an existing env file the current one. Raises ConfigurationError; then nothing changes."""
    from .. import session_registry
    from ..config import profiles

    if trust_file:
        from ..session import ZohoSession

        profiles.check_usable(path := profiles.path_of(env_file))
        session = ZohoSession.from_env(path, trust_file=True)
    else:
        session = session_registry.get_session(env_file)
        _ = session.credentials
    session_registry.use_session(session)


def session_to_set_up(env_file: str | None) -> ZohoSession:
    """The session to connect: the current one, or the one of a file that need not exist, which becomes current.

    Where the file or a value in it cannot be used, one without these values: connecting writes them anew.
    """
    from .. import session_registry
    from ..config import profiles
    from ..errors import ConfigurationError
    from ..session import ZohoSession

    try:
        if env_file is not None:
            session_registry.use_session(session_registry.open_session(env_file))
        session = session_registry.get_session()
        _ = session.credentials
        return session
    except ConfigurationError:
        return ZohoSession.from_env(profiles.path_of(env_file) if env_file else None, ignore_invalid=True)


def list_profiles() -> pandas.DataFrame:
    """The profiles beside the nearest `.env`: name, file, and whether it is the current one."""
    import pandas as pd

    from .. import session_registry
    from ..config import dotenv_file, profiles

    nearest = dotenv_file.find()
    files = [nearest, *(profiles.path_of(name) for name in profiles.list_profiles())]
    current = session_registry.current_session()
    used = current.credentials.path if current else nearest
    rows = [(profiles.name_of(file) or ".env", str(file), file == used) for file in files if file.is_file()]
    return pd.DataFrame(rows, columns=["profile", "file", "current"])


def is_interactive(shell: Any) -> bool:
    """Whether somebody can answer: a terminal, or a front end that said so as it sent the cell (nbclient says no)."""
    if not hasattr(shell, "kernel"):
        return True
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() or {}  # xeus-python's shell has none
    return bool(parent.get("content", {}).get("allow_stdin", True))


def find_module(name: str, profile: str | None) -> str:
    """The API name of the one module that is written so but for capital letters; else the name as it is."""
    names = [known for known in get_session(profile).metadata.modules() if known.lower() == name.lower()]
    return names[0] if len(names) == 1 else name


def organisation_and_environment(session: ZohoSession) -> str:
    """As in: Northbeam Solar (production). What Zoho does not say is left out."""
    status = session.status()
    where = "simulator" if status.demo else status.environment
    return f"{status.organisation} ({where}). " if status.organisation else f"Environment: {where}. "
