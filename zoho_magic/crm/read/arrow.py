"""What the CRM sends + field metadata -> one typed Arrow table -> a DataFrame.

Types come from metadata, never from guessing, so an empty column and an empty result have theirs too, and a record
looks the same whichever API brought it. To add a field type, add one line to `_KINDS`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib.metadata import version
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar
from warnings import warn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json

from ...errors import ApiError, TransportError

if TYPE_CHECKING:
    from ..metadata import Field

__all__ = [
    "FRAMES",
    "Frame",
    "Page",
    "attrs_of",
    "empty_table",
    "extra_columns",
    "fill_target_modules",
    "fill_target_names",
    "fill_user_names",
    "from_csv",
    "from_json",
    "from_rows",
    "has_targets",
    "is_lookup",
    "is_user_lookup",
    "iter_csv",
    "sort_by_id_asc",
    "sort_by_id_desc",
    "to_backend",
    "to_metadata",
    "with_all_columns",
]

T = TypeVar("T")
Frame = Literal["pandas", "polars", "arrow"]
FRAMES = ("pandas", "polars", "arrow")

TEXT, INTEGER, NUMBER, BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
DATE, DATETIME, LIST = pa.timestamp("us"), pa.timestamp("us", tz="UTC"), pa.list_(pa.string())


@dataclass(frozen=True)
class ArrowMapping:
    """How one kind of field travels and what it becomes.

    Attributes:
        columns: suffix and Arrow type of each column it becomes.
        json: the Arrow type of its JSON value; None for a value of unknown shape, which is kept as JSON text.
        split: takes the JSON value apart into the columns.
    """

    columns: tuple[tuple[str, pa.DataType], ...]
    json: pa.DataType | None
    split: Callable[[pa.Array], list[pa.Array]]


def _scalar(type_: pa.DataType, json: pa.DataType | None = None) -> ArrowMapping:
    return ArrowMapping((("", type_),), json or type_, lambda values: [values.cast(type_)])


def _struct(*suffixes: str) -> ArrowMapping:
    names = ("name", *suffixes)
    struct = pa.struct([(name, TEXT) for name in names])
    columns = (("", TEXT), *((f".{suffix}", TEXT) for suffix in suffixes))
    return ArrowMapping(columns, struct, lambda values: [pc.struct_field(values, name) for name in names])


def _split_targets(values: pa.Array) -> list[pa.Array]:
    module = pc.struct_field(values, "module")
    return [*(pc.struct_field(values, name) for name in ("name", "id")), pc.struct_field(module, "api_name")]


_PLAIN = _scalar(TEXT)
_LOOKUP, _PERSON = _struct("id"), _struct("id", "email")
_TARGET = ArrowMapping(
    (("", TEXT), (".id", TEXT), (".module", TEXT)),
    pa.struct([("name", TEXT), ("id", TEXT), ("module", pa.struct([("api_name", TEXT)]))]),
    _split_targets,
)
# Arrow reads ISO 8601 with any offset, and converts it to UTC, when it casts from text.
_MOMENT, _DATE = _scalar(DATETIME, TEXT), _scalar(DATE, TEXT)
_NAMES = ArrowMapping((("", LIST),), pa.list_(pa.struct([("name", TEXT)])), lambda values: [_names_of(values)])
_RECURRENCE = ArrowMapping(
    (("", TEXT),), pa.struct([("RRULE", TEXT)]), lambda values: [pc.struct_field(values, "RRULE")]
)
_RAW = ArrowMapping((("", TEXT),), None, lambda values: [values])

# Zoho's data_type (for a formula or rollup summary: its return type) -> kind. Whatever is missing here is JSON text.
_KINDS: dict[str, ArrowMapping] = {
    **dict.fromkeys(("text", "textarea", "mediumtext", "website", "email", "phone", "picklist", "autonumber"), _PLAIN),
    **dict.fromkeys(("bigint", "long", "profileimage", "string", "time_range"), _PLAIN),
    "integer": _scalar(INTEGER),
    **dict.fromkeys(("double", "currency", "percent", "number", "decimal"), _scalar(NUMBER)),
    "boolean": _scalar(BOOL),
    "date": _DATE,
    **dict.fromkeys(("datetime", "event_reminder"), _MOMENT),
    **dict.fromkeys(("lookup", "profilelookup", "rolelookup", "layout", "module"), _LOOKUP),
    **dict.fromkeys(("ownerlookup", "userlookup"), _PERSON),
    "multi_module_lookup": _TARGET,
    "RRULE": _RECURRENCE,
    "multiselectpicklist": ArrowMapping((("", LIST),), LIST, lambda values: [_without_empty_lists(values)]),
}


def mapping_of(field: Field) -> ArrowMapping:
    """The kind of a field. `Tag` says text, but its value is an array of objects: json_type counts as well."""
    if field.json_type == "jsonarray" and field.value_type in ("text", "tag"):
        return _NAMES
    return _KINDS.get(field.value_type, _RAW)


def is_user_lookup(field: Field) -> bool:
    """Whether the field names a CRM user."""
    return mapping_of(field) is _PERSON


def is_lookup(field: Field) -> bool:
    """Whether the field points to something with a name of its own, of which a bulk CSV tells only the id."""
    return mapping_of(field) in (_LOOKUP, _TARGET)


def has_targets(field: Field) -> bool:
    """Whether the field points into several modules, as `What_Id`."""
    return mapping_of(field) is _TARGET


def extra_columns(field: Field) -> list[str]:
    """The columns a field brings beside the one named like it: `Owner.id`, `Owner.email`."""
    return [field.name + suffix for suffix, _ in mapping_of(field).columns[1:]]


def arrow_schema(fields: Iterable[Field]) -> pa.Schema:
    """The columns these fields become, in order: a lookup `X` gives `X` and `X.id`, a user also `X.email`."""
    return pa.schema([(field.name + suffix, type_) for field in fields for suffix, type_ in mapping_of(field).columns])


def describe_columns(field: Field) -> str:
    """The columns a field becomes and their pandas dtypes, for people.

    Example::

        >>> describe_columns(Field("Amount", data_type="currency"))
        'Amount Float64'
    """
    return ", ".join(f"{field.name}{suffix} {_DTYPES[type_]}" for suffix, type_ in mapping_of(field).columns)


_DTYPES = {
    TEXT: "str" if int(version("pandas").split(".")[0]) >= 3 else "string",
    INTEGER: "Int64",
    NUMBER: "Float64",
    BOOL: "boolean",
    DATE: "datetime64[us]",
    DATETIME: "datetime64[us, UTC]",
    LIST: "list of str",
}


def empty_table(fields: Iterable[Field]) -> pa.Table:
    """No rows, all columns."""
    return arrow_schema(fields).empty_table()


def with_all_columns(data: pa.Table, fields: Sequence[Field]) -> pa.Table:
    """The table with every column of these fields, in their order; what it lacks is all null."""
    schema = arrow_schema(fields)
    if data.schema.equals(schema):
        return data
    columns = [
        data.column(name) if name in data.schema.names else pa.nulls(len(data), type_)
        for name, type_ in zip(schema.names, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


# JSON


@dataclass(frozen=True)
class Page:
    """One answer of the CRM: its rows, whether more follow, and the token that leads to them.

    Attributes:
        absent: names of the fields whose key is in none of the rows: their columns are null, but were not sent as null.
        warnings: values that could not be converted.
    """

    rows: pa.Table
    has_more: bool = False
    next_page_token: str | None = None
    absent: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


_INFO = pa.struct([("more_records", BOOL), ("next_page_token", TEXT)])


def from_json(body: bytes, fields: Sequence[Field]) -> Page:
    """An answer's `data` as a table.

    Arrow parses it without Python objects and without the interpreter lock. A value that is not what the metadata says
    (a number where text is expected) sends the answer through a slower reader that converts it.

    Raises:
        ApiError: a value cannot be converted; the message names the field.
        TransportError: this is not the JSON that Zoho sends.
    """
    page = _parse_typed(body, fields) or _parse_lenient(body, fields)
    return replace(page, absent=_absent(page.rows, body, fields))


def _absent(rows: pa.Table, body: bytes, fields: Sequence[Field]) -> frozenset[str]:
    """The fields whose key is nowhere in the answer; only a column without any value needs the look."""
    if not len(rows):
        return frozenset()
    empty = [field.name for field in fields if rows.column(field.name).null_count == len(rows)]
    text = body.replace(b'" :', b'":') if empty else b""
    return frozenset(name for name in empty if json.dumps(name).encode() + b":" not in text)


def _parse_typed(body: bytes, fields: Sequence[Field]) -> Page | None:
    """The page, if every value is what the metadata says."""
    answer = _parsed(body, fields)
    if answer is None or len(answer) != 1 or answer.column("data").null_count:
        return None
    records = answer.column("data").combine_chunks().flatten()
    has_untyped = any(mapping_of(field).json is None for field in fields)
    raw = json.loads(body)["data"] if has_untyped else []
    arrays: list[pa.Array] = []
    try:
        for field in fields:
            kind = mapping_of(field)
            if kind.json is None:
                arrays.append(pa.array([_as_text(row.get(field.name)) for row in raw], TEXT))
            else:
                arrays.extend(kind.split(records.field(field.name)))
    except pa.ArrowInvalid:
        return None
    rows = pa.Table.from_arrays(arrays, schema=arrow_schema(fields))
    return Page(rows, *_info(answer.column("info")[0].as_py()))


def _parse_lenient(body: bytes, fields: Sequence[Field]) -> Page:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TransportError(
            "The CRM's answer is not the JSON that Zoho sends.",
            hint="A proxy, a sign-in page or a maintenance page may be in between; try again in a minute.",
        )
    converted, warnings = from_rows(rows, fields)
    return Page(converted, *_info(answer.get("info")), warnings=warnings)


def _info(info: Mapping[str, Any] | None) -> tuple[bool, str | None]:
    found = info or {}
    return bool(found.get("more_records")), found.get("next_page_token") or None


def _parsed(body: bytes, fields: Sequence[Field]) -> pa.Table | None:
    row = pa.struct([(field.name, kind.json) for field in fields if (kind := mapping_of(field)).json is not None])
    schema = pa.schema([("data", pa.list_(row)), ("info", _INFO)])
    try:
        return pa_json.read_json(
            io.BytesIO(body),
            # One answer is one JSON object, which must fit into one block.
            read_options=pa_json.ReadOptions(block_size=len(body) + 1, use_threads=False),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid:
        return None


def from_rows(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field]) -> tuple[pa.Table, tuple[str, ...]]:
    """Objects of an answer as a table, and warnings about values that could not be converted and are null."""
    arrays: list[pa.Array] = []
    warnings: list[str] = []
    for field in fields:
        values = [_empty_as_null(row.get(field.name), field) for row in rows]
        columns, odd = _convert_or_null(_split_column, values, field, lambda: [row.get("id") for row in rows])
        arrays.extend(columns)
        warnings += [*odd, *_joined_notes(values, field)]
    return pa.Table.from_arrays(arrays, schema=arrow_schema(fields)), tuple(warnings)


def _joined_notes(values: Iterable[Any], field: Field) -> list[str]:
    """A warning where tags came joined by commas, which stand inside tags too."""
    if mapping_of(field) is not _NAMES or not any(isinstance(value, str) and "," in value for value in values):
        return []
    return [f"{field.name} came as text joined by commas: a comma inside one cannot be told from one between two."]


_CONVERSION_ERRORS = (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError, OverflowError)


def _empty_as_null(value: Any, field: Field) -> Any:
    return None if value == "" and mapping_of(field).columns[0][1] != TEXT else value


def _split_column(values: list[Any], field: Field) -> list[pa.Array]:
    kind = mapping_of(field)
    if kind.columns[0][1] == LIST:  # some organisations get a multi-select or a tag as one text
        values = [_choices_of(value, field) for value in values]
    return kind.split(_convert_column(values, kind.json or TEXT))


def _choices_of(value: Any, field: Field) -> Any:
    if not isinstance(value, str):
        return value
    return split_choices(value, frozenset(field.picklist_values), _separators(field))


def _separators(field: Field) -> str:
    return "," if mapping_of(field) is _NAMES else ";,"


def _convert_or_null(
    convert: Callable[[list[Any], Field], T], values: list[Any], field: Field, ids: Callable[[], Sequence[Any]]
) -> tuple[T, list[str]]:
    """The values converted; null, and a warning, for what is not of the field's type."""
    try:
        return convert(values, field), []
    except _CONVERSION_ERRORS:
        kept, odd = _without_odd_values(values, field, ids())
    return convert(kept, field), odd


