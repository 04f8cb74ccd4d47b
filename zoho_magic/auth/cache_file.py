"""A small file that one person's processes share: in the user's cache folder, private, replaced whole, under a lock.

Anything unusual about the folder or the file (another owner, a symlink, a mode that lets others in) is a reason not to
touch it: whoever else can write there could keep every kernel from its token, or watch when one is used.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..config import atomic_file

__all__ = ["LOCK_SECONDS", "FileFingerprint", "UnusableCacheError", "cache_dir", "fingerprint", "lock", "read", "write"]

FileFingerprint = tuple[int, int, int]
LOCK_SECONDS = 90.0
"""How long to wait for another process: longer than a call to the accounts server may take."""
MAX_BYTES = 65_536
_GROUP_OTHER_BITS = 0o077
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a FIFO would otherwise wait for a writer


class UnusableCacheError(Exception):  # it reads as what is the case
    """The folder or a file in it is not one to trust or to use; says why, without anything that was in it."""


def cache_dir() -> Path:
    """Where this system keeps what programs may lose (`~/.cache/zoho_magic` on Linux).

    Raises UnusableCacheError where the user has no home folder.
    """
    from platformdirs import user_cache_path

    with suppress(RuntimeError):  # neither HOME nor an entry in the password file
        return user_cache_path("zoho_magic", appauthor=False)
    raise UnusableCacheError("This user has no home folder, so there is no place for the shared file.")


def fingerprint(path: Path) -> FileFingerprint | None:
    """What changes whenever the file is written: inode, size, time; None without one. Raises UnusableCacheError."""
    with _wrap_errors(path):
        _check_folder(path.parent)
        try:
            found = path.lstat()
        except FileNotFoundError:
            return None
        _check(path, found, stat.S_ISREG, "file")
        return found.st_ino, found.st_size, found.st_mtime_ns


def read(path: Path) -> bytes:
    """The file's bytes. Raises UnusableCacheError."""
    with _wrap_errors(path), open(os.open(path, os.O_RDONLY | _NOFOLLOW | _NONBLOCK), "rb") as file:  # noqa: PTH123  # a descriptor
        found = os.fstat(file.fileno())
        _check(path, found, stat.S_ISREG, "file")
        if found.st_size > MAX_BYTES:
            raise UnusableCacheError(f"{path} is larger than anything kept there.")
        return file.read()


def write(path: Path, content: bytes) -> None:
    """Replace the file in one rename; mode 0600. Only under `lock`. Raises UnusableCacheError."""
    scratch = path.with_suffix(".tmp")
    with _wrap_errors(path):
        with suppress(FileNotFoundError):
            scratch.unlink()  # left behind by a process that was killed
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor, not a path
            file.write(content)
        atomic_file.replace(scratch, path)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the file against every other process of this user; the system lets go of it when a process dies.

    Raises UnusableCacheError where the folder cannot be used, or another process does not let go.
    """
    from filelock import FileLock  # it probes the file system at import

    held = FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS, mode=0o600)
    with _wrap_errors(path):
        _ensure_dir(path.parent)
        held.acquire()
    try:
        yield
    finally:
        held.release()


def _ensure_dir(where: Path) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        where.mkdir(mode=0o700)
    _check_folder(where)


def _check_folder(where: Path) -> None:
    with suppress(FileNotFoundError):
        _check(where, where.lstat(), stat.S_ISDIR, "folder")


def _check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool], kind: str) -> None:
    if not is_kind(found.st_mode):
        raise UnusableCacheError(f"{path} is not a {kind} of its own (a link, or something else).")
    if not hasattr(os, "geteuid"):  # Windows: a profile folder is private by its access list
        return
    if found.st_uid != os.geteuid():
        raise UnusableCacheError(f"{path} belongs to another user.")
    if found.st_mode & _GROUP_OTHER_BITS:
        raise UnusableCacheError(f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}).")


@contextmanager
def _wrap_errors(path: Path) -> Iterator[None]:
    try:
        yield
        return
    except TimeoutError:  # filelock's own is one
        why = f"another process has held {path.with_suffix('.lock')} for {LOCK_SECONDS:.0f} s."
    except OSError as error:
        why = f"{path} cannot be used ({os.strerror(error.errno or 0)})."
    raise UnusableCacheError(why)
