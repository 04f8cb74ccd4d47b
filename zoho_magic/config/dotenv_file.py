"""Reading a `.env` file, and changing a few of its lines without ever losing the others."""

from __future__ import annotations

import contextlib
import copy
import errno
import glob
import io
import os
import re
import secrets
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from ..errors import ConfigurationError, printable
from ..secret import Secret
from . import atomic_file
from .file_lock import exclusive

__all__ = [
    "DotenvContents",
    "check_private",
    "check_writable",
    "find",
    "fingerprint",
    "git_exposure",
    "is_world_readable",
    "read",
    "read_contents",
    "remove_leftovers",
    "write",
]

FileFingerprint = tuple[int, int, int] | None
Updates = Mapping[str, Secret | str | None]
LOCK_SECONDS = 10.0
MAX_BYTES = 1_048_576
"""A larger file is no `.env`: it is refused before it is read."""
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a FIFO would otherwise wait for a writer
_NOT_DOTENV_SUFFIXES = frozenset({".json", ".ipynb", ".py", ".toml", ".yaml", ".yml", ".csv", ".xml", ".html"})
_UNQUOTED = re.compile(r"[A-Za-z0-9._:/@,+-]*")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_ZOHO_KEY = re.compile(r"^\s*(?:export\s+)?'?ZOHO_", re.MULTILINE)
_KEY = re.compile(r"""\s*(?:(?:export|set|setx)\s+|\$env:)?["']?([A-Za-z_][\w-]*)["']?\s*[=:]""")
_REST_OF_TOKEN = re.compile(r"[0-9A-Fa-f.]{8,}")
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


@dataclass(frozen=True)
class DotenvContents:
    """What a `.env` file says about our keys.

    Attributes:
        values: key -> value; of several lines for a key the last one.
        lines: key -> the number of that line.
        duplicates: key -> the numbers of all its lines, where it has several.
        misspelt: key that is not there -> number and text of a line that probably means it.
        untrusted: why the file is not to be believed (another owner, a mode that lets others write); "" if it is.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)
    duplicates: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    misspelt: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    untrusted: str = ""


def read(path: Path, keys: frozenset[str]) -> dict[str, str]:
    """The values of these keys in a `.env` file; a missing file is empty.

    Nothing is interpolated and nothing reaches `os.environ`. The last of several lines for a key counts.

    Raises:
        ConfigurationError: the path is a folder, a FIFO or a device, the file is larger than 1 MiB, is not UTF-8, may
            not be read, is JSON, or a line for one of the keys is broken (cut short, or a quote that never closes).
    """
    return dict(read_contents(path, keys).values)


def read_contents(path: Path, keys: frozenset[str]) -> DotenvContents:
    """The values of these keys in a `.env` file, and what is odd about the file. Raises as `read` does."""
    found = _parse(path, keys)
    if isinstance(found, DotenvContents):
        return found
    number, continued = found
    if continued:
        raise ConfigurationError(
            f"Line {number} of {printable(path)} is the rest of line {continued}: a value is broken over two lines.",
            hint="Join the two lines.",
        )
    raise ConfigurationError(
        f"Line {number} of {printable(path)} is broken: cut short, a quote that never closes, or an invisible "
        "character.",
        hint=f"Correct or remove that line: KEY=value, with one of {', '.join(sorted(keys)[:4])}, ...",
    )


def check_private(path: Path) -> None:
    """Raise ConfigurationError if the file is another user's, or others can write it; a missing file passes."""
    with contextlib.suppress(FileNotFoundError):
        if problem := _untrusted(path, path.stat()):
            raise untrusted_error(path, problem)


def untrusted_error(path: Path, problem: str) -> ConfigurationError:
    """The error for a file that is `DotenvContents.untrusted`."""
    fix = f"chmod 600 {path}" if "mode" in problem else f"chown {_user()} {path} (or copy it to a file of your own)"
    return ConfigurationError(
        f"{printable(path)} {problem}, so nothing in it is used: it decides which account is written to.",
        hint=f"Run: {printable(fix)}. To use it as it is: ZohoSession.from_env({str(path)!r}, trust_file=True).",
    )


def _user() -> str:
    return str(os.geteuid()) if hasattr(os, "geteuid") else ""


def _untrusted(path: Path, found: os.stat_result) -> str:
    """Why a file must not be believed; "" on Windows, where a profile folder is private by its access list."""
    if not hasattr(os, "geteuid"):
        return ""
    for owner in (found.st_uid, path.lstat().st_uid):  # a link of another user may lead to a file of one's own
        if owner not in (os.geteuid(), 0):
            return f"belongs to another user (uid {owner})"
    mode = stat.S_IMODE(found.st_mode)
    return f"can be written by other users (mode {mode:04o})" if mode & (stat.S_IWGRP | stat.S_IWOTH) else ""


