"""A COQL query checked against the org's fields and turned into one SQL statement."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from ..answers import refusal
from ..demo import User
from ..org import Crm
from ..schema import NUMBERS, Field, Module
from ..serialization import SERIALIZERS, OutputColumn, output_column, plain
from ..users_table import USERS
from ..views import views_of
from .ast import Aggregate, Column, Order, Path, Query, criteria_paths
from .conditions import Conditions
from .errors import exceeded, invalid, unsupported
from .scope import ResolvedColumn, Scope

__all__ = ["CompiledQuery", "base_module", "compile_query"]

MOST_ROWS = 2_000
REACH = 100_000
DEFAULT_ROWS = 200
MOST_COLUMNS, MOST_AGGREGATES, MOST_GROUPS, MOST_ORDERS = 500, 5, 4, 10
SELECT_JOINS, BASE_JOINS = 15, 5
MOST_SUBQUERIES = 5
COUNTABLE = NUMBERS | {"bigint", "lookup", "ownerlookup", "userlookup", "multi_module_lookup", "picklist"}
COMPARABLE = NUMBERS | {"bigint", "date", "datetime"}


@dataclass(frozen=True)
class CompiledQuery:
    """The SQL to run and how its columns are serialized; `rows` of its `limit` are shown, one more is read.

    `fields` are the selected fields by key, for include_meta.
    """

    sql: str
    values: tuple[Any, ...]
    outputs: tuple[OutputColumn, ...]
    fields: dict[str, tuple[Module, Field]]
    limit: int
    rows: int

    @property
    def credits(self) -> int:
        """By LIMIT: up to 200 rows 1, up to 1,000 2, up to 2,000 3."""
        return 1 + (self.limit > 200) + (self.limit > 1000)


def base_module(crm: Crm, query: Query) -> Module:
    """The module after FROM; refused when there is none."""
    module = USERS if query.module.lower() == "users" else crm.schema.get(query.module)
    if module is None or not module.api or module.name in crm.options.coql_refused_modules:
        raise refusal("INVALID_MODULE", "the given module is not supported in api")
    return module


def compile_query(crm: Crm, user: User, query: Query) -> CompiledQuery:
    """The statement for this query, or Zoho's reason against it."""
    limit = _limit(query)
    return _Compiler(crm, user, query).compile(limit)


def _limit(query: Query) -> int:
    limit = DEFAULT_ROWS if query.limit is None else query.limit
    if limit < 1:
        raise refusal("INVALID_DATA", "limit should be greater than 0")
    if limit > MOST_ROWS:
        raise exceeded("limit", MOST_ROWS)
    if query.offset + limit > REACH:
        raise exceeded("offset", REACH)
    return limit


