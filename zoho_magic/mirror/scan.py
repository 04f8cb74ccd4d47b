"""A module as a Polars lazy frame: columns, filters and a limit go to Zoho, and the whole filter is applied again here.

Pushed is only what the filter implies, so that no row can be lost: text by equality, numbers and moments by
comparison, flags, nulls. Never pushed: `!=`, the order of text, names of users and lookups. What Polars writes in
a form that is not known here stays local.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa

from ..crm.metadata import Field
from ..crm.read import arrow as frames
from ..errors import ApiError, MissingDependency, QueryError
from .optional import load

__all__ = ["scan", "to_condition"]

MIN_POLARS = (1, 35)
"""Older ones ask a source in another way: seen with 1.20, where rows were missing."""
_COMPARE = {"Eq": "=", "Gt": ">", "GtEq": ">=", "Lt": "<", "LtEq": "<="}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
Batches = Callable[..., pa.RecordBatchReader]


def scan(fields: Sequence[Field], batches: Batches) -> Any:
    """A `polars.LazyFrame` that asks Zoho when it is collected.

    Args:
        fields: of the module.
        batches: as `ZohoSession.batches` without the module.

    Raises:
        MissingDependency: polars is not installed, or too old.
    """
    polars = _load_polars()
    from polars.io.plugins import register_io_source

    by_column = {column: field for field in fields for column in [field.name, *frames.extra_columns(field)]}
    schema = polars.from_arrow(frames.empty_table(fields)).schema

    def source(
        with_columns: list[str] | None, predicate: Any, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[Any]:
        wanted = list(with_columns or schema)
        needed = dict.fromkeys([*wanted, *(predicate.meta.root_names() if predicate is not None else [])])
        names = list(dict.fromkeys(by_column[column].name for column in needed))
        where = to_condition(predicate, by_column) if predicate is not None else ""
        limit = n_rows if predicate is None else None
        found = 0
        for batch in _read(batches, names, where, limit):
            rows = polars.from_arrow(batch)
            rows = (rows.filter(predicate) if predicate is not None else rows).select(wanted)
            yield rows if n_rows is None else rows.head(n_rows - found)
            found += len(rows)
            if n_rows is not None and found >= n_rows:
                return

    return register_io_source(source, schema=schema)


def _load_polars() -> Any:
    polars = load("polars", "scan")
    if tuple(map(int, polars.__version__.split(".")[:2])) < MIN_POLARS:
        raise MissingDependency(
            f"scan needs polars {'.'.join(map(str, MIN_POLARS))} or newer, and {polars.__version__} is installed.",
            hint='Run: %pip install --upgrade "zoho_magic[polars]"',
        )
    return polars


def _read(batches: Batches, names: list[str], where: str, limit: int | None) -> Iterator[pa.Table]:
    asked: dict[str, Any] = {"fields": names}
    if limit is not None:
        asked |= {"limit": limit, "order_by": "id asc"}
    try:
        reader = batches(**asked, where=where or None)
    except (QueryError, ApiError):
        if not where:
            raise
        reader = batches(**asked)  # Zoho does not filter on one of these fields: everything is filtered here
    yield pa.Table.from_batches([], reader.schema)
    for batch in reader:
        yield pa.Table.from_batches([batch])


def to_condition(predicate: Any, by_column: Mapping[str, Field]) -> str:
    """The part of a Polars filter that COQL can apply, as a COQL condition; "" for nothing.

    Args:
        predicate: a `polars.Expr`.
        by_column: column -> field.
    """
    try:
        node = json.loads(predicate.meta.serialize(format="json"))
    except Exception:  # noqa: BLE001  # the form is Polars' own affair, and says so
        return ""
    return _condition(node, by_column) or ""


def _condition(node: Any, fields: Mapping[str, Field]) -> str | None:
    """A condition that holds wherever the node does; None where there is none."""
    if not isinstance(node, dict) or len(node) != 1:
        return None
    [(kind, body)] = node.items()
    rule = _NODES.get(kind)
    return rule(body, fields) if rule else None


def _binary(body: Any, fields: Mapping[str, Field]) -> str | None:
    operator = body.get("op")
    if operator in ("And", "Or"):
        parts = [_condition(body["left"], fields), _condition(body["right"], fields)]
        known = [part for part in parts if part]
        if operator == "And" and len(known) == 1:
            return known[0]
        return f"({known[0]} {operator.lower()} {known[1]})" if len(known) == 2 else None
    field, value = _column(body["left"], fields), _literal(body["right"])
    if operator not in _COMPARE or field is None or value is None:
        return None
    return _comparison(*field, operator, value)


def _function(body: Any, fields: Mapping[str, Field]) -> str | None:
    name = (body.get("function") or {}).get("Boolean") if isinstance(body.get("function"), dict) else None
    found = _column((body.get("input") or [None])[0], fields)
    if found is None or not isinstance(name, str):
        return None
    column, type_ = found
    if name == "IsNull" and type_ != frames.LIST:
        return f"{column} is null"
    # An empty text is not null here, and may be at Zoho.
    return f"{column} is not null" if name == "IsNotNull" and type_ not in (frames.LIST, frames.TEXT) else None


def _flag(name: Any, fields: Mapping[str, Field]) -> str | None:
    found = _column({"Column": name}, fields)
    return f"{found[0]} = true" if found and found[1] == frames.BOOL else None


_NODES: dict[str, Callable[[Any, Mapping[str, Field]], str | None]] = {
    "BinaryExpr": _binary,
    "Function": _function,
    "Column": _flag,
}


def _column(node: Any, fields: Mapping[str, Field]) -> tuple[str, pa.DataType] | None:
    """A column that Zoho can compare, and its type; a name of a user or a lookup is none."""
    if isinstance(node, dict) and "Cast" in node:
        node = node["Cast"].get("expr") if node["Cast"].get("dtype") == {"Literal": "Float64"} else None
    name = node.get("Column") if isinstance(node, dict) else None
    field = fields.get(name) if isinstance(name, str) else None
    if field is None or not isinstance(name, str):
        return None
    if extra := frames.extra_columns(field):
        return (name, frames.TEXT) if name.endswith(".id") and name in extra else None
    return name, frames.arrow_schema([field]).types[0]


def _literal(node: Any) -> Any:
    """The value of a literal; None for what is not known here."""
    body = node.get("Literal") if isinstance(node, dict) else None
    kind = next(iter(body.values()), None) if isinstance(body, dict) else None
    if not isinstance(kind, dict) or len(kind) != 1:
        return None
    [(type_, value)] = kind.items()
    if type_ == "Datetime":
        return _moment(value)
    return value if isinstance(value, (str, int, float)) else None


def _moment(value: Any) -> datetime | None:
    amount, unit, zone = value
    if unit != "Microseconds":
        return None
    moment = _EPOCH + timedelta(microseconds=amount)
    return moment if zone else moment.replace(tzinfo=None)


def _comparison(column: str, type_: pa.DataType, operator: str, value: Any) -> str | None:
    text = _text_of(type_, operator, value)
    return None if text is None else f"{column} {_COMPARE[operator]} {text}"


def _text_of(type_: pa.DataType, operator: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return ("true" if value else None) if type_ == frames.BOOL and operator == "Eq" else None
    if isinstance(value, str):
        is_plain = value and value.isprintable() and "'" not in value and "\\" not in value
        return f"'{value}'" if is_plain and type_ == frames.TEXT and operator == "Eq" else None
    if isinstance(value, datetime):
        return _moment_text(type_, value)
    if type_ == frames.INTEGER or (type_ == frames.NUMBER and operator != "Eq"):
        return repr(value) if "e" not in repr(value) and "n" not in repr(value) else None
    return None


def _moment_text(type_: pa.DataType, value: datetime) -> str | None:
    if type_ == frames.DATETIME and value.tzinfo and not value.microsecond:
        return f"'{value.isoformat()}'"
    is_day = not value.tzinfo and value == value.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"'{value:%Y-%m-%d}'" if type_ == frames.DATE and is_day else None
