"""Lazy frames of other engines over a copy that one process has landed: they need no session, token or secret."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..auth.cache_file import cache_dir
from ..errors import ConfigurationError
from .optional import load
from .target import parse_target

__all__ = ["LAZY_FRAMES", "landed_path", "open_lazily"]


LAZY_FRAMES: dict[str, tuple[str, Callable[[Any, Path], Any]]] = {
    "dask": ("dask.dataframe", lambda dask, path: dask.read_parquet(str(path))),
    "duckdb": ("duckdb", lambda duckdb, path: duckdb.read_parquet(_files(path))),
    "polars-lazy": ("polars", lambda polars, path: polars.scan_parquet(_files(path))),
}
"""Value of `frame` -> its package, and what opens a landed copy with it. To add an engine, add a line."""


def _files(path: Path) -> str:
    return f"{path}/*.parquet" if path.is_dir() else str(path)


def open_lazily(
    frame: str,
    land: Callable[[str], Any],
    to: str | os.PathLike[str] | None,
    key: Mapping[str, Any],
    max_age: float | None,
) -> tuple[Any, str, float]:
    """A lazy frame, where its copy lies, and how many seconds old that is.

    Args:
        frame: dask, duckdb or polars-lazy.
        land: exports to a path.
        to: a .parquet file or a folder/; None for one in the cache folder.
        key: what makes a copy in the cache folder another one.
        max_age: take a copy that is there if it is no older, in seconds; None lands it anew.
    """
    package, open_copy = LAZY_FRAMES[frame]
    engine = load(package, f"frame={frame!r}")
    place = landed_path(key) if to is None else os.fspath(to)
    target = parse_target(place)
    if target.format not in ("parquet", "folder") or target.is_remote:
        raise ConfigurationError(
            f"to={target.text!r} cannot be read as {frame}.", hint="Use FILE.parquet, a local FOLDER/, or leave it out."
        )
    age = _age(target.path)
    if max_age is None or age is None or age > max_age:
        land(place)
        age = 0.0
    return open_copy(engine, target.path), str(target.path), age


def landed_path(key: Mapping[str, Any]) -> str:
    """A file in the user's cache folder, which nobody else can read, for one question to one organisation."""
    folder = cache_dir() / "landed"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return str(folder / f"{key['module']}-{digest}.parquet")


def _age(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return None
