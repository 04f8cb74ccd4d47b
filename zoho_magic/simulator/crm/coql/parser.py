"""COQL text -> Query: recursive descent, one function a rule.

query    := SELECT column {, column} FROM source {join} WHERE criteria [group] [order] [limit]
criteria := operand [(AND | OR) operand]          -- only two: more must be nested in parentheses
operand  := ( criteria ) | path comparison
path     := [! module .] name {. name} | 'any path in single or double quotes'
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...options import Options
from ..answers import refusal
from .ast import Aggregate, Column, Comparison, Criteria, Join, Logic, Order, Path, Query, Value
from .errors import missing, unexpected
from .lexer import Token, tokens
from .reserved_words import reserved_words

__all__ = ["parse"]

FUNCTIONS = {"COUNT", "SUM", "MIN", "MAX", "AVG"}  # upper case only
SIGNS = {"=", "!=", ">", ">=", "<", "<="}


@dataclass(frozen=True)
class Dialect:
    """What the grammar leaves to options: words refused as a column without quotes, and `What_Id->Leads` without."""

    reserved: frozenset[str]
    unquoted_arrow: bool


def parse(text: str, options: Options) -> Query:
    """The query this text is, or Zoho's syntax error."""
    dialect = Dialect(reserved_words(options.coql_reserved_words), options.coql_unquoted_arrow)
    reader = _Reader(tokens(text), dialect)
    query = reader.query()
    if reader.here.kind != "end":
        raise reader.stray()
    return query


