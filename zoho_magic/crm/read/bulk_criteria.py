"""A `where` clause in bulk read's own language.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-read/create-job.html
"""

from __future__ import annotations

from typing import Any

from ...errors import QueryError
from .. import limits
from ..coql.conditions import BooleanOperation, Comparison, Condition, Negation, Value
from ..coql.parser import parse_condition

__all__ = ["to_bulk_criteria"]

_COMPARATORS = {
    "=": "equal",
    "!=": "not_equal",
    "<>": "not_equal",
    ">": "greater_than",
    ">=": "greater_equal",
    "<": "less_than",
    "<=": "less_equal",
}
_EMPTY = "${EMPTY}"


def to_bulk_criteria(where: str) -> dict[str, Any]:
    """The criteria of a bulk read job.

    Args:
        where: COQL criteria.

    Raises:
        QueryError: something in it has no counterpart there (a joined field, a sub-query, `like` in the middle).

    Example::

        >>> to_bulk_criteria("Amount > 5")
        {'field': {'api_name': 'Amount'}, 'comparator': 'greater_than', 'value': '5'}
    """
    return _converted(where, parse_condition(where).root)


def _converted(where: str, node: Condition) -> dict[str, Any]:
    if isinstance(node, BooleanOperation):
        return _group(node.operator, _converted(where, node.left), _converted(where, node.right))
    negated = isinstance(node, Negation)
    inner = node.operand if isinstance(node, Negation) else node
    found = _compared(inner, negated) if isinstance(inner, Comparison) and _is_plain(inner) else {}
    if not found:
        text = where[node.start : node.end]
        raise QueryError(f"Bulk read cannot say {text[:80]!r}.", hint="Use --via coql for this filter.")
    return found


def _is_plain(node: Comparison) -> bool:
    """A field of the module itself, and values that are there."""
    return "." not in node.field.path and all(value.kind not in ("null", "parameter") for value in node.values)


def _compared(node: Comparison, negated: bool) -> dict[str, Any]:
    """The criterion; {} where there is none."""
    operator, values = node.operator.replace("not ", ""), [_value(value) for value in node.values]
    negated = negated != (operator != node.operator)
    if operator == "between":
        return _between(node.field.path, values, negated)
    comparator, value = _comparator(operator, values)
    comparator = _NEGATED.get(comparator, "") if negated else comparator
    return _criterion(node.field.path, comparator, value) if comparator else {}


def _group(operator: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"group_operator": operator, "group": [*parts]}


def _between(name: str, values: list[Any], negated: bool) -> dict[str, Any]:
    # Bulk read's own between is for dates only.
    first, word, second = ("less_than", "or", "greater_than") if negated else ("greater_equal", "and", "less_equal")
    return _group(word, _criterion(name, first, values[0]), _criterion(name, second, values[1]))


def _criterion(name: str, comparator: str, value: Any) -> dict[str, Any]:
    return {"field": {"api_name": name}, "comparator": comparator, "value": value}


_NEGATED = {
    "equal": "not_equal",
    "not_equal": "equal",
    "in": "not_in",
    "contains": "not_contains",
    "greater_than": "less_equal",
    "greater_equal": "less_than",
    "less_than": "greater_equal",
    "less_equal": "greater_than",
}


def _comparator(operator: str, values: list[Any]) -> tuple[str, Any]:
    """The comparator and its value; "" where there is none, as for a sub-query."""
    if operator == "is null":
        return "equal", _EMPTY
    if operator == "in":
        return "in" if 0 < len(values) <= limits.BULK_READ_VALUES_PER_IN else "", values
    return _convert_like(str(values[0])) if operator == "like" else (_COMPARATORS[operator], values[0])


def _convert_like(pattern: str) -> tuple[str, Any]:
    inside = pattern.strip("%")
    if "%" in inside or not inside:
        return "", None
    ends = (pattern.startswith("%"), pattern.endswith("%"))
    comparator = {(True, True): "contains", (False, True): "starts_with", (True, False): "ends_with"}.get(ends)
    return comparator or "equal", inside


def _value(value: Value) -> Any:
    if value.kind == "boolean":
        return value.text.lower() == "true"
    return value.content.lstrip("+") if value.kind == "number" else value.content