def _without_odd_values(values: list[Any], field: Field, ids: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """The values with null for each that is not of the field's type, and a warning that names the first of them."""
    odd = [place for place, value in enumerate(values) if not _is_convertible(value, field)]
    first, places = odd[0], frozenset(odd)
    more = f", and {len(odd) - 1} more" if len(odd) > 1 else ""
    warning = (
        f"{field.name} should be {field.value_type}, but record {ids[first]} has {str(values[first])[:60]!r}{more}: "
        "empty here."
    )
    return [None if place in places else value for place, value in enumerate(values)], [warning]


def _is_convertible(value: Any, field: Field) -> bool:
    try:
        _split_column([value], field)
    except _CONVERSION_ERRORS:
        return False
    return True


def _convert_column(values: list[Any], type_: pa.DataType) -> pa.Array:
    if type_ == TEXT:
        return pa.array([_as_text(value) for value in values], TEXT)
    if type_ == _TARGET.json:
        return pa.array([_as_target(value) for value in values], type_)
    if type_ == _RECURRENCE.json:
        return pa.array(
            [value if isinstance(value, dict) or value is None else {"RRULE": value} for value in values], type_
        )
    if pa.types.is_struct(type_):
        names = [field.name for field in type_]
        return pa.array([_as_struct(value, names) for value in values], type_)
    if pa.types.is_list(type_):
        return pa.array([_as_list(value, type_.value_type) for value in values], type_)
    return _coerce(values, type_)


def _coerce(values: list[Any], type_: pa.DataType) -> pa.Array:
    try:
        if type_ != INTEGER or not any(isinstance(value, float) for value in values):  # Arrow would cut 2.5 to 2
            return pa.array(values, type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    text = pa.array([_as_text(value) for value in values], TEXT)
    try:
        return text.cast(type_)
    except pa.ArrowInvalid:  # "5.0" for an integer
        return text.cast(NUMBER).cast(type_)


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_struct(value: Any, names: Sequence[str]) -> dict[str, str | None] | None:
    if value is None:
        return None
    # An older version of the API, or another endpoint, sends a bare id.
    found = value if isinstance(value, dict) else {"id": value}
    return {name: _as_text(found.get(name)) for name in names}


def _as_target(value: Any) -> dict[str, Any] | None:
    found = _as_struct(value, ("name", "id"))
    module = value.get("module") if isinstance(value, dict) else None
    named = module.get("api_name") if isinstance(module, dict) else module
    return None if found is None else {**found, "module": {"api_name": _as_text(named)}}


def _as_list(value: Any, item: pa.DataType) -> list[Any] | None:
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    if pa.types.is_struct(item):
        return [entry if isinstance(entry, dict) else {"name": _as_text(entry)} for entry in items]
    return [_as_text(entry) for entry in items]


def _names_of(values: pa.Array) -> pa.Array:
    names = pc.struct_field(values.flatten(), "name")
    return (
        _without_empty_lists(pa.ListArray.from_arrays(_offsets(values), names)) if len(values) else pa.array([], LIST)
    )


def _without_empty_lists(values: pa.Array) -> pa.Array:
    # Zoho writes "nothing chosen" as null or [], by field and API; here it is null.
    return pc.if_else(pc.greater(pc.fill_null(pc.list_value_length(values), 0), 0), values, pa.scalar(None, LIST))


def _offsets(values: pa.ListArray) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])


