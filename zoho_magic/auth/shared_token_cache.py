"""One access token for all kernels and processes of a user that share a refresh token (`ZOHO_TOKEN_CACHE=1`).

Zoho issues 10 tokens per refresh token in 10 minutes and ends the oldest of 15: twenty kernels that each request their
own lock each other out. So the first takes a lock, reads what is there, counts its request, requests, and writes; the
others read. The count of requests is kept beside the token, and written before Zoho is asked: a process that dies while
it requests has counted.

The file is sealed with Fernet (AES-128-CBC and HMAC-SHA256 from `cryptography`, which chooses nonces and compares tags
for us) under a key that HKDF derives from the client secret and the refresh token. Both are random and long, so no slow
hash is needed; nothing has to be stored or asked for; and it is exactly as private as it should be: whoever can open
the file could request a token anyway, and a backup, a container image or another user's eyes get nothing. The OS
keyring was the alternative: it is missing on servers, where twenty kernels run, asks for a password where it is not,
and has no lock and no way to notice a change without reading everything again.

A cache that is broken, or that others can reach, is not used: the process then keeps its token to itself, and says so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.credentials import Credentials
from ..errors import call_without_leaking
from ..secret import Secret
from . import cache_file as cachefile
from .cache_file import FileFingerprint, UnusableCacheError
from .oauth import Token
from .token_cache import RefreshLease, refresh_limiter_for

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

__all__ = ["SharedTokenCache"]


@dataclass(frozen=True)
class _CacheRecord:
    """What the file says: the token, or None once it was dropped, and the requests of the last ten minutes."""

    token: Token | None = None
    issued_at: tuple[float, ...] = ()
    paused_until: float = 0.0


class SharedTokenCache:
    """A cache file in the user's cache folder; see `TokenCache` for its methods.

    Args:
        clock: seconds since the epoch, the same for every process.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # Replaced whole, never changed: read without a lock.
        self._loaded: tuple[Path | None, FileFingerprint | None, _CacheRecord] = (None, None, _CacheRecord())
        self._problem = ""
        self._path_cache: tuple[Credentials | None, Path] = (None, Path())

    def get(self, credentials: Credentials, held: Token | None) -> Token | None:
        """The newest token any process requested; `held` where nobody has written yet, or the cache cannot be used."""
        entry = self._entry(credentials)
        if entry is None or (entry.token is not None and held and held.access_token == entry.token.access_token):
            return held
        return entry.token

    @contextmanager
    def acquire(self, credentials: Credentials) -> Iterator[RefreshLease]:
        """Hold the file; the count is everybody's. Alone, with this process's count, where it cannot be used."""
        limiter = refresh_limiter_for(credentials)
        with ExitStack() as stack:
            try:
                stack.enter_context(cachefile.lock(self._path(credentials)))
            except UnusableCacheError as problem:
                self._report(problem)
                yield RefreshLease(limiter)
                return
            entry = self._entry(credentials) or _CacheRecord()
            limiter.merge(entry.issued_at, entry.paused_until, self._clock())
            yield RefreshLease(limiter, lambda token: self._write(credentials, token), entry.token)

    def problem(self, credentials: Credentials) -> str:
        """Why the cache is not used, and what to do."""
        try:
            self._read(credentials)
        except UnusableCacheError as problem:
            return _problem_message(problem)
        return self._problem

    def _report(self, problem: UnusableCacheError) -> None:
        self._problem = _problem_message(problem)
        _warn(self._problem)

    def _path(self, credentials: Credentials) -> Path:
        place = self._path_cache
        if place[0] is not credentials:
            place = self._path_cache = credentials, call_without_leaking(partial(_path, credentials))
        return place[1]

    def _entry(self, credentials: Credentials) -> _CacheRecord | None:
        try:
            return self._read(credentials)
        except UnusableCacheError as problem:
            self._report(problem)
        return None

    def _read(self, credentials: Credentials) -> _CacheRecord | None:
        path = self._path(credentials)
        stamp = cachefile.fingerprint(path)
        if stamp is None:
            return None
        if self._loaded[:2] != (path, stamp):
            entry = call_without_leaking(partial(_decrypt, credentials, cachefile.read(path), self._clock))
            if entry is None:
                raise UnusableCacheError(f"{path} is damaged.")
            # Looked at before it was read: what is written in between shows next time, instead of never.
            self._loaded = path, stamp, entry
            self._problem = ""
        return self._loaded[2]

    def _write(self, credentials: Credentials, token: Token | None) -> None:
        path, limiter = self._path(credentials), refresh_limiter_for(credentials)
        try:
            cachefile.fingerprint(path)
            record = _CacheRecord(token, *limiter.snapshot)
            cachefile.write(path, call_without_leaking(partial(_encrypt, credentials, record)))
            self._problem = ""
        except UnusableCacheError as problem:
            self._report(problem)


# The file's name and its seal: secrets are in clear here, so these functions run inside `call_without_leaking`.


def _key_material(credentials: Credentials) -> bytes:
    secrets = [credentials.client_secret, credentials.refresh_token]
    # Without a refresh token a token is for an organisation and what was asked for.
    asked = [] if credentials.refresh_token else [credentials.soid, *credentials.scopes]
    parts = [credentials.accounts, credentials.client_id, *(s.reveal() if s else "" for s in secrets), *asked]
    return json.dumps(parts).encode()


def _path(credentials: Credentials) -> Path:
    name = hashlib.sha256(b"zoho_magic: name of a cached token\0" + _key_material(credentials)).hexdigest()
    return cachefile.cache_dir() / f"{name[:40]}.token"


def _fernet(credentials: Credentials) -> Fernet:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"zoho_magic: seal of a cached token")
    return Fernet(base64.urlsafe_b64encode(hkdf.derive(_key_material(credentials))))


def _encrypt(credentials: Credentials, entry: _CacheRecord) -> bytes:
    facts: dict[str, Any] = {"issued_at": entry.issued_at, "paused_until": entry.paused_until, "token": None}
    if (token := entry.token) is not None:
        names = ("expires_at", "scopes", "api_domain", "warnings")
        facts["token"] = {"access": token.reveal(), **{name: getattr(token, name) for name in names}}
    return _fernet(credentials).encrypt(json.dumps(facts).encode())


def _decrypt(credentials: Credentials, sealed: bytes, clock: Callable[[], float]) -> _CacheRecord | None:
    from cryptography.fernet import InvalidToken

    with suppress(InvalidToken, ValueError, TypeError, KeyError):
        facts = json.loads(_fernet(credentials).decrypt(sealed))
        found = facts["token"]
        token = found and Token(
            access_token=Secret(found["access"]),
            expires_at=float(found["expires_at"]),
            scopes=tuple(found["scopes"]),
            api_domain=found["api_domain"],
            warnings=tuple(found["warnings"]),
            clock=clock,
        )
        return _CacheRecord(token, tuple(map(float, facts["issued_at"])), float(facts["paused_until"]))
    return None


# What is said


def _problem_message(problem: UnusableCacheError) -> str:
    remove = ""
    with suppress(UnusableCacheError):
        remove = f"Remove {cachefile.cache_dir()} if it is yours, or run"
    return (
        f"The shared token cache is not used: {problem} This kernel keeps its token to itself. "
        f"{remove or 'Run'} %zoho --no-share."
    )


_warned: set[str] = set()


def _warn(text: str) -> None:
    """A Python warning, once in a process, at the line outside this package that needed the token."""
    if text in _warned:
        return
    _warned.add(text)
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("zoho_magic"):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, stacklevel=depth)
