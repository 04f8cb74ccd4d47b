"""The tree of a `where` clause, and how it is written so that Zoho takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from .edits import Edit

__all__ = [
    "BooleanOperation",
    "Comparison",
    "Condition",
    "FieldPath",
    "Negation",
    "Value",
    "comparisons",
    "condition_edits",
    "has_negation",
    "is_open",
]  # fmt: skip


@dataclass(frozen=True)
class FieldPath:
    """A field where a query names it.

    Attributes:
        text: as written, without quotes: `Account_Name.Industry`, `!Leads.Owner`, `pd.Budget`.
        module: the module that `path` starts from; "" in a fragment that names no module.
        path: the dotted path from that module, without alias or module prefix.
        clause: select, on, where, group by or order by.
        start, end: where it stands in the text, quotes included.
        is_quoted: whether it stands in quotes.
        is_alias: it is no field but an alias of the select list.
    """

    text: str
    module: str
    path: str
    clause: str
    start: int
    end: int
    is_quoted: bool = False
    is_alias: bool = False


@dataclass(frozen=True)
class Value:
    """The right side of an operator.

    Attributes:
        text: as written.
        kind: text, number, date, boolean, null, word (text without quotes) or parameter.
        content: the text without its quotes; of other kinds, as written.
        start, end: where it stands in the text.
    """

    text: str
    kind: str
    content: str
    start: int
    end: int


@dataclass(frozen=True)
class Comparison:
    """One criterion.

    Attributes:
        field: left of the operator.
        operator: in lower case: =, !=, <>, >, >=, <, <=, like, in, between, is null, and not like, not in, ...
        values: none for `is null`, two for `between`.
        sub_query: where the sub-query after `in` stands in the text, parentheses included, if there is one.
        start, end: where it stands in the text, without parentheses around it.
        operator_start, operator_end: where the operator stands.
        is_enclosed: whether parentheses stand around it.
    """

    field: FieldPath
    operator: str
    values: tuple[Value, ...]
    sub_query: tuple[int, int] | None
    start: int
    end: int
    operator_start: int
    operator_end: int
    is_enclosed: bool = False


@dataclass(frozen=True)
class BooleanOperation:
    """Two conditions joined by `and` or `or` (`operator`); `start`, `end`, `is_enclosed` as in Comparison."""

    operator: str
    left: Condition
    right: Condition
    start: int
    end: int
    is_enclosed: bool = False


@dataclass(frozen=True)
class Negation:
    """`not` in front of a condition; `start`, `end`, `is_enclosed` as in Comparison; the operand at `operand_start`."""

    operand: Condition
    start: int
    operand_start: int
    end: int
    is_enclosed: bool = False


Condition = Union[Comparison, BooleanOperation, Negation]  # noqa: UP007  # the names are not defined yet


def is_open(condition: Condition) -> bool:
    """Whether another condition joined to it would be read into it."""
    return isinstance(condition, BooleanOperation) and not condition.is_enclosed


def has_negation(condition: Condition | None) -> bool:
    """Whether a `not` stands around anything in the condition."""
    if isinstance(condition, BooleanOperation):
        return has_negation(condition.left) or has_negation(condition.right)
    return isinstance(condition, Negation)


def comparisons(condition: Condition | None) -> Iterator[Comparison]:
    """The criteria of a tree, from left to right."""
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Negation):
        yield from comparisons(condition.operand)
    elif condition is not None:
        yield from comparisons(condition.left)
        yield from comparisons(condition.right)


def condition_edits(condition: Condition | None) -> Iterator[Edit]:
    """What makes a condition one that Zoho takes.

    More than two criteria are nested in pairs, a `not` in front of a criterion goes to its operator, since Zoho refuses
    it in front, and `<>` becomes `!=`. https://www.zoho.com/crm/developer/docs/api/v8/COQL-Limitations.html
    """
    if isinstance(condition, Comparison) and condition.operator == "<>":
        yield Edit(condition.operator_start, condition.operator_end, "!=")
    elif isinstance(condition, Negation):
        yield from _moved_not(condition)
        yield from condition_edits(condition.operand)
    elif isinstance(condition, BooleanOperation):
        for operand in (condition.left, condition.right):
            if is_open(operand):
                yield Edit(operand.start, operand.start, "(")
                yield Edit(operand.end, operand.end, ")")
            yield from condition_edits(operand)


def _moved_not(negation: Negation) -> Iterator[Edit]:
    operand = negation.operand
    if isinstance(operand, Comparison) and operand.operator in ("like", "in", "between", "is null"):
        place = operand.operator_end - len("null") if operand.operator == "is null" else operand.operator_start
        yield Edit(negation.start, negation.operand_start, "")
        yield Edit(place, place, "not ")