# CSV

CSV_BLOCK_BYTES = (1 << 20, 1 << 24, 1 << 28, (1 << 31) - 1)
"""Sizes of the blocks Arrow parses: a row has to fit into two, https://github.com/apache/arrow/issues/7835."""


def from_csv(
    file: IO[bytes], fields: Sequence[Field], names: Mapping[str, str], warnings: list[str] | None = None
) -> pa.Table:
    """A bulk read's CSV as a table; parameters and errors as `iter_csv`."""
    parts = list(iter_csv(file, fields, names, [] if warnings is None else warnings))
    return pa.concat_tables(parts) if parts else empty_table(fields)


def iter_csv(
    file: IO[bytes], fields: Sequence[Field], names: Mapping[str, str], warnings: list[str]
) -> Iterator[pa.Table]:
    """A bulk read's CSV as tables of some megabytes; an empty cell is null, for the CSV has no other null.

    Args:
        file: the CSV, UTF-8 with a header line; it can be read again from its start.
        fields: what was asked for; one the CSV lacks is all null, and named in `warnings`.
        names: lookup field -> header of the column that carries the name of the record it points to.
        warnings: takes sentences about columns that did not come and values that could not be converted.

    Raises:
        ApiError: the CSV is broken, has no column of record ids, or has two columns of one name.
    """
    done, problem = 0, ""
    for size in CSV_BLOCK_BYTES:
        try:
            for cells in _rest_of_csv(file, fields, names, size, done):
                yield _from_cells(_with_unique_headers(cells), fields, names, warnings)
                done += len(cells)
        except pa.ArrowInvalid as error:
            problem = str(error).splitlines()[0]
        else:
            return
        if "straddl" not in problem:
            break
    if "Empty CSV file" in problem:  # no line, or a header line without its end
        return
    if "onversion error" not in problem:
        raise ApiError("The bulk read's CSV cannot be parsed: " + problem[:160], hint='Use via="coql".')
    # A value is not what the metadata says: the rest is converted from text, cell by cell.
    cells = pa.concat_tables(_rest_of_csv(file, fields, names, size, done, as_text=True))
    yield _from_cells(_converted_cells(_with_unique_headers(cells), fields, warnings), fields, names, warnings)


