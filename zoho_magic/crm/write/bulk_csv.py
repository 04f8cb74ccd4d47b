"""Rows as bulk write's zipped CSV, and its result file as row results.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-write/overview.html
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ...errors import TransportError
from .. import limits
from ..metadata import Field
from .operation import WriteOperation
from .row_messages import is_data_error, message_for
from .row_result import FAILED, SUCCEEDED, RowResult, unknown
from .rows import Row

__all__ = [
    "bulk_obstacle",
    "csv_files",
    "parse_result_file",
    "results_from_counts",
    "results_from_lines",
]

_FILE = "rows.csv"
_RESULT = ("STATUS", "RECORD_ID", "ERRORS")


# There


def bulk_obstacle(operation: WriteOperation, fields: Sequence[Field], rows: Sequence[Row]) -> str:
    """Why bulk write cannot do this, or "" where it can."""
    if operation.action == "delete":
        return "bulk write does not delete"
    if operation.triggers is not None:
        return "bulk write has no choice of automations"
    if operation.action == "upsert" and len(operation.match_fields) != 1:
        return "bulk write finds records by exactly one field"
    if len(fields) > limits.BULK_WRITE_MAX_COLUMNS:
        return f"bulk write takes {limits.BULK_WRITE_MAX_COLUMNS} fields at most"
    return _unsupported_cell(operation, rows)


def _unsupported_cell(operation: WriteOperation, rows: Sequence[Row]) -> str:
    for row in rows:
        for name, value in row.data.items():
            if type(value) is str and name[0] != "$":
                continue
            if value in (None, []) and not operation.clear_empty:
                return f"bulk write leaves {name} alone where a row empties it, as the row at position {row.index} does"
            if to_csv_cell(value) is None or name[0] == "$":
                return f"bulk write cannot carry {name} of the row at position {row.index}: {_reason(name, value)}"
    return ""


def _reason(name: str, value: Any) -> str:
    if name[0] == "$":
        return "its files have no column for the module of a lookup"
    if isinstance(value, list) and all(isinstance(item, str) or set(item) == {"name"} for item in value):
        return "it splits a list at semicolons, and tags at commas too, and one of the items has such a character"
    return "a cell has no place for rows inside a row"


def csv_files(rows: Sequence[Row], fields: Sequence[Field]) -> Iterator[tuple[Sequence[Row], bytes]]:
    """The rows, at most `limits.BULK_WRITE_ROWS_PER_FILE`, in parts that one file each can take, with the file."""
    if rows:
        yield from _fitting(rows, fields)


def _fitting(rows: Sequence[Row], fields: Sequence[Field]) -> Iterator[tuple[Sequence[Row], bytes]]:
    text = _csv(rows, fields)
    packed = _zipped(text) if len(text) <= limits.BULK_WRITE_MAX_BYTES or len(rows) == 1 else b""
    if packed and (len(packed) <= limits.BULK_WRITE_MAX_BYTES or len(rows) == 1):
        yield rows, packed
        return
    for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        yield from _fitting(half, fields)


def _csv(rows: Sequence[Row], fields: Sequence[Field]) -> bytes:
    text = io.StringIO(newline="")
    # Python before 3.11.9 and 3.12.3 leaves a lone carriage return unquoted, and that would end the row.
    lines = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    lines.writerow([field.name for field in fields])
    lines.writerows([to_csv_cell(row.data.get(field.name)) for field in fields] for row in rows)
    return text.getvalue().encode()


def _zipped(text: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_FILE, text)
    return packed.getvalue()


def to_csv_cell(value: Any) -> str | None:
    """A JSON value as a cell; None for one that no cell can carry.

    Example::

        >>> to_csv_cell({"id": "554023000000527002"})
        '554023000000527002'
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")  # no exponents
    if isinstance(value, Mapping):
        return str(value["id"]) if set(value) == {"id"} else None
    return _joined(value) if isinstance(value, list) else str(value)


def _joined(items: Sequence[Any]) -> str | None:
    if any(isinstance(item, Mapping) and set(item) != {"name"} for item in items):
        return None
    names = [str(item["name"]) if isinstance(item, Mapping) else str(item) for item in items]
    splits = ";," if any(isinstance(item, Mapping) for item in items) else ";"  # tags are split at commas too
    return None if any(mark in name for name in names for mark in splits) else ";".join(names)


# And back


def parse_result_file(packed: bytes) -> list[dict[str, str]]:
    """The lines of a result file. Raises TransportError for anything else."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
        lines = list(csv.DictReader(io.StringIO(text, newline="")))
    except (zipfile.BadZipFile, IndexError, UnicodeDecodeError, csv.Error):
        lines = []
    if not lines or not set(_RESULT) <= set(lines[0]):
        raise TransportError("its result file could not be read.")
    return lines


def results_from_lines(lines: Sequence[Mapping[str, str]], places: Sequence[int], total: int) -> list[RowResult]:
    """The results of the rows at these lines of a file of `total` lines: results stand in the order of the file.

    Where the result has more or fewer lines, no line can be told from its neighbour.
    """
    if len(lines) != total:
        said = f"Zoho's result has {len(lines):,} lines for {total:,} rows, so none can be told from another."
        return [unknown(said)] * len(places)
    return [_result_of(lines[place]) for place in places]


def results_from_counts(job: Mapping[str, Any], rows: int, total: int) -> list[RowResult]:
    """What a job's counts say of its rows where they say the same of all; [] where they do not."""
    file = next((each.get("file") or {} for each in job.get("resource") or () if isinstance(each, Mapping)), {})
    added, updated, skipped = (file.get(f"{kind}_count") or 0 for kind in ("added", "updated", "skipped"))
    if added == total or updated == total:
        did, message = _DID["ADDED" if added else "UPDATED"]
        return [
            RowResult(SUCCEEDED, did, "", "SUCCESS", f"{message}; the file that tells its id could not be read")
        ] * rows
    if str(job.get("status")).upper() == "FAILED" and file and not (added or updated or skipped):
        message = "Zoho's job failed before it wrote a row; report.retry() sends the row again"
        return [RowResult(FAILED, code="JOB_FAILED", message=message)] * rows
    if skipped == total:
        message = "Zoho skipped every row; the file that says why could not be read"
        return [RowResult(FAILED, code="SKIPPED", message=message)] * rows
    return []


_DID = {"ADDED": ("insert", "record added"), "UPDATED": ("update", "record updated")}


def _result_of(line: Mapping[str, str]) -> RowResult:
    status, record = (line.get("STATUS") or "").strip().upper(), (line.get("RECORD_ID") or "").strip()
    if status in _DID:
        did, message = _DID[status]
        return RowResult(SUCCEEDED, did, record, "SUCCESS", message)
    if status not in ("SKIPPED", "UNPROCESSED"):
        return unknown(f"Zoho's result says {status or 'nothing'} about this row.")
    faults = [_error_of(part) for part in (line.get("ERRORS") or "").split(":") if part.strip()] or [(status, "")]
    told = [f"{fields}: {message_for(code)}" if fields else message_for(code) for code, fields in faults]
    message = "; ".join(told) if len(faults) > 1 else message_for(faults[0][0])
    code = next((code for code, _ in faults if is_data_error(code)), faults[0][0])
    return RowResult(FAILED, "", record, code, message, ", ".join(fields for _, fields in faults if fields))


def _error_of(text: str) -> tuple[str, str]:
    """`MANDATORY_NOT_FOUND-Company,Last_Name` taken apart."""
    code, _, fields = text.strip().partition("-")
    return code, ", ".join(name.strip() for name in fields.split(",") if name.strip())
