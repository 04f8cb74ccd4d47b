"""COQL text, read by the grammar in `grammar.lark`, as a query, a condition or an order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from ...errors import QueryError
from .conditions import (
    BooleanOperation,
    Comparison,
    Condition,
    FieldPath,
    Negation,
    Value,
)
from .lexical import check_text, locate
from .query import (
    Column,
    CoqlQuery,
    OrderTerm,
    ParsedCondition,
    Spans,
    SubQuery,
    UnparsedQuery,
    spelled_column,
)
from .reserved_words import RESERVED_WORDS

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedInput

__all__ = ["build_query", "parse_condition", "parse_order_by", "parse_query"]


def parse_query(text: str) -> CoqlQuery | UnparsedQuery:
    """A query, or its text and what is not understood.

    Args:
        text: COQL. `$name` may stand for a value, a list of values, or a limit.

    Raises:
        QueryError: a comment, a quote that is not closed, or a `$name` where a column or a module has to stand.

    Example::

        >>> query = parse_query("select 'Order', COUNT(id) from Leads group by 'Order' limit 5")
        >>> query.module, [column.key for column in query.columns], query.limit
        ('Leads', ['Order', 'COUNT(id)'], 5)
    """
    try:
        tree = _tree(text, "query")
        return _Reader(text).query(cast("Tree[Token]", tree.children[0]))
    except _NotUnderstood as error:
        problem = error.problem
    except RecursionError:
        problem = _TOO_DEEP
    return UnparsedQuery(text, problem)


def build_query(
    module: str,
    columns: Sequence[str],
    where: str = "",
    order_by: str = "",
    reserved: Collection[str] = RESERVED_WORDS,
) -> CoqlQuery:
    """A complete query from its parts.

    Args:
        module: API name, with `#<id>` for a custom view.
        columns: names of fields, or dotted paths.
        where, order_by: as COQL, without the keyword; "" for none.
        reserved: words, in lower case, that are quoted where they name a column.

    Raises:
        QueryError: the parts are not COQL.

    Example::

        >>> build_query("Leads", ["id", "Order"], "Order = 'x'", "id desc").text
        "select id, 'Order' from Leads where 'Order' = 'x' order by id desc"
    """
    listed = ", ".join(spelled_column(column, reserved) for column in columns)
    rest = (f" where {where}" if where else "") + (f" order by {order_by}" if order_by else "")
    return _parse_all(f"select {listed} from {module}{rest}").complete(reserved=reserved)  # noqa: S608  # COQL


def _parse_all(text: str) -> CoqlQuery:
    """A query that is understood in full. Raises QueryError."""
    found = parse_query(text)
    if isinstance(found, UnparsedQuery):
        raise found.problem
    return found


def parse_condition(text: str) -> ParsedCondition:
    """A `where` clause without the word.

    Raises:
        QueryError: it is not a COQL condition; the message says where and what to write.

    Example::

        >>> [(c.field.path, c.operator) for c in parse_condition("Amount > 5 and Stage is not null").comparisons]
        [('Amount', '>'), ('Stage', 'is not null')]
    """
    try:
        tree, reader = _tree(text, "condition"), _Reader(text)
        root = reader.condition(tree)
        return ParsedCondition(text, root, tuple(reader.names), tuple(reader.sub_queries))
    except _NotUnderstood as error:
        problem = error.problem
    except RecursionError:
        problem = _TOO_DEEP
    raise problem


def parse_order_by(text: str) -> tuple[OrderTerm, ...]:
    """An `order by` list without the words.

    Raises:
        QueryError: it is not a list of columns with `asc` or `desc`.

    Example::

        >>> [(term.text, term.descending) for term in parse_order_by("Amount desc, id")]
        [('Amount', True), ('id', False)]
    """
    try:
        return _Reader(text).order_by(_tree(text, "order_by"))
    except _NotUnderstood as error:
        problem = error.problem
    raise problem


# https://www.zoho.com/crm/developer/docs/api/v8/COQL-Limitations.html
_TOO_DEEP = QueryError("The conditions are nested too deeply.", hint="Zoho takes up to 25 criteria in a query.")


class _NotUnderstood(Exception):  # noqa: N818  # it never leaves this module
    def __init__(self, problem: QueryError) -> None:
        super().__init__()
        self.problem = problem


# Text to tree


@lru_cache(maxsize=1)
def _parser() -> Lark:
    # Built at the first query and not at import: building takes some 25 ms.
    from lark import Lark

    grammar = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    starts = ["query", "condition", "order_by"]
    return Lark(grammar, parser="lalr", start=starts, propagate_positions=True, maybe_placeholders=False)


def _tree(text: str, start: str) -> Tree[Token]:
    from lark.exceptions import UnexpectedInput

    check_text(text)
    try:
        return _parser().parse(text, start=start)
    except UnexpectedInput as error:
        problem = _explained(error, text)
    raise problem


def _explained(error: UnexpectedInput, text: str) -> Exception:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    token = getattr(error, "token", None)
    expected: set[str] = set()
    if isinstance(error, UnexpectedToken):
        expected = {*(error.accepts or error.expected)}
    elif isinstance(error, UnexpectedCharacters):
        expected = {*(error.allowed or ())}
    if token is not None and token.type == "$END":
        return _NotUnderstood(QueryError(f"The text ends too early: {_near(text[-40:])}.", hint=_next_step(expected)))
    place = error.pos_in_stream or 0
    found = str(token) if token is not None else text[place : place + 1]
    if text[place : place + 1] == "$":
        name = found if len(found) > 1 else text[place:].split()[0]
        return QueryError(
            f"{name} stands {locate(text, place)} where no parameter may stand.",
            hint="A parameter is a value, a list of values after 'in', or a number after 'limit' or 'offset'.",
        )
    problem = QueryError(f"Unexpected {_near(found)} {locate(text, place)}.", hint=_next_step(expected))
    return _NotUnderstood(problem)


def _near(text: str) -> str:
    return repr(" ".join(text.split()))


_STEPS = (
    ("SELECT", "A query begins with 'select' and the names of columns."),
    ("WORD", "Write a value: text in quotes ('Closed Won'), a number, true, false, or a $name."),
    ("PATH", "Write the API name of a field, in quotes where it is a word of COQL: 'Order'."),
    ("FROM", "Write 'from' and a module after the columns; separate columns with commas."),
    ("NAME", "Write the API name of a module."),
    ("OPERATOR", "Write an operator after the field: =, !=, >, <, in (...), like '...', between, is null."),
    ("NULL_TEST", "Write an operator after the field: =, !=, >, <, in (...), like '...', between, is null."),
    ("INTEGER", "Write a whole number."),
    ("LPAR", "Write a list of values in parentheses: ('a', 'b')."),
    ("RPAR", "Close the parenthesis, or join conditions with 'and' or 'or'; put text with spaces in quotes."),
    ("AND", "Join conditions with 'and' or 'or'; put text with spaces in quotes."),
    ("DIRECTION", "Write 'asc' or 'desc' after a column, and commas between columns."),
)


def _next_step(expected: set[str]) -> str:
    for name, step in _STEPS:
        if name in expected:
            return step
    return "The clauses are, in this order: select, from, where, group by, order by, limit, offset."


# Tree to model


class _Reader:
    """Reads one tree; `names` and `sub_queries` collect what it comes across."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[FieldPath] = []
        self.sub_queries: list[SubQuery] = []
        self.module = ""
        self.aliases: Mapping[str, str] = {}

    def query(self, tree: Tree[Token]) -> CoqlQuery:
        parts = {part.data: part for part in _trees(tree)}
        sources = [part for part in _trees(tree) if part.data in ("source", "join")]
        self.module, view = self.sources(sources)
        columns = tuple(self.column(part) for part in _trees(parts["columns"]))
        for join in sources[1:]:
            for path in _trees(join):
                self.path(path, "on")
        where = self.condition(_trees(parts["where"])[0]) if "where" in parts else None
        group = tuple(self.path(path, "group by") for path in _trees(parts["group"])) if "group" in parts else ()
        aliases = {column.alias for column in columns if column.alias}
        order = self.order_by(_trees(parts["order"])[0], aliases) if "order" in parts else ()
        limit, offset = self.limit(parts.get("limit"))
        return CoqlQuery(
            text=self.text, module=self.module, view=view, columns=columns, aliases=self.aliases,
            has_joins=len(sources) > 1, where=where, group_by=group, order_by=order, limit=limit, offset=offset,
            sub_queries=tuple(self.sub_queries), names=tuple(self.names), spans=_spans(parts, sources),
            parse=_parse_all,
        )  # fmt: skip

    def sources(self, parts: Sequence[Tree[Token]]) -> tuple[str, str]:
        """The base module and its custom view; the aliases of all modules are noted."""
        found: dict[str, str] = {}
        for part in parts:
            words = [token for token in _tokens(part) if token.type in ("NAME", "VIEW", "ALIAS")]
            found[str(words[-1]).partition("#")[0]] = str(words[0]).partition("#")[0]
        base = _tokens(parts[0])
        if len(parts) > 1 or any(token.type == "ALIAS" for token in base):
            self.aliases = found
        module, _, view = str(base[0]).partition("#")
        return module, view

    def column(self, tree: Tree[Token]) -> Column:
        first, *rest = tree.children
        alias = _unquoted(str(rest[-1])) if rest else ""
        place = (tree.meta.start_pos, tree.meta.end_pos)
        text = self.text[slice(*place)]
        if alias:
            token = cast("Token", rest[-1])
            self.names.append(self.field(token, "select", is_alias=True))
        if not hasattr(first, "children"):  # *
            return Column(text, "*", "*", None, "", alias, *place)
        field, function = self.expression(cast("Tree[Token]", first), "select")
        name = field.path if field.text.startswith("!") else field.text
        key = alias or (f"{function}({name})" if function else name)
        return Column(text, key, key, field, function, alias, *place)

    def expression(self, tree: Tree[Token], clause: str) -> tuple[FieldPath, str]:
        """The field of a column or an aggregate, and the aggregate's name in upper case."""
        if tree.data == "column":
            return self.path(tree, clause), ""
        function, argument = tree.children
        return self.path(cast("Tree[Token]", argument), clause), str(function).upper()

    def path(self, tree: Tree[Token], clause: str, is_alias: bool = False) -> FieldPath:
        found = self.field(cast("Token", tree.children[0]), clause, is_alias)
        self.names.append(found)
        return found

    def field(self, token: Token, clause: str, is_alias: bool = False) -> FieldPath:
        text = _unquoted(str(token))
        module, path = (self.module, text) if is_alias else self.resolve(text)
        return FieldPath(text, module, path, clause, *_span(token), token.type == "STRING", is_alias)

    def resolve(self, text: str) -> tuple[str, str]:
        """The module a path starts from, and the path without alias or module prefix."""
        head, dot, rest = text.partition(".")
        if dot and head in self.aliases:
            return self.aliases[head], rest
        if dot and text.startswith("!"):
            return head[1:], rest
        # https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html has `Users.full_name`.
        if dot and head.lower() == self.module.lower():
            return self.module, rest
        return self.module, text.lstrip("!")

    def condition(self, tree: Tree[Token]) -> Condition:
        enclosed = False
        while tree.data == "parentheses":
            tree, enclosed = cast("Tree[Token]", tree.children[0]), True
        found = _CONDITIONS[tree.data](self, tree)
        return replace(found, is_enclosed=True) if enclosed else found

    def operation(self, tree: Tree[Token]) -> Condition:
        left, word, right = tree.children
        return BooleanOperation(
            str(word).lower(), self.condition(cast("Tree[Token]", left)), self.condition(cast("Tree[Token]", right)),
            tree.meta.start_pos, tree.meta.end_pos,
        )  # fmt: skip

    def negation(self, tree: Tree[Token]) -> Condition:
        operand = _trees(tree)[0]
        return Negation(self.condition(operand), tree.meta.start_pos, operand.meta.start_pos, tree.meta.end_pos)

    def comparison(self, tree: Tree[Token]) -> Condition:
        column, operator, *right = tree.children
        field = self.path(cast("Tree[Token]", column), "where")
        sub_query = next((self.sub_query(part) for part in _trees(tree) if part.data == "sub_query"), None)
        values = [_value(token) for part in right for token in _leaves(part) if token.type in _KINDS]
        return Comparison(
            field, " ".join(str(operator).lower().split()), () if sub_query else tuple(values),
            (sub_query.start, sub_query.end) if sub_query else None,
            tree.meta.start_pos, tree.meta.end_pos, *_span(cast("Token", operator)),
        )  # fmt: skip

    def sub_query(self, tree: Tree[Token]) -> SubQuery:
        inner = _trees(tree)[0].meta
        query = parse_query(self.text[inner.start_pos : inner.end_pos])
        found = SubQuery(cast("CoqlQuery", query), tree.meta.start_pos, tree.meta.end_pos, inner.start_pos)
        self.sub_queries.append(found)
        return found

    def order_by(self, tree: Tree[Token], aliases: set[str] | None = None) -> tuple[OrderTerm, ...]:
        return tuple(self.order_term(term, aliases or set()) for term in _trees(tree))

    def order_term(self, tree: Tree[Token], aliases: set[str]) -> OrderTerm:
        what = _trees(tree)[0]
        is_alias = what.data == "column" and _unquoted(str(what.children[0])) in aliases
        if is_alias:
            field, function = self.path(what, "order by", is_alias=True), ""
        else:
            field, function = self.expression(what, "order by")
        text = f"{function}({field.text})" if function else field.text
        return OrderTerm(text, str(tree.children[-1]).lower() == "desc", field, function)

    def limit(self, tree: Tree[Token] | None) -> tuple[int | None, int]:
        """Rows and offset as written; a parameter counts as not written."""
        words = [token for part in tree.children for token in _leaves(part)] if tree is not None else []
        found: dict[str, int] = {}
        for word, number in pairwise(words):
            if number.type == "INTEGER" and word.type in ("LIMIT", "OFFSET"):
                found[word.type] = int(number)
        if [word.type for word in words] == ["LIMIT", "INTEGER", "INTEGER"]:
            return int(words[2]), int(words[1])
        return found.get("LIMIT"), found.get("OFFSET", 0)


