"""From columns in the tables to values in Zoho's JSON."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ..options import Options
from . import datetimes
from .demo import User
from .schema import Field, Schema
from .store import MANY, module_column, quoted

__all__ = ["SERIALIZERS", "OutputColumn", "UserView", "output_column", "plain", "serialize_rows", "tag"]

Column = Sequence[Any]
BOOLEANS = {None: None, 0: False, 1: True}
COLOURS = ("#57B1FD", "#F48435", "#A8C026", "#B88562", "#63E1F2")


@dataclass(frozen=True)
class UserView:
    """How one user sees values: datetimes in their time zone, and in the shapes of the API that is answering."""

    zone: ZoneInfo
    users: Mapping[int, User]
    options: Options
    coql: bool = False

    def user(self, user_id: int | None) -> dict[str, Any] | None:
        """A user as the value of an owner field."""
        person = self.users.get(user_id) if user_id is not None else None
        if person is None:
            return None
        nameless = person.status != "active" and self.options.inactive_user_names_null
        names = {"last": person.last_name, "full": person.full_name}
        if not self.coql:
            return {"name": None if nameless else names["full"], "id": str(person.id), "email": person.email}
        name = self.options.coql_owner_name
        return {**({"name": None if nameless else names[name]} if name in names else {}), "id": str(person.id)}


Serializer = Callable[[Sequence[Column], UserView], Sequence[Any]]


@dataclass(frozen=True)
class OutputColumn:
    """One key of the answer: the SQL expressions it is read from, and how their columns become its values."""

    key: str
    sql: tuple[str, ...]
    serialize: Serializer


def plain(columns: Sequence[Column], _view: UserView) -> Column:
    """Values that look the same in a table and in JSON."""
    return columns[0]


def _number(columns: Sequence[Column], _view: UserView) -> Column:
    # Of sorted rows SQLite may hand back a generated column as int, which has no is_integer before Python 3.12.
    whole = (each is not None and abs(each) < 1e15 and float(each).is_integer() for each in columns[0])
    return [int(each) if is_whole else each for each, is_whole in zip(columns[0], whole, strict=True)]


def _boolean(columns: Sequence[Column], _view: UserView) -> Column:
    return [BOOLEANS[each] for each in columns[0]]


def _moment(columns: Sequence[Column], view: UserView) -> Column:
    return datetimes.render_all(columns[0], view.zone)


def _many(columns: Sequence[Column], view: UserView) -> Column:
    if view.coql and view.options.coql_multiselect_as_text:
        return [each.replace(MANY, ";") if each else None for each in columns[0]]
    return [each.split(MANY) if each else None for each in columns[0]]


def _tags(columns: Sequence[Column], view: UserView) -> Column:
    if view.coql and view.options.coql_tags_as_text:
        return [each.replace(MANY, ",") if each else None for each in columns[0]]
    return [[tag(name) for name in each.split(MANY)] if each else [] for each in columns[0]]


def _lookup(columns: Sequence[Column], _view: UserView) -> Column:
    return [{"name": name, "id": key} if key is not None else None for key, name in zip(*columns, strict=True)]


def _polymorphic(schema: Schema) -> Serializer:
    """Multi-module lookups: COQL tells their module instead of their name."""

    def serialize(columns: Sequence[Column], view: UserView) -> Column:
        if not view.coql or view.options.polymorphic_names_in_coql:
            return _lookup(columns[:2], view)
        return [
            {"module": schema.minified(module), "id": key} if key is not None else None
            for key, _name, module in zip(*columns, strict=True)
        ]

    return serialize


def _user(columns: Sequence[Column], view: UserView) -> Column:
    people = {key: view.user(key) for key in set(columns[0])}
    return [people[key] for key in columns[0]]


def _files(columns: Sequence[Column], _view: UserView) -> Column:
    return [json.loads(each) if each else None for each in columns[0]]


def _recurrence(columns: Sequence[Column], _view: UserView) -> Column:
    return [{"RRULE": each} if each else None for each in columns[0]]


SERIALIZERS: dict[str, Serializer] = {
    "double": _number, "currency": _number, "percent": _number, "boolean": _boolean, "datetime": _moment,
    "multiselectpicklist": _many, "tags": _tags, "lookup": _lookup,
    "ownerlookup": _user, "userlookup": _user, "fileupload": _files, "RRULE": _recurrence,
}  # fmt: skip


def tag(name: str) -> dict[str, Any]:
    """A tag as records show it: its id and colour follow from its name."""
    number = sum(ord(letter) * (place + 1) for place, letter in enumerate(name))
    return {"name": name, "id": str(554023000000700001 + number * 11), "color_code": COLOURS[number % len(COLOURS)]}


def output_column(schema: Schema, field: Field, key: str | None = None, row: str = "t") -> OutputColumn:
    """How `field` of the row called `row` is read and shown, under `key` (its own name when left out)."""
    column = f"{row}.{quoted(field.name)}"
    serialize = (
        _polymorphic(schema) if field.kind == "multi_module_lookup" else SERIALIZERS.get(field.value_type, plain)
    )
    return OutputColumn(key or field.name, _sql(schema, field, row, column), serialize)


def _sql(schema: Schema, field: Field, row: str, column: str) -> tuple[str, ...]:
    if field.kind == "bigint":
        return (f"CAST({column} AS TEXT)",)
    if field.kind == "lookup":
        return (f"CAST({column} AS TEXT)", _name(schema, field.targets[0], column))
    if field.kind == "multi_module_lookup":
        kind = f"{row}.{quoted(module_column(field))}"
        cases = " ".join(f"WHEN '{name}' THEN {_name(schema, name, column)}" for name in field.targets)
        return (f"CAST({column} AS TEXT)", f"CASE {kind} {cases} END", kind)
    return (column,)


def _name(schema: Schema, module: str, key: str) -> str:
    shown = quoted(schema[module].display)
    return f"(SELECT n.{shown} FROM {quoted(module)} AS n WHERE n.id = {key})"


def serialize_rows(
    outputs: Sequence[OutputColumn], rows: Sequence[tuple[Any, ...]], view: UserView
) -> list[dict[str, Any]]:
    """Rows as JSON objects; `rows` holds the outputs' SQL expressions side by side."""
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    shown, place = [], 0
    for each in outputs:
        shown.append(each.serialize(columns[place : place + len(each.sql)], view))
        place += len(each.sql)
    keys = [each.key for each in outputs]
    return [dict(zip(keys, values, strict=True)) for values in zip(*shown, strict=True)]