def is_world_readable(path: Path) -> bool:
    """Whether every user of this machine may read the file."""
    try:
        return hasattr(os, "geteuid") and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def write(path: Path, changes: Updates) -> None:
    """Set (or with None remove) keys of a `.env` file; every other line stays as it is, byte for byte.

    The new text replaces the old in one rename, after an fsync, under a lock that a second process respects; the
    file's mode is 0600 whatever it was. A symlink is followed. A file that would not change is only tightened to 0600.

    Args:
        path: the file; made if missing.
        changes: key -> value, any printable text; None removes the key. A secret comes as `Secret`.

    Raises:
        ConfigurationError: a value has a line break or another control character, or the file cannot be replaced.

    Example::

        write(Path(".env"), {"ZOHO_DC": "eu", "ZOHO_GRANT_CODE": None})
    """
    for key, value in changes.items():
        if not _reveal(value).isprintable():
            raise ConfigurationError(
                f"The value for {key} has a line break or another invisible character.",
                hint="Copy it again, without the line break.",
            )
    real = Path(os.path.realpath(path))
    if (problem := _error_of(real, lambda: _rewrite(real, changes))) is not None:
        raise problem


def check_writable(path: Path) -> None:
    """Raise ConfigurationError now if a later `write` could not succeed; nothing is changed.

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
    found = [one for one in (path, *_leftovers(path)) if one.exists()]
    if any(_git(one, "ls-files", "--error-unmatch") == 0 for one in found):
        return "tracked"
    return "not ignored" if any(_git(one, "check-ignore", "-q", "--no-index") == 1 for one in found) else ""


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


def _parse(path: Path, keys: frozenset[str]) -> DotenvContents | tuple[int, int]:
    """The contents, or the numbers of a broken line and of the line that it continues (0: none).

    Raising is left to a frame that does not hold the file's text.
    """
    text, untrusted = _read(path)
    bindings = _bindings(text)
    for before, binding in zip((None, *bindings), bindings, strict=False):
        if before is not None and before.key in keys and _is_rest_of_token(binding):
            return _line_of(binding), _line_of(before)
        if _is_broken(binding, keys):
            return _line_of(binding), 0
    ours = [b for b in bindings if b.key in keys and b.key is not None and b.value]
    lines: dict[str, tuple[int, ...]] = {}
    for binding in ours:
        lines[str(binding.key)] = (*lines.get(str(binding.key), ()), _line_of(binding))
    return DotenvContents(
        values={str(b.key): str(b.value) for b in ours},
        lines={key: numbers[-1] for key, numbers in lines.items()},
        duplicates={key: numbers for key, numbers in lines.items() if len(numbers) > 1},
        misspelt=_misspelt(bindings, keys.difference(lines), keys),
        untrusted=untrusted,
    )


def _misspelt(bindings: list[Binding], missing: frozenset[str], keys: frozenset[str]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for binding in bindings:
        match = _KEY.match(binding.original.string)
        if match is not None and binding.key not in keys:
            written = match[0].strip().rstrip("=:").strip()
            for key in get_close_matches(_as_key(match[1]), missing, n=1, cutoff=0.88):
                found.setdefault(key, (_line_of(binding), written))
    return found


def _as_key(written: str) -> str:
    key = written.upper().replace("-", "_")
    return key if key.startswith("ZOHO") else f"ZOHO_{key}"


def _line_of(binding: Binding) -> int:
    return binding.original.line + len(_NEWLINE.findall(_leading_space(binding)))


def _is_rest_of_token(binding: Binding) -> bool:
    return binding.value is None and _REST_OF_TOKEN.fullmatch(binding.original.string.strip()) is not None


def _read_text(path: Path) -> str:
    return _read(path)[0]


def _read(path: Path) -> tuple[str, str]:
    """The file's text, and why it is not to be believed; a missing file is empty."""
    problem, hint, untrusted, content = "", "", "", b""
    try:
        with open(os.open(path, os.O_RDONLY | _NONBLOCK), "rb") as file:  # noqa: PTH123  # a descriptor, not a path
            found = os.fstat(file.fileno())
            if kind := _not_a_file(found):
                problem, hint = kind, "Move it away, or name another file."
            else:
                content, untrusted = file.read(MAX_BYTES), _untrusted(path, found)
    except FileNotFoundError:
        return "", ""
    except OSError as error:
        problem, hint = f"cannot be read ({os.strerror(error.errno or 0)})", "Make it readable for you, then run again."
        if path.is_dir():  # Windows does not open one
            problem, hint = "is a folder, not a file", "Move it away, or name another file."
    if not problem:
        text, problem, hint = _decode(path, content)
        if not problem:
            return text, untrusted
        del text, content  # they would be in the traceback
    raise ConfigurationError(f"{printable(path)} {problem}.", hint=hint)


