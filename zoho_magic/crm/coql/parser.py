"""COQL, read with sqlglot and completed to what Zoho insists on.

Zoho wants a `where`, pairs of parentheses around more than two criteria, field names instead of `*`, and at most 2,000
rows a call: https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html, .../COQL-Limitations.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.generator import Generator

from .query import EVERYTHING, Column, Statement

__all__ = ["criteria", "names_in", "parse", "spelled", "tree_of"]


def parse(text: str, fields_of: Callable[[str], Sequence[str]]) -> Statement | None:
    """A query taken apart and completed, or None where sqlglot does not understand it.

    Args:
        text: COQL.
        fields_of: module -> the names `*` stands for.
    """
    tree = _tree(text.strip().rstrip(";"))
    if tree is None:
        return None
    base, joins = _base(tree), tree.args.get("joins") or []
    module = _module(base)
    statement = Statement(
        columns=_columns(tree.expressions, lambda: fields_of(module)),
        source=_sql(base) + "".join(f" {_sql(join).strip()}" for join in joins),
        module=module,
        aliases={_unshield(table.alias_or_name): _module(table) for table in (base, *(join.this for join in joins))}
        if joins or base.alias
        else {},
        where=_where(tree),
        group=_listed(tree.args.get("group")),
        order=_listed(tree.args.get("order")),
        limit=_number(tree.args.get("limit")),
        offset=_number(tree.args.get("offset")) or 0,
    )
    return statement if _means_the_same(statement, tree) else None


def _base(tree: exp.Select) -> exp.Table:
    found: exp.Table = (tree.args.get("from_") or tree.args["from"]).this
    return found


def _module(table: exp.Table) -> str:
    return _unshield(table.name).split("#")[0]


_KNOWN = frozenset(
    {exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Join, exp.Where, exp.Group, exp.Order, exp.Ordered, exp.Limit,
     exp.Offset, exp.Alias, exp.Column, exp.Dot, exp.Identifier, exp.Star, exp.Literal, exp.Boolean, exp.Null, exp.Neg,
     exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Paren, exp.Subquery, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ,
     exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.In, exp.Between, exp.Is}
)  # fmt: skip
_KNOWN_CLAUSES = frozenset({"expressions", "from", "from_", "joins", "where", "group", "order", "limit", "offset"})


def _tree(text: str) -> exp.Select | None:
    """The query as a tree, if it is a plain select whose every clause `Statement` carries."""
    try:
        tree = sqlglot.parse_one(_shield(text), dialect=Coql)
    except SqlglotError:
        return None
    if not isinstance(tree, exp.Select) or {name for name, found in tree.args.items() if found} - _KNOWN_CLAUSES:
        return None
    if not _is_known(tree):
        return None
    source = tree.args.get("from_") or tree.args.get("from")
    tables = [source and source.this, *(join.this for join in tree.args.get("joins") or ())]
    return tree if all(isinstance(table, exp.Table) for table in tables) else None


def _is_known(tree: exp.Expr) -> bool:
    """Whether it consists of what COQL has, and nothing that sqlglot would write in another dialect's way."""
    for node in tree.walk():
        node.comments = None  # COQL has none
        if type(node) not in _KNOWN:
            return False
    return True


def _means_the_same(statement: Statement, tree: exp.Select) -> bool:
    # A word lost on the way (a "not") would give wrong rows without a sign; what cannot be shown equal is not used.
    again = _tree(statement.text(1))
    return again is not None and _bare(_with_where(tree)) == _bare(again)


def _with_where(tree: exp.Select) -> exp.Select:
    found = tree.copy()
    for select in found.find_all(exp.Select):
        if select.args.get("where") is None:
            select.where(_shield(EVERYTHING), dialect=Coql, copy=False)
    return found


