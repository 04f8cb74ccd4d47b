"""What a query needs before its rows are read: its columns as fields, and large sub-queries as values."""

from __future__ import annotations

import re
from dataclasses import replace

from .. import limits
from ..coql.conditions import FieldPath
from ..coql.parser import build_query
from ..coql.query import Column, CoqlQuery, UnparsedQuery
from ..metadata import RECORD_ID, Field, Metadata
from . import arrow as frames
from . import coql
from .record_query import CONVERTED, CallCounter, RecordQuery
from .stream import CrmReader

__all__ = ["complete", "converted_notes", "fields_of", "resolve_filter", "with_fetched_sub_queries"]

_NOT_SELECTABLE = frozenset({"subform", "multiselectlookup", "multiuserlookup", "fileupload", "imageupload", "linetax"})
_COUNTS = Field("", data_type="integer", json_type="integer")
_SUMS = Field("", data_type="double", json_type="double")
QUOTED_TEXT = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)


def complete(client: CrmReader, query: CoqlQuery) -> CoqlQuery:
    """The query with what Zoho insists on, and names for `*`. Raises QueryError for an unknown module."""
    return query.complete(lambda module: _selectable(client.metadata, module))


def _selectable(metadata: Metadata, module: str) -> list[str]:
    return [field.name for field in metadata.fields(module).values() if field.data_type not in _NOT_SELECTABLE]


def with_fetched_sub_queries(client: CrmReader, api: CallCounter, statement: CoqlQuery) -> tuple[CoqlQuery, list[str]]:
    """The query with values instead of each sub-query that has more records than Zoho retrieves, and notes on them.

    It costs one credit for each count. https://www.zoho.com/crm/developer/docs/api/v8/COQL-subquery.html
    """
    notes: list[str] = []
    for place in reversed(range(len(statement.sub_queries))):
        written = complete(client, statement.sub_queries[place].query)
        inner, inside = with_fetched_sub_queries(client, api, written)
        if inner is written and not _is_large(api, inner):
            continue
        values = _values_of(client, api, inner)
        notes += [*inside, f"A sub-query has {len(values):,} values; they were fetched first."]
        statement = statement.replace_sub_query(place, values or [NO_VALUE])
    return statement, notes


def resolve_filter(client: CrmReader, api: CallCounter, reading: RecordQuery) -> tuple[RecordQuery, list[str]]:
    """The query with values instead of large sub-queries in its filter, and notes on them. Raises as `run`."""
    if "select" not in reading.where.lower():
        return reading, []
    statement = build_query(reading.module, ["id"], reading.where)
    hidden = [note for sub in statement.sub_queries for note in converted_notes(client.metadata, sub.query)]
    resolved, notes = with_fetched_sub_queries(client, api, statement)
    return replace(reading, where=resolved.text[slice(*resolved.spans.where)]), [*hidden, *notes]


NO_VALUE = "0"
"""In a list it stands for no value: no record has this id."""


def _is_large(api: CallCounter, inner: CoqlQuery) -> bool:
    few = inner.limit is not None and inner.limit <= limits.COQL_SUB_QUERY_ROWS
    one = inner.is_aggregate and not inner.group_by
    return not (few or one) and coql.count(api, inner) > limits.COQL_SUB_QUERY_ROWS


def _values_of(client: CrmReader, api: CallCounter, inner: CoqlQuery) -> list[str]:
    fields = fields_of(client.metadata, inner)
    found = coql.fetch_rows(CallCounter(api), inner, fields, client.max_concurrency(), inner.limit, None)
    key = inner.columns[0].key
    column = f"{key}.id" if f"{key}.id" in found.rows.schema.names else key
    return [str(value) for value in found.rows.column(column).unique().to_pylist() if value is not None]


def fields_of(metadata: Metadata, statement: CoqlQuery) -> list[Field]:
    """A field for every column, named like its key; `id`, which Zoho adds, first where rows are records."""
    _refuse_unknown(metadata, statement)
    fields = [_field(metadata, column) for column in statement.columns]
    if not statement.is_aggregate and not statement.aliases and all(field.name != "id" for field in fields):
        fields.insert(0, RECORD_ID)
    # `Owner` brings `Owner.id` with it: asked for as well, it would stand twice.
    brought = {name for field in fields for name in frames.extra_columns(field)}
    return [field for field in fields if field.name not in brought]


def _refuse_unknown(metadata: Metadata, statement: CoqlQuery) -> None:
    """Raise QueryError for a module or field that metadata does not know, before a call is spent on it."""
    modules = [statement.module, *statement.aliases.values(), *(path.module for path in statement.field_paths)]
    for module in dict.fromkeys(modules):
        if module not in _UNDESCRIBED:
            metadata.module(module)
    for path in statement.field_paths:
        _at(metadata, path)


# https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html lists users among the modules of
# COQL; settings/modules does not tell their fields.
_UNDESCRIBED = ("users", "Users")


def _at(metadata: Metadata, path: FieldPath) -> Field | None:
    """What metadata says of a field; None where it says nothing."""
    return metadata.resolve_path(path.module, path.path) if path.module not in _UNDESCRIBED else None


def _field(metadata: Metadata, column: Column) -> Field:
    if column.function == "COUNT":
        found = _COUNTS
    elif column.function in ("SUM", "AVG"):
        found = _SUMS
    else:
        found = (_at(metadata, column.field) if column.field else None) or Field(column.path)
    return replace(found, name=column.key)


# Converted leads


def converted_notes(metadata: Metadata, query: CoqlQuery | UnparsedQuery) -> list[str]:
    """What a query leaves out because it does not name `Converted__s`, and the query that brings it."""
    if isinstance(query, UnparsedQuery):
        return _note_of_unparsed(metadata, query)
    inner = [note for sub in query.sub_queries for note in converted_notes(metadata, sub.query)]
    if not _hides_converted(metadata, query):
        return inner
    both = f"({query.alias_prefix}{CONVERTED} = true or {query.alias_prefix}{CONVERTED} = false)"
    note = f"Converted {query.module} are not included; with them: {query.and_where(both).text}"
    return [note, *inner]


def _hides_converted(metadata: Metadata, query: CoqlQuery) -> bool:
    return not query.names_field(CONVERTED) and _has_converted(metadata, query.module)


def _has_converted(metadata: Metadata, module: str) -> bool:
    return module in metadata.modules() and CONVERTED in metadata.fields(module)


def _note_of_unparsed(metadata: Metadata, query: UnparsedQuery) -> list[str]:
    found = _FROM.search(QUOTED_TEXT.sub("", query.text))
    if found is None or CONVERTED in query.text or not _has_converted(metadata, found[1]):
        return []
    return [f"Converted {found[1]} are not included unless the query names {CONVERTED}."]
