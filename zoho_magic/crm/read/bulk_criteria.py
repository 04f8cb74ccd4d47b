"""A `where` clause in bulk read's own language.

https://www.zoho.com/crm/developer/docs/api/v8/bulk-read/create-job.html
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from ...errors import QueryError
from ..coql.parser import spelled, tree_of

__all__ = ["criteria_of"]

_COMPARATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "equal",
    exp.NEQ: "not_equal",
    exp.GT: "greater_than",
    exp.GTE: "greater_equal",
    exp.LT: "less_than",
    exp.LTE: "less_equal",
}
_EMPTY = "${EMPTY}"


def criteria_of(where: str) -> dict[str, Any]:
    """The criteria of a bulk read job.

    Args:
        where: COQL criteria.

    Raises:
        QueryError: something in it has no counterpart there (a joined field, a sub-query, `like` in the middle).

    Example::

        >>> criteria_of("Amount > 5")
        {'field': {'api_name': 'Amount'}, 'comparator': 'greater_than', 'value': '5'}
    """
    tree = tree_of(where)
    if tree is None:
        raise _untold(where)
    return _said(tree)


def _said(node: exp.Expr) -> dict[str, Any]:
    node = node.unnest()
    if isinstance(node, (exp.And, exp.Or)):
        word = "and" if isinstance(node, exp.And) else "or"
        return {"group_operator": word, "group": [_said(node.left), _said(node.right)]}
    negated = isinstance(node, exp.Not)
    inner = node.this.unnest() if negated else node
    negated = negated != bool(inner.args.get("negate"))
    if not isinstance(inner.this, exp.Column) or "." in spelled(inner.this):
        raise _untold(node)
    if isinstance(inner, exp.Between):
        return _between(inner, negated)
    comparator, value = _compared(inner) or ("", None)
    if (comparator := _NEGATED.get(comparator, "") if negated else comparator) == "":
        raise _untold(node)
    return _criterion(spelled(inner.this), comparator, value)


def _between(node: exp.Between, negated: bool) -> dict[str, Any]:
    # Bulk read's own between is for dates only.
    first, word, second = ("less_than", "or", "greater_than") if negated else ("greater_equal", "and", "less_equal")
    name, low, high = spelled(node.this), _value(node.args["low"]), _value(node.args["high"])
    return {"group_operator": word, "group": [_criterion(name, first, low), _criterion(name, second, high)]}


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


def _compared(node: exp.Expr) -> tuple[str, Any] | None:
    if type(node) in _COMPARATORS:
        return _COMPARATORS[type(node)], _value(node.expression)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return "equal", _EMPTY
    if isinstance(node, exp.In) and node.args.get("query") is None:
        return "in", [_value(item) for item in node.expressions]
    return _alike(node) if isinstance(node, exp.Like) else None


def _alike(node: exp.Like) -> tuple[str, Any] | None:
    pattern = str(_value(node.expression))
    inside = pattern.strip("%")
    if "%" in inside or not inside:
        return None
    ends = (pattern.startswith("%"), pattern.endswith("%"))
    comparator = {(True, True): "contains", (False, True): "starts_with", (True, False): "ends_with"}.get(ends)
    return comparator or "equal", inside


def _value(node: exp.Expr) -> Any:
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{node.this.name}"
    if not isinstance(node, exp.Literal):
        raise _untold(node)
    return node.name


def _untold(what: str | exp.Expr) -> QueryError:
    text = what if isinstance(what, str) else spelled(what)
    return QueryError(f"Bulk read cannot say {text[:80]!r}.", hint="Use --via coql for this filter.")