class _Compiler:
    def __init__(self, crm: Crm, user: User, query: Query) -> None:
        self.crm, self.user, self.query = crm, user, query
        self.module = base_module(crm, query)
        self.scope = Scope(crm.schema, query, self.module, "t", SELECT_JOINS, crm.options)
        self.subqueries = 0
        self.aliases = {each.alias: each.what for each in query.columns if each.alias}
        self.grouped = bool(query.group) or any(isinstance(each.what, Aggregate) for each in query.columns)

    def compile(self, limit: int) -> CompiledQuery:
        self.check()
        columns = self.query.columns if self.grouped else self.with_id()
        outputs = tuple(self.output(each) for each in columns)
        shown = outputs if self.grouped else tuple(itertools.compress(outputs, map(self.comes_back, columns)))
        rows = min(limit, self.crm.options.coql_page_rows or limit)
        sql, values = self.grouped_sql(shown) if self.grouped or self.query.joins else self.window_sql(shown, rows)
        if self.grouped or self.query.joins:
            sql += f" LIMIT {rows + 1} OFFSET {self.query.offset}"
        return CompiledQuery(sql, tuple(values), shown, self.fields(), limit, rows)

    def comes_back(self, column: Column) -> bool:
        """False for what this Zoho leaves out of its answers though it was selected."""
        if isinstance(column.what, Aggregate):
            return True
        field = self.scope.find(column.what).field
        return not {field.kind, field.name} & set(self.crm.options.coql_left_out)

    def check(self) -> None:
        query = self.query
        for clause, found, most in (
            ("select", query.columns, MOST_COLUMNS),
            ("group by", query.group, MOST_GROUPS),
            ("order by", query.order, MOST_ORDERS),
            ("select", [each for each in query.columns if isinstance(each.what, Aggregate)], MOST_AGGREGATES),
        ):
            if len(found) > most:
                raise exceeded(clause, most)
        self.check_names()
        self.check_joins()
        groups = {path.text for path in query.group}
        for each in query.columns if self.grouped else ():
            if isinstance(each.what, Path) and each.what.text not in groups:
                raise invalid(each.what.text, reason="column is not in the group by clause")
            if isinstance(each.what, Aggregate) and not each.alias and self.crm.options.coql_aggregate_needs_alias:
                message = "select column should be given in group by clause"
                raise refusal("INVALID_QUERY", message, {"column_name": each.what.text})

    def check_joins(self) -> None:
        """At most five joins for where, order by and group by together, explicit ones included."""
        where = criteria_paths(self.query.where)
        order = [self.aliases.get(each.what.text, each.what) for each in self.query.order]
        paths = [*where, *self.query.group, *(each.path if isinstance(each, Aggregate) else each for each in order)]
        joins = {path.parts[:length] for path in paths for length in range(1, len(path.parts))}
        aliases = {(join.alias,) for join in self.query.joins}
        if len(self.query.joins) + len(joins - aliases - {(self.query.alias or self.module.name,)}) > BASE_JOINS:
            raise exceeded("join", BASE_JOINS)

    def check_names(self) -> None:
        aliases = [each.alias for each in self.query.columns if each.alias]
        if len(set(aliases)) < len(aliases):
            raise refusal("DUPLICATE_ALIAS", "duplicate alias", {"alias": _first_duplicate(aliases)})
        keys = [each.key for each in self.query.columns]
        if len(set(keys)) < len(keys):
            raise refusal("DUPLICATE_DATA", "duplicate select column", {"column_name": _first_duplicate(keys)})
        ordered = [self.aliases.get(each.what.text, each.what).text for each in self.query.order]
        for clause, texts in (("order by", ordered), ("group by", [path.text for path in self.query.group])):
            if len(set(texts)) < len(texts):
                details = {"column_name": _first_duplicate(texts)}
                raise refusal("DUPLICATE_DATA", f"duplicate {clause} column", details)

    def with_id(self) -> tuple[Column, ...]:
        """Zoho adds the id to whatever was selected."""
        here = Column(Path((self.query.alias, "id") if self.query.alias else ("id",)), "id")
        return (*self.query.columns, *([] if any(each.key == "id" for each in self.query.columns) else [here]))

    def output(self, column: Column) -> OutputColumn:
        if isinstance(column.what, Aggregate):
            return self.aggregate(column.what, column.key)
        found = self.scope.find(column.what)
        return output_column(self.crm.schema, found.field, column.key, found.row)

    def aggregate(self, asked: Aggregate, key: str) -> OutputColumn:
        found = self.scope.find(asked.path)
        kind = found.field.value_type
        allowed = {"COUNT": COUNTABLE, "SUM": NUMBERS, "AVG": NUMBERS}.get(asked.function, COMPARABLE)
        if kind not in allowed:
            raise invalid(asked.path.text, reason=f"{asked.function} is not supported for {kind}")
        same = SERIALIZERS.get(kind, plain)
        show = (
            plain if asked.function == "COUNT" else SERIALIZERS["double"] if asked.function in ("SUM", "AVG") else same
        )
        wrap = "CAST({} AS TEXT)" if kind == "bigint" and asked.function in ("MIN", "MAX") else "{}"
        number = f"({found.sql} * 1.0)" if asked.function == "SUM" else found.sql
        return OutputColumn(key, (wrap.format(f"{asked.function}({number})"),), show)

    def fields(self) -> dict[str, tuple[Module, Field]]:
        paths = {each.key: each.what for each in self.query.columns if isinstance(each.what, Path)}
        return {key: (self.module, self.scope.find(path).field) for key, path in paths.items()}

    def where(self, scope: Scope) -> tuple[str, list[Any]]:
        """The condition, including what a custom view and the hiding of converted leads add to it."""
        query = self.query
        conditions = Conditions(scope, self.crm.options.ignore_case, self.subquery)
        parts = [conditions.sql(query.where)] if query.where else []
        if query.view:
            parts.append(self.view_condition(query.view).replace("t.", f"{scope.base.name}."))
        hides = "Converted__s" in self.module and not self.crm.options.coql_shows_converted
        if hides and "Converted__s" not in conditions.named:
            parts.append(f"{scope.base.name}.Converted__s = 0")
        return " AND ".join(f"({part})" for part in parts), conditions.values

    def view_condition(self, cvid: str) -> str:
        view = views_of(self.module, self.user).get(cvid)
        if view is None:
            raise refusal("INVALID_DATA", "invalid data", {"api_name": "cvid"})
        return view.where

    def subquery(self, query: Query) -> tuple[str, list[Any]]:
        self.subqueries += 1
        if self.subqueries > MOST_SUBQUERIES:
            raise exceeded("in", MOST_SUBQUERIES)
        if len(query.columns) != 1 or isinstance(query.columns[0].what, Aggregate):
            raise refusal("SYNTAX_ERROR", "given coql query not supported")
        inner = _Compiler(self.crm, self.user, query)
        inner.scope = Scope(self.crm.schema, query, inner.module, f"s{self.subqueries}_", BASE_JOINS, self.crm.options)
        found = inner.scope.find(query.columns[0].what)
        where, values = inner.where(inner.scope)
        most = min(query.limit or DEFAULT_ROWS, self.crm.options.coql_subquery_rows)
        order = inner.order(inner.scope)
        return f"SELECT {found.sql} FROM {inner.scope.tables} WHERE {where} {order} LIMIT {most}", values

    def order(self, scope: Scope) -> str:
        asked = [f"{self.orderable(scope, each)} {'DESC' if each.descending else 'ASC'}" for each in self.query.order]
        last = [] if self.grouped else [f"{scope.base.name}.id"]
        return f"ORDER BY {', '.join(asked + last)}" if asked or last else ""

    def orderable(self, scope: Scope, asked: Order) -> str:
        what = self.aliases.get(asked.what.text, asked.what)
        if isinstance(what, Aggregate):
            return f"{what.function}({scope.find(what.path).sql})"
        found: ResolvedColumn = scope.find(what)
        if found.field.value_type in ("tags", "multiselectpicklist"):
            raise unsupported(what.text)
        return found.sql

    def window_sql(self, outputs: tuple[OutputColumn, ...], rows: int) -> tuple[str, list[Any]]:
        """First the ids of the window from a narrow index, then those rows: an offset costs no wide rows."""
        inner = Scope(self.crm.schema, self.query, self.module, "w", BASE_JOINS, self.crm.options)
        (where, values), inner_order = self.where(inner), self.order(inner)  # both may add joins to the tables
        ids = f"SELECT w.id FROM {inner.tables} WHERE {where} {inner_order}"
        window = f"{ids} LIMIT {rows + 1} OFFSET {self.query.offset}"
        order = self.order(self.scope)
        return f"SELECT {_columns(outputs)} FROM {self.scope.tables} WHERE t.id IN ({window}) {order}", values

    def grouped_sql(self, outputs: tuple[OutputColumn, ...]) -> tuple[str, list[Any]]:
        where, values = self.where(self.scope)
        groups = ", ".join(self.scope.find(path).sql for path in self.query.group)
        group = f"GROUP BY {groups}" if groups else ""
        order = self.order(self.scope)
        return f"SELECT {_columns(outputs)} FROM {self.scope.tables} WHERE {where} {group} {order}", values


def _columns(outputs: tuple[OutputColumn, ...]) -> str:
    return ", ".join(part for each in outputs for part in each.sql)


def _first_duplicate(names: list[Any]) -> Any:
    return next(name for name in names if names.count(name) > 1)
