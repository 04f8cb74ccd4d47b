"""What metadata alone can say against a row: all of a dry run, and the words for rows that Zoho refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..metadata import Field
from .choices import invalid_choice
from .operation import WriteOperation
from .record_keys import is_always_new, record_keys
from .references import REFERENCES, USERS
from .row_messages import message_for, unknown_reference
from .row_result import FAILED, RowResult
from .rows import TARGET_MODULE, Row, RowError, shortened

__all__ = ["check", "invalid_value", "with_values_named"]

_NOTHING = (None, "", "-None-")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def check(rows: Iterable[Row], operation: WriteOperation, fields: Mapping[str, Field], labels: Sequence[Any]) -> None:
    """Give every row that Zoho would refuse its problem, and a note to each row that does more than it says.

    Args:
        rows: changed in place.
        operation: what would be done.
        fields: of the module.
        labels: of the frame's rows, to name one by.

    Example::

        check(rows, WriteOperation("Leads", "insert"), metadata.fields("Leads"), frame.index)
    """
    required = [f.name for f in fields.values() if f.required and not f.read_only and f.name != "id"]
    unique = tuple(f.name for f in fields.values() if f.unique)
    written: dict[Any, int] = {}
    taken: dict[Any, int] = {}
    for row in rows:
        row.problem = row.problem or _missing(row, operation, required) or invalid_value(row, fields)
        row.problem = row.problem or _missing_target_module(row, fields)
        if row.problem:
            continue
        earlier = _first_of(record_keys(row, operation), row, written)
        if earlier is not None:
            row.note = f"row {labels[earlier]} writes the same record first; this row wins"
        elif operation.action != "delete":
            row.problem = _taken_value(row, operation, unique, taken, labels)


def _missing(row: Row, operation: WriteOperation, required: Iterable[str]) -> RowError | None:
    absent = [name for name in required if row.data.get(name) in _NOTHING]
    emptied = [name for name in absent if name in row.data]
    if operation.action == "delete":
        return None
    is_new = operation.action == "insert" or is_always_new(row, operation)
    if absent and (is_new or emptied):
        name = (emptied or absent)[0]
        return RowError("MANDATORY_NOT_FOUND", message_for("MANDATORY_NOT_FOUND"), name)
    if is_always_new(row, operation):
        row.note = f"a new record: the row has no value in {' or '.join(operation.lookup_fields)}"
    elif operation.action == "upsert" and absent:  # fine for a record that exists already
        row.note = f"a new record would lack {', '.join(absent)}"
    return None


def invalid_value(row: Row, fields: Mapping[str, Field]) -> RowError | None:
    """The first value that is too long, no address or none of the choices."""
    for name, value in row.data.items():
        problem = _too_long(value, fields[name]) or _no_address(value, fields[name])
        problem = problem or invalid_choice(value, fields[name])
        if problem and name != "id":
            return RowError("INVALID_DATA", problem, name)
    return None


def with_values_named(result: RowResult, row: Row, fields: Mapping[str, Field]) -> RowResult:
    """Zoho's refusal of a value, in the words of a dry run where metadata says what is wrong with it."""
    dependent = _missing_target_module(row, fields) if result.code == "DEPENDENT_FIELD_MISSING" else None
    if dependent is not None:
        return replace(result, message=dependent.message)
    blamed = {name.strip().partition("[")[0].removesuffix(".id") for name in result.field.split(",")}
    if result.status != FAILED or result.code != "INVALID_DATA" or row.problem or len(blamed) > 1:
        return result
    [name] = blamed
    wrong = invalid_value(row, fields)
    if wrong is not None and wrong.field == name:
        return replace(result, message=wrong.message)
    if name == "id" or (name in fields and fields[name].value_type in REFERENCES):
        return replace(result, message=unknown_reference(name, name in fields and fields[name].value_type in USERS))
    return replace(result, message=f"{shortened(row.data[name])}: {result.message}") if name in row.data else result


def _too_long(value: Any, field: Field) -> str:
    if not field.length:
        return ""
    if isinstance(value, str):
        size, what = len(value.removeprefix("-") if field.value_type in ("bigint", "long") else value), "characters"
    elif field.value_type == "integer" and isinstance(value, int):
        size, what = len(str(abs(value))), "digits"
    else:
        return ""
    return f"{size} {what}; at most {field.length} are allowed" if size > field.length else ""


def _no_address(value: Any, field: Field) -> str:
    is_wrong = field.value_type == "email" and isinstance(value, str) and not _ADDRESS.fullmatch(value)
    return f"{value!r} is not an e-mail address" if is_wrong else ""


def _missing_target_module(row: Row, fields: Mapping[str, Field]) -> RowError | None:
    """A lookup into several modules without the module it points into."""
    for name, value in row.data.items():
        if fields[name].value_type == "multi_module_lookup" and value and not row.data.get(TARGET_MODULE.name):
            beside = {"dependee": {"api_name": TARGET_MODULE.name}}
            return RowError("DEPENDENT_FIELD_MISSING", message_for("DEPENDENT_FIELD_MISSING", "", beside), name)
    return None


def _first_of(keys: Iterable[Any], row: Row, seen: dict[Any, int]) -> int | None:
    """The first row with one of these keys, if it is another one."""
    first = [seen.setdefault(key, row.index) for key in keys]
    return next((place for place in first if place != row.index), None)


def _taken_value(
    row: Row,
    operation: WriteOperation,
    unique: Sequence[str],
    taken: dict[Any, int],
    labels: Sequence[Any],
) -> RowError | None:
    """A unique value that an earlier row gives to another record."""
    names = [name for name in unique if name not in operation.lookup_fields or operation.action != "upsert"]
    for name in names:
        key = (name, str(row.data.get(name)).strip().casefold())
        if row.data.get(name) in _NOTHING:
            continue
        first = taken.setdefault(key, row.index)
        if first != row.index:
            return RowError(
                "DUPLICATE_DATA", f"row {labels[first]} has the same value, and the field allows it once", name
            )
    return None
