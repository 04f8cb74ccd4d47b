"""What happens in an org without this API: a record is restored or converted, an administrator changes a field.

For tests, beside the API: `org_changes.restore(sim.crm, "Leads", record_id)`.
"""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .org import Crm
from .schema import Field, Module
from .store import columns_of, quoted

__all__ = ["add_field", "convert", "remove_field", "rename_field", "restore", "retype_field"]


def restore(crm: Crm, module: str, record_id: int | str) -> None:
    """Take a record out of the recycle bin. Raises KeyError when it is not there."""
    found = crm.recycle_bin.take(crm.schema[module], int(record_id), keep=crm.options.restored_still_listed)
    columns = dict(found.columns)
    if crm.options.restore_moves_modified_time and "Modified_Time" in columns:
        columns["Modified_Time"] = crm.now()
    names, marks = ", ".join(map(quoted, columns)), ", ".join("?" * len(columns))
    crm.store.write(f"INSERT INTO {quoted(module)} ({names}) VALUES ({marks})", tuple(columns.values()))


def convert(crm: Crm, record_id: int | str) -> None:
    """Convert a lead."""
    when = ", Modified_Time = ?" if crm.options.conversion_moves_modified_time else ""
    values = (crm.now(), *([crm.now()] if when else []), int(record_id))
    crm.store.write(f"UPDATE Leads SET Converted__s = 1, Converted_Date_Time = ?{when} WHERE id = ?", values)


def add_field(crm: Crm, module: str, field: Field, values: Sequence[Any] = ()) -> Field:
    """Give a module a new field, with `values` for its records by ascending id; Modified_Time stays as it is."""
    made = replace(field, id=field.id or _free_id(crm))
    for column in columns_of(made):
        crm.store.write(f"ALTER TABLE {quoted(module)} ADD COLUMN {column}")
    _put(crm, module, (*crm.schema[module].fields, made))
    ids = crm.store.read(f"SELECT id FROM {quoted(module)} ORDER BY id LIMIT {len(values)}")
    for (key,), value in zip(ids, values, strict=True):
        crm.store.write(f"UPDATE {quoted(module)} SET {quoted(made.name)} = ? WHERE id = ?", (value, key))
    return made


def rename_field(crm: Crm, module: str, name: str, new: str) -> None:
    """Change a field's API name; its id stays."""
    crm.store.write(f"ALTER TABLE {quoted(module)} RENAME COLUMN {quoted(name)} TO {quoted(new)}")
    _put(crm, module, tuple(replace(f, name=new) if f.name == name else f for f in crm.schema[module].fields))


def remove_field(crm: Crm, module: str, name: str) -> None:
    """Take a field away; what it held is not shown any more."""
    _put(crm, module, tuple(field for field in crm.schema[module].fields if field.name != name))


def retype_field(crm: Crm, module: str, name: str, kind: str) -> None:
    """Change a field's data type; its id and what it holds stay."""
    _put(crm, module, tuple(replace(f, kind=kind) if f.name == name else f for f in crm.schema[module].fields))


def _put(crm: Crm, module: str, fields: tuple[Field, ...]) -> None:
    # A cached property of a field goes with the copy that `replace` makes.
    old = crm.schema[module]
    crm.schema.put(replace(old, fields=fields, by_name={}))
    crm.store.version += 1


def _free_id(crm: Crm) -> int:
    return max(field.id for module in crm.schema for field in _all_fields(module)) + 1_000


def _all_fields(module: Module) -> tuple[Field, ...]:
    return module.fields or (Field("", id=module.id),)
