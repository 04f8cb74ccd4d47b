"""What makes two rows the same record, and which rows may be sent twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..metadata import Field
from .rows import Row, WriteOperation

__all__ = ["is_repeatable", "match_fields", "record_keys"]

# https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html: what Zoho looks for where nothing is named.
_DEFAULT_DUPLICATE_FIELDS = {
    "Leads": "Email",
    "Contacts": "Email",
    "Accounts": "Account_Name",
    "Deals": "Deal_Name",
    "Tasks": "Subject",
}


def match_fields(order: WriteOperation, fields: Mapping[str, Field]) -> tuple[str, ...]:
    """The fields that may find the record of an upsert: those asked for, else those Zoho chooses from."""
    own = _DEFAULT_DUPLICATE_FIELDS.get(order.module, "Name")
    return order.match_fields or tuple(f.name for f in fields.values() if f.unique or f.name == own)


def record_keys(row: Row, order: WriteOperation, unique: Sequence[str] = ()) -> list[tuple[str, str]]:
    """What this row must not share with another one that is being written: its id, or what finds its record.

    Args:
        row: the row.
        order: what is done.
        unique: fields to look at for an insert, which finds no record.
    """
    names = {"insert": unique, "upsert": order.lookup_fields}.get(order.action, ("id",))
    values = ((name, row.data.get(name)) for name in names)
    return [(name, str(value).strip().casefold()) for name, value in values if value not in (None, "")]


def is_repeatable(row: Row, order: WriteOperation) -> bool:
    """Whether sending the row twice has the same effect as sending it once.

    An upsert has, if the row says by what its record is found; without that it inserts. A deletion has, but its second
    answer is an error.
    """
    if order.action == "upsert":
        return not row.is_append and any(row.data.get(name) not in (None, "") for name in order.match_fields)
    return order.action == "delete" or (order.action == "update" and not row.is_append)
