"""What a push does with the rows of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

__all__ = ["ACTIONS", "PushKeywords", "WriteOperation"]

ACTIONS = ("insert", "update", "upsert", "delete")


@dataclass(frozen=True)
class WriteOperation:
    """What to do with the rows.

    Attributes:
        module: API name.
        action: insert, update, upsert or delete.
        match_fields: fields that find the record to upsert, first match first; () for Zoho's own choice.
        triggers: automations to run; None for all, () for none.
        clear_empty: whether an empty cell empties the field; otherwise it leaves the field alone.
        lookup_fields: every field that may find the record of an upsert: `match_fields`, or those Zoho chooses from.
        rename: whether columns that are called by a label are taken for the fields they name.
    """

    module: str
    action: str
    match_fields: tuple[str, ...] = ()
    triggers: tuple[str, ...] | None = None
    clear_empty: bool = False
    lookup_fields: tuple[str, ...] = ()
    rename: bool = False


class PushKeywords(TypedDict, total=False):
    """The options of `ZohoSession.push` but `diff`, which decides what it returns."""

    on: str | Sequence[str] | None
    dry_run: bool
    via: Literal["auto", "records", "bulk"]
    triggers: Sequence[str] | None
    clear_empty: bool
    rename: bool
    only_changes: bool
    keep: bool | None
    progress: bool | None
    max_wait: float | None
