"""A COQL query: what it says, and its text, completed by insertion only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...errors import QueryError
from .conditions import Comparison, Condition, FieldPath, comparisons, condition_edits, is_open
from .edits import Edit, apply_edits
from .lexical import Parameter, find_parameters
from .reserved_words import RESERVED_WORDS, needs_quotes, quote

__all__ = [
    "COUNT_KEY",
    "Column",
    "CoqlQuery",
    "OrderTerm",
    "ParsedCondition",
    "Spans",
    "SubQuery",
    "UnparsedQuery",
    "spelled_column",
]

COUNT_KEY = "n"
"""The key of the number in the answer to `CoqlQuery.count_query`."""


@dataclass(frozen=True)
class Column:
    """One column of a select list.

    Attributes:
        text: as written, alias and all.
        key: what a person calls it: the alias, the path without quotes and `!Module.`, or `SUM(Amount)`.
        answer_key: its key in Zoho's answer; another one than `key` where `complete` gave an alias.
        field: the field; of an aggregate, its argument. None for `*`.
        function: SUM, COUNT, ... or "".
        alias: without quotes, or "".
        start, end: where it stands in the text.
    """

    text: str
    key: str
    answer_key: str
    field: FieldPath | None
    function: str
    alias: str
    start: int
    end: int

    @property
    def path(self) -> str:
        """The dotted path of its field from the field's module, or ""."""
        return self.field.path if self.field is not None else ""

    @property
    def answer_keys(self) -> tuple[str, ...]:
        """The keys it may have in Zoho's answer, the most likely first.

        There is more than one where no page shows an answer: with `!Module.` or a module's name before the field, and
        for an aggregate.
        """
        keys = [self.answer_key, self.key]
        if self.field is not None and not self.alias and not self.function:
            keys += [self.field.text, self.field.text.lstrip("!"), self.field.path]
        return tuple(dict.fromkeys(keys))

    @property
    def is_star(self) -> bool:
        """Whether it is `*`."""
        return self.field is None


@dataclass(frozen=True)
class OrderTerm:
    """One column of `order by`.

    Attributes:
        text: without quotes and direction: `Amount`, an alias, `SUM(Amount)`.
        descending: whether `desc` follows.
        field: the field; `field.is_alias` where it is an alias of the select list.
        function: SUM, COUNT, ... or "".
    """

    text: str
    descending: bool
    field: FieldPath
    function: str = ""


@dataclass(frozen=True)
class Spans:
    """Where the clauses stand in the text; an empty one stands where it would be inserted."""

    columns: tuple[int, int]
    source: tuple[int, int]
    where: tuple[int, int]
    order: tuple[int, int]
    limit: tuple[int, int]
    end: int


@dataclass(frozen=True)
class UnparsedQuery:
    """Text that is not understood in full, and goes to Zoho as written.

    Attributes:
        text: the query.
        problem: what was not understood, where, and what to write instead.
    """

    text: str
    problem: QueryError
    is_parsed = False

    @property
    def parameters(self) -> list[Parameter]:
        """Every `$name` in the text."""
        return find_parameters(self.text)

    def to_coql(self) -> str:
        """The text as written."""
        return self.text


@dataclass(frozen=True)
class SubQuery:
    """The query in `in (select ...)`.

    Attributes:
        query: the query by itself; its positions count from the start of its own text.
        start, end: where it stands in the outer text, parentheses included.
        inner_start: where its own text begins.
    """

    query: CoqlQuery
    start: int
    end: int
    inner_start: int

    @property
    def field_paths(self) -> list[FieldPath]:
        """The fields it names, with positions in the outer text."""
        by = self.inner_start
        return [replace(path, start=path.start + by, end=path.end + by) for path in self.query.field_paths]


