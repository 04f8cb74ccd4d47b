"""Which row and field a dotted column means, and the joins it takes to get there."""

from __future__ import annotations

from dataclasses import dataclass

from ...options import Options
from ..schema import LOOKUPS, Field, Module, Schema
from ..store import module_column, quoted
from ..users_table import NAMELESS, USERS
from .ast import Join, Path, Query
from .errors import exceeded, invalid, unsupported

__all__ = ["ResolvedColumn", "Scope"]

CLOSED = {"subform", "multiselectlookup", "fileupload", "profileimage"}  # COQL selects none of them


@dataclass(frozen=True)
class Row:
    """A row the query reads: its SQL name and module."""

    name: str
    module: Module


@dataclass(frozen=True)
class ResolvedColumn:
    """A column: the row it is in and its field."""

    row: str
    field: Field

    @property
    def sql(self) -> str:
        """The column for SQL."""
        return f"{self.row}.{quoted(self.field.name)}"


class Scope:
    """The rows one SELECT sees; `most` limits how many lookups may be joined. `mark` keeps SQL names apart.

    `options` are those that concern COQL; bulk read, which knows every column, gives none.
    """

    def __init__(
        self, schema: Schema, query: Query, module: Module, mark: str, most: int, options: Options | None = None
    ) -> None:
        self._schema, self._mark, self._most, self._options = schema, mark, most, options
        self.base = Row(mark, module)
        self._named = {query.alias or module.name: self.base}
        self._joined: dict[str, Row] = {}
        self._sql: list[str] = []
        for join in query.joins:
            self._explicit(join)

    @property
    def tables(self) -> str:
        """FROM and the joins, for SQL."""
        return f"{self._table(self.base.module)} AS {self.base.name} " + " ".join(self._sql)

    def _table(self, module: Module) -> str:
        nameless = module is USERS and self._options is not None and self._options.inactive_user_names_null
        return quoted(NAMELESS if nameless else module.name)

    def find(self, path: Path) -> ResolvedColumn:
        """The column at this path; "unsupported column" when there is none."""
        row, parts = self._start(path)
        while len(parts) > 1 and row.module is not USERS:
            if (beside := _beside_polymorphic(row, parts)) is not None:
                return beside
            row, parts = self._step(row, parts[0], path), parts[1:]
        field = row.module.by_name.get(".".join(parts))
        if field is None or field.kind in CLOSED or not self._is_known(field):
            raise unsupported(path.text)
        return ResolvedColumn(row.name, field)

    def _is_known(self, field: Field) -> bool:
        if self._options is None:
            return True
        return field.coql and (self._options.coql_knows_converted or field.name != "Converted__s")

    def _start(self, path: Path) -> tuple[Row, tuple[str, ...]]:
        parts = path.parts
        if path.module is not None:
            if path.module not in (*self._named, self.base.module.name):
                raise unsupported(path.text)
            return self._named.get(path.module, self.base), parts
        if len(parts) > 1 and parts[0] in self._named and parts[0] not in self.base.module:
            return self._named[parts[0]], parts[1:]
        return self.base, parts

    def _step(self, row: Row, name: str, path: Path) -> Row:
        """The row a lookup leads to."""
        lookup, _, chosen = name.partition("->")
        field = row.module.by_name.get(lookup)
        if field is None:
            raise unsupported(path.text)
        target = self._target(field, chosen)
        if target is None:
            raise unsupported(path.text)
        key = f"{row.name}.{name}"
        if key not in self._joined:
            if len(self._joined) >= self._most:
                raise exceeded("join", self._most)
            self._joined[key] = self._join(row, field, target, chosen)
        return self._joined[key]

    def _target(self, field: Field, chosen: str) -> Module | None:
        if field.kind in ("ownerlookup", "userlookup") and not chosen:
            return USERS
        if field.kind == "lookup" and not chosen:
            return self._schema[field.targets[0]]
        return self._schema[chosen] if field.kind == "multi_module_lookup" and chosen in field.targets else None

    def _join(self, row: Row, field: Field, target: Module, chosen: str) -> Row:
        made = Row(f"{self._mark}{len(self._joined) + 1}", target)
        only = f" AND {row.name}.{quoted(module_column(field))} = '{chosen}'" if chosen else ""
        on = f"{made.name}.id = {row.name}.{quoted(field.name)}{only}"
        self._sql.append(f"LEFT JOIN {self._table(target)} AS {made.name} ON {on}")
        return made

    def _explicit(self, join: Join) -> None:
        module = self._schema.get(join.module)
        if module is None or not module.api:
            raise unsupported(join.module)
        made = Row(f"{self._mark}x{len(self._named)}", module)
        self._named[join.alias] = made
        place = len(self._sql)
        left, right = self.find(join.left), self.find(join.right)
        for side in (left, right):
            if side.field.kind not in {*LOOKUPS, "bigint"}:
                raise invalid(side.field.name, reason="join needs a lookup and an id")
        self._sql.insert(place, f"LEFT JOIN {quoted(module.name)} AS {made.name} ON {left.sql} = {right.sql}")


def _beside_polymorphic(row: Row, parts: tuple[str, ...]) -> ResolvedColumn | None:
    """`What_Id.module.api_name` and `What_Id.id`: what a multi-module lookup itself holds."""
    field = row.module.by_name.get(parts[0])
    if field is None or field.kind != "multi_module_lookup":
        return None
    if parts[1:] == ("module", "api_name"):
        return ResolvedColumn(row.name, Field(module_column(field)))
    return ResolvedColumn(row.name, Field(field.name, "bigint")) if parts[1:] == ("id",) else None