def _not_a_file(found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return "is a folder, not a file"
    if not stat.S_ISREG(found.st_mode):
        return "is a FIFO or a device, not a file"
    return f"is larger than {MAX_BYTES:,} bytes, so it is no .env file" if found.st_size > MAX_BYTES else ""


def _decode(path: Path, content: bytes) -> tuple[str, str, str]:
    """The text, or what is wrong with it and what to do."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return (
            "",
            "is not UTF-8 text but UTF-16",
            (f"Save it as UTF-8; in PowerShell: (Get-Content {path.name}) | Set-Content -Encoding utf8 {path.name}"),
        )
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "", "is not UTF-8 text", "Save it as UTF-8 (in the editor: Save with Encoding), then run again."
    if "\0" in text:
        return "", "is not text: it has zero bytes, as after a crash", "Restore it, or write it anew as UTF-8."
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[", "<")):
        return (
            "",
            "is no .env file: it has JSON or markup instead of lines KEY=value",
            ("Name a .env file instead. A self_client.json goes to zoho.exchange('self_client.json')."),
        )
    return text, "", ""


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
            _remove_leftovers(target)
            action()
            return None
    except ConfigurationError as error:
        return copy.copy(error)
    except KeyboardInterrupt:
        return KeyboardInterrupt()
    except TimeoutError:
        why = "another process is writing it"
    except OSError as error:
        why = _ERRNO_TEXT.get(error.errno or 0, os.strerror(error.errno or 0))
    return ConfigurationError(
        f"{printable(target)} cannot be saved: {why}.",
        hint="Make the file and its folder writable, or use another file: ZohoSession.from_env(path).",
    )


def _rewrite(target: Path, changes: Updates) -> None:
    _check_is_dotenv(target)
    old = _read_text(target)
    new = _render(old, changes)
    _check_round_trip(old, new, changes, target)
    if new != old:
        _check_not_protected(target)
        _replace(target, new)
    elif target.exists():
        _set_private(target)


def _check_is_dotenv(target: Path) -> None:
    if target.suffix.lower() in _NOT_DOTENV_SUFFIXES:
        raise ConfigurationError(
            f"{printable(target)} is no .env file, so nothing is saved in it.",
            hint="Name a file that begins with .env; Jupyter serves files of other names to the browser.",
        )


def _set_private(target: Path) -> None:
    descriptor = os.open(target, os.O_RDONLY | _NONBLOCK | _NOFOLLOW)
    try:
        _set_mode(descriptor, target)
    finally:
        os.close(descriptor)


def _set_mode(descriptor: int, path: Path) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
    else:  # Windows before Python 3.13
        path.chmod(0o600)


def _check_replaceable(target: Path) -> None:
    _check_is_dotenv(target)
    _read_text(target)
    scratch, descriptor = _create(target)
    os.close(descriptor)
    scratch.unlink()
    _check_not_protected(target)


def _check_not_protected(target: Path) -> None:
    """A rename could replace a read-only file, against its owner's wish, and cannot replace a mounted one."""
    read_only = target.exists() and not os.access(target, os.W_OK)
    if why := errno.EACCES if read_only else errno.EBUSY if _is_mounted(target) else 0:
        raise OSError(why, "protected")


def _is_mounted(target: Path) -> bool:
    # Across a mount a hard link is refused just as a rename is; it changes nothing and so can be tried beforehand.
    link = _temp_path(target)
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
        raise ConfigurationError(
            f"{printable(path)} has a line with a quote that never closes, so nothing can be added safely.",
            hint="Correct that line, then run again; the file was left as it was.",
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
    # Nobody else in the folder can know it before it exists.
    return target.with_name(f"{target.name}.zoho_magic.{secrets.token_hex(8)}.tmp")


def _leftovers(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f"{glob.escape(target.name)}.zoho_magic*.tmp"))


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed while it saved the file has left beside it: it may hold the secrets."""
    target = Path(os.path.realpath(path))
    if _leftovers(target):
        with contextlib.suppress(OSError), _locked(target):
            _remove_leftovers(target)


def _remove_leftovers(target: Path) -> None:
    for scratch in _leftovers(target):  # under the lock none of them is in use
        scratch.unlink(missing_ok=True)


def _create(target: Path) -> tuple[Path, int]:
    """An empty private file beside the target, and its descriptor."""
    scratch = _temp_path(target)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, 0o600)
    _set_mode(descriptor, scratch)  # the umask may have taken more away
    return scratch, descriptor


def _replace(target: Path, text: str) -> None:
    scratch, descriptor = _create(target)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  # a descriptor, not a path
            _keep_owner(descriptor, target)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
            written = os.fstat(descriptor)
            _check_same_file(scratch, written)
        atomic_file.replace(scratch, target)
        _check_same_file(target, written)
    finally:
        scratch.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _check_same_file(path: Path, written: os.stat_result) -> None:
    """Whoever owns the folder could have put another file, or a link, in the place of the one that was written."""
    if not os.path.samestat(path.lstat(), written):
        raise OSError(errno.EPERM, "replaced by another user")


def _keep_owner(descriptor: int, target: Path) -> None:
    # Root in a container writes the file of somebody outside, who must still be able to read it.
    with contextlib.suppress(OSError, AttributeError):  # no such file yet, not allowed to, or Windows
        before = target.lstat()
        os.fchown(descriptor, before.st_uid, before.st_gid)


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
