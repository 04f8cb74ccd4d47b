"""A COQL query in its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

__all__ = ["EVERYTHING", "Column", "Statement"]

EVERYTHING = "id is not null"


@dataclass(frozen=True)
class Column:
    """One column of a select list.

    Attributes:
        text: as the query writes it, alias and all.
        key: its key in the answer.
        path: the field, as a dotted path from the module; "" for anything else.
        function: SUM, COUNT, ... or "".
    """

    text: str
    key: str
    path: str = ""
    function: str = ""


@dataclass(frozen=True)
class Statement:
    """A COQL query in its parts; `text()` puts them together.

    Attributes:
        columns: the select list.
        source: everything after `from`: the module, an alias, joins.
        module: API name of the module.
        aliases: what rows are called where the query has an alias or joins -> module, the base first.
        where: the criteria, nested in pairs.
        group: the `group by` list, or "".
        order: the `order by` list, or "".
        limit: as written, or None.
        offset: as written, or 0.
    """

    columns: tuple[Column, ...]
    source: str
    module: str
    where: str = EVERYTHING
    group: str = ""
    order: str = ""
    limit: int | None = None
    offset: int = 0
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def joined(self) -> bool:
        """Whether names are spelled with an alias, and the id may not stand for a row."""
        return bool(self.aliases)

    @property
    def base(self) -> str:
        """What a field of the base module is spelled with: "pd." or ""."""
        return "".join(f"{name}." for name in [*self.aliases][:1])

    @property
    def aggregates(self) -> bool:
        """Whether rows are not records any more: they have no id."""
        return bool(self.group) or any(column.function for column in self.columns)

    def text(self, limit: int, offset: int = 0) -> str:
        """The query, for one call."""
        group = f" group by {self.group}" if self.group else ""
        order = f" order by {self.order}" if self.order else ""
        select = ", ".join(column.text for column in self.columns)
        rest = f"where {self.where}{group}{order} limit {limit} offset {offset}"
        return f"select {select} from {self.source} {rest}"  # noqa: S608  # COQL; its values are bound

    def counting(self) -> Statement:
        """The query that counts this one's rows."""
        column = Column(f"COUNT({self.base}id)", "COUNT", function="COUNT")
        return replace(self, columns=(column,), order="", limit=None)

    def also(self, criterion: str) -> Statement:
        """The query narrowed by one more criterion.

        Example::

            >>> Statement((), "Leads", "Leads", where="a = 1").also("b = 2").where
            '(a = 1 and b = 2)'
        """
        return replace(self, where=criterion if self.where == EVERYTHING else f"({self.where} and {criterion})")