def _bare(tree: exp.Select) -> str:
    """The tree's structure without brackets, spelling of sort directions, select list and limit."""
    plain = tree.copy()
    for bracket in reversed(list(plain.find_all(exp.Paren))):
        bracket.replace(bracket.this)
    for ordered in plain.find_all(exp.Ordered):
        ordered.set("nulls_first", None)
        ordered.set("desc", bool(ordered.args.get("desc")))
    return "".join(repr(plain.args.get(name)) for name in ("where", "group", "order", "joins"))


def criteria(text: str) -> str | None:
    """A `where` clause by itself, nested in pairs as Zoho wants it; None where sqlglot does not understand it.

    Example::

        >>> criteria("a = 1 and b = 2 and c = 3")
        '((a = 1 and b = 2) and c = 3)'
    """
    query = f"select id from Module where {text}"  # noqa: S608  # COQL, parsed right here
    statement = parse(query, lambda _: ())
    alone = statement is not None and statement == Statement(statement.columns, "Module", "Module", statement.where)
    return statement.where if statement is not None and alone else None


def names_in(text: str) -> list[tuple[str, str]]:
    """The fields a `where` clause names: the module where a sub-query says it (else ""), and a dotted path.

    Example::

        >>> names_in("Amount > 5 and Account_Name in (select id from Accounts where Phone is null)")
        [('', 'Amount'), ('', 'Account_Name'), ('Accounts', 'id'), ('Accounts', 'Phone')]
    """
    tree = tree_of(text)
    if tree is None:
        return []
    return [(_asked_of(column), _sql(column)) for column in tree.find_all(exp.Column, bfs=False)]


def _asked_of(column: exp.Expr) -> str:
    select = column.find_ancestor(exp.Select)
    return _module(_base(select)) if isinstance(select, exp.Select) else ""


def spelled(node: exp.Expr) -> str:
    """A part of what `tree_of` returns, as COQL."""
    return _sql(node)


def tree_of(text: str) -> exp.Expr | None:
    """The expression tree of a `where` clause, or None."""
    try:
        tree = sqlglot.condition(_shield(text), dialect=Coql)
    except SqlglotError:
        return None
    return tree if _is_known(tree) else None


# `What_Id->Leads.Last_Name` and `Leads#554…` are COQL's own, and a field may be called what SQL calls something else
# (Values, Interval): marked as plain names they pass through any SQL parser.
_ARROW, _HASH, _NAME = "__arrow__", "__view__", "zq9__"
_PIECES = re.compile(r"'(?:[^']|'')*'|->|#|(?<!\w)[^\W\d]\w*(?!\w|\s*\()")
# COQL's words, and those of SQL that would change what the words around them are.
_WORDS = re.compile(
    r"select|from|where|and|or|not|in|like|is|null|between|order|group|by|limit|offset|as|left|join|on|asc|desc|true|false"
    r"|inner|right|outer|full|cross|natural|using|having|distinct|union|except|intersect|all|exists|case|with|for",
    re.IGNORECASE,
)


def _shield(text: str) -> str:
    return _PIECES.sub(lambda match: _shielded(match.group()), text)


def _shielded(piece: str) -> str:
    if piece.startswith("'") or _WORDS.fullmatch(piece):
        return piece
    return {"->": _ARROW, "#": _HASH}.get(piece) or _NAME + piece


def _unshield(text: str) -> str:
    return text.replace(_ARROW, "->").replace(_HASH, "#").replace(_NAME, "")


def _columns(found: Sequence[exp.Expr], everything: Callable[[], Sequence[str]]) -> tuple[Column, ...]:
    columns: list[Column] = []
    for expression in found:
        if isinstance(expression, exp.Star):
            columns += [Column(name, name, name) for name in everything()]
        else:
            columns.append(_column(expression))
    return tuple({column.text: column for column in columns}.values())


