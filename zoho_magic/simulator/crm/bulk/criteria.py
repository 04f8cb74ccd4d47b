"""Bulk read's criteria (JSON) -> SQL, with its own comparators and its own refusals."""

from __future__ import annotations

from typing import Any

from ...api_refusal import ApiRefusal
from ..answers import refusal
from ..coql.ast import Path, Value
from ..coql.conditions import like, literal
from ..coql.scope import ResolvedColumn, Scope
from ..store import MANY, quoted

__all__ = ["BulkCriteria"]

MOST_CRITERIA = 25
MOST_VALUES = 200
EMPTY = "${EMPTY}"
SIGNS = {"equal": "=", "not_equal": "!=", "less_than": "<", "less_equal": "<=", "greater_than": ">",
         "greater_equal": ">=", "in": "IN", "not_in": "NOT IN",
         "between": "BETWEEN", "not_between": "NOT BETWEEN"}  # fmt: skip
PATTERNS = {"contains": "%{}%", "not_contains": "%{}%", "starts_with": "{}%", "ends_with": "%{}"}
EQUAL = ("equal", "not_equal", "in", "not_in")
ORDER = ("less_than", "less_equal", "greater_than", "greater_equal")
TEXT = (*EQUAL, "contains", "not_contains", "starts_with", "ends_with")
NUMBER = (*EQUAL, *ORDER)
TIME = (*NUMBER, "between", "not_between")
COMPARATORS: dict[str, tuple[str, ...]] = {
    "boolean": ("equal",), "lookup": EQUAL, "ownerlookup": EQUAL, "userlookup": EQUAL, "multi_module_lookup": EQUAL,
    "integer": NUMBER, "bigint": NUMBER, "double": NUMBER, "currency": NUMBER, "percent": NUMBER,
    "date": TIME, "datetime": TIME,
}  # fmt: skip


class BulkCriteria:
    """Turns one criteria object into SQL; `values` and `named` fill on the way."""

    def __init__(self, scope: Scope, ignore_case: bool) -> None:
        self._scope, self._ignore_case = scope, ignore_case
        self.values: list[Any] = []
        self.named: set[str] = set()
        self._count = 0

    def sql(self, asked: Any) -> str:
        """The condition for SQL."""
        if not isinstance(asked, dict):
            raise refusal("INVALID_CRITERIA", "The given criteria is invalid.", {})
        single, group = {"field", "comparator", "value"} & set(asked), {"group", "group_operator"} & set(asked)
        if single and group:
            raise refusal("AMBIGUOUS_CRITERIA", "The given criteria is ambiguous.", {})
        if group:
            return self._group(asked)
        if single != {"field", "comparator", "value"}:
            raise refusal("INVALID_CRITERIA", "The given criteria is invalid.", {})
        return self._one(asked)

    def _group(self, asked: dict[str, Any]) -> str:
        operator = str(asked.get("group_operator", "")).lower()
        if operator not in ("and", "or"):
            raise refusal("GROUP_OPERATOR_NOT_SUPPORTED", "The given group operator is not supported.", {})
        parts = asked.get("group")
        if not isinstance(parts, list) or not parts:
            raise refusal("INVALID_CRITERIA", "The given criteria is invalid.", {})
        return "(" + f" {operator.upper()} ".join(self.sql(part) for part in parts) + ")"

    def _one(self, asked: dict[str, Any]) -> str:
        self._count += 1
        if self._count > MOST_CRITERIA:
            raise refusal("CRITERIA_LIMIT_EXCEEDED", "The criteria limit is exceeded.", {"max_limit": MOST_CRITERIA})
        name = _name(asked["field"])
        found, comparator = self._find(name), str(asked["comparator"])
        self.named.add(found.field.name)
        supported = COMPARATORS.get(found.field.value_type, TEXT)
        if comparator not in supported:
            details = {"comparator": comparator, "api_name": name, "supported": list(supported)}
            code = "FIELD_AND_COMPARATOR_IN_CRITERIA_NOT_COMPATIBLE"
            raise refusal(code, "The given field and comparator are not compatible.", details)
        if asked["value"] == EMPTY and comparator in ("equal", "not_equal"):
            return f"{found.sql} IS {'NOT ' if comparator == 'not_equal' else ''}NULL"
        return self._valued(name, found, comparator, asked["value"])

    def _find(self, name: str) -> ResolvedColumn:
        try:
            found = self._scope.find(Path(tuple(name.split("."))))
        except ApiRefusal:
            details = {"api_name": name}
            message = "The given field in criteria is not available."
            raise refusal("FIELD_IN_CRITERIA_NOT_AVAILABLE", message, details) from None
        if found.field.value_type == "tags":
            message = "The given field is not supported in criteria."
            raise refusal("FIELD_IN_CRITERIA_NOT_SUPPORTED", message, {"api_name": name})
        return found

    def _valued(self, name: str, found: ResolvedColumn, comparator: str, value: Any) -> str:
        values = value if isinstance(value, list) else [value]
        self._check_shape(comparator, value, values)
        parsed = [self._literal(each, found, name) for each in values]
        column = self._column(found)
        if comparator in PATTERNS:
            pattern, word = like(PATTERNS[comparator].format(parsed[0]), self._ignore_case)
            self.values.append(pattern)
            return f"{column} {'NOT ' if comparator == 'not_contains' else ''}{word}"
        self.values += parsed
        sign = SIGNS[comparator]
        if sign.endswith("IN"):
            return f"{column} {sign} ({', '.join('?' * len(parsed))})"
        return f"{column} {sign} ?" + (" AND ?" if sign.endswith("BETWEEN") else "")

    def _check_shape(self, comparator: str, value: Any, values: list[Any]) -> None:
        if len(values) > MOST_VALUES:
            message = "The values limit in criteria is exceeded."
            raise refusal("VALUE_LIMIT_EXCEEDED_IN_CRITERIA", message, {"max_limit": MOST_VALUES})
        listed = comparator in ("in", "not_in", "between", "not_between")
        if listed != isinstance(value, list) or (comparator.endswith("between") and len(values) != 2) or not values:
            message = "The given comparator and value are not compatible."
            raise refusal("COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE", message, {"comparator": comparator})

    def _literal(self, value: Any, found: ResolvedColumn, name: str) -> Any:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            return literal(Value(text), found.field.value_type, name)
        except ApiRefusal:
            message = "The given field and value are not compatible."
            raise refusal("FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE", message, {"api_name": name}) from None

    def _column(self, found: ResolvedColumn) -> str:
        kind = found.field.value_type
        if kind == "currency" and "Exchange_Rate" in self._scope.base.module:  # amounts are compared in home currency
            return f"({found.sql} / coalesce({found.row}.{quoted('Exchange_Rate')}, 1.0))"
        column = f"replace({found.sql}, '{MANY}', ';')" if kind == "multiselectpicklist" else found.sql
        return f"{column} COLLATE NOCASE" if self._ignore_case and kind not in COMPARATORS else column


def _name(asked: Any) -> str:
    name = asked.get("api_name") if isinstance(asked, dict) else None
    if not isinstance(name, str):
        raise refusal("INVALID_CRITERIA", "The given criteria is invalid.", {})
    return name
