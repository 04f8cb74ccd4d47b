"""A COQL query in its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        joined: whether there are explicit joins or aliases, which hide what a name means.
        where: the criteria, nested in pairs.
        group: the `group by` list, or "".
        order: the `order by` list, or "".
        limit: as written, or None.
        offset: as written, or 0.
    """

    columns: tuple[Column, ...]
    source: str
    module: str
    joined: bool = False
    where: str = EVERYTHING
    group: str = ""
    order: str = ""
    limit: int | None = None
    offset: int = 0

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
        return replace(self, columns=(Column("COUNT(id)", "COUNT(id)", function="COUNT"),), order="", limit=None)

    def also(self, criterion: str) -> Statement:
        """The query narrowed by one more criterion.

        Example::

            >>> Statement((), "Leads", "Leads", where="a = 1").also("b = 2").where
            '(a = 1 and b = 2)'
        """
        return replace(self, where=criterion if self.where == EVERYTHING else f"({self.where} and {criterion})")
