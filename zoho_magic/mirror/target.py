"""What `to=` means: a file, a folder, a table of a database, or an address of a remote file system."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError

__all__ = ["SUFFIXES", "Target", "parse_target"]

SUFFIXES: Mapping[str, str] = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".delta": "delta",
    ".duckdb": "duckdb",
    ".db": "duckdb",
}
"""Suffix of `to` -> format. To add a format, add a line here and its writer to `export.WRITERS`."""

_SCHEMES = {"duckdb": "duckdb", "delta": "delta"}
_SAY = "Name a .parquet, .arrow, .csv or .xlsx file, a folder ending with /, FILE.duckdb::TABLE, or FOLDER.delta."


@dataclass(frozen=True)
class Target:
    """Where rows go.

    Attributes:
        text: as it was given.
        format: parquet, folder, arrow, csv, xlsx, duckdb or delta.
        place: the path, or the address of a remote file system.
        table: of a database; "" where none was named.
        is_remote: whether `place` is an address.
    """

    text: str
    format: str
    place: str
    table: str = ""
    is_remote: bool = False

    @property
    def path(self) -> Path:
        """The local path. Raises ConfigurationError for an address."""
        if self.is_remote:
            raise ConfigurationError(f"to={self.text!r} is not on this machine.", hint="Use a local path.")
        return Path(self.place).expanduser()


def parse_target(to: str | os.PathLike[str]) -> Target:
    """The target that `to` names. Raises ConfigurationError for a format that does not exist.

    Example::

        >>> parse_target("crm.duckdb::leads")
        Target(text='crm.duckdb::leads', format='duckdb', place='crm.duckdb', table='leads', is_remote=False)
        >>> parse_target("s3://bucket/leads/").format
        'folder'
    """
    text = os.fspath(to)
    place, _, table = text.partition("::")
    scheme, separator, rest = place.partition("://")
    if separator and scheme in _SCHEMES:
        place = rest.removeprefix("/") if scheme == "duckdb" or rest.startswith("//") else rest
        found = Target(text, _SCHEMES[scheme], place, table, "://" in place)
    elif separator and scheme == "file":
        found = Target(text, _format_of(rest, text, table), rest, table)
    else:
        found = Target(text, _format_of(place, text, table), place, table, bool(separator))
    return _checked(found)


def _format_of(place: str, text: str, table: str) -> str:
    if table:
        return "duckdb"
    if place.endswith(("/", os.sep)):
        return "folder"
    suffix = re.search(r"\.\w+$", place)
    found = SUFFIXES.get(suffix.group().lower()) if suffix else None
    if found is None:
        raise ConfigurationError(f"to={text!r} does not say which format to write.", hint=_SAY)
    return found


def _checked(target: Target) -> Target:
    if not target.place:
        raise ConfigurationError(f"to={target.text!r} names no file.", hint=_SAY)
    if target.is_remote and target.format == "duckdb":
        raise ConfigurationError("DuckDB writes to a local file only.", hint="Write a .parquet file there instead.")
    if not target.is_remote and not target.path.absolute().parent.is_dir():
        raise ConfigurationError(
            f"to={target.text!r}: the folder {target.path.parent} does not exist.", hint="Make it."
        )
    return target
