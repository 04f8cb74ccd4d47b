"""The sessions of this process: one for each env file, and the current one that the magics use."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from .config import dotenv_file, profiles
from .fork_safety import renew_after_fork
from .session import ZohoSession

__all__ = [
    "SessionRegistry",
    "close_sessions",
    "current_session",
    "get_session",
    "has_sessions",
    "open_session",
    "use_session",
]


class SessionRegistry:
    """Keeps one session for each env file, so that each keeps its token while others are in use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_path: dict[Path, ZohoSession] = {}
        self._nearest: dict[Path, ZohoSession] = {}
        self._current: ZohoSession | None = None
        renew_after_fork(self, _lock=threading.Lock)

    @property
    def current(self) -> ZohoSession | None:
        """The session the magics use, or None if none was needed yet."""
        return self._current

    @property
    def is_used(self) -> bool:
        """Whether any session was asked for so far."""
        return self._current is not None or bool(self._by_path or self._nearest)

    def get_current(self) -> ZohoSession:
        """The session the magics use, made from the nearest `.env` at first use."""
        with self._lock:
            if self._current is None:
                path = dotenv_file.find()
                if path not in self._nearest:
                    self._nearest[path] = ZohoSession.from_env()
                self._current = self._nearest[path]
            return self._current

    def open(self, path: Path) -> ZohoSession:
        """The session of this env file."""
        with self._lock:
            return self._get_or_open(path)

    def use(self, session: ZohoSession | None) -> None:
        """Make a session the current one."""
        with self._lock:
            self._current = session

    def close(self) -> None:
        """Close and forget every session."""
        with self._lock:
            self._current, closing = None, [*self._by_path.values(), *self._nearest.values()]
            self._by_path.clear()
            self._nearest.clear()
        for session in closing:
            session.close()

    def _get_or_open(self, path: Path) -> ZohoSession:
        nearest = self._nearest.get(path)
        if nearest is not None and "environment" not in nearest.credentials.sources.values():
            return nearest  # naming the file changes nothing where the environment sets nothing
        if path not in self._by_path:
            self._by_path[path] = ZohoSession.from_env(path)
        return self._by_path[path]


_registry = SessionRegistry()


def get_session(profile: str | os.PathLike[str] | None = None) -> ZohoSession:
    """The session the magics use, made from the nearest `.env` at first use; or the one of a profile.

    There is one session for each file: it keeps its token while others are in use.

    Args:
        profile: an env file, or a name: `prod` stands for `.env.prod` beside the nearest `.env`.

    Raises:
        CredentialsMissing: there is no such profile, its file cannot be used, or the process environment hides what
            is in it.

    Example::

        zoho = get_session()
        zoho.pull("Leads", limit=10)
        get_session("sandbox").push("Leads", leads, "insert")
    """
    if profile is None:
        return _registry.get_current()
    profiles.check_usable(path := profiles.path_of(profile))
    return _registry.open(path)


def open_session(profile: str | os.PathLike[str]) -> ZohoSession:
    """The session of a profile, as `get_session`; the profile's file need not exist yet.

    Args:
        profile: an env file, or a name: `prod` stands for `.env.prod` beside the nearest `.env`.

    Raises:
        CredentialsMissing: the profile's name or file cannot be used.

    Example::

        open_session("sandbox").exchange("1000.…", client_id="1000.ABC", client_secret="…")
    """
    return _registry.open(profiles.path_of(profile))


def current_session() -> ZohoSession | None:
    """The session the magics use, or None if none was needed yet."""
    return _registry.current


def has_sessions() -> bool:
    """Whether this process has asked for a session, of `.env` or of a profile."""
    return _registry.is_used


def use_session(session: ZohoSession | None) -> None:
    """Make a session the one the magics use.

    Args:
        session: the session; None goes back to the nearest `.env` at the next use.

    Example::

        use_session(ZohoSession.from_env("/srv/crm/.env.prod"))
    """
    _registry.use(session)


def close_sessions() -> None:
    """Close every session that belongs to a file, and forget them with their tokens; the next use opens new ones."""
    _registry.close()
