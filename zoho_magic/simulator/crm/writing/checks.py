"""One row of a write, checked: the columns to store, or Zoho's errors with where they are."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..answers import problem
from ..org import Crm
from ..schema import Field, Module
from ..store import MANY, module_column, quoted
from .values import InvalidValueError, column_value

__all__ = ["Checked", "RowError", "check", "merged"]

CONVERTED = {"Leads": "Contacts", "Contacts": "Leads"}


class RowError(Exception):
    """This row is refused with `body`; the others are not its concern."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["code"])
        self.body = body


@dataclass
class Checked:
    """A row that may be stored: table columns, and the rows of its subforms and links by field."""

    columns: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)


def check(crm: Crm, module: Module, row: Any, path: str, record: int | None) -> Checked:
    """Check a row that becomes a new record (`record` None) or changes one; RowError lists all that is wrong."""
    if not isinstance(row, dict):
        raise RowError(problem("INVALID_DATA", "invalid data", {"expected_data_type": "jsonobject", "json_path": path}))
    checked = Checked()
    for each in module.fields:
        if each.name in row and each.writable and each.name != "id":
            _field(crm, each, row, f"{path}.{each.name}", checked)
        if each.mandatory and each.writable:
            _mandatory(each, row, path, record, checked)
    _append(crm, module, row, record, checked)
    _unique(crm, module, checked, path, record)
    if checked.errors:
        raise RowError(merged(checked.errors, crm.options.multiple_errors))
    return checked


def merged(errors: list[dict[str, Any]], several: bool) -> dict[str, Any]:
    """One error for the row: the only one, the first, or all of them in MULTIPLE_OR_MULTI_ERRORS."""
    if len(errors) == 1 or not several:
        return errors[0]
    return problem("MULTIPLE_OR_MULTI_ERRORS", "multiple errors found", {"errors": errors})


def _field(crm: Crm, each: Field, row: dict[str, Any], path: str, checked: Checked) -> None:
    value = row[each.name]
    if each.kind in ("subform", "multiselectlookup"):
        _children(crm, each, value, path, checked)
        return
    if value is None:
        checked.columns |= {each.name: None} | ({module_column(each): None} if _points(each) else {})
        return
    try:
        checked.columns[each.name] = column_value(each, value, crm.options)
        _exists(crm, each, row, checked)
    except InvalidValueError as error:
        checked.errors.append(_invalid(each, path, error))


def _append(crm: Crm, module: Module, row: dict[str, Any], record: int | None, checked: Checked) -> None:
    """With `$append_values` a multi-select keeps what it has and gains what is new."""
    asked = row.get("$append_values")
    for name in (asked if isinstance(asked, dict) else {}) if record is not None else ():
        if name in checked.columns and module[name].kind == "multiselectpicklist" and row["$append_values"][name]:
            [(old,)] = crm.store.read(f"SELECT {quoted(name)} FROM {quoted(module.name)} WHERE id = ?", (record,))
            values = [*(old or "").split(MANY), *(checked.columns[name] or "").split(MANY)]
            checked.columns[name] = MANY.join(dict.fromkeys(filter(None, values))) or None


def _points(each: Field) -> bool:
    return each.kind == "multi_module_lookup"


def _invalid(each: Field, path: str, error: InvalidValueError) -> dict[str, Any]:
    name = error.inside.lstrip(".") if error.inside.startswith(".") else each.name
    details = {**error.details, "api_name": name, "json_path": path + error.inside}
    if name != each.name:
        details["parent_api_name"] = each.name
    return problem(error.code, error.message, details)


def _exists(crm: Crm, each: Field, row: dict[str, Any], checked: Checked) -> None:
    key = checked.columns[each.name]
    if each.kind in ("ownerlookup", "userlookup"):
        person = crm.users.get(key)
        found = person is not None and person.status == "active"
    elif _points(each):
        target = _target_module(row, each)
        if target not in each.targets:
            dependee = {"api_name": "$se_module"}
            raise InvalidValueError(
                message="Dependent Fields missing", code="DEPENDENT_FIELD_MISSING", dependee=dependee
            )
        checked.columns[module_column(each)] = target
        found = _has(crm, str(target), key)
    elif each.kind == "lookup":
        found = _has(crm, each.targets[0], key)
    else:
        return
    if not found:
        raise InvalidValueError(inside=".id", message="the id given seems to be invalid")


