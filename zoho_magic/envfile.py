"""Reading a `.env` file, and changing a few of its lines without ever losing the others."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from filelock import FileLock, Timeout

from .errors import CredentialsMissing

__all__ = ["check_writable", "find", "git_exposure", "read", "signature", "write"]

Signature = tuple[int, int, int] | None
_LOCK_SECONDS = 10
_LEADING_BREAKS = re.compile(r"[\r\n]*")
_PLAIN = re.compile(r"[A-Za-z0-9._:/@,+-]*")


def find() -> Path:
    """The nearest `.env` from the working directory upwards, or the one to be made in the working directory."""
    from dotenv import find_dotenv

    return Path(find_dotenv(usecwd=True) or Path.cwd() / ".env")


def signature(path: Path) -> Signature:
    """What changes when the file is edited: inode, size and modification time; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read(path: Path, keys: frozenset[str]) -> dict[str, str]:
    """The values of these keys in a `.env` file; a missing file is empty.

    Nothing is interpolated and nothing reaches `os.environ`. The last of several lines for a key counts.

    Raises:
        CredentialsMissing: the file is a folder, is not UTF-8, may not be read, or a line for one of the keys is
            broken (cut short, or a quote that never closes).
    """
    bindings = _parse(path)
    for binding in bindings:
        _refuse_broken(binding, keys, path)
    values = {b.key: b.value for b in bindings if b.key is not None and b.key in keys}
    return {key: value for key, value in values.items() if value}


def write(path: Path, changes: Mapping[str, str | None]) -> None:
    """Set (or with None remove) keys of a `.env` file; every other line stays as it is, byte for byte.

    The new text replaces the old in one rename, after an fsync, under a lock that a second process respects; the
    file's mode is 0600 whatever it was. A symlink is followed. A file that would not change is only tightened to 0600.

    Args:
        path: the file; made if missing.
        changes: key -> value, any printable text; None removes the key.

    Raises:
        CredentialsMissing: a value has a line break or another control character, or the file cannot be replaced.

    Example::

        write(Path(".env"), {"ZOHO_DC": "eu", "ZOHO_GRANT_CODE": None})
    """
    for key, value in changes.items():
        _refuse_unprintable(key, value)
    real = Path(os.path.realpath(path))
    with _explained(real), _locked(real):
        old = _text(real)
        new = _rewritten(old, changes)
        _refuse_changed_meaning(old, new, changes, real)
        if new != old or real.exists():
            _replace(real, new)


def check_writable(path: Path) -> None:
    """Raise CredentialsMissing now if a later `write` could not succeed; nothing is changed.

    Called before a grant code is spent: a code works once, and its refresh token must have somewhere to go.
    """
    real = Path(os.path.realpath(path))
    _parse(real)
    with _explained(real), _locked(real):
        scratch = _scratch(real)
        _create(scratch, "")
        scratch.unlink()
        if real.exists() and not os.access(real, os.W_OK):
            raise PermissionError(errno.EACCES, "not writable")


def git_exposure(path: Path) -> str:
    """Why git could publish this file: "tracked", "not ignored", or "" where it cannot (or there is no git).

    Example::

        >>> git_exposure(Path("/tmp/.env"))
        ''
    """
    if not path.exists():
        return ""
    if _git(path, "ls-files", "--error-unmatch") == 0:
        return "tracked"
    return "not ignored" if _git(path, "check-ignore", "-q", "--no-index") == 1 else ""


