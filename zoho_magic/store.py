"""The credentials a session uses: read from `.env`, kept in step with it, saved back to it."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

from . import credentials as _credentials
from . import envfile
from .credentials import KEYS, SECRETS, Credentials
from .errors import CredentialsMissing

__all__ = ["CredentialStore"]


class CredentialStore:
    """One set of credentials and its `.env`.

    The process environment wins over the file; what was obtained in this session and is hidden by the environment, or
    could not be saved, is kept in memory and wins over both, so that nothing is lost.

    Args:
        credentials: as loaded; `credentials.path` is the file, None keeps everything in memory.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._lock = threading.RLock()
        self._credentials = credentials
        self._kept: dict[str, Any] = {}
        self._seen = self._source_now()
        self.warnings: list[str] = []

    def current(self) -> Credentials:
        """The credentials now; read again if `.env` or the environment changed. Raises CredentialsMissing."""
        with self._lock:
            if self._source_now() != self._seen:
                self._credentials = self._loaded().changed(**self._kept)
                self._seen = self._source_now()
            return self._credentials

    def check_writable(self) -> None:
        """Raise CredentialsMissing now if `adopt` could not save."""
        if self._credentials.path is not None:
            envfile.check_writable(self._credentials.path)

    def adopt(self, credentials: Credentials, *names: str) -> None:
        """Use these credentials from now on and save the named fields; what cannot be saved is kept, with a warning."""
        with self._lock:
            self._kept.update({name: getattr(credentials, name) for name in names})
            self._credentials = credentials
            try:
                self._save(*names)
            except CredentialsMissing as error:
                self._warn(f"Not saved: {error.args[0]} It works until this kernel ends; %zoho --save tries again.")

    def save(self) -> None:
        """Write to `.env` what could not be saved when it was obtained. Raises CredentialsMissing."""
        with self._lock:
            self._save(*self._kept)

    def _save(self, *names: str) -> None:
        if self._credentials.path is None:
            return
        _credentials.save(self._credentials, *names)
        stored = self._loaded()
        self._kept = {name: value for name, value in self._kept.items() if getattr(stored, name) != value}
        for name in self._kept:
            self._warn(f"{KEYS[name]} in the process environment hides the one saved in {stored.path}.")
        self._credentials = stored.changed(**self._kept)
        self._seen = self._source_now()
        self._check_git()

    def _loaded(self) -> Credentials:
        assert self._credentials.path is not None
        return _credentials.load(self._credentials.path, self._credentials.trusted)

    def _source_now(self) -> tuple[Any, ...]:
        path = self._credentials.path
        return () if path is None else (envfile.signature(path), *(os.environ.get(key) for key in KEYS.values()))

    def _check_git(self) -> None:
        path = self._credentials.path
        if path is None or not any(getattr(self._credentials, name) for name in SECRETS):
            return
        exposure = envfile.git_exposure(path)
        if exposure == "tracked":
            self._warn(f"git tracks {path}: your secrets go out with the next push. Run: git rm --cached {path.name}")
        elif exposure:
            self._warn(f"git does not ignore {path}: add {path.name} to .gitignore before you commit.")

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            warnings.warn(text, stacklevel=2)