def _rest_of_csv(
    file: IO[bytes], fields: Sequence[Field], names: Mapping[str, str], block: int, done: int, *, as_text: bool = False
) -> Iterator[pa.Table]:
    """The rows after the first `done`; a table without rows comes first. Raises ArrowInvalid."""
    types = {field.name: TEXT if as_text else _csv_type(field) for field in fields}
    types |= dict.fromkeys(names.values(), TEXT)
    types["Id"] = TEXT  # Zoho writes the record id's header with a capital letter
    options = pa_csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, true_values=["true"], false_values=["false"]
    )
    file.seek(0)
    reader = pa_csv.open_csv(
        _WholeLineBreaks(file),
        # Arrow's own threads cost half as much processor time again, for a result that waits for Zoho anyway.
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=block),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=options,
    )
    yield reader.schema.empty_table()
    for batch in reader:
        skipped = min(done, len(batch))
        done -= skipped
        yield pa.Table.from_batches([batch.slice(skipped)])


class _WholeLineBreaks(io.RawIOBase):
    """A file whose blocks never end between `\\r` and `\\n`: Arrow would lose the `\\n` of a quoted cell there.

    https://github.com/apache/arrow/issues/51368
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._held = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = size - len(self._held) if size >= 0 else -1
        data = self._held + self._file.read(wanted)
        self._held = b"\r" if len(data) > 1 and data.endswith(b"\r") and size >= 0 else b""
        return data[: len(data) - len(self._held)]


def _with_unique_headers(cells: pa.Table) -> pa.Table:
    """The cells. Raises ApiError where one column would hide another, or there are no record ids."""
    headers = cells.schema.names
    if len(set(headers)) != len(headers):
        twice = next(name for name in headers if headers.count(name) > 1)
        raise ApiError(f"The bulk read's CSV has two columns named {twice}.", hint='Use via="coql" for this module.')
    if "Id" not in headers and "id" not in headers:
        raise ApiError("The bulk read's CSV has no column of record ids.", hint='Use via="coql".')
    return cells


def _converted_cells(cells: pa.Table, fields: Sequence[Field], notes: list[str]) -> pa.Table:
    """Text cells as their fields' types, with null and a note for each that is not of its type."""
    ids = cells.column("Id" if "Id" in cells.schema.names else "id").to_pylist()
    for field in fields:
        if _csv_type(field) == TEXT or field.name not in cells.schema.names:
            continue
        values = cells.column(field.name).to_pylist()
        array, odd = _convert_or_null(_as_cells, values, field, lambda: ids)
        notes += odd
        cells = cells.set_column(cells.schema.get_field_index(field.name), field.name, array)
    return cells


