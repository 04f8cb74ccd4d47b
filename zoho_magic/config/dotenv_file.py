"""Reading a `.env` file, and changing a few of its lines without ever losing the others."""

from __future__ import annotations

import contextlib
import copy
import errno
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from ..errors import CredentialsMissing
from ..secret import Secret
from . import atomic_file
from .file_lock import exclusive

__all__ = ["check_writable", "find", "fingerprint", "git_exposure", "read", "write"]

FileFingerprint = tuple[int, int, int] | None
Updates = Mapping[str, Secret | str | None]
LOCK_SECONDS = 10.0
_UNQUOTED = re.compile(r"[A-Za-z0-9._:/@,+-]*")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_ZOHO_KEY = re.compile(r"^\s*(?:export\s+)?'?ZOHO_", re.MULTILINE)
_START = re.compile(r"\s*(?:export[^\S\r\n]+)?")
_COMMENT = re.compile(  # the comment behind a value: after ` #` where the value has no quotes
    r"""=[^\S\r\n]*?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?!['"])[^\r\n]*?)([^\S\r\n]+\#[^\r\n]*)[\r\n]*\Z""",
    re.DOTALL,
)


def find() -> Path:
    """The nearest `.env` from the working directory upwards, or the one to be made in the working directory."""
    from dotenv import find_dotenv

    return Path(find_dotenv(usecwd=True) or Path.cwd() / ".env")


def fingerprint(path: Path) -> FileFingerprint:
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
    found = _parse(path, keys)
    if isinstance(found, int):
        raise CredentialsMissing(
            f"Line {found} of {path} is broken: cut short, a quote that never closes, or an invisible character.",
            hint=f"Mend that line (KEY=value, one of {', '.join(sorted(keys)[:4])}, ...) or remove it, then run again.",
        )
    return found


def write(path: Path, changes: Updates) -> None:
    """Set (or with None remove) keys of a `.env` file; every other line stays as it is, byte for byte.

    The new text replaces the old in one rename, after an fsync, under a lock that a second process respects; the
    file's mode is 0600 whatever it was. A symlink is followed. A file that would not change is only tightened to 0600.

    Args:
        path: the file; made if missing.
        changes: key -> value, any printable text; None removes the key. A secret comes as `Secret`.

    Raises:
        CredentialsMissing: a value has a line break or another control character, or the file cannot be replaced.

    Example::

        write(Path(".env"), {"ZOHO_DC": "eu", "ZOHO_GRANT_CODE": None})
    """
    for key, value in changes.items():
        if not _reveal(value).isprintable():
            raise CredentialsMissing(
                f"The value for {key} has a line break or another invisible character.",
                hint="Copy it again, without the line break.",
            )
    real = Path(os.path.realpath(path))
    if (problem := _error_of(real, lambda: _rewrite(real, changes))) is not None:
        raise problem


def check_writable(path: Path) -> None:
    """Raise CredentialsMissing now if a later `write` could not succeed; nothing is changed.

    Called before a grant code is spent: a code works once, and its refresh token must have somewhere to go.
    """
    real = Path(os.path.realpath(path))
    if (problem := _error_of(real, lambda: _check_replaceable(real))) is not None:
        raise problem


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


# A repository's own configuration may name programs that git runs (fsmonitor, hooks), and a cloned folder may hide a
# bare repository with such a configuration.
_RUN_NOTHING = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.pager=cat"),
    *("-c", "safe.bareRepository=explicit"),
)


