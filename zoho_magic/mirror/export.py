"""`export`: the rows of a pull into a file, a folder or a table, while they arrive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from ..crm.read.stream import RecordStream
from ..errors import ConfigurationError
from . import writers
from .copy import is_mirror
from .files import check_ours, new_file, new_folder
from .optional import load
from .report import ExportReport
from .target import Target, parse_target
from .writers import WriteJob, check_excel_rows

__all__ = ["WRITERS", "export"]

Tables = Iterable[pa.Table]
_NEEDS = {"xlsx": ("openpyxl", "Writing .xlsx"), "duckdb": ("duckdb", "DuckDB"), "delta": ("deltalake", "Delta")}


def _to_file(write: Callable[[Tables, Path, WriteJob], None], tables: Tables, target: Target, job: WriteJob) -> None:
    with new_file(target) as path:
        write(tables, path, job)
        job.bytes = path.stat().st_size


def _to_folder(tables: Tables, target: Target, job: WriteJob) -> None:
    with new_folder(target) as folder:
        writers.write_folder(tables, folder, job)
        job.bytes = sum(path.stat().st_size for path in folder.iterdir())


def _to_duckdb(tables: Tables, target: Target, job: WriteJob) -> None:
    writers.write_duckdb(tables, target.path, target.table, job)
    job.bytes = target.path.stat().st_size


def _to_delta(tables: Tables, target: Target, job: WriteJob) -> None:
    writers.write_delta(tables, target, job)
    folder = Path(target.place).expanduser()
    job.bytes = 0 if target.is_remote else sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


WRITERS: dict[str, Callable[[Tables, Target, WriteJob], None]] = {
    "parquet": partial(_to_file, writers.write_parquet),
    "arrow": partial(_to_file, writers.write_arrow),
    "csv": partial(_to_file, writers.write_csv),
    "xlsx": partial(_to_file, writers.write_xlsx),
    "folder": _to_folder,
    "duckdb": _to_duckdb,
    "delta": _to_delta,
}
"""Format -> what writes it. To add a format, add a line here and its suffix to `target.SUFFIXES`."""


def export(
    module: str,
    stream: Callable[[], AbstractContextManager[RecordStream]],
    to: str | os.PathLike[str],
    *,
    safe_csv: bool = False,
    rows_per_file: int = 1_000_000,
) -> ExportReport:
    """Write the rows of a stream; see `ZohoSession.export`.

    Args:
        module: API name; also the table's name where `to` is a database without one.
        stream: opens the stream; nothing is asked of Zoho before the target has been checked.
        to, safe_csv, rows_per_file: as `ZohoSession.export`.
    """
    target = parse_target(to)
    if target.format == "duckdb" and not target.table:
        target = replace(target, table=module)
    _check(target, rows_per_file)
    began = time.monotonic()
    with stream() as arriving:
        job = WriteJob(arriving.schema, arriving.module, safe_csv, rows_per_file, arriving.progress.show_bytes)
        if target.format == "xlsx":
            rows = arriving.plan.rows or 0
            check_excel_rows(rows, f"about {rows:,}")
        with closing(_tables(arriving)) as tables:
            WRITERS[target.format](tables, target, job)
    return _report(target, job, arriving, time.monotonic() - began)


def _check(target: Target, rows_per_file: int) -> None:
    """Everything that can be refused before a call is made."""
    if target.format in _NEEDS:
        load(*_NEEDS[target.format])
    if target.is_remote and target.format != "delta":
        load("fsspec", f"Writing to {target.place.partition('://')[0]}://")
    if target.format == "folder" and not target.is_remote:
        check_ours(target.path)
    if rows_per_file < 1:
        raise ConfigurationError("rows_per_file is a whole number from 1.", hint="Leave it out for 1,000,000.")
    if is_mirror(target):
        raise ConfigurationError(
            f"to={target.text!r} is kept current by sync; an export would end that.", hint="Name another file or table."
        )


def _tables(arriving: RecordStream) -> Generator[pa.Table, None, None]:
    yield from arriving


def _report(target: Target, job: WriteJob, arriving: RecordStream, seconds: float) -> ExportReport:
    attrs = arriving.attrs
    return ExportReport(
        module=attrs["module"],
        path=target.text,
        rows=job.rows,
        bytes=job.bytes,
        calls=attrs["calls"],
        credits=attrs["credits"],
        seconds=seconds,
        api=attrs["api"],
        query=attrs["query"],
        pulled_at=attrs["pulled_at"],
        warnings=(*attrs["warnings"], *job.warnings),
    )
