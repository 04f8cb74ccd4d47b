"""An uploaded CSV written into the tables, row by row, and the CSV with the result of each."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from ..demo import User
from ..org import Crm
from ..schema import Field, Module
from ..store import quoted
from ..writing.checks import RowError, check
from ..writing.storage import insert, update
from .cells import cell_value

__all__ = ["Import", "Mapping", "Outcome", "delimiter_of", "run"]

MOST_ROWS = 25_000
CHUNK = 500  # rows written at a time, so that other calls get their turn
DELIMITERS = ",;:|"


@dataclass(frozen=True)
class Mapping:
    """One column of the file: its field, where it is, how dates are written, and what a lookup is found by."""

    field: Field
    index: int
    form: str | None = None
    find_by: str = "id"
    default: Any = None


@dataclass(frozen=True)
class Import:
    """A whole job: insert, update or upsert, of which module, from which file, matched by which field."""

    operation: str
    module: Module
    mappings: tuple[Mapping, ...]
    data: bytes
    find_by: str | None
    ignore_empty: bool


@dataclass
class Outcome:
    """The results of a job: counts, and the result file."""

    counts: Counter[str] = field(default_factory=Counter)
    file: bytes = b""


def delimiter_of(header: str) -> str:
    """The delimiter a header line uses: the commonest of the four that are allowed."""
    return max(DELIMITERS, key=header.count)


def run(crm: Crm, job: Import, user: User, name: str) -> Outcome:
    """Write every row and report on each, in the order of the file."""
    text = job.data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text.split("\n", 1)[0])))[1:]
    shown = job.mappings[:3]
    outcome, report = Outcome(), []
    for start in range(0, len(rows), CHUNK):
        with crm.store.lock:
            for place, row in enumerate(rows[start : start + CHUNK], start):
                result = _write(crm, job, user, row) if place < MOST_ROWS else ("UNPROCESSED", "", "")
                outcome.counts[result[0]] += 1
                report.append([*(_cell(row, each.index) for each in shown), *result])
    header = [*(each.field.name for each in shown), "STATUS", "RECORD_ID", "ERRORS"]
    outcome.file = _zipped(header, report, name)
    return outcome


def _zipped(header: list[str], rows: Iterable[list[str]], name: str) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)  # 3.10 leaves a lone \r without quotes
    lines.writerow(header)
    lines.writerows(rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{name}.csv", text.getvalue())
    return packed.getvalue()


def _cell(row: list[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _write(crm: Crm, job: Import, user: User, row: list[str]) -> tuple[str, str, str]:
    """One row's status, record id and errors."""
    try:
        values = _values(crm, job, user, row)
        key = _match(crm, job, row, values) if job.find_by else None
        if key is None and job.operation == "update":
            return "SKIPPED", "", f"INVALID_DATA-{job.find_by}"
        checked = check(crm, job.module, values, "$", key)
    except RowError as refused:
        return "SKIPPED", "", _errors(refused.body)
    if key is None:
        return "ADDED", str(insert(crm, job.module, checked, user)), ""
    update(crm, job.module, key, checked, user)
    return "UPDATED", str(key), ""


def _errors(body: dict[str, Any]) -> str:
    """`MANDATORY_NOT_FOUND-Company,Last_Name:DUPLICATE_DATA-Email`."""
    found: dict[str, list[str]] = {}
    for each in body["details"].get("errors", [body]):
        name = each["details"].get("parent_api_name") or each["details"].get("api_name", "")
        found.setdefault(each["code"], []).append(name)
    return ":".join(f"{code}-{','.join(names)}" for code, names in found.items())


def _values(crm: Crm, job: Import, user: User, row: list[str]) -> dict[str, Any]:
    zone, values = ZoneInfo(user.time_zone), {}
    for each in job.mappings:
        text = _cell(row, each.index)
        if each.field.name == "id":
            continue
        if text == "" and each.default is not None:
            values[each.field.name] = each.default
        elif text != "":
            looked_up = _looked_up(crm, each, text)
            values[each.field.name] = looked_up or cell_value(each.field, text, each.form, zone)
        elif not job.ignore_empty:
            values[each.field.name] = None
    return values


def _looked_up(crm: Crm, mapping: Mapping, text: str) -> dict[str, str] | None:
    """The record a lookup's cell names by another field than its id."""
    if mapping.find_by == "id":
        return None
    target = "Users" if mapping.field.kind != "lookup" else mapping.field.targets[0]
    where = f"{quoted(mapping.find_by)} = ? COLLATE NOCASE ORDER BY id LIMIT 1"
    found = crm.store.read(f"SELECT id FROM {quoted(target)} WHERE {where}", (text,))
    return {"id": str(found[0][0])} if found else {"id": "0"}


def _match(crm: Crm, job: Import, row: list[str], values: dict[str, Any]) -> int | None:
    by = job.find_by or "id"
    value = next((_cell(row, each.index) for each in job.mappings if each.field.name == by), "")
    if by != "id" and by in values and isinstance(values[by], (str, int)):
        value = values[by]
    if value == "" or (by == "id" and not str(value).isdecimal()):
        return None
    fold = " COLLATE NOCASE" if crm.options.ignore_case and by != "id" else ""
    sql = f"SELECT id FROM {quoted(job.module.name)} WHERE {quoted(by)} = ?{fold} ORDER BY id LIMIT 1"
    found = crm.store.read(sql, (int(value) if by == "id" else value,))
    return int(found[0][0]) if found else None
