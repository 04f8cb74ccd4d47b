"""Checked rows put into the tables: stamps, defaults, running numbers, children, roll-ups, and the recycle bin."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from typing import Any

from ..demo import User
from ..demo.modules import CHANCES
from ..org import Crm
from ..recycle_bin import DeletedRecord
from ..schema import Module
from ..store import module_column, quoted
from .checks import Checked
from .history import track

__all__ = ["delete", "insert", "update"]


def insert(crm: Crm, module: Module, checked: Checked, user: User) -> int:
    """Store a new record; its id."""
    key, now = crm.store.new_id(module), crm.now()
    defaults = {"Owner": user.id, "Currency": "USD", "Exchange_Rate": 1.0, "Locked__s": 0, "Converted__s": 0,
                "Record_Status__s": "Available"}  # fmt: skip
    stamps = {"Created_By": user.id, "Modified_By": user.id, "Created_Time": now, "Modified_Time": now}
    flags = {each.name: 0 for each in module.fields if each.kind == "boolean"}
    numbers = {each.name: crm.next_number(module, each) for each in module.fields if each.kind == "autonumber"}
    known = {name: value for name, value in {**flags, **defaults, **stamps, **numbers}.items() if name in module}
    columns = {"id": key, **known, **_derived(module, checked.columns), **checked.columns}
    names, marks = ", ".join(map(quoted, columns)), ", ".join("?" * len(columns))
    crm.store.write(f"INSERT INTO {quoted(module.name)} ({names}) VALUES ({marks})", tuple(columns.values()))
    _save_children(crm, module, key, checked, user)
    _refresh(crm, module, columns, {})
    track(crm, module, key, columns, user)
    return key


def update(crm: Crm, module: Module, key: int, checked: Checked, user: User) -> None:
    """Store what changed in a record."""
    before = row_of(crm, module, key)
    stamps = {"Modified_By": user.id, "Modified_Time": crm.now()}
    known = {name: value for name, value in stamps.items() if name in module}
    columns = {**_derived(module, checked.columns), **checked.columns, **known}
    if columns:
        pairs = ", ".join(f"{quoted(name)} = ?" for name in columns)
        crm.store.write(f"UPDATE {quoted(module.name)} SET {pairs} WHERE id = ?", (*columns.values(), key))
    _save_children(crm, module, key, checked, user)
    _refresh(crm, module, columns, before)
    track(crm, module, key, columns, user)


def delete(crm: Crm, module: Module, key: int, user: User) -> None:
    """Move a record to the recycle bin, and what belongs to it out of the tables."""
    before = row_of(crm, module, key)
    [(name,)] = crm.store.read(f"SELECT {quoted(module.display)} FROM {quoted(module.name)} WHERE id = ?", (key,))
    columns = _whole_row(crm, module, key)
    for each in module.fields:
        if each.kind == "subform":
            crm.store.write(f"DELETE FROM {quoted(each.targets[0])} WHERE Parent_Id = ?", (key,))
        elif each.link:
            crm.store.write(f"DELETE FROM {quoted(each.link.module)} WHERE {quoted(each.link.here)} = ?", (key,))
    crm.store.write(f"DELETE FROM {quoted(module.name)} WHERE id = ?", (key,))
    crm.recycle_bin.put(module, DeletedRecord(key, name, before.get("Created_By"), user.id, crm.now(), columns))
    _refresh(crm, module, {}, before)


def _whole_row(crm: Crm, module: Module, key: int) -> tuple[tuple[str, Any], ...]:
    names = [each.name for each in module.stored if not each.formula]
    names += [module_column(each) for each in module.stored if each.kind == "multi_module_lookup"]
    rows = crm.store.read(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(module.name)} WHERE id = ?", (key,))
    return tuple(zip(names, rows[0], strict=True)) if rows else ()


def row_of(crm: Crm, module: Module, key: int) -> dict[str, Any]:
    """The record's plain columns, for what has to be known before it changes."""
    names = [each.name for each in module.fields if each.kind == "lookup" or each.name in ("id", "Created_By")]
    rows = crm.store.read(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(module.name)} WHERE id = ?", (key,))
    return dict(zip(names, rows[0], strict=True)) if rows else {}


def _derived(module: Module, columns: dict[str, Any]) -> dict[str, Any]:
    """A deal's probability follows its stage."""
    if module.name == "Deals" and columns.get("Stage") and "Probability" not in columns:
        return {"Probability": CHANCES[columns["Stage"]]}
    return {}


def _save_children(crm: Crm, module: Module, parent: int, checked: Checked, user: User) -> None:
    for name, rows in checked.children.items():
        field = module[name]
        child = crm.schema[field.link.module if field.link else field.targets[0]]
        via = field.link.here if field.link else "Parent_Id"
        for place, row in enumerate(rows):
            made = Checked({**row["columns"], via: parent})
            if row["gone"]:
                crm.store.write(f"DELETE FROM {quoted(child.name)} WHERE id = ?", (row["id"],))
            elif row["id"] is not None:
                update(crm, child, row["id"], made, user)
            else:
                made.columns |= {name: place + 1 for name in ("Serial_Number", "Sequence_Number") if name in child}
                insert(crm, child, made, user)
        if rows:
            crm.store.refresh_rollups(module, [parent])


def _refresh(crm: Crm, module: Module, now: dict[str, Any], before: dict[str, Any]) -> None:
    """Recompute the roll-ups of every parent this record has or had."""
    for parent in crm.schema.rows():
        for each in parent.fields:
            if each.rollup and each.rollup.child == module.name:
                held = {before.get(each.rollup.via), now.get(each.rollup.via)} - {None}
                if held:
                    crm.store.refresh_rollups(parent, [key for key in held if key is not None])