def _target_module(row: dict[str, Any], each: Field) -> Any:
    """The module a multi-module lookup is to point into: beside it as `$se_module`, or in it as `module.api_name`."""
    within = row[each.name].get("module")
    return within.get("api_name") if isinstance(within, dict) else row.get("$se_module")


def _has(crm: Crm, module: str, key: int) -> bool:
    return key < 2**63 and bool(crm.store.read(f"SELECT 1 FROM {quoted(module)} WHERE id = ?", (key,)))


def _mandatory(each: Field, row: dict[str, Any], path: str, record: int | None, checked: Checked) -> None:
    missing = each.name not in row and record is None
    if missing or (each.name in row and row[each.name] in (None, "", "-None-")):
        details = {"api_name": each.name, "json_path": f"{path}.{each.name}"}
        checked.errors.append(problem("MANDATORY_NOT_FOUND", "required field not found", details))


def _unique(crm: Crm, module: Module, checked: Checked, path: str, record: int | None) -> None:
    for each in module.fields:
        value = checked.columns.get(each.name)
        if each.unique and value is not None:
            owner = "Owner" if "Owner" in module else "NULL"
            fold = " COLLATE NOCASE" if crm.options.ignore_case else ""
            sql = f"SELECT id, {owner} FROM {quoted(module.name)} WHERE {quoted(each.name)} = ?{fold} AND id IS NOT ?"
            taken = crm.store.read(f"{sql} LIMIT 1", (value, record))
            if taken:
                checked.errors.append(_duplicate(crm, module, each, path, taken[0]))
            elif found := _duplicate_elsewhere(crm, module, each, value):
                checked.errors.append(_duplicate(crm, found[0], each, path, found[1]))


def _duplicate_elsewhere(crm: Crm, module: Module, each: Field, value: Any) -> tuple[Module, tuple[Any, ...]] | None:
    """A record of the module that this one is converted to, or comes from, with the same unique value."""
    other = CONVERTED.get(module.name)
    if not crm.options.duplicates_across_modules or other is None or each.name not in crm.schema[other]:
        return None
    fold = " COLLATE NOCASE" if crm.options.ignore_case else ""
    sql = f"SELECT id, Owner FROM {quoted(other)} WHERE {quoted(each.name)} = ?{fold} LIMIT 1"
    taken = crm.store.read(sql, (value,))
    return (crm.schema[other], taken[0]) if taken else None


def _duplicate(crm: Crm, module: Module, each: Field, path: str, taken: tuple[Any, ...]) -> dict[str, Any]:
    key, owner = str(taken[0]), crm.users.get(taken[1])
    shown = {"name": owner.full_name, "id": str(owner.id)} if owner else None
    record = {"id": key, "Owner": shown, "module": crm.schema.minified(module.name)}
    details = {"api_name": each.name, "json_path": f"{path}.{each.name}", "id": key, "duplicate_record": record,
               "more_records": False}  # fmt: skip
    return problem("DUPLICATE_DATA", "duplicate data", details)


def _children(crm: Crm, each: Field, value: Any, path: str, checked: Checked) -> None:
    """Rows of a subform or a multi-select lookup: checked like records of their own module."""
    if value is None:
        return
    if not isinstance(value, list):
        details = {"expected_data_type": "jsonarray", "api_name": each.name, "json_path": path}
        checked.errors.append(problem("INVALID_DATA", "invalid data", details))
        return
    module = crm.schema[each.link.module if each.link else each.targets[0]]
    made = []
    for place, row in enumerate(value):
        try:
            made.append(_child(crm, module, row, f"{path}[{place}]"))
        except RowError as refused:
            checked.errors.append(refused.body)
    checked.children[each.name] = made


def _child(crm: Crm, module: Module, row: Any, path: str) -> dict[str, Any]:
    known = row.get("id") if isinstance(row, dict) else None
    if known is not None and not (str(known).isdecimal() and _has(crm, module.name, int(known))):
        details = {"api_name": "id", "json_path": f"{path}.id"}
        raise RowError(problem("INVALID_DATA", "the id given seems to be invalid", details))
    gone = isinstance(row, dict) and "_delete" in row and known is not None
    record = int(known) if known is not None else None
    columns = {} if gone else check(crm, module, row, path, record).columns
    return {"id": record, "gone": gone, "columns": columns}