def _git(path: Path, *command: str) -> int:
    real = Path(os.path.realpath(path))
    try:
        done = subprocess.run(  # noqa: S603  # fixed words, no shell
            ["git", *_RUN_NOTHING, "-C", str(real.parent), *command, "--", real.name],  # noqa: S607
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1
    return done.returncode


def _parse(path: Path, keys: frozenset[str]) -> dict[str, str] | int:
    """The values, or the number of a broken line. Raising is left to a frame that does not hold the file's text."""
    bindings = _bindings(_read_text(path))
    broken = next((binding for binding in bindings if _is_broken(binding, keys)), None)
    if broken is not None:
        return broken.original.line + len(_NEWLINE.findall(_leading_space(broken)))
    return {b.key: b.value for b in bindings if b.key in keys and b.key is not None and b.value}


def _read_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        return ""
    except IsADirectoryError:
        problem, hint = "is a folder, not a file", "Move it away, or name another file: %zoho --env FILE."
    except UnicodeDecodeError:
        problem, hint = "is not UTF-8 text", "Save it as UTF-8, then run the cell again."
    except OSError as error:
        problem, hint = f"cannot be read ({os.strerror(error.errno or 0)})", "Make it readable for you, then run again."
    else:
        if "\0" not in text:
            return text
        del text  # it would be in the traceback
        problem, hint = "is not text: it has zero bytes, as after a crash", "Restore it, or write it anew as UTF-8."
    raise CredentialsMissing(f"{path} {problem}.", hint=hint)


def _bindings(text: str) -> list[Binding]:
    return list(parse_stream(io.StringIO(text)))


def _leading_space(binding: Binding) -> str:
    original = binding.original.string
    return original[: len(original) - len(original.lstrip())]


def _is_broken(binding: Binding, keys: frozenset[str]) -> bool:
    if binding.error:
        return _ZOHO_KEY.search(binding.original.string) is not None
    if binding.value is None:
        return binding.key is not None and binding.key.startswith("ZOHO_")
    return binding.key in keys and not binding.value.isprintable()


def _reveal(value: Secret | str | None) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""


def _error_of(target: Path, action: Callable[[], None]) -> BaseException | None:
    """What goes wrong with an action on the file under its lock.

    The frames below hold the file's text: an exception that passed through them may not leave, not even as the
    __context__ of another.
    """
    try:
        with _locked(target):
            action()
            return None
    except CredentialsMissing as error:
        return copy.copy(error)
    except KeyboardInterrupt:
        return KeyboardInterrupt()
    except TimeoutError:
        why = "another process is writing it"
    except OSError as error:
        why = _ERRNO_TEXT.get(error.errno or 0, os.strerror(error.errno or 0))
    return CredentialsMissing(
        f"{target} cannot be saved: {why}.",
        hint="Make the file and its folder writable, or use another file: %zoho --env FILE.",
    )


def _rewrite(target: Path, changes: Updates) -> None:
    old = _read_text(target)
    new = _render(old, changes)
    _check_round_trip(old, new, changes, target)
    if new != old:
        _check_not_protected(target)
        _replace(target, new)
    elif target.exists():
        target.chmod(0o600)


def _check_replaceable(target: Path) -> None:
    _read_text(target)
    _create(_temp_path(target), "")
    _temp_path(target).unlink()
    _check_not_protected(target)


def _check_not_protected(target: Path) -> None:
    """A rename could replace a read-only file, against its owner's wish, and cannot replace a mounted one."""
    read_only = target.exists() and not os.access(target, os.W_OK)
    if why := errno.EACCES if read_only else errno.EBUSY if _is_mounted(target) else 0:
        raise OSError(why, "protected")


def _is_mounted(target: Path) -> bool:
    # Across a mount a hard link is refused just as a rename is; it changes nothing and so can be tried beforehand.
    link = _temp_path(target)
    link.unlink(missing_ok=True)
    try:
        os.link(target, link)
    except OSError as error:
        return error.errno == errno.EXDEV
    link.unlink()
    return False


def _check_round_trip(old: str, new: str, changes: Updates, path: Path) -> None:
    # A quote that someone else's line never closes could swallow what is added behind it.
    removed = {key for key, value in changes.items() if value is None}
    expected = {**_parsed_values(old), **{key: _reveal(value) for key, value in changes.items()}}
    if _parsed_values(new) != {key: value for key, value in expected.items() if key not in removed}:
        raise CredentialsMissing(
            f"{path} has a line with a quote that never closes, so nothing can be added safely.",
            hint="Mend that line, then run again; the file was left as it was.",
        )


def _parsed_values(text: str) -> dict[str, str]:
    return {b.key: b.value or "" for b in _bindings(text) if b.key is not None}


def _render(old: str, changes: Updates) -> str:
    mark = "\ufeff" if old.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in old else "\n"
    bindings = _bindings(old)
    text = mark + "".join(_render_binding(binding, changes) for binding in bindings)
    present = {binding.key for binding in bindings}
    for key, value in changes.items():
        if value is not None and key not in present:
            text += newline if text and not text.endswith(("\n", "\r", "\ufeff")) else ""
            text += f"{key}={_quoted(_reveal(value))}{newline}"
    return text


def _render_binding(binding: Binding, changes: Updates) -> str:
    original, lead = binding.original.string, _leading_space(binding)
    if binding.key is None or binding.key not in changes:
        return original
    if (value := changes[binding.key]) is None:
        return lead[: max(lead.rfind("\n"), lead.rfind("\r")) + 1]
    if binding.value == _reveal(value):
        return original
    start, comment = _START.findall(original)[0], "".join(_COMMENT.findall(original))
    ending = original[len(original.rstrip("\r\n")) :]
    return f"{start}{binding.key}={_quoted(_reveal(value))}{comment}{ending}"


def _quoted(value: str) -> str:
    # Nothing at all is quoted: python-dotenv 1.2.3 would take a comment behind it for the value.
    if value and _UNQUOTED.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _temp_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.zoho_magic.tmp")


def _create(path: Path, text: str) -> None:
    # A fixed name under the lock: what a killed process left behind is swept away by the next write.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  # a descriptor, not a path
        path.chmod(0o600)  # the umask may have taken more away
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(target: Path, text: str) -> None:
    scratch = _temp_path(target)
    try:
        _create(scratch, text)
        _keep_owner(scratch, target)
        atomic_file.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _keep_owner(scratch: Path, target: Path) -> None:
    # Root in a container writes the file of somebody outside, who must still be able to read it.
    with contextlib.suppress(OSError, AttributeError):  # no such file yet, not allowed to, or Windows
        before = target.stat()
        os.chown(scratch, before.st_uid, before.st_gid)


def _sync_folder(folder: Path) -> None:
    # Some systems (Windows) cannot open or sync a folder; there the rename is as durable as it gets.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    target.parent.stat()  # a folder that is not there was mistyped; filelock would make it
    with exclusive(target.with_name(f"{target.name}.lock"), LOCK_SECONDS):
        yield


_ERRNO_TEXT = {
    errno.EBUSY: "it is mounted into this container by itself; mount its folder instead",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "it or its folder is read-only",
    errno.EPERM: "it or its folder is read-only",
    errno.ENOENT: "its folder does not exist",
    errno.ENOSPC: "the disk is full",
}
