"""Lists of more values than COQL takes: written as several lists, or as several queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import QueryError
from .. import limits
from .conditions import Comparison, Value, has_negation
from .edits import Edit, apply_edits
from .parser import parse_query
from .query import CoqlQuery

__all__ = ["spread_lists"]


def spread_lists(query: CoqlQuery, *, is_count: bool = False) -> list[CoqlQuery]:
    """Queries with at most 100 values in a list, whose rows together are those of the query.

    One query where the values fit into 25 criteria: `x in (...)` becomes `(x in (...) or x in (...))`, and `x not in
    (...)` the same with `and`. Else several, where a row may come from more than one of them; only without limit,
    group, negation, and an order other than by id.
    https://www.zoho.com/crm/developer/docs/api/v8/COQL-Limitations.html

    Args:
        query: complete, as `CoqlQuery.complete` gives it.
        is_count: the numbers that several queries count are added up.

    Raises:
        QueryError: the values do not fit, and the rows of several queries would not be those of the whole.

    Example::

        >>> many = ", ".join(f"'{number}'" for number in range(250))
        >>> [found] = spread_lists(parse_query(f"select id from Leads where id in ({many})"))
        >>> found.text.count(" or id in (")
        2
    """
    long = [one for one in query.comparisons if len(one.values) > limits.COQL_VALUES_PER_IN]
    if not long:
        return [query]
    others = len(query.comparisons) - len(long)
    if others + sum(len(_pieces(one.values)) for one in long) <= limits.COQL_MAX_CRITERIA:
        return [_spread(query, long)]
    room = limits.COQL_VALUES_PER_IN * (limits.COQL_MAX_CRITERIA - others)
    if len(long) > 1 or room <= 0 or not _is_divisible(query, long[0], is_count):
        raise _too_many(long, room)
    return [_spread(query, [replace(long[0], values=part)]) for part in _parts(long[0].values, room)]


def _pieces(values: tuple[Value, ...]) -> list[tuple[Value, ...]]:
    return _parts(values, limits.COQL_VALUES_PER_IN)


def _parts(values: tuple[Value, ...], size: int) -> list[tuple[Value, ...]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _spread(query: CoqlQuery, comparisons: Sequence[Comparison]) -> CoqlQuery:
    """The query with these comparisons, whose values may be a part of what is written, as lists of 100."""
    text = query.text
    edits = [Edit(one.start, one.end, _written(text, one)) for one in comparisons]
    found = parse_query(apply_edits(text, edits))
    if not isinstance(found, CoqlQuery):
        raise found.problem
    return found.with_renamed(query.renamed)


def _written(text: str, one: Comparison) -> str:
    column = text[one.field.start : one.field.end]
    word = "and" if one.operator.startswith("not") else "or"
    lists = [", ".join(value.text for value in part) for part in _pieces(one.values)]
    terms = [f"{column} {one.operator} ({listed})" for listed in lists]
    found = terms[0]
    for term in terms[1:]:
        found = f"({found} {word} {term})"
    return found


def _is_divisible(query: CoqlQuery, one: Comparison, is_count: bool) -> bool:
    """Whether the rows for parts of a list, put together, are the rows for the whole list."""
    plain = not (query.is_aggregate or query.aliases or query.group_by or query.has_joins)
    plain = plain and [term.text for term in query.order_by] in ([], ["id"])
    bounded = query.limit is not None or bool(query.offset)
    return one.operator == "in" and (is_count or (plain and not bounded)) and not has_negation(query.where)


def _too_many(long: Sequence[Comparison], room: int) -> QueryError:
    names = ", ".join(f"{one.field.text} ({len(one.values):,} values)" for one in long)
    return QueryError(
        f"The lists of {names} do not fit into one query, and its rows cannot be put together from several.",
        hint=f"Use one plain 'in' without order, limit, group or negation, or at most {max(0, room):,} values.",
    )
