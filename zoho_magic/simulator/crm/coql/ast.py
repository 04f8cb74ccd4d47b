"""What a COQL query is made of, once read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Aggregate",
    "Column",
    "Comparison",
    "Criteria",
    "Join",
    "Logic",
    "Order",
    "Path",
    "Query",
    "Value",
    "criteria_paths",
]


@dataclass(frozen=True)
class Path:
    """A dotted column: `parts` are the names, the first maybe `What_Id->Leads`; `module` is a prefix `!module.`."""

    parts: tuple[str, ...]
    module: str | None = None

    @property
    def text(self) -> str:
        """As it is written, without quotes."""
        return ".".join(self.parts if self.module is None else (f"!{self.module}", *self.parts))


@dataclass(frozen=True)
class Aggregate:
    """COUNT, SUM, MIN, MAX or AVG of a column."""

    function: str
    path: Path

    @property
    def text(self) -> str:
        """The key of its value in the answer."""
        return f"{self.function}({self.path.text})"


@dataclass(frozen=True)
class Column:
    """One thing selected."""

    what: Path | Aggregate
    alias: str | None = None

    @property
    def key(self) -> str:
        """Its key in the answer."""
        return self.alias or self.what.text


@dataclass(frozen=True)
class Value:
    """A literal; a word without quotes has a `position` (line, column), since only picklists may have one."""

    text: str
    position: tuple[int, int] | None = None


@dataclass(frozen=True)
class Comparison:
    """A path, an operator in lower case, and what it is compared with: values, or one sub-query."""

    path: Path
    operator: str
    values: tuple[Value, ...] = ()
    query: Query | None = None


@dataclass(frozen=True)
class Logic:
    """Two criteria with `and` or `or` between them."""

    operator: str
    left: Criteria
    right: Criteria


Criteria = Comparison | Logic


@dataclass(frozen=True)
class Join:
    """An explicit left join."""

    module: str
    alias: str
    left: Path
    right: Path


@dataclass(frozen=True)
class Order:
    """One `order by` item."""

    what: Path | Aggregate
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """A whole SELECT."""

    columns: tuple[Column, ...]
    module: str
    where: Criteria | None
    alias: str | None = None
    view: str | None = None
    joins: tuple[Join, ...] = ()
    group: tuple[Path, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


def criteria_paths(criteria: Criteria | None) -> list[Path]:
    """Every column that the criteria compare, left to right; those of sub-queries are not theirs."""
    if criteria is None:
        return []
    if isinstance(criteria, Comparison):
        return [criteria.path]
    return criteria_paths(criteria.left) + criteria_paths(criteria.right)
