"""What COQL says no with."""

from __future__ import annotations

from typing import Any

from ...api_refusal import ApiRefusal
from ..answers import refusal

__all__ = ["bad_value", "exceeded", "invalid", "missing", "unexpected", "unsupported"]


def missing(clause: str) -> ApiRefusal:
    """A clause the query must have."""
    return refusal("SYNTAX_ERROR", "missing clause", {"clause": clause})


def unexpected(line: int, column: int, near: str) -> ApiRefusal:
    """A token that cannot stand here."""
    return refusal("SYNTAX_ERROR", "unexpected token", {"line": line, "column": column, "near": near})


def unsupported(column: str) -> ApiRefusal:
    """A column that does not exist or cannot be queried."""
    return refusal("INVALID_QUERY", "unsupported column", {"column_name": column})


def invalid(column: str, **details: Any) -> ApiRefusal:
    """A query that is well written and cannot be meant."""
    return refusal("INVALID_QUERY", "Invalid query formed", {"column_name": column, **details})


def bad_value(column: str, expected: str) -> ApiRefusal:
    """A literal that is not a value of the column's type."""
    details = {"column_name": column, "expected_data_type": expected}
    return refusal("INVALID_QUERY", "value given seems to be invalid for the column", details)


def exceeded(clause: str, limit: int) -> ApiRefusal:
    """Too much of something; that the code is LIMIT_EXCEEDED is documented, its details are not."""
    return refusal("LIMIT_EXCEEDED", "limit exceeded", {"clause": clause, "limit": limit})
