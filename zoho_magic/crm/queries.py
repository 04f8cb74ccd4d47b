"""`coql`: a person's own query, its parameters bound, completed to what Zoho insists on, every row brought."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from .. import frames
from ..errors import ApiError, QueryError
from ..progress import Progress
from . import coql
from .metadata import Field, Metadata
from .parameters import bind
from .pull import Home, with_people
from .query import names_in, parse
from .reading import Harvest, Meter
from .statement import Column, Statement

__all__ = ["run"]

_NOT_SELECTABLE = frozenset({"subform", "multiselectlookup", "multiuserlookup", "fileupload", "imageupload", "linetax"})
_COUNTS = Field("", data_type="integer", json_type="integer")
_SUMS = Field("", data_type="double", json_type="double")


def run(home: Home, query: str, params: Mapping[str, Any], *, frame: frames.Frame, progress: Progress) -> Any:
    """The frame. Raises QueryError, AuthError, ThrottledError, ApiError, TransportError."""
    api = Meter(home, progress.add)
    bound = bind(query, params)
    statement = parse(bound, lambda module: _selectable(home.metadata, module))
    if statement is None:
        harvest = _as_written(api, bound)
        rows = harvest.rows
    else:
        statement, fields = _resolved(home.metadata, statement)
        harvest = coql.rows_of(api, statement, fields, home.width(), statement.limit, None)
        rows, more = with_people(home, harvest.rows, fields, always=True)
        harvest.warnings += more
    attrs = {
        "module": statement.module if statement else "",
        "road": "coql",
        "query": harvest.query,
        "calls": api.calls,
        "credits": api.credits,
        "pulled_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "warnings": harvest.warnings,
    }
    return frames.shown_as(rows, frame, attrs)


def _selectable(metadata: Metadata, module: str) -> list[str]:
    return [field.name for field in metadata.fields(module).values() if field.data_type not in _NOT_SELECTABLE]


def _resolved(metadata: Metadata, statement: Statement) -> tuple[Statement, list[Field]]:
    """The query with `id` first where rows are records, and a field for every column, named like its key."""
    if not statement.joined:
        _refuse_unknown(metadata, statement)
    record_id = Column("id", "id", "id")
    if not statement.aggregates and not statement.joined and all(c.key != "id" for c in statement.columns):
        statement = replace(statement, columns=(record_id, *statement.columns))
    return statement, [_field(metadata, statement, column) for column in statement.columns]


def _refuse_unknown(metadata: Metadata, statement: Statement) -> None:
    aliases = {column.key for column in statement.columns}
    ordered = [part.split()[0] for part in statement.order.split(",") if part.strip()]
    grouped = [part.strip() for part in statement.group.split(",") if part.strip()]
    selected = [column.path for column in statement.columns if column.path]
    for path in (*selected, *names_in(statement.where), *ordered, *grouped):
        name = path.split(".")[0].split("->")[0]
        if name.isidentifier() and path not in aliases.difference(selected):
            metadata.named(statement.module, [name])


def _field(metadata: Metadata, statement: Statement, column: Column) -> Field:
    if column.function == "COUNT":
        found = _COUNTS
    elif column.function in ("SUM", "AVG"):
        found = _SUMS
    else:
        found = _target(metadata, statement, column.path)
    return replace(found, name=column.key)


def _target(metadata: Metadata, statement: Statement, path: str) -> Field:
    """The field at the end of a dotted path; text where the path leaves what metadata describes."""
    unknown = Field(path)
    if statement.joined or not path or "->" in path:
        return unknown
    module, field = statement.module, unknown
    for step in path.split("."):
        if not module:
            return unknown
        field = metadata.fields(module).get(step, unknown)
        module = field.target if field.target in metadata.modules() else ""
    return field


def _as_written(api: Meter, text: str) -> Harvest:
    body, more = coql.as_written(api, text)
    warnings = ["The query was sent as written: it is not a form of COQL that is understood here; types are guessed."]
    if more:
        raise QueryError(
            "The query was sent as written, and Zoho has more rows than it sends at once.",
            hint="Add 'limit 2000 offset 0' and page through it, or write it as a plain select.",
        )
    return Harvest(_guessed(body), text, warnings)


def _guessed(body: bytes) -> pa.Table:
    rows: Sequence[Mapping[str, Any]] = json.loads(body).get("data", []) if body else []
    try:
        return pa.Table.from_pylist([dict(row) for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass  # raised below, outside the handler
    raise ApiError("A column of the answer mixes types.", hint="Select fewer columns to find it.")
