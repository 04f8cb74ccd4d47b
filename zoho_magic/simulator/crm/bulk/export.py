"""The CSV of a bulk read job: one row a record, header in API names, lookups as bare ids, empty for nothing."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .. import datetimes
from ..coql.scope import ResolvedColumn
from ..serialization import UserView
from ..store import MANY, Store

__all__ = ["Export", "Page", "export"]

UNNAMED = "0" * 18
CHUNK = 5_000  # rows read at a time, so that other calls get their turn
Column = Sequence[Any]


@dataclass(frozen=True)
class Export:
    """What a job reads: header and column pairs, tables, condition, and how values are written."""

    columns: tuple[tuple[str, ResolvedColumn], ...]
    base: str
    tables: str
    where: str
    values: tuple[Any, ...]
    rows: int
    separator: str
    bom: bool


@dataclass(frozen=True)
class Page:
    """The result: a ZIP of one CSV, how many rows are in it, and the last id when there are more."""

    file: bytes
    count: int
    last: int | None

    def named(self, name: str) -> bytes:
        """The ZIP with its CSV called `name`.csv: the name stands in two headers and is as long as the one before."""
        old, new = f"{UNNAMED}.csv".encode(), f"{name}.csv".encode()
        start, end = self.file.find(old), self.file.rfind(old)
        return self.file[:start] + new + self.file[start + len(old) : end] + new + self.file[end + len(old) :]


def export(store: Store, asked: Export, view: UserView, after: int, skip: int) -> Page:
    """Write one page of rows whose id is greater than `after`, leaving out the first `skip`."""
    writers = [_writer(found, asked.separator, view) for _, found in asked.columns]
    packed = io.BytesIO()
    count, last = 0, after
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{UNNAMED}.csv", "w", force_zip64=True) as raw,
        io.TextIOWrapper(raw, "utf-8", newline="") as text,
    ):
        text.write("\ufeff" if asked.bom else "")
        lines = csv.writer(text, lineterminator="\n")
        quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        lines.writerow([header for header, _ in asked.columns])
        for rows in _chunks(store, asked, after, skip):
            columns = list(zip(*rows, strict=True))
            written = [write(column) for write, column in zip(writers, columns, strict=False)]
            (quoted if _has_lone_return(written) else lines).writerows(zip(*written, strict=True))
            count, last = count + len(rows), rows[-1][-1]
    more = count == asked.rows and bool(store.read(_sql(asked, "1", 1), (*asked.values, last)))
    return Page(packed.getvalue(), count, last if more else None)


def _has_lone_return(columns: Sequence[Column]) -> bool:
    """True when a cell holds a carriage return, which Python before 3.11.9 leaves without quotes."""
    return any("\r" in cell for column in columns for cell in column if isinstance(cell, str))


def _chunks(store: Store, asked: Export, after: int, skip: int) -> Iterator[list[tuple[Any, ...]]]:
    columns = ", ".join([found.sql for _, found in asked.columns] + [f"{asked.base}.id"])
    left = asked.rows
    while left > 0:
        size = min(CHUNK, left)
        rows = store.read(f"{_sql(asked, columns, size)} OFFSET {skip}", (*asked.values, after))
        if rows:
            yield rows
        if len(rows) < size:
            return
        left, after, skip = left - size, rows[-1][-1], 0


def _sql(asked: Export, columns: str, limit: int) -> str:
    here = f"{asked.base}.id"
    return (
        f"SELECT {columns} FROM {asked.tables} WHERE ({asked.where}) AND {here} > ? ORDER BY {here} LIMIT {limit}"
    )  # fmt: skip


def _writer(found: ResolvedColumn, separator: str, view: UserView) -> Callable[[Column], Column]:
    kind = found.field.value_type
    if kind == "datetime":
        return lambda column: datetimes.render_all(column, view.zone)
    if kind == "boolean":
        return lambda column: [None if each is None else ("false", "true")[each] for each in column]
    if kind in ("double", "currency", "percent"):
        return lambda column: [None if each is None else _number(each) for each in column]
    if kind in ("multiselectpicklist", "tags"):
        between = "," if kind == "tags" else separator
        return lambda column: [each and each.replace(MANY, between) for each in column]
    return lambda column: column


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text