def _csv_type(field: Field) -> pa.DataType:
    type_ = mapping_of(field).columns[0][1]
    return TEXT if type_ == LIST else type_


def _as_cells(values: list[Any], field: Field) -> pa.Array:
    return _coerce(values, _csv_type(field))


def _from_cells(cells: pa.Table, fields: Sequence[Field], names: Mapping[str, str], notes: list[str]) -> pa.Table:
    absent = [field.name for field in fields if field.name not in cells.schema.names and field.name != "id"]
    if absent:
        note = f"Bulk read left {', '.join(absent)} out of its file; empty here."
        notes += [note] if note not in notes else []
    by_name = dict(zip(cells.schema.names, cells.columns, strict=True))
    by_name["id"] = by_name.pop("Id", by_name.get("id"))
    columns: list[pa.ChunkedArray] = []
    for field in fields:
        columns.extend(_csv_columns(field, by_name, names.get(field.name, ""), len(cells)))
        if mapping_of(field) is _NAMES and field.name in by_name:
            found = _joined_notes(by_name[field.name].unique().to_pylist(), field)
            notes += [note for note in found if note not in notes]
    return pa.Table.from_arrays(columns, schema=arrow_schema(fields))


def _csv_columns(field: Field, cells: Mapping[str, Any], name: str, rows: int) -> list[Any]:
    kind = mapping_of(field)
    own = cells.get(field.name)
    if own is None:
        return [pa.nulls(rows, type_) for _, type_ in kind.columns]
    if kind in (_LOOKUP, _PERSON, _TARGET):
        nothing = pa.nulls(rows, TEXT)
        return [cells.get(name, nothing), own, *([nothing] if kind is not _LOOKUP else [])]
    return [_lists(own.combine_chunks(), field) if kind.columns[0][1] == LIST else own]


