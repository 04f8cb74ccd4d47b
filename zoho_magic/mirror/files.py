"""Files that are whole or not there: written under another name, then renamed, or uploaded at the end."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..config.atomic_file import replace
from ..errors import ConfigurationError
from .optional import load
from .target import Target

__all__ = ["MARKER", "check_ours", "new_file", "new_folder", "temporary_name"]

MARKER = "_SUCCESS"
"""Is written last into a folder: without it, the folder is not complete (Hadoop's and Spark's convention)."""
_WHOLE_OBJECTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
"""File systems where an object appears when its upload is complete, and not before."""


def temporary_name(path: Path) -> Path:
    """A name beside `path` that nobody uses; on the same file system, so that a rename is enough."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


@contextlib.contextmanager
def new_file(target: Target) -> Iterator[Path]:
    """A local path to write to; it becomes the target when the block ends without an error, and is gone otherwise."""
    if target.is_remote:
        with tempfile.TemporaryDirectory(prefix="zoho_magic_") as folder:
            path = Path(folder) / Path(target.place).name
            yield path
            _upload(target.place, path)
        return
    final = target.path.absolute()
    path = temporary_name(final)
    try:
        yield path
        _flush(path)
        replace(path, final)
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(target: Target) -> Iterator[Path]:
    """A local folder to write to; it becomes the target folder when the block ends without an error."""
    if target.is_remote:
        with tempfile.TemporaryDirectory(prefix="zoho_magic_") as local:
            yield Path(local)
            _upload_folder(target.place, Path(local))
        return
    final = target.path.absolute()
    check_ours(final)
    folder = temporary_name(final)
    folder.mkdir()
    try:
        yield folder
        for path in folder.iterdir():
            _flush(path)
        (folder / MARKER).touch()
        _exchange(folder, final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exchange(new: Path, final: Path) -> None:
    if not final.exists():
        new.replace(final)
        return
    old = temporary_name(final)
    final.replace(old)
    try:
        new.replace(final)
    except BaseException:
        old.replace(final)
        raise
    shutil.rmtree(old, ignore_errors=True)


def check_ours(folder: Path) -> None:
    """Raise ConfigurationError where replacing the folder would delete what no export has written."""
    strange = [p.name for p in folder.iterdir() if not _is_part(p.name)] if folder.is_dir() else []
    if strange or folder.is_file():
        held = f"holds {strange[0]}, which no export wrote" if strange else "is a file"
        raise ConfigurationError(f"The folder {folder.name} {held}; it is not replaced.", hint="Name a new folder.")


def _is_part(name: str) -> bool:
    return name == MARKER or (name.startswith("part-") and name.endswith(".parquet"))


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


# Remote file systems


def file_system(place: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path on it. Raises MissingDependency, ConfigurationError."""
    fsspec = load("fsspec", f"Writing to {place.partition('://')[0]}://")
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        problem = str(error)
    else:
        return found
    raise ConfigurationError(f"to={place!r} cannot be written: {problem[:200]}", hint="Install its fsspec package.")


def _upload(place: str, path: Path) -> None:
    fs, remote = file_system(place)
    if _protocols(fs) & _WHOLE_OBJECTS:
        fs.put_file(str(path), remote)
        return
    temporary = f"{remote}.{secrets.token_hex(4)}.tmp"
    try:
        fs.put_file(str(path), temporary)
        fs.mv(temporary, remote)
    finally:
        if fs.exists(temporary):
            fs.rm_file(temporary)


def _upload_folder(place: str, folder: Path) -> None:
    """The parts under new names, then the old parts away, then the marker: with the marker the folder is complete."""
    fs, remote = file_system(place)
    remote = remote.rstrip("/")
    before = [name for name in fs.find(remote) if _is_part(name.rpartition("/")[2])] if fs.exists(remote) else []
    run = secrets.token_hex(4)
    new = {path: f"{remote}/{path.stem}-{run}{path.suffix}" for path in sorted(folder.iterdir())}
    fs.makedirs(remote, exist_ok=True)
    try:
        for path, name in new.items():
            fs.put_file(str(path), name)
    except BaseException:
        for name in filter(fs.exists, new.values()):
            fs.rm_file(name)
        raise
    for name in sorted(before, key=lambda name: not name.endswith(MARKER)):  # the marker first
        fs.rm_file(name)
    fs.pipe_file(f"{remote}/{MARKER}", b"")


def _protocols(fs: Any) -> set[str]:
    return {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
