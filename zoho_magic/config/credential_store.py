"""The credentials a session uses: read from `.env`, kept in step with it, saved back to it."""

from __future__ import annotations

import os
import threading
import warnings
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..fork_safety import renew_after_fork
from . import credentials as _credentials
from . import dotenv_file, keyring_store
from .credentials import Credentials
from .settings import DC_CLIENT_SECRET_VARS, ENV_VARS, SECRET_FIELDS

__all__ = ["CredentialStore"]


class CredentialStore:
    """One set of credentials and its `.env`.

    The process environment wins over the file; what was obtained in this session and is hidden by the environment, or
    could not be saved, is kept in memory and wins over both, so that nothing is lost.

    Args:
        credentials: as loaded; `credentials.path` is the file, None keeps everything in memory. Values that were not
            read from it (`sources` does not name them) are kept.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._lock = threading.RLock()
        self._credentials = credentials
        self._overrides = _explicit_fields(credentials)
        self._unsaved = ""
        self._fingerprint: tuple[Any, ...] | None = None
        renew_after_fork(self, _lock=threading.RLock)

    def load(self) -> Credentials:
        """The credentials now; read again if `.env` or the environment changed. Raises ConfigurationError."""
        with self._lock:
            if (path := self._credentials.path) is not None and self._needs_reload(now := _fingerprint_of(path)):
                self._load(path)
                # Looked at before it was read: an edit in between shows next time, instead of never.
                self._fingerprint = now
            return self._credentials

    def check_writable(self) -> None:
        """Raise ConfigurationError now if `update` could not save."""
        if (path := self._credentials.path) is not None:
            if not self._credentials.trust_file:
                dotenv_file.check_private(path)
            dotenv_file.check_writable(path)
        if self._credentials.keyring:
            keyring_store.check_available(self._credentials.keyring)

    def update(self, credentials: Credentials, *names: str) -> None:
        """Use these credentials from now on and save the named fields; what cannot be saved is kept: see `warnings`."""
        with self._lock:
            self._overrides.update({name: getattr(credentials, name) for name in names})
            self._credentials = credentials
            try:
                self._save(*names)
            except ConfigurationError as error:
                self._unsaved = f"Not saved: {error.args[0]} It holds until this kernel ends; %zoho --save tries again."

    def save(self) -> None:
        """Write to `.env` what could not be saved when it was obtained. Raises ConfigurationError."""
        with self._lock:
            self._save(*self._overrides)

    def move_secrets(self, into_keyring: bool) -> None:
        """Move the secrets of `.env` into the OS keyring, or back. Raises ConfigurationError; then they were not."""
        with self._lock:
            if (path := self._credentials.path) is None:
                raise ConfigurationError(
                    "These credentials are in memory only.", hint="Choose a file: %zoho --env FILE."
                )
            (keyring_store.move_in if into_keyring else keyring_store.move_out)(path)
            self._load(path)

    def warn(self) -> None:
        """Give each of `warnings` as a Python warning, at the line that called the session."""
        for text in self.warnings:
            warnings.warn(text, stacklevel=3)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should act on, as things are now: unsaved values, shadowed ones, a `.env` that git takes."""
        if (path := self._credentials.path) is None:
            return ()
        with self._lock:
            shadowed = [_shadowed(name, value, path) for name, value in self._overrides.items()]
            notes = self._credentials.file_notes
            return tuple(filter(None, (self._unsaved, *shadowed, *notes, _git_warning(self._credentials, path))))

    def _needs_reload(self, now: tuple[Any, ...]) -> bool:
        # A keyring may have been unlocked since, which nothing tells.
        return now != self._fingerprint or self._credentials.keyring_error is not None

    def _save(self, *names: str) -> None:
        if (path := self._credentials.path) is not None:
            invalid = [name for name in self._credentials.invalid if name and name not in names]
            _credentials.save(
                self._credentials.replace(**dict.fromkeys(invalid)) if invalid else self._credentials, *names, *invalid
            )
            self._unsaved = ""
            self._load(path)

    def _load(self, path: Path) -> None:
        """Read the file again, and keep in memory only what it does not give back."""
        before = self._credentials
        stored = _credentials.load(
            path,
            before.trusted_origins,
            before.file_wins,
            trust_file=before.trust_file,
            ignore_invalid=before.ignore_invalid,
        )
        self._overrides = {name: value for name, value in self._overrides.items() if getattr(stored, name) != value}
        self._credentials = stored.replace(**self._overrides)


def _explicit_fields(credentials: Credentials) -> dict[str, Any]:
    fresh, sources = Credentials(), credentials.sources
    given = {name: getattr(credentials, name) for name in ENV_VARS if name not in sources}
    return {name: value for name, value in given.items() if value != getattr(fresh, name)}


def _fingerprint_of(path: Path) -> tuple[Any, ...]:
    return (
        dotenv_file.fingerprint(path),
        *(os.environ.get(key) for key in (*ENV_VARS.values(), *DC_CLIENT_SECRET_VARS.values())),
    )


def _shadowed(name: str, value: Any, path: Path) -> str:
    key = ENV_VARS[name]
    if not os.environ.get(key) or name == "grant_code":  # a spent code hides nothing
        return ""
    if value is None:
        return f"{key} is still set in the process environment, where the next session finds it: unset it there."
    return f"{key} in the process environment hides the one saved in {path}: unset it there."


def _git_warning(credentials: Credentials, path: Path) -> str:
    if path.name not in (credentials.sources.get(name) for name in SECRET_FIELDS):
        return ""
    exposure = dotenv_file.git_exposure(path)
    if exposure == "tracked":
        return f"git tracks {path}: your secrets go out with the next push. Run: git rm --cached {path.name}"
    return exposure and f"git does not ignore {path}: add {path.name} to .gitignore before you commit."