def _lists(cells: pa.Array, field: Field) -> pa.Array:
    # Few distinct combinations stand behind many cells: take each apart once.
    encoded = pc.dictionary_encode(cells)
    known, separators = frozenset(field.picklist_values), _separators(field)
    distinct = [split_choices(text, known, separators) for text in encoded.dictionary.to_pylist()]
    return pa.array(distinct, LIST).take(encoded.indices)


def split_choices(text: str, known: Collection[str] = (), separators: str = ";,") -> list[str]:
    """A cell with several values taken apart. Which separator Zoho writes is not documented, and a choice of a
    multi-select may contain either: what `known` lists is kept whole, the longest first. Tags are joined by commas, and
    a comma inside one cannot be told from them: other APIs bring such a tag whole.

    Example::

        >>> split_choices("Solar, roof;Wind", {"Solar, roof", "Wind"})
        ['Solar, roof', 'Wind']
    """
    pieces = re.split(f"([{separators}])", text)
    whole = _known_choices(pieces, known)
    if whole is None:
        separator = next((mark for mark in separators if mark in text), separators)
        whole = [part.strip() for part in text.split(separator)]
    return [part for part in whole if part]


def _known_choices(pieces: Sequence[str], known: Collection[str]) -> list[str] | None:
    """The pieces, every other one a separator, put together to known choices; None where that does not work out."""
    best: dict[int, list[str] | None] = {len(pieces) + 1: []}
    for start in range(len(pieces) - 1, -1, -2):
        best[start] = None
        for end in range(len(pieces), start, -2):
            choice, rest = "".join(pieces[start:end]), best[end + 1]
            if rest is not None and (choice in known or choice.strip() in known):
                best[start] = [choice if choice in known else choice.strip(), *rest]
                break
    return best[0]