class _Reader:
    def __init__(self, found: list[Token], dialect: Dialect) -> None:
        self._tokens = found
        self._dialect = dialect
        self._place = 0

    @property
    def here(self) -> Token:
        return self._tokens[self._place]

    def step(self) -> Token:
        token = self.here
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def stray(self) -> Exception:
        return unexpected(self.here.line, self.here.column, self.here.raw)

    def takes(self, *texts: str) -> bool:
        """Step over these keywords or signs when all of them come next."""
        following = self._tokens[self._place : self._place + len(texts)]
        if [token.text for token in following if token.kind in ("word", "sign")] != list(texts):
            return False
        self._place += len(texts)
        return True

    def needs(self, text: str) -> None:
        if not self.takes(text):
            raise self.stray()

    def name(self) -> str:
        if self.here.kind != "name":
            raise self.stray()
        return self.step().text

    def column_name(self) -> str:
        if self.here.text.lower() in self._dialect.reserved:
            raise self.stray()
        return self.name()

    # -- rules

    def query(self) -> Query:
        if not self.takes("select"):
            raise missing("select") if self.here.kind == "end" else self.stray()
        columns = self.columns()
        if not self.takes("from"):
            raise missing("from") if self.here.kind == "end" or self._is("where") else self.stray()
        module, view, alias = self.name(), self.view(), self.alias()
        joins = self.joins()
        if not self.takes("where"):
            raise self.stray() if self.here.kind == "name" else missing("where")
        where = self.criteria()
        group, order = self.group(), self.order()
        limit, offset = self.limit()
        return Query(columns, module, where, alias, view, joins, group, order, limit, offset)

    def _is(self, word: str) -> bool:
        return self.here.kind == "word" and self.here.text == word

    def columns(self) -> tuple[Column, ...]:
        found = [self.column()]
        while self.takes(","):
            found.append(self.column())
        return tuple(found)

    def column(self) -> Column:
        what = self.expression()
        return Column(what, self.alias_name() if self.takes("as") else None)

    def alias_name(self) -> str:
        if self.here.kind != "string":
            return self.name()
        if not self.here.text.strip():
            raise refusal("INVALID_ALIAS", "alias given seems to be invalid", {"alias": self.here.text})
        return self.step().text

    def expression(self) -> Path | Aggregate:
        following = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        if self.here.kind == "name" and following.raw == "(" and self.here.text in FUNCTIONS:
            function = self.step().text
            self.needs("(")
            path = self.path()
            self.needs(")")
            return Aggregate(function, path)
        return self.path()

    def path(self) -> Path:
        if self.here.kind == "string":
            return Path(tuple(self.step().text.split(".")))
        if self.takes("!"):
            module = self.name()
            self.needs(".")
            return replace(self.path(), module=module)
        parts = [self.first_name()]
        while self.takes("."):
            parts.append(self.column_name())
        return Path(tuple(parts))

    def first_name(self) -> str:
        name = self.column_name()
        if self.here.text == "->" and not self._dialect.unquoted_arrow:
            raise self.stray()
        return f"{name}->{self.name()}" if self.takes("->") else name

    def view(self) -> str | None:
        if not self.takes("#"):
            return None
        if self.here.kind != "number":
            raise self.stray()
        return self.step().text

    def alias(self) -> str | None:
        return self.name() if self.takes("as") else None

    def joins(self) -> tuple[Join, ...]:
        found = []
        while self.takes("left", "join"):
            module = self.name()
            alias = self.alias() or module
            self.needs("on")
            left = self.path()
            self.needs("=")
            found.append(Join(module, alias, left, self.path()))
        return tuple(found)

    def criteria(self) -> Criteria:
        left = self.operand()
        for operator in ("and", "or"):
            if self.takes(operator):
                return Logic(operator, left, self.operand())
        return left

    def operand(self) -> Criteria:
        if not self.takes("("):
            return self.comparison()
        inner = self.criteria()
        self.needs(")")
        return inner

    def comparison(self) -> Comparison:
        path = self.path()
        if self.here.kind == "sign" and self.here.text in SIGNS:
            return Comparison(path, self.step().text, (self.value(),))
        if self.takes("is"):
            operator = "is not null" if self.takes("not") else "is null"
            self.needs("null")
            return Comparison(path, operator)
        return self.worded(path, "not " if self.takes("not") else "")

    def worded(self, path: Path, prefix: str) -> Comparison:
        if self.takes("like"):
            return Comparison(path, f"{prefix}like", (self.value(),))
        if self.takes("between"):
            low = self.value()
            self.needs("and")
            return Comparison(path, f"{prefix}between", (low, self.value()))
        if self.takes("in"):
            return self.listed(path, f"{prefix}in")
        if prefix:
            raise refusal("SYNTAX_ERROR", "operator not supported", {"operator": "not"})
        raise self.stray()

    def listed(self, path: Path, operator: str) -> Comparison:
        self.needs("(")
        if self._is("select"):
            query = self.query()
            self.needs(")")
            return Comparison(path, operator, query=query)
        values = [self.value()]
        while self.takes(","):
            values.append(self.value())
        self.needs(")")
        return Comparison(path, operator, tuple(values))

    def value(self) -> Value:
        if self.here.kind not in ("string", "number", "name"):
            raise self.stray()
        token = self.step()
        return Value(token.text, (token.line, token.column) if token.kind == "name" else None)

    def group(self) -> tuple[Path, ...]:
        if not self.takes("group", "by"):
            return ()
        found = [self.path()]
        while self.takes(","):
            found.append(self.path())
        return tuple(found)

    def order(self) -> tuple[Order, ...]:
        if not self.takes("order", "by"):
            return ()
        found = [self.ordering()]
        while self.takes(","):
            found.append(self.ordering())
        return tuple(found)

    def ordering(self) -> Order:
        what = self.expression()
        descending = self.takes("desc")
        if not descending:
            self.takes("asc")
        return Order(what, descending)

    def limit(self) -> tuple[int | None, int]:
        """`limit 10`, `limit 20, 10` (offset first), `limit 10 offset 20`, `offset 20 limit 10`, `offset 20`."""
        offset = self.amount("offset") if self.takes("offset") else 0
        if not self.takes("limit"):
            return None, offset
        first = self.amount("limit")
        if self.takes(","):
            return self.amount("limit"), first
        return first, self.amount("offset") if self.takes("offset") else offset

    def amount(self, clause: str) -> int:
        token = self.step()
        if token.kind != "number" or not token.text.isdigit():
            raise refusal("INVALID_QUERY", f"{clause} given seems to be invalid", {clause: token.text})
        return int(token.text)
