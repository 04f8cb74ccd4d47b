"""`coql`: a person's own query, its parameters bound, completed to what Zoho insists on, every row brought."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from ...errors import ApiError, QueryError
from ..coql.parameters import bind
from ..coql.parser import names_in, parse
from ..coql.query import Column, Statement
from ..metadata import Field, Metadata
from ..progress import Progress
from . import arrow as frames
from . import coql
from .pull import Home, with_people
from .record_query import Harvest, Meter

__all__ = ["run"]

_NOT_SELECTABLE = frozenset({"subform", "multiselectlookup", "multiuserlookup", "fileupload", "imageupload", "linetax"})
_COUNTS = Field("", data_type="integer", json_type="integer")
_SUMS = Field("", data_type="double", json_type="double")


def run(home: Home, query: str, params: Mapping[str, Any], *, frame: frames.Frame, progress: Progress) -> Any:
    """The frame. Raises QueryError, AuthError, ThrottledError, ApiError, TransportError."""
    bound = bind(query, params)
    statement = parse(bound, lambda module: _selectable(home.metadata, module))
    with Meter(home, progress.add) as api:
        harvest = _as_written(api, bound) if statement is None else _understood(home, api, statement)
    attrs = {
        "module": statement.module if statement else "",
        "road": "coql",
        "query": harvest.query,
        "calls": api.calls,
        "credits": api.credits,
        "pulled_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "warnings": harvest.warnings,
    }
    return frames.shown_as(harvest.rows, frame, attrs)


def _selectable(metadata: Metadata, module: str) -> list[str]:
    return [field.name for field in metadata.fields(module).values() if field.data_type not in _NOT_SELECTABLE]


def _understood(home: Home, api: Meter, statement: Statement) -> Harvest:
    statement, fields = _resolved(home.metadata, statement)
    harvest = coql.rows_of(api, statement, fields, home.width(), statement.limit, None)
    rows, warnings = with_people(home, harvest.rows, fields, always=True)
    return Harvest(rows, harvest.query, harvest.warnings + warnings)


def _resolved(metadata: Metadata, statement: Statement) -> tuple[Statement, list[Field]]:
    """The query with `id` first where rows are records, and a field for every column, named like its key."""
    _refuse_unknown(metadata, statement)
    if not statement.aggregates and not statement.joined and all(c.key != "id" for c in statement.columns):
        statement = replace(statement, columns=(Column("id", "id", "id"), *statement.columns))
    fields = {column: _field(metadata, statement, column) for column in statement.columns}
    # `Owner` brings `Owner.id` with it: asked for as well, it would stand twice.
    brought = {name for field in fields.values() for name in frames.companions(field)}
    kept = {column: field for column, field in fields.items() if field.name not in brought}
    return replace(statement, columns=tuple(kept)), list(kept.values())


def _refuse_unknown(metadata: Metadata, statement: Statement) -> None:
    """Raise QueryError for a module or field that metadata does not know, before a call is spent on it."""
    for module in (statement.module, *statement.aliases.values()):
        metadata.module(module)
    aliases = {column.key for column in statement.columns}
    listed = f"{statement.order},{statement.group}".split(",")
    paths = [part.split()[0] for part in listed if part.strip()]
    for path in (column.path for column in statement.columns):
        _at(metadata, statement, path)
    for path in paths:
        if path not in aliases and "(" not in path:
            _at(metadata, statement, path)
    for module, path in names_in(statement.where):
        if not module:
            _at(metadata, statement, path)
        else:
            metadata.at(module, path)


def _at(metadata: Metadata, statement: Statement, path: str) -> Field | None:
    """What metadata says of a path; None for anything but a field."""
    head, dot, rest = path.partition(".")
    if dot and head in statement.aliases:
        return metadata.at(statement.aliases[head], rest)
    return metadata.at(statement.module, path) if path else None


def _field(metadata: Metadata, statement: Statement, column: Column) -> Field:
    if column.function == "COUNT":
        found = _COUNTS
    elif column.function in ("SUM", "AVG"):
        found = _SUMS
    else:
        found = _at(metadata, statement, column.path) or Field(column.path)
    return replace(found, name=column.key)


def _as_written(api: Meter, text: str) -> Harvest:
    body, more = coql.as_written(api, text)
    warnings = ["The query was sent as written: it is not a form of COQL that is understood here; types are guessed."]
    if more and not _LIMIT.search(_QUOTED.sub("", text)):
        raise QueryError(
            "The query was sent as written, and Zoho has more rows than it sends at once.",
            hint="Add 'limit 2000' for as many as it sends, or write it as a plain select to get all.",
        )
    return Harvest(_guessed(body), text, warnings)


_QUOTED, _LIMIT = re.compile(r"'(?:[^']|'')*'"), re.compile(r"\blimit\b", re.IGNORECASE)


def _guessed(body: bytes) -> pa.Table:
    rows: Sequence[Mapping[str, Any]] = json.loads(body).get("data", []) if body else []
    try:
        return pa.Table.from_pylist([dict(row) for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # raised below, outside the handler
    raise ApiError("A column of the answer mixes types.", hint="Select fewer columns to find it.")