# What every API shares


def fill_user_names(
    data: pa.Table, fields: Iterable[Field], people: Mapping[str, tuple[str | None, str | None]]
) -> pa.Table:
    """The table with the full name and e-mail address of every user it names, as far as they are known.

    Args:
        people: user id -> name, e-mail address.
    """
    ids = pa.array(list(people), TEXT)
    found = {
        "": pa.array([n for n, _ in people.values()], TEXT),
        ".email": pa.array([e for _, e in people.values()], TEXT),
    }
    for field in filter(is_user_lookup, fields):
        place = pc.index_in(data.column(f"{field.name}.id"), ids)
        for suffix, values in found.items():
            column = field.name + suffix
            better = pc.coalesce(values.take(place.combine_chunks()), data.column(column).combine_chunks())
            data = data.set_column(data.schema.get_field_index(column), column, better)
    return data


def fill_target_modules(data: pa.Table, fields: Sequence[Field]) -> pa.Table:
    """The table of these fields, with the module of each lookup into several: the Records API tells it beside them."""
    if "$se_module" in data.schema.names:
        beside = data.column("$se_module").combine_chunks()
        for field in filter(has_targets, fields):
            name = f"{field.name}.module"
            there = pc.is_valid(data.column(f"{field.name}.id").combine_chunks())
            known = pc.coalesce(data.column(name).combine_chunks(), beside)
            modules = pc.if_else(there, known, pa.scalar(None, TEXT))
            data = data.set_column(data.schema.get_field_index(name), name, modules)
    return data.select(arrow_schema(fields).names)


def fill_target_names(data: pa.Table, field: Field, names: Mapping[str, str | None]) -> pa.Table:
    """The table with the names of the records that a lookup into several modules points to, as far as they are known.

    Args:
        names: record id -> name.
    """
    place = pc.index_in(data.column(f"{field.name}.id").combine_chunks(), pa.array(list(names), TEXT))
    found = pa.array(list(names.values()), TEXT).take(place)
    better = pc.coalesce(data.column(field.name).combine_chunks(), found)
    return data.set_column(data.schema.get_field_index(field.name), field.name, better)


def sort_by_id_desc(data: pa.Table) -> pa.Table:
    """Ordered by record id, highest first, as Zoho lists records; a record that came twice stands once."""
    ids = data.column("id").combine_chunks().cast(pa.int64())
    before, after = ids.slice(0, max(0, len(ids) - 1)), ids.slice(1)
    if len(ids) < 2 or pc.all(pc.greater(before, after)).as_py():
        return data
    if pc.all(pc.less(before, after)).as_py():
        return _reversed(data)
    order = pc.array_sort_indices(ids, order="descending")
    ids = ids.take(order)
    fresh = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    return data.take(order.filter(pa.concat_arrays([pa.array([True]), fresh])))


def sort_by_id_asc(data: pa.Table) -> pa.Table:
    """Ordered by record id, lowest first; a record that came twice stands once."""
    return _reversed(sort_by_id_desc(data)) if len(data) else data


