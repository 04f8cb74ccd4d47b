"""Fields that are new, renamed, removed or of another type since the last run, told by Zoho's field ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..crm.metadata import Field
from ..crm.read.arrow import arrow_schema
from ..errors import ConfigurationError
from .copy import TYPES, Copy
from .duckdb_file import quote
from .state import StoredField

__all__ = ["FieldChanges", "apply", "compare", "stored"]

_LOSSLESS = {("int64", "double")}


@dataclass(frozen=True)
class FieldChanges:
    """What became of the fields.

    Attributes:
        fields: of the copy afterwards, removed ones included.
        added: new or of a wider type: their values are read for every record.
        renamed: old and new columns.
        widened: column and its new Arrow type.
        dropped: columns to drop.
        notes: a sentence about each change.
    """

    fields: tuple[StoredField, ...]
    added: tuple[Field, ...] = ()
    new_columns: tuple[tuple[str, str], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    widened: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def stored(field: Field) -> StoredField:
    """The field as a state remembers it."""
    schema = arrow_schema([field])
    return StoredField(field.id, field.name, field.value_type, tuple(schema.names), tuple(map(str, schema.types)))


def compare(before: Sequence[StoredField], now: Sequence[Field], *, prune: bool) -> FieldChanges:
    """The changes from the fields of a copy to those of the module.

    Args:
        before: of the copy.
        now: of the module.
        prune: drop columns of removed fields.

    Raises:
        ConfigurationError: a field has another type, and its values cannot be kept as they are.
    """
    known = {field.id or field.name: field for field in before}
    found = FieldChanges(())
    for field in now:
        old, new = known.pop(field.id or field.name, None), stored(field)
        found = _with(found, old, new, field)
    taken = {column for field in found.fields for column in field.columns}
    for gone in known.values():
        found = _without(found, gone, prune, taken)
    return found


def _with(found: FieldChanges, old: StoredField | None, new: StoredField, field: Field) -> FieldChanges:
    changes = replace(found, fields=(*found.fields, new))
    if old is None:
        pairs = tuple(zip(new.columns, new.types, strict=True))
        return replace(
            changes,
            added=(*found.added, field),
            new_columns=(*found.new_columns, *pairs),
            notes=(*found.notes, f"{new.name} is new"),
        )
    widened = _widened(old, new)
    if old.columns != new.columns:
        pairs = tuple(zip(old.columns, new.columns, strict=True))
        note = f"{old.name} is called {new.name} now"
        changes = replace(changes, renamed=(*found.renamed, *pairs), notes=(*changes.notes, note))
    if old.data_type != new.data_type or old.removed:
        what = "is back" if old.removed else f"changed from {old.data_type} to {new.data_type}"
        changes = replace(changes, added=(*changes.added, field), notes=(*changes.notes, f"{new.name} {what}"))
    return replace(changes, widened=(*changes.widened, *widened))


def _widened(old: StoredField, new: StoredField) -> tuple[tuple[str, str], ...]:
    if len(old.types) != len(new.types) or any(
        pair not in _LOSSLESS for pair in zip(old.types, new.types, strict=True) if pair[0] != pair[1]
    ):
        raise ConfigurationError(
            f"The field {new.name} changed from {old.data_type} to {new.data_type}, which the copy cannot take over.",
            hint="Write it anew with full=True (--full).",
        )
    return tuple((name, now) for name, was, now in zip(new.columns, old.types, new.types, strict=True) if was != now)


def _without(found: FieldChanges, gone: StoredField, prune: bool, taken: set[str]) -> FieldChanges:
    if prune:
        notes = (*found.notes, f"{gone.name} was dropped: the module has it no longer")
        return replace(found, dropped=(*found.dropped, *gone.columns), notes=notes)
    notes = found.notes if gone.removed else (*found.notes, f"{gone.name} is gone; its columns stay as they are")
    if taken.isdisjoint(gone.columns):
        return replace(found, fields=(*found.fields, replace(gone, removed=True)), notes=notes)
    columns = tuple(f"{column}_removed_{gone.id}" for column in gone.columns)  # another field has its name now
    kept = replace(gone, removed=True, name=columns[0], columns=columns)
    renamed = (*found.renamed, *zip(gone.columns, columns, strict=True))
    return replace(found, fields=(*found.fields, kept), renamed=renamed, notes=notes)


def apply(copy: Copy, changes: FieldChanges) -> None:
    """Change the columns of the table; part of the transaction that is open."""
    for column in changes.dropped:
        copy.run(f"ALTER TABLE {copy.name} DROP COLUMN {quote(column)}")
    moved = [(old, new) for old, new in changes.renamed if old != new]
    for old, _ in moved:  # two fields may have changed names with each other
        copy.run(f"ALTER TABLE {copy.name} RENAME COLUMN {quote(old)} TO {quote('_zoho_' + old)}")
    for old, new in moved:
        copy.run(f"ALTER TABLE {copy.name} RENAME COLUMN {quote('_zoho_' + old)} TO {quote(new)}")
    for column, type_ in changes.widened:
        copy.run(f"ALTER TABLE {copy.name} ALTER COLUMN {quote(column)} TYPE {TYPES[type_][1]}")
    for column, type_ in changes.new_columns:
        copy.run(f"ALTER TABLE {copy.name} ADD COLUMN {quote(column)} {TYPES[type_][1]}")
