"""Criteria -> SQL: which operators a type has, and what a literal of that type looks like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from .. import datetimes
from ..store import MANY
from .ast import Comparison, Criteria, Query, Value
from .errors import bad_value, exceeded, invalid, unexpected
from .scope import ResolvedColumn, Scope

__all__ = ["Conditions", "like", "literal"]

MOST_CRITERIA = 25
MOST_VALUES = 100
NULLS = {"is null", "is not null"}
TEXT = {"=", "!=", "like", "not like", "in", "not in"} | NULLS
ORDERED = {"=", "!=", ">", ">=", "<", "<=", "between", "not between", "in", "not in"} | NULLS
LOOKUP = {"=", "!=", "in", "not in"} | NULLS
OPERATORS = {
    "boolean": {"="}, "lookup": LOOKUP, "ownerlookup": LOOKUP, "userlookup": LOOKUP, "multi_module_lookup": LOOKUP,
    "tags": NULLS,
    **dict.fromkeys(("integer", "bigint", "double", "currency", "percent", "date", "datetime"), ORDERED),
}  # fmt: skip
WHOLE = ("bigint", "lookup", "ownerlookup", "userlookup", "multi_module_lookup")


class Conditions:
    """Turns the criteria of one query into SQL; `values` are the literals, in order."""

    def __init__(self, scope: Scope, ignore_case: bool, subquery: Callable[[Query], tuple[str, list[Any]]]) -> None:
        self._scope, self._ignore_case, self._subquery = scope, ignore_case, subquery
        self.values: list[Any] = []
        self.named: set[str] = set()
        self._count = 0

    def sql(self, criteria: Criteria) -> str:
        """The condition for SQL."""
        if isinstance(criteria, Comparison):
            return self._comparison(criteria)
        return f"({self.sql(criteria.left)} {criteria.operator.upper()} {self.sql(criteria.right)})"

    def _comparison(self, asked: Comparison) -> str:
        self._count += 1
        if self._count > MOST_CRITERIA:
            raise exceeded("where", MOST_CRITERIA)
        found = self._scope.find(asked.path)
        self.named.add(found.field.name)
        if asked.operator not in _operators(found):
            raise invalid(asked.path.text, operator=asked.operator, reason="invalid operator found")
        column = self._column(found)
        if asked.operator in NULLS:
            return f"{column} {asked.operator.upper()}"
        if asked.query is not None:
            sql, values = self._subquery(asked.query)
            self.values += values
            return f"{column} {asked.operator.upper()} ({sql})"
        return self._valued(asked, found, column)

    def _column(self, found: ResolvedColumn) -> str:
        kind = found.field.value_type
        column = f"replace({found.sql}, '{MANY}', ';')" if kind == "multiselectpicklist" else found.sql
        return f"{column} COLLATE NOCASE" if self._ignore_case and kind not in OPERATORS else column

    def _valued(self, asked: Comparison, found: ResolvedColumn, column: str) -> str:
        if len(asked.values) > MOST_VALUES:
            raise exceeded(asked.operator, MOST_VALUES)
        values = [literal(each, found.field.value_type, asked.path.text) for each in asked.values]
        operator = asked.operator.upper()
        if operator == "NOT LIKE" and not (str(values[0]).startswith("%") and str(values[0])[1:].endswith("%")):
            raise invalid(asked.path.text, operator=asked.operator, reason="invalid operator found")
        if operator.endswith("LIKE"):
            pattern, word = like(str(values[0]), self._ignore_case)
            self.values.append(pattern)
            return f"{column} {operator.replace('LIKE', word)}"
        self.values += values
        if operator.endswith("IN"):
            return f"{column} {operator} ({', '.join('?' * len(values))})"
        return f"{column} {operator} ?" + (" AND ?" if operator.endswith("BETWEEN") else "")


def _operators(found: ResolvedColumn) -> set[str]:
    kind = found.field.value_type
    if kind == "boolean" and found.field.kind == "formula":
        return {"="} | NULLS
    return OPERATORS.get(kind, TEXT)


def like(pattern: str, ignore_case: bool) -> tuple[str, str]:
    """The pattern and the operator for SQL: only `%` at the ends stands for anything."""
    start, end = pattern.startswith("%"), pattern.endswith("%") and len(pattern) > 1
    middle = pattern[start : len(pattern) - end]
    if ignore_case:
        for sign in "\\%_":
            middle = middle.replace(sign, f"\\{sign}")
        return "%" * start + middle + "%" * end, "LIKE ? ESCAPE '\\'"
    middle = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in middle)
    return "*" * start + middle + "*" * end, "GLOB ?"


def literal(value: Value, kind: str, column: str) -> Any:
    """The literal as the tables hold it; refused when it is not of this kind, or a bare word where none may stand."""
    if value.position and kind not in ("picklist", "boolean"):
        raise unexpected(*value.position, value.text)
    try:
        return _parsed(value.text, kind)
    except (ValueError, OverflowError):
        raise bad_value(column, kind) from None


def _parsed(text: str, kind: str) -> Any:
    if kind in WHOLE:
        return _whole(text)
    if kind in ("integer", "double", "currency", "percent"):
        return float(text)
    if kind == "boolean":
        return {"true": 1, "false": 0}[text.lower()] if text.lower() in ("true", "false") else int("bad")
    if kind == "date":
        return date.fromisoformat(text if len(text) == 10 else "").isoformat()
    return datetimes.parse(text) if kind == "datetime" else text


def _whole(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    return number
