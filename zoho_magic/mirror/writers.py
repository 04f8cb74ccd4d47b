"""Writers of exports: each takes Arrow tables while they arrive and holds one group of rows in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ..errors import QueryError
from .cells import excel_value, text_table
from .duckdb_file import connect, quote
from .optional import load
from .target import Target

__all__ = [
    "EXCEL_MAX_ROWS",
    "GROUP_ROWS",
    "WriteJob",
    "check_excel_rows",
    "in_groups",
    "write_arrow",
    "write_csv",
    "write_parquet",
]

GROUP_ROWS = 131_072
DUCKDB_MEMORY = "128MB"
"""Of DuckDB's buffers while rows are only appended; what a merge may take is in `duckdb_file`."""
EXCEL_MAX_ROWS = 1_048_575
"""Rows of one Excel sheet without its header; https://support.microsoft.com/office/excel-specifications-and-limits."""


@dataclass
class WriteJob:
    """What a writer is told and what it reports.

    Attributes:
        schema: of the rows.
        module: API name.
        safe_csv: see `export`.
        rows_per_file: of a folder.
        on_bytes: is called with the bytes written so far.
        rows, bytes: written.
        warnings: takes sentences about values that the format cannot hold.
    """

    schema: pa.Schema
    module: str = ""
    safe_csv: bool = False
    rows_per_file: int = 1_000_000
    on_bytes: Callable[[int], None] = lambda _: None
    rows: int = 0
    bytes: int = 0
    warnings: list[str] = field(default_factory=list)

    def count(self, rows: pa.Table, written: int) -> None:
        """Rows were written; `written` is the size of the file so far."""
        self.rows += len(rows)
        self.on_bytes(written)


