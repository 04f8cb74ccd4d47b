"""What differs between two frames or copies of the same records."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import QueryError
from .duckdb_file import connect, quote
from .target import parse_target

if TYPE_CHECKING:
    import pandas

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """What differs between an older and a newer state of the same records.

    Attributes:
        added: rows of the newer one that the older one lacks.
        removed: rows of the older one that the newer one lacks.
        changed: one row a changed value: id, field (the column), old, new.
        updates: one row a changed record: id and the writable columns in which any record differs, with the newer
            values. It goes into `push(module, comparison.updates, "update", clear_empty=True)` as it is.
        notes: columns that only one of them has.

    Example::

        found = zoho.compare("leads-monday.parquet", "leads.parquet", module="Leads")
        found.changed[["id", "field", "old", "new"]]
    """

    added: pandas.DataFrame
    removed: pandas.DataFrame
    changed: pandas.DataFrame
    updates: pandas.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows it."""
        fields = self.changed["field"].value_counts()
        named = ", ".join(f"{name} {count:,}" for name, count in fields.head(8).items())
        return {
            "Added": f"{len(self.added):,} rows",
            "Removed": f"{len(self.removed):,} rows",
            "Changed": f"{self.changed['id'].nunique():,} rows, {len(self.changed):,} values: {named}".rstrip(": "),
            "Notes": " ".join(self.notes),
        }

    def __str__(self) -> str:
        return "\n".join(f"{label + ':':10}{text}" for label, text in self.details.items() if text)

    __repr__ = __str__


def compare(old: Any, new: Any, *, read_only: Collection[str] = ()) -> Comparison:
    """The differences, by the column `id`; see `ZohoSession.compare`.

    Args:
        old, new: frames, or where copies lie.
        read_only: columns that cannot be written.
    """
    before, after = _table(old), _table(new)
    common = [name for name in after.schema.names if name in before.schema.names and name != "id"]
    notes = [_only("older", before, after), _only("newer", after, before)]
    place = pc.index_in(after.column("id"), before.column("id").combine_chunks())
    kept = after.filter(pc.is_valid(place))
    matching = before.take(place.filter(pc.is_valid(place)))
    differs = {name: _differs(matching.column(name), kept.column(name)) for name in common}
    return Comparison(
        added=_pandas(after.filter(pc.is_null(place))),
        removed=_pandas(before.filter(pc.invert(pc.is_in(before.column("id"), after.column("id").combine_chunks())))),
        changed=_changed(matching, kept, differs),
        updates=_updates(kept, differs, read_only),
        notes=tuple(note for note in notes if note),
    )


def _table(data: Any) -> pa.Table:
    found = _rows_of(data)
    if "id" not in found.schema.names:
        raise QueryError("compare needs a column id in both.", hint="Pull both with their ids.")
    ids = found.column("id").cast(pa.string())
    if len(ids.unique()) != len(ids):
        raise QueryError("An id stands twice.", hint="Compare current rows only: of a history, those without valid_to.")
    return found.set_column(found.schema.get_field_index("id"), "id", ids)


def _rows_of(data: Any) -> pa.Table:
    if isinstance(data, (str, os.PathLike)):
        return _copy(data)
    if isinstance(data, pa.Table):
        return data
    if type(data).__module__.partition(".")[0] == "polars":
        return (data.collect() if hasattr(data, "collect") else data).to_arrow()
    return pa.Table.from_pandas(data, preserve_index=False)


def _copy(place: str | os.PathLike[str]) -> pa.Table:
    target = parse_target(place)
    if target.format == "duckdb":
        with connect(target.path, read_only=True) as database:
            columns = {row[0] for row in database.execute(f"DESCRIBE {quote(target.table)}").fetchall()}
            where = " WHERE valid_to IS NULL" if "valid_to" in columns else ""
            rows = database.sql(f"SELECT * FROM {quote(target.table)}{where}")
            return pa.RecordBatchReader.from_stream(rows).read_all()
    if target.format not in ("parquet", "folder"):
        raise QueryError(
            f"{target.text!r} cannot be compared.", hint="Use FILE.parquet, FOLDER/ or FILE.duckdb::TABLE."
        )
    import pyarrow.dataset as pa_dataset

    rows = pa_dataset.dataset(target.path, format="parquet").to_table()
    return rows.filter(pc.is_null(rows.column("valid_to"))) if "valid_to" in rows.schema.names else rows


def _only(which: str, one: pa.Table, other: pa.Table) -> str:
    names = [name for name in one.schema.names if name not in other.schema.names]
    return f"Only the {which} one has {', '.join(names)}." if names else ""


def _differs(old: pa.ChunkedArray, new: pa.ChunkedArray) -> pa.ChunkedArray:
    one, other = _comparable(old), _comparable(new)
    if one.type != other.type:
        one, other = _as_text(one), _as_text(other)
    both = pc.fill_null(pc.not_equal(one, other), False)
    return pc.or_(both, pc.xor(pc.is_null(one), pc.is_null(other)))


def _comparable(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(values.type):
        texts = [None if value is None else json.dumps(value, default=str) for value in values.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.large_string())])
    if pa.types.is_string(values.type) or pa.types.is_dictionary(values.type):
        return values.cast(pa.large_string())
    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us", values.type.tz and "UTC"))
    return values


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    numbers = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    return (values.cast(pa.float64()) if numbers else values).cast(pa.large_string())


def _changed(old: pa.Table, new: pa.Table, differs: dict[str, pa.ChunkedArray]) -> pandas.DataFrame:
    import pandas as pd

    parts = []
    for name, mask in differs.items():
        ids = new.column("id").filter(mask).to_pylist()
        values = old.column(name).filter(mask).to_pylist(), new.column(name).filter(mask).to_pylist()
        parts += [(key, name, was, now) for key, was, now in zip(ids, *values, strict=True)]
    return pd.DataFrame(parts, columns=["id", "field", "old", "new"]).astype({"old": object, "new": object})


def _updates(new: pa.Table, differs: dict[str, pa.ChunkedArray], read_only: Collection[str]) -> pandas.DataFrame:
    columns = [name for name, mask in differs.items() if name not in read_only and pc.any(mask).as_py()]
    chosen = new.select(["id", *columns])
    mask = pa.chunked_array([pa.array([False] * len(new))])
    for name in columns:
        mask = pc.or_(mask, differs[name])
    return _pandas(chosen.filter(mask))


def _pandas(rows: pa.Table) -> pandas.DataFrame:
    from ..crm.read.arrow import to_backend

    found: pandas.DataFrame = to_backend(_plain(rows), "pandas", {})
    return found


def _plain(rows: pa.Table) -> pa.Table:
    types = [pa.string() if pa.types.is_large_string(each.type) else each.type for each in rows.schema]
    return rows.cast(pa.schema(list(zip(rows.schema.names, types, strict=True))))