def _git(path: Path, *command: str) -> int:
    real = Path(os.path.realpath(path))
    try:
        done = subprocess.run(  # noqa: S603  # fixed words, no shell
            ["git", "-C", str(real.parent), *command, "--", real.name],  # noqa: S607
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1
    return done.returncode


def _text(path: Path) -> str:
    if path.is_dir():
        raise CredentialsMissing(
            f"{path} is a folder, not a file.", hint="Move it away, or name another file: %zoho --env FILE."
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        problem = f"{path} is not UTF-8 text."
    except OSError as error:
        problem = f"{path} cannot be read ({os.strerror(error.errno or 0)})."
    raise CredentialsMissing(problem, hint="Save it as UTF-8, readable for you, then run the cell again.")


def _parse(path: Path) -> list[Binding]:
    return list(parse_stream(io.StringIO(_text(path))))


def _refuse_broken(binding: Binding, keys: frozenset[str], path: Path) -> None:
    ours = "ZOHO_" in binding.original.string and not binding.original.string.lstrip().startswith("#")
    unfinished = binding.key is not None and binding.value is None and binding.key.startswith("ZOHO_")
    runs_on = binding.key in keys and not (binding.value or "").isprintable()
    if (binding.error and ours) or unfinished or runs_on:
        line = binding.original.line + len(_LEADING_BREAKS.findall(binding.original.string)[0].splitlines())
        raise CredentialsMissing(
            f"Line {line} of {path} is broken: a value is cut short or a quote never closes.",
            hint=f"Mend that line (KEY=value, one of {', '.join(sorted(keys)[:4])}, ...) or remove it, then run again.",
        )


def _refuse_unprintable(key: str, value: str | None) -> None:
    if value is not None and not value.isprintable():
        raise CredentialsMissing(
            f"The value for {key} has a line break or another invisible character.",
            hint="Copy it again, without the line break.",
        )


def _refuse_changed_meaning(old: str, new: str, changes: Mapping[str, str | None], path: Path) -> None:
    # A quote that someone else's line never closes could swallow what is added behind it.
    removed = {key for key, value in changes.items() if value is None}
    expected = {**_meaning(old), **{key: value or "" for key, value in changes.items()}}
    if _meaning(new) != {key: value for key, value in expected.items() if key not in removed}:
        raise CredentialsMissing(
            f"{path} has a line with a quote that never closes, so nothing can be added safely.",
            hint="Mend that line, then run again; the file was left as it was.",
        )


def _meaning(text: str) -> dict[str, str]:
    return {b.key: b.value or "" for b in parse_stream(io.StringIO(text)) if b.key is not None}


def _rewritten(old: str, changes: Mapping[str, str | None]) -> str:
    mark = "\ufeff" if old.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in old else "\n"
    lines = [_changed(binding, changes) for binding in parse_stream(io.StringIO(old))]
    text = mark + "".join(lines)
    present = {binding.key for binding in parse_stream(io.StringIO(old))}
    for key, value in changes.items():
        if value is not None and key not in present:
            text += newline if text and not text.endswith(("\n", "\r", "\ufeff")) else ""
            text += f"{key}={_quoted(value)}{newline}"
    return text


def _changed(binding: Binding, changes: Mapping[str, str | None]) -> str:
    original = binding.original.string
    if binding.key is None or binding.key not in changes or binding.value == (value := changes[binding.key]):
        return original
    blank = original[: len(original) - len(original.lstrip())]
    ending = original[len(original.rstrip("\r\n")) :]
    export = "export " if original.lstrip().startswith("export ") else ""
    return blank + ("" if value is None else f"{export}{binding.key}={_quoted(value)}{ending}")


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _scratch(real: Path) -> Path:
    return real.with_name(f"{real.name}.zoho_magic.tmp")


def _create(path: Path, text: str) -> None:
    # A fixed name under the lock: what a killed process left behind is swept away by the next write.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  # a descriptor, not a path
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(real: Path, text: str) -> None:
    scratch = _scratch(real)
    try:
        _create(scratch, text)
        scratch.replace(real)
    finally:
        scratch.unlink(missing_ok=True)
    real.chmod(0o600)
    _sync_folder(real.parent)


def _sync_folder(folder: Path) -> None:
    # Windows has no way to open a folder; there the rename is as durable as it gets.
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _locked(real: Path) -> Iterator[None]:
    lock = FileLock(real.with_name(f"{real.name}.lock"), timeout=_LOCK_SECONDS)
    with lock:
        try:
            yield
        finally:
            # Removed while still held; filelock notices an unlinked file and takes the new one.
            Path(lock.lock_file).unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(real: Path) -> Iterator[None]:
    problem = ""
    try:
        yield
    except Timeout:
        problem = "another process is writing it"
    except OSError as error:
        problem = _WHY.get(error.errno or 0, os.strerror(error.errno or 0))
    if problem:
        raise CredentialsMissing(
            f"{real} cannot be saved: {problem}.",
            hint="Make the file and its folder writable, or use another file: %zoho --env FILE.",
        )


_WHY = {
    errno.EBUSY: "it is mounted into this container by itself; mount its folder instead",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "it or its folder is read-only",
    errno.EPERM: "it or its folder is read-only",
    errno.ENOENT: "its folder does not exist",
    errno.ENOSPC: "the disk is full",
}