def in_groups(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of `rows` rows, the last one shorter.

    Example::

        >>> [len(part) for part in in_groups([pa.table({"a": [1, 2, 3]})] * 2, 4)]
        [4, 2]
    """
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += len(table)
        while count >= rows:
            whole = pa.concat_tables(waiting)
            group, waiting, count = whole[:rows], [whole[rows:]], count - rows
            del whole, table  # while the group is written, only what belongs to the next one is held beside it
            yield group
            table = None
    if count:
        yield pa.concat_tables(waiting)


def write_parquet(tables: Iterable[pa.Table], path: Path, job: WriteJob) -> None:
    """One Parquet file, zstd, row groups of 131,072 rows."""
    import pyarrow.parquet as pq

    with path.open("wb") as file, pq.ParquetWriter(file, job.schema, compression="zstd") as writer:
        for group in in_groups(tables, GROUP_ROWS):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            job.count(group, file.tell())


def write_folder(tables: Iterable[pa.Table], folder: Path, job: WriteJob) -> None:
    """A folder of Parquet files of `rows_per_file` rows; one file at least."""
    written = 0
    groups = in_groups(tables, min(GROUP_ROWS, job.rows_per_file))
    number, rest = 0, next(groups, job.schema.empty_table())
    on_bytes, job.on_bytes = job.on_bytes, lambda size: on_bytes(written + size)
    while rest is not None:
        path = folder / f"part-{number:05}.parquet"
        rest = _write_part(rest, groups, path, job)
        written, number = written + path.stat().st_size, number + 1


def _write_part(first: pa.Table, groups: Iterator[pa.Table], path: Path, job: WriteJob) -> pa.Table | None:
    """Write one file; what belongs to the next one."""
    rest: list[pa.Table] = []

    def fitting() -> Iterator[pa.Table]:
        room, table = job.rows_per_file, first
        while table is not None:
            if len(table) > room:
                rest.append(table[room:])
            yield table[:room]
            room -= min(room, len(table))
            table = next(groups, None) if room else None

    write_parquet(fitting(), path, job)
    return rest[0] if rest else next(groups, None)


def write_arrow(tables: Iterable[pa.Table], path: Path, job: WriteJob) -> None:
    """One Arrow IPC file (Feather V2), zstd."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with path.open("wb") as file, pa.ipc.new_file(file, job.schema, options=options) as writer:
        for group in in_groups(tables, GROUP_ROWS):
            writer.write_table(group.combine_chunks())
            job.count(group, file.tell())


def write_csv(tables: Iterable[pa.Table], path: Path, job: WriteJob) -> None:
    """One CSV file, UTF-8; null is an empty cell, empty text is quoted."""
    schema = text_table(job.schema.empty_table(), safe=False).schema
    with path.open("wb") as file, pa_csv.CSVWriter(file, schema) as writer:
        for group in in_groups(tables, GROUP_ROWS):
            writer.write_table(text_table(group, safe=job.safe_csv))
            job.count(group, file.tell())
            _warn_of_formulas(group, job)


def _warn_of_formulas(rows: pa.Table, job: WriteJob) -> None:
    note = "Text that begins with = runs as a formula in a spreadsheet; safe_csv=True writes an apostrophe before it."
    if job.safe_csv or note in job.warnings:
        return
    texts = [column for column in rows.columns if pa.types.is_string(column.type)]
    if any(pc.any(pc.starts_with(column, "=")).as_py() for column in texts):
        job.warnings.append(note)


def write_xlsx(tables: Iterable[pa.Table], path: Path, job: WriteJob) -> None:
    """One sheet of at most 1,048,575 rows; text is never a formula, moments are UTC without a time zone."""
    openpyxl = load("openpyxl", "Writing .xlsx")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet((job.module or "Records")[:31])
    notes: dict[str, int] = {}
    try:
        sheet.append(job.schema.names)
        _append_rows(openpyxl, sheet, tables, job, notes)
        book.save(path)
    except BaseException:
        with suppress(Exception):  # openpyxl keeps the sheet in a temporary file until it is saved
            sheet.close()
            sheet._writer.cleanup()
        raise
    if any(pa.types.is_timestamp(type_) and type_.tz for type_ in job.schema.types):
        job.warnings.append("Excel has no time zones: moments are UTC.")
    job.warnings += [f"{count:,} {sentence}." for sentence, count in notes.items()]


def _append_rows(openpyxl: Any, sheet: Any, tables: Iterable[pa.Table], job: WriteJob, notes: dict[str, int]) -> None:
    for rows in tables:
        check_excel_rows(job.rows + len(rows), "more")
        for values in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            sheet.append([_excel_cell(openpyxl, sheet, excel_value(value, notes)) for value in values])
        job.count(rows, 0)


def check_excel_rows(rows: int, told: str) -> None:
    """Raise QueryError where a sheet does not hold the rows; `told` is their number in the message."""
    if rows > EXCEL_MAX_ROWS:
        raise QueryError(
            f"An Excel sheet holds {EXCEL_MAX_ROWS:,} rows, and there are {told}.",
            hint='Write to="....parquet" or to="....csv", or narrow the rows with where= or limit=.',
        )


def _excel_cell(openpyxl: Any, sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = openpyxl.cell.WriteOnlyCell(sheet, value)
    cell.data_type = "s"  # openpyxl takes text that begins with = for a formula
    return cell


def write_duckdb(tables: Iterable[pa.Table], path: Path, table: str, job: WriteJob) -> None:
    """A table of a DuckDB file, replaced in one transaction; a file that did not exist is gone after an error."""
    is_new = not path.exists()
    try:
        with connect(path, memory=DUCKDB_MEMORY) as database:
            database.begin()
            database.register("rows_", job.schema.empty_table())
            database.execute(f"CREATE OR REPLACE TABLE {quote(table)} AS SELECT * FROM rows_")
            for group in in_groups(tables, GROUP_ROWS):
                database.register("rows_", group)
                database.execute(f"INSERT INTO {quote(table)} SELECT * FROM rows_")
                job.count(group, path.stat().st_size)
            database.commit()
    except BaseException:
        for leftover in (path, path.with_name(path.name + ".wal")) if is_new else ():
            leftover.unlink(missing_ok=True)
        raise


def write_delta(tables: Iterable[pa.Table], target: Target, job: WriteJob) -> None:
    """A Delta table, overwritten by one commit of its log; a folder that did not exist is gone after an error."""
    deltalake = load("deltalake", "Writing a Delta table")

    def batches() -> Iterator[pa.RecordBatch]:
        for group in in_groups(tables, GROUP_ROWS):
            yield from group.to_batches()
            job.count(group, 0)

    is_new = not target.is_remote and not target.path.exists()
    place = target.place if target.is_remote else str(target.path)
    reader = pa.RecordBatchReader.from_batches(job.schema, batches())
    try:
        deltalake.write_deltalake(place, reader, mode="overwrite", schema_mode="overwrite")
    except BaseException:
        if is_new:
            shutil.rmtree(place, ignore_errors=True)
        raise
