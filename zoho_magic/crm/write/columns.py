"""Which column of a frame writes which field: unknown columns, columns that are called by a label, missing columns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import PushError
from ..metadata import Field, did_you_mean
from ..read.arrow import extra_columns
from .input_table import Table, is_empty
from .operation import WriteOperation
from .record_keys import match_fields
from .references import LookupClient, is_reference_column

__all__ = ["check_columns", "renamed_columns"]


def renamed_columns(columns: Sequence[str], known: Mapping[str, Field]) -> dict[str, str]:
    """Column -> field for each column that is no API name and is the label or the name of one field, written otherwise.

    Example::

        >>> fields = {"Last_Name": Field("Last_Name", "Last Name"), "id": Field("id", "Record Id")}
        >>> renamed_columns(["last name", "Id"], fields)
        {'last name': 'Last_Name', 'Id': 'id'}
    """
    by_words: defaultdict[str, set[str]] = defaultdict(set)
    for field in known.values():
        for word in (field.name, field.label):
            by_words[_letters(word)].add(field.name)
    found = {}
    for name in columns:
        base, dot, part = (name, "", "") if "." not in name else name.rpartition(".")
        named = by_words[_letters(base)] if base not in known else {base}
        if name not in known and len(named) == 1 and f"{next(iter(named))}{dot}{part}" not in (*columns, name):
            found[name] = f"{next(iter(named))}{dot}{part}"
    return found


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def check_columns(
    table: Table, operation: WriteOperation, known: Mapping[str, Field], client: LookupClient
) -> tuple[Table, list[str]]:
    """The table with the columns that the operation needs, and a note on columns that were renamed.

    Args:
        table: the frame.
        operation: what to do; with `rename`, columns called by a label are renamed, and an index called id is taken.
        known: the module's fields.
        client: knows the modules that lookups point to.

    Raises:
        PushError: columns are no fields (all of them are named, with the line that renames them), the column that the
            action needs is missing, `on` cannot find a record, or ids are floats.
    """
    _refuse_match_fields(operation, known)
    renamed = renamed_columns(list(table.columns), known)
    if operation.rename:
        table, notes = _renamed(table, renamed)
        renamed = {}
    else:
        notes = []
    needed = ("id",) if operation.action in ("update", "delete") else operation.match_fields
    missing = [name for name in needed if name not in table.columns]
    unknown = [] if operation.action == "delete" else _unknown(table, known, client)
    if missing or unknown:
        raise _refusal(operation, table, known, missing, unknown, renamed)
    _refuse_float_ids(table)
    return table, notes


def _renamed(table: Table, names: Mapping[str, str]) -> tuple[Table, list[str]]:
    columns = {names.get(name, name): cells for name, cells in table.columns.items()}
    notes = [f"Renamed: {', '.join(f'{old} -> {new}' for old, new in names.items())}."] if names else []
    if "id" not in columns and _is_id(table.index.name):
        columns["id"] = table.index.tolist()
        notes.append(f"The index {table.index.name} is the column id.")
    return Table(columns, table.index), notes


def _is_id(name: Any) -> bool:
    return _letters(str(name)) in ("id", "recordid")


def _unknown(table: Table, known: Mapping[str, Field], client: LookupClient) -> list[str]:
    beside = {column for field in known.values() if field.read_only for column in extra_columns(field)}
    return [
        name
        for name in table.columns
        if name not in known and name not in beside and not is_reference_column(name, known, client)
    ]


def _refusal(
    operation: WriteOperation,
    table: Table,
    known: Mapping[str, Field],
    missing: Sequence[str],
    unknown: Sequence[str],
    renamed: Mapping[str, str],
) -> PushError:
    renames = {old: new for old, new in renamed.items() if old in unknown or new in missing}
    left = [name for name in unknown if name not in renames]
    said = [_no_fields(operation.module, unknown, renames, known)] if unknown else []
    said += [f"To {operation.action}, the frame needs the column {name!r}." for name in missing]
    steps = [f"df = df.rename(columns={renames}), or rename=True"] if renames else []
    if "id" in missing and "id" not in renames.values():
        steps.append(_where_ids_are(table))
    elif any(name not in renames.values() for name in missing):
        steps.append("Add the column")
    steps += [f"df = df.drop(columns={left}), or use the fields' API names"] if left else []
    return PushError(" ".join(said), hint="; ".join(steps) + ".")


def _no_fields(module: str, unknown: Sequence[str], renames: Mapping[str, str], known: Mapping[str, Field]) -> str:
    words = {word: field.name for field in known.values() for word in (field.name, field.label) if word}
    near = [renames.get(name) or did_you_mean(name, words)[len(" Did you mean ") : -1] for name in unknown]
    found = list(dict.fromkeys(filter(None, near)))
    what = "no field" if len(unknown) == 1 else "no fields"
    meant = f" Did you mean {', '.join(found)}?" if found else ""
    return f"{module} has {what} {', '.join(map(repr, unknown))}.{meant}"


def _where_ids_are(table: Table) -> str:
    if _is_id(table.index.name):
        name = str(table.index.name)
        rename = "" if name == "id" else f".rename(columns={{{name!r}: 'id'}})"
        return f"The ids are the index of the frame: df = df.reset_index(){rename}, or rename=True"
    return "Pull the records first: every frame that was pulled has 'id'"


def _refuse_match_fields(operation: WriteOperation, known: Mapping[str, Field]) -> None:
    for name in operation.match_fields:
        if name not in known:
            words = {word: field.name for field in known.values() for word in (field.name, field.label)}
            meant = did_you_mean(name, words)
            raise PushError(
                f"{operation.module} has no field {name!r}.{meant}",
                hint="`on` takes API names; zoho.fields lists them.",
            )
        if known[name].read_only:
            raise PushError(
                f"{name!r} is read-only and cannot be used to match records in an upsert: new records would lack it.",
                hint="Update by the column id, or upsert on a field that can be written.",
            )
    allowed = match_fields(WriteOperation(operation.module, "upsert"), known)
    repeating = [name for name in operation.match_fields if name not in allowed]
    if repeating:
        raise PushError(
            f"An upsert cannot find records by {', '.join(repeating)}: several records may have one value.",
            hint=f"Use {' or '.join(allowed)}, or update by the column id." if allowed else "Update by the column id.",
        )


def _refuse_float_ids(table: Table) -> None:
    for name, cells in table.columns.items():
        if name == "id" or name.endswith(".id"):
            found = next((cell for cell in cells if isinstance(cell, float) and not is_empty(cell)), None)
            if found is not None:
                raise PushError(
                    f"The column {name!r} holds floats: record ids have 18 or 19 digits, and a float loses the last.",
                    hint="Read ids as text (dtype=str) where they come from; pull them again if they are lost.",
                )
