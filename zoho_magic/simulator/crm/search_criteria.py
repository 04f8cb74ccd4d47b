"""Search criteria, `((Last_Name:starts_with:A)and(Amount:greater_than:10))`, as an SQL condition.

A backslash takes the meaning from `(`, `)`, `,` and itself. Zoho's `equals` on text finds the words within a longer
text too, which is why it is matched that way here.
"""

from __future__ import annotations

import re
from typing import Any

from ..api_refusal import ApiRefusal
from .answers import refusal
from .coql.ast import Path, Query, Value
from .coql.conditions import literal
from .coql.scope import ResolvedColumn, Scope
from .schema import Module, Schema
from .store import MANY

__all__ = ["search_condition"]

MOST_CRITERIA = 15
TOKEN = re.compile(r"(?:\\.|[^\\()])+|[()]", re.DOTALL)
SIGNS = {"equals": "=", "not_equal": "!=", "greater_than": ">", "greater_equal": ">=", "less_than": "<",
         "less_equal": "<="}  # fmt: skip
ORDER = {"equals", "not_equal", "greater_than", "greater_equal", "less_than", "less_equal", "between", "in"}
LISTED = ("in", "between")
TEXT = {"equals", "not_equal", "starts_with", "in"}
COMPARATORS = {
    **dict.fromkeys(("integer", "bigint", "double", "currency", "percent", "date", "datetime"), ORDER),
    **{key: {"equals", "not_equal", "in"} for key in ("lookup", "ownerlookup", "userlookup", "multi_module_lookup")},
    "boolean": {"equals", "not_equal"},
}


def search_condition(schema: Schema, module: Module, text: str) -> tuple[str, list[Any]]:
    """The condition over the row `t` and its values; refused with INVALID_QUERY when it cannot be read."""
    reader = _Reader(Scope(schema, Query((), module.name, None), module, "t", 0), TOKEN.findall(text))
    sql = reader.group()
    if reader.tokens:
        raise _invalid(reason="the criteria is not well formed")
    return sql, reader.values


def _invalid(**details: Any) -> ApiRefusal:
    return refusal("INVALID_QUERY", "Invalid query formed", details)


class _Reader:
    def __init__(self, scope: Scope, tokens: list[str]) -> None:
        self.scope = scope
        self.tokens = tokens
        self.values: list[Any] = []
        self.count = 0

    def take(self) -> str:
        if not self.tokens:
            raise _invalid(reason="the criteria is not well formed")
        return self.tokens.pop(0)

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise _invalid(reason="the criteria is not well formed")

    def group(self) -> str:
        """( criterion ) or ( group and|or group ...)."""
        self.expect("(")
        if self.tokens and self.tokens[0] != "(":
            sql = self.criterion(self.take())
            self.expect(")")
            return sql
        parts = [self.group()]
        while self.tokens and self.tokens[0] != ")":
            operator = self.take().strip().lower()
            if operator not in ("and", "or"):
                raise _invalid(operator=operator)
            parts += [operator.upper(), self.group()]
        self.expect(")")
        return f"({' '.join(parts)})"

    def criterion(self, text: str) -> str:
        self.count += 1
        if self.count > MOST_CRITERIA:
            raise refusal("LIMIT_EXCEEDED", "limit exceeded", {"limit": MOST_CRITERIA, "param_name": "criteria"})
        name, _, rest = text.partition(":")
        comparator, _, value = rest.partition(":")
        found = self.find(name.strip())
        if comparator not in COMPARATORS.get(found.field.value_type, TEXT):
            raise _invalid(api_name=name, operator=comparator)
        return self.compare(found, comparator, re.split(r"(?<!\\),", value) if comparator in LISTED else [value])

    def find(self, name: str) -> ResolvedColumn:
        try:
            return self.scope.find(Path((name,)))
        except ApiRefusal:
            raise _invalid(api_name=name, reason="the field is not searchable") from None

    def compare(self, found: ResolvedColumn, comparator: str, texts: list[str]) -> str:
        kind = found.field.value_type
        values = [self.literal(found, text) for text in texts]
        is_text = kind not in COMPARATORS
        column = f"replace({found.sql}, '{MANY}', ' ')" if kind in ("multiselectpicklist", "tags") else found.sql
        if comparator == "starts_with":
            return self.bound(f"{column} LIKE ? || '%'", values)
        if comparator == "between":
            return self.bound(f"{column} BETWEEN ? AND ?", values)
        if comparator == "in":
            return self.bound(f"{column} COLLATE NOCASE IN ({', '.join('?' * len(values))})", values)
        if is_text:
            words = f"(' ' || coalesce({column}, '') || ' ') LIKE '% ' || ? || ' %'"
            return self.bound(words if comparator == "equals" else f"NOT {words}", values)
        return self.bound(f"{column} {SIGNS[comparator]} ?", values)

    def bound(self, sql: str, values: list[Any]) -> str:
        if sql.count("?") != len(values):
            raise _invalid(reason="the number of values does not fit the comparator")
        self.values += values
        return sql

    def literal(self, found: ResolvedColumn, text: str) -> Any:
        plain = re.sub(r"\\(.)", r"\1", text)
        try:
            return literal(Value(plain), found.field.value_type, found.field.name)
        except ApiRefusal:
            raise _invalid(api_name=found.field.name, expected_data_type=found.field.value_type) from None
