"""What makes two rows the same record, and which rows may be sent twice."""

from __future__ import annotations

from collections.abc import Mapping

from ..metadata import Field, display_field
from .operation import WriteOperation
from .rows import Row

__all__ = ["is_always_new", "is_repeatable", "match_fields", "record_keys"]

_DEFAULT_DUPLICATE_FIELDS = {"Leads": "Email", "Contacts": "Email"}
"""What Zoho looks for where nothing is named; in other modules the field that names a record.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
"""


def match_fields(operation: WriteOperation, fields: Mapping[str, Field]) -> tuple[str, ...]:
    """The fields that may find the record of an upsert: those asked for, else those Zoho chooses from."""
    own = _DEFAULT_DUPLICATE_FIELDS.get(operation.module) or display_field(operation.module)
    return operation.match_fields or tuple(f.name for f in fields.values() if f.unique or f.name == own)


def record_keys(row: Row, operation: WriteOperation) -> list[tuple[str, str]]:
    """What this row must not share with another one that is being written: its id, or what finds its record.

    Args:
        row: the row.
        operation: what is done; an insert finds no record.
    """
    names = {"insert": (), "upsert": operation.lookup_fields}.get(operation.action, ("id",))
    values = ((name, row.data.get(name)) for name in names)
    return [(name, str(value).strip().casefold()) for name, value in values if value not in (None, "")]


def is_always_new(row: Row, operation: WriteOperation) -> bool:
    """Whether an upsert has nothing to find the row's record by, so that it adds one."""
    return operation.action == "upsert" and not record_keys(row, operation)


def is_repeatable(row: Row, operation: WriteOperation) -> bool:
    """Whether sending the row twice has the same effect as sending it once.

    An upsert has, if the row says by what its record is found; without that it inserts. A deletion has, but its second
    answer is an error.
    """
    if operation.action == "upsert":
        return not row.is_append and any(row.data.get(name) not in (None, "") for name in operation.match_fields)
    return operation.action == "delete" or (operation.action == "update" and not row.is_append)