def _column(expression: exp.Expr) -> Column:
    text, inner = _sql(expression), expression.unalias()
    path = _sql(inner) if isinstance(inner, (exp.Column, exp.Dot)) else ""
    function = inner.sql_name() if isinstance(inner, exp.AggFunc) else ""
    argument = _sql(inner.this) if function and isinstance(inner.this, exp.Expr) else ""
    return Column(text, _unshield(expression.alias) or _sql(inner), path or argument, function)


def _where(tree: exp.Select) -> str:
    where = tree.args.get("where")
    return _sql(where.this) if where is not None else EVERYTHING


def _listed(clause: exp.Expr | None) -> str:
    return ", ".join(_sql(item) for item in clause.expressions) if clause is not None else ""


def _number(clause: exp.Expr | None) -> int | None:
    value = clause.expression if clause is not None else None
    return int(value.name) if isinstance(value, exp.Literal) and value.is_int else None


def _sql(expression: exp.Expr) -> str:
    return _unshield(expression.sql(dialect=Coql, normalize_functions=False))


def _negated(generator: Generator, expression: exp.Not) -> str:
    inner = expression.this
    if isinstance(inner, exp.Is):
        return f"{generator.sql(inner, 'this')} is not {generator.sql(inner, 'expression')}"
    text = generator.sql(inner)
    for word in (" in ", " like ", " between "):
        if isinstance(inner, (exp.In, exp.Like, exp.Between)) and word in text:
            return text.replace(word, f" not{word}", 1)
    return f"not {text}"


def _like(generator: Generator, expression: exp.Like) -> str:
    # Newer versions of sqlglot keep the "not" inside the node.
    word = "not like" if expression.args.get("negate") else "like"
    return f"{generator.sql(expression, 'this')} {word} {generator.sql(expression, 'expression')}"


def _paired(word: str) -> Callable[[Generator, exp.Connector], str]:
    def pair(generator: Generator, expression: exp.Connector) -> str:
        left, right = generator.sql(expression.left.unnest()), generator.sql(expression.right.unnest())
        return f"({left} {word} {right})"

    return pair


def _sub_query(generator: Generator, expression: exp.Select) -> str:
    text = ", ".join(generator.sql(item) for item in expression.expressions)
    source = expression.args.get("from_") or expression.args["from"]
    limit = expression.args.get("limit")
    end = f" limit {limit.expression.name}" if limit is not None else ""
    return f"select {text} from {generator.sql(source.this)} where {_where(expression)}{end}"  # noqa: S608  # COQL


class Coql(Dialect):
    """COQL's spelling: lower-case words, `!=`, `is not null`, `not in`, criteria nested in pairs."""

    class Generator(Generator):
        """Writes what Zoho's parser takes."""

        TRANSFORMS = {  # noqa: RUF012  # sqlglot's own way
            **Generator.TRANSFORMS,
            exp.And: _paired("and"),
            exp.Or: _paired("or"),
            exp.Not: _negated,
            exp.NEQ: lambda g, e: f"{g.sql(e, 'this')} != {g.sql(e, 'expression')}",
            exp.Is: lambda g, e: f"{g.sql(e, 'this')} is {g.sql(e, 'expression')}",
            exp.Null: lambda *_: "null",
            exp.Boolean: lambda _, e: "true" if e.this else "false",
            exp.Like: _like,
            exp.In: lambda g, e: f"{g.sql(e, 'this')} in {_members(g, e)}",
            exp.Between: lambda g, e: f"{g.sql(e, 'this')} between {g.sql(e, 'low')} and {g.sql(e, 'high')}",
            exp.Paren: lambda g, e: g.sql(e.unnest()),
            exp.Ordered: lambda g, e: g.sql(e, "this") + (" desc" if e.args.get("desc") else " asc"),
            exp.Select: _sub_query,
        }


def _members(generator: Generator, expression: exp.In) -> str:
    query = expression.args.get("query")
    if query is not None:
        return f"({generator.sql(query.unnest() if isinstance(query, exp.Subquery) else query)})"
    return "(" + ", ".join(generator.sql(item) for item in expression.expressions) + ")"