@dataclass(frozen=True)
class CoqlQuery:
    """A query that is understood in full.

    Every method that changes it returns a new one, whose text differs by what was inserted (or named) only.

    Attributes:
        text: as written.
        module: API name of the base module.
        view: id of the custom view, or "".
        columns: the select list.
        aliases: what the query calls modules -> API name, the base first; empty without alias and joins.
        has_joins: whether there are explicit joins: a row is then not one record of the base module.
        where: the criteria, or None.
        group_by, order_by: as written.
        limit: as written, or None.
        offset: as written, or 0.
        sub_queries: those of its criteria, in the order of the text.
        names: every field and alias, without those of sub-queries; `field_paths` for all fields.
        renamed: alias that `complete` gave -> the key that a person expects instead.
        spans: where the clauses stand.
        parse: reads the text of a changed query; it raises QueryError for one that is not understood.
    """

    text: str
    module: str
    view: str
    columns: tuple[Column, ...]
    aliases: Mapping[str, str]
    has_joins: bool
    where: Condition | None
    group_by: tuple[FieldPath, ...]
    order_by: tuple[OrderTerm, ...]
    limit: int | None
    offset: int
    sub_queries: tuple[SubQuery, ...] = field(repr=False)
    names: tuple[FieldPath, ...] = field(repr=False)
    spans: Spans = field(repr=False)
    parse: Callable[[str], CoqlQuery] = field(repr=False, compare=False)
    renamed: Mapping[str, str] = field(default_factory=dict)
    is_parsed = True

    # What it says

    @property
    def is_aggregate(self) -> bool:
        """Whether rows are not records any more: they have no id."""
        return bool(self.group_by) or any(column.function for column in self.columns)

    @property
    def alias_prefix(self) -> str:
        """What a field of the base module is spelled with: "pd." or ""."""
        return "".join(f"{name}." for name in [*self.aliases][:1])

    @property
    def field_paths(self) -> list[FieldPath]:
        """Every field the query names, in the order of the text; those of sub-queries with their module."""
        inner = [path for sub in self.sub_queries for path in sub.field_paths]
        own = [name for name in self.names if not name.is_alias]
        return sorted([*own, *inner], key=lambda path: path.start)

    @property
    def parameters(self) -> list[Parameter]:
        """Every `$name` in the text."""
        return find_parameters(self.text)

    @property
    def comparisons(self) -> list[Comparison]:
        """Every criterion, from left to right, without those of sub-queries."""
        return list(comparisons(self.where))

    def names_field(self, name: str) -> bool:
        """Whether a field of the base module stands anywhere in the query (not in a sub-query)."""
        return any(path.module == self.module and path.path == name and not path.is_alias for path in self.names)

    # Its text

    def to_coql(self, limit: int | None = None, offset: int | None = None) -> str:
        """The text; with a limit or an offset, for one call.

        Args:
            limit: rows of this call; as written where it is None.
            offset: rows before it; as written where it is None.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> parse_query("select id from Leads where id is not null").to_coql(2000, 4000)
            'select id from Leads where id is not null limit 2000 offset 4000'
        """
        wanted = (self.limit if limit is None else limit, self.offset if offset is None else offset)
        if wanted == (self.limit, self.offset):
            return self.text
        words = ([f"limit {wanted[0]}"] if wanted[0] is not None else []) + (
            [f"offset {wanted[1]}"] if wanted[1] else []
        )
        start, end = self.spans.limit
        if start == end:
            words.insert(0, "")
        return apply_edits(self.text, [Edit(start, end, " ".join(words))])

    def complete(
        self, fields_of: Callable[[str], Sequence[str]] | None = None, reserved: Collection[str] = RESERVED_WORDS
    ) -> CoqlQuery:
        """The query with what Zoho insists on.

        Inserted are: `where id is not null` where there is none, parentheses around pairs of criteria, an alias for
        every aggregate, quotes around reserved words and around `What_Id->Leads.Email`, in sub-queries too. `*` becomes
        names, an aggregate's name upper case, `<>` becomes `!=`, a `not` in front of a criterion goes to its operator,
        a closing semicolon goes.
        https://www.zoho.com/crm/developer/docs/api/v8/COQL-Limitations.html

        Args:
            fields_of: module -> the names that `*` stands for.
            reserved: words, in lower case, that are quoted where they name a column.

        Raises:
            QueryError: the query selects `*` and `fields_of` is not given.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> parse_query("select COUNT(id) from Leads").complete().text
            'select COUNT(id) as agg1 from Leads where id is not null'
        """
        aliases = self._new_aliases()
        edits = [*self.completion_edits(reserved=reserved), *self._star_edits(fields_of, reserved)]
        for column, alias in aliases.items():
            edits.append(Edit(column.end, column.end, f" as {alias}"))
        renamed = {alias: column.key for column, alias in aliases.items()}
        return self._edited(edits, renamed) if edits else self

    def completion_edits(self, by: int = 0, reserved: Collection[str] = RESERVED_WORDS) -> list[Edit]:
        """What `complete` changes and a sub-query needs as well; `by`: where this text begins in another."""
        edits = [*self._own_quoting_edits(reserved), *condition_edits(self.where)]
        edits += [Edit(c.start, c.start + len(c.function), c.function) for c in self.columns if c.function]
        if self.where is None:
            edits.append(Edit(*self.spans.where, f" where {self.alias_prefix}id is not null"))
        if self.text[self.spans.end :].strip() == ";":
            place = self.text.rindex(";")
            edits.append(Edit(place, place + 1, ""))
        for sub in self.sub_queries:
            edits += sub.query.completion_edits(sub.inner_start, reserved)
        return [edit.shifted(by) for edit in edits if self.text[edit.start : edit.end] != edit.new]

    def quote_columns(self, words: Collection[str]) -> CoqlQuery:
        """The query with quotes around every column, or alias, that has one of these words as a step of its path.

        For the word that Zoho's SYNTAX_ERROR calls `near`. `What_Id->Leads.Email` is quoted in any case.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> parse_query("select Order from Leads where Order = 'x'").quote_columns(["Order"]).text
            "select 'Order' from Leads where 'Order' = 'x'"
        """
        return self._edited(self.quoting_edits({word.lower() for word in words}))

    def and_where(self, condition: str) -> CoqlQuery:
        """The query narrowed by one more condition, which is COQL.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> parse_query("select id from Leads where a = 1 or b = 2").and_where("id > '5'").text
            "select id from Leads where (a = 1 or b = 2) and id > '5'"

        Raises:
            QueryError: the condition is not COQL.
        """
        more = self.parse(f"select id from {self.module} where {condition}")  # noqa: S608  # COQL
        if more.spans.where[1] != len(more.text.rstrip()):
            raise QueryError(f"{condition[:80]!r} is not a COQL condition alone.", hint="Write conditions only.")
        more = more.complete()
        text = more.text[slice(*more.spans.where)]
        start, end = self.spans.where
        if self.where is None:
            return self._edited([Edit(start, end, f" where {text}")])
        before, after = ("(", ")") if is_open(self.where) else ("", "")
        added = f"({text})" if more.where is not None and is_open(more.where) else text
        return self._edited([Edit(start, start, before), Edit(end, end, f"{after} and {added}")])

    def add_order_by(self, order_by: str) -> CoqlQuery:
        """The query ordered by more columns after those it has: a list with `asc` or `desc`, as COQL.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> parse_query("select id from Leads order by Company limit 5").add_order_by("id asc").text
            'select id from Leads order by Company, id asc limit 5'
        """
        start, end = self.spans.order
        return self._edited([Edit(end, end, f", {order_by}" if start < end else f" order by {order_by}")])

    def without_limit(self) -> CoqlQuery:
        """The query without its `limit` and `offset`."""
        return self._edited([Edit(*self.spans.limit, "")])

    def replace_sub_query(self, place: int, values: Iterable[str]) -> CoqlQuery:
        """The query with values, as text, instead of a sub-query.

        Args:
            place: which of `sub_queries`, from 0.
            values: what the sub-query brings: 1 to 100 ids or texts.

        Raises:
            ValueError: no value; the comparison then has no form in COQL.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> query = parse_query("select id from Deals where Account_Name in (select id from Accounts)")
            >>> query.replace_sub_query(0, ["1", "2"]).text
            "select id from Deals where Account_Name in ('1', '2')"
        """
        listed = ", ".join(quote(value) for value in values)
        if not listed:
            raise ValueError("A list in COQL has at least one value.")
        sub = self.sub_queries[place]
        return self._edited([Edit(sub.start, sub.end, f"({listed})")])

    def count_query(self) -> CoqlQuery:
        """The query that counts the records behind this one, in a column `COUNT_KEY`.

        Criteria and joins are as written; columns, groups, order and limit are left out.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_query
            >>> parse_query("select Email from Leads where a = 1 order by b limit 5").count_query().text
            'select COUNT(id) as n from Leads where a = 1'
        """
        start, end = self.spans.source[0], self.spans.where[1]
        kept = self.text[start:end]
        counted = f"COUNT({self.alias_prefix}id) as {COUNT_KEY}"
        return self.parse(f"select {counted} from {kept}").complete()  # noqa: S608  # COQL

    # How

    def _edited(self, edits: Iterable[Edit], renamed: Mapping[str, str] | None = None) -> CoqlQuery:
        changed = list(edits)
        found = self.parse(apply_edits(self.text, changed)) if changed else self
        return found.with_renamed({**self.renamed, **(renamed or {})})

    def with_renamed(self, renamed: Mapping[str, str]) -> CoqlQuery:
        """The query with `renamed`, and with the keys of its columns changed by it."""
        columns = [replace(column, key=renamed.get(column.answer_key, column.key)) for column in self.columns]
        return replace(self, renamed=renamed, columns=tuple(columns))

    def _new_aliases(self) -> dict[Column, str]:
        taken = {name.text.lower() for name in self.names} | {column.alias.lower() for column in self.columns}
        free = (
            name for number in range(1, len(taken) + len(self.columns) + 2) if (name := f"agg{number}") not in taken
        )
        return {column: next(free) for column in self.columns if column.function and not column.alias}

    def _star_edits(
        self, fields_of: Callable[[str], Sequence[str]] | None, reserved: Collection[str]
    ) -> Iterator[Edit]:
        stars = [column for column in self.columns if column.is_star]
        if stars and fields_of is None:
            raise QueryError("COQL has no 'select *'.", hint="Name the columns.")
        written = {column.key for column in self.columns}
        for star in stars:
            listed = [name for name in (fields_of(self.module) if fields_of else ()) if name not in written]
            written |= {*listed}
            spelled = [self.alias_prefix + name for name in listed]
            yield Edit(star.start, star.end, ", ".join(spelled_column(name, reserved) for name in spelled))

    def quoting_edits(self, words: Collection[str], by: int = 0) -> list[Edit]:
        """The quotes of `quote_columns`; `by`: where this text begins in another."""
        inner = [edit for sub in self.sub_queries for edit in sub.query.quoting_edits(words, sub.inner_start)]
        return [edit.shifted(by) for edit in [*self._own_quoting_edits(words), *inner]]

    def _own_quoting_edits(self, words: Collection[str]) -> Iterator[Edit]:
        for name in self.names:
            if not name.is_quoted and not name.text.startswith("!") and needs_quotes(name.text, words):
                yield Edit(name.start, name.end, quote(name.text))