_CONDITIONS = {
    "disjunction": _Reader.operation,
    "conjunction": _Reader.operation,
    "negation": _Reader.negation,
    "comparison": _Reader.comparison,
}


def _spans(parts: Mapping[str, Tree[Token]], sources: Sequence[Tree[Token]]) -> Spans:
    source = (sources[0].meta.start_pos, sources[-1].meta.end_pos)
    where = _inner_span(parts.get("where"), source[1])
    group = parts["group"].meta.end_pos if "group" in parts else where[1]
    order = _inner_span(parts.get("order"), group)
    limit = _place(parts["limit"]) if "limit" in parts else (order[1], order[1])
    return Spans(_place(parts["columns"]), source, where, order, limit, limit[1])


def _inner_span(clause: Tree[Token] | None, place: int) -> tuple[int, int]:
    return _place(_trees(clause)[0]) if clause is not None else (place, place)


_KINDS = {
    "STRING": "text", "NUMBER": "number", "DATE": "date", "BOOLEAN": "boolean", "NULL": "null", "WORD": "word",
    "PARAMETER": "parameter",
}  # fmt: skip


def _value(token: Token) -> Value:
    return Value(str(token), _KINDS[token.type], _unquoted(str(token)), *_span(token))


def _unquoted(text: str) -> str:
    quote = text[:1]
    return text[1:-1].replace(quote * 2, quote) if quote in ("'", '"') else text


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [cast("Tree[Token]", child) for child in tree.children if hasattr(child, "children")]


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if not hasattr(child, "children")]


def _leaves(part: Tree[Token] | Token) -> list[Token]:
    if not hasattr(part, "children"):
        return [part]
    return [leaf for child in part.children for leaf in _leaves(child)]


def _place(tree: Tree[Token]) -> tuple[int, int]:
    return tree.meta.start_pos, tree.meta.end_pos


def _span(token: Token) -> tuple[int, int]:
    return cast("int", token.start_pos), cast("int", token.end_pos)
