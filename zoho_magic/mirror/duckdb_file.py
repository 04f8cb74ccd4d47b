"""One connection to a DuckDB file, closed whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from .optional import load

__all__ = ["connect", "quote"]

MEMORY_LIMIT = "512MB"


@contextlib.contextmanager
def connect(path: Path | None, *, read_only: bool = False, memory: str = MEMORY_LIMIT) -> Iterator[Any]:
    """A connection to a DuckDB file, or to a database in memory.

    Args:
        path: the file; None for memory.
        read_only: whether the file may be read by others meanwhile.
        memory: what DuckDB's own buffers may take.

    Raises:
        MissingDependency: duckdb is not installed.
        ConfigurationError: another process has the file open, or it is no DuckDB file.
    """
    duckdb = load("duckdb", "DuckDB")
    settings = {"memory_limit": memory, "threads": 2, "preserve_insertion_order": True}
    try:
        database = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=settings)
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConnectionException) as error:
        problem = str(error).splitlines()[0]
    else:
        with contextlib.closing(database):
            database.execute("SET TimeZone = 'UTC'")
            yield database
        return
    raise ConfigurationError(
        f"{path} cannot be opened: {problem[:200]}", hint="Close other connections to it, or name another file."
    )


def quote(name: str) -> str:
    """An identifier for SQL.

    Example::

        >>> quote('a"b')
        '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