def spelled_column(path: str, reserved: Collection[str] = RESERVED_WORDS) -> str:
    """A column as a query has to write it: in quotes where it is a reserved word or leads to one of several modules."""
    return quote(path) if needs_quotes(path, reserved) else path


@dataclass(frozen=True)
class ParsedCondition:
    """A `where` clause by itself.

    Attributes:
        text: as written.
        root: its tree.
        names: the fields it names, without those of sub-queries.
        sub_queries: its sub-queries.
    """

    text: str
    root: Condition
    names: tuple[FieldPath, ...] = field(repr=False)
    sub_queries: tuple[SubQuery, ...] = field(repr=False)

    @property
    def field_paths(self) -> list[FieldPath]:
        """Every field it names, in the order of the text; `module` is "" outside of sub-queries."""
        inner = [path for sub in self.sub_queries for path in sub.field_paths]
        return sorted([*self.names, *inner], key=lambda path: path.start)

    def to_coql(self, *, enclosed: bool = False) -> str:
        """The text with what Zoho wants inserted: pairs of parentheses, and a `where` in sub-queries.

        Args:
            enclosed: in parentheses where it consists of several conditions, so that another one can be joined to it.

        Example::

            >>> from zoho_magic.crm.coql.parser import parse_condition
            >>> parse_condition("a = 1 and b = 2 and c = 3").to_coql()
            '(a = 1 and b = 2) and c = 3'
        """
        edits = [edit for sub in self.sub_queries for edit in sub.query.completion_edits(sub.inner_start)]
        text = apply_edits(self.text, [*condition_edits(self.root), *edits])
        return f"({text})" if enclosed and is_open(self.root) else text

    @property
    def comparisons(self) -> list[Comparison]:
        """Every criterion, from left to right."""
        return list(comparisons(self.root))