def _reversed(data: pa.Table) -> pa.Table:
    # Piece by piece: a whole column of text may be more than one Arrow array holds.
    pieces = data.to_batches()
    backwards = pa.array(np.arange(max(map(len, pieces)) - 1, -1, -1))
    turned = [piece.take(backwards[len(backwards) - len(piece) :]) for piece in pieces]
    return pa.Table.from_batches(turned[::-1], data.schema)


def to_backend(data: pa.Table, frame: Frame, attrs: Mapping[str, Any]) -> Any:
    """The table as the kind of frame asked for.

    pandas: text as strings, integers Int64, numbers Float64, flags boolean, lists as Python lists, `attrs` in
    `frame.attrs`. polars: as polars converts Arrow. arrow: the table, `attrs` as JSON in `schema.metadata`.
    """
    data, clipped = _clip_datetimes(data)
    if clipped:
        attrs = {**attrs, "warnings": [*attrs.get("warnings", ()), *clipped]}
    if frame == "pandas":
        return _pandas(data, attrs)
    described = data.replace_schema_metadata(to_metadata(attrs))
    return described if frame == "arrow" else _polars(described, attrs.get("warnings", ()))


def to_metadata(attrs: Mapping[str, Any]) -> dict[str, str]:
    """`attrs` as the metadata of an Arrow schema, which `attrs_of` reads."""
    return {"zoho_magic": json.dumps(dict(attrs), default=str)}


def attrs_of(data: pa.Table) -> dict[str, Any]:
    """The `attrs` of an Arrow table that `to_backend` made; {} of any other."""
    found: dict[str, Any] = json.loads((data.schema.metadata or {}).get(b"zoho_magic", b"{}"))
    return found


_FIRST_MOMENT = datetime(1, 1, 1, tzinfo=timezone.utc)
_LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)


def _clip_datetimes(data: pa.Table) -> tuple[pa.Table, list[str]]:
    """The table with datetimes that Python can show, and a warning for each column that had others.

    In a time zone west of Greenwich the end of 9999 lies in the year 10000 by UTC; pandas then cannot even print it.
    """
    told = []
    for place, column in enumerate(data.schema):
        if not pa.types.is_timestamp(column.type) or column.type.tz is None:
            continue
        first, last = (pa.scalar(moment, column.type) for moment in (_FIRST_MOMENT, _LAST_MOMENT))
        values = data.column(place)
        outside = pc.or_(pc.less(values, first), pc.greater(values, last))
        if count := pc.sum(outside).as_py() or 0:
            later = pc.if_else(pc.less(values, first), first, values)
            data = data.set_column(place, column, pc.if_else(pc.greater(later, last), last, later))
            told.append(f"{column.name}: {count} datetimes beyond the years 1 to 9999 by UTC are set to the nearest.")
    return data, told


def _pandas(data: pa.Table, attrs: Mapping[str, Any]) -> Any:
    import pandas as pd

    text = pd.StringDtype(na_value=float("nan")) if _DTYPES[TEXT] == "str" else pd.StringDtype()
    dtypes = {INTEGER: pd.Int64Dtype(), NUMBER: pd.Float64Dtype(), BOOL: pd.BooleanDtype(), TEXT: text}
    lists = [name for name, type_ in zip(data.schema.names, data.schema.types, strict=True) if type_ == LIST]
    frame = data.drop_columns(lists).to_pandas(types_mapper=dtypes.get)
    for name in lists:
        values = pd.Series(data.column(name).to_pylist(), index=frame.index, dtype=object)
        frame.insert(data.schema.get_field_index(name), name, values)
    frame.attrs = dict(attrs)
    return frame


def _polars(data: pa.Table, warnings_in_attrs: Iterable[str]) -> Any:
    try:
        import polars
    except ModuleNotFoundError:
        missing = True
    else:
        missing = False
    if missing:
        raise ApiError("--frame polars needs polars.", hint="Run: %pip install polars")
    for text in warnings_in_attrs:  # a polars frame has no place for them
        warn(text, UserWarning, stacklevel=2)
    return polars.from_arrow(data)
