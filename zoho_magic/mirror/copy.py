"""A synchronised copy: a table of a DuckDB file, or a Parquet file that is loaded into one and written anew."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..errors import ConfigurationError
from .duckdb_file import connect, quote
from .files import new_file
from .state import FOOTER_KEY, STATE_TABLE, SyncState, has_footer, read_footer
from .target import Target
from .writers import GROUP_ROWS, in_groups

__all__ = ["HISTORY_COLUMNS", "TYPES", "Copy", "check_replaceable", "is_mirror", "open_copy"]

TYPES = {
    "string": (pa.string(), "VARCHAR"),
    "int64": (pa.int64(), "BIGINT"),
    "double": (pa.float64(), "DOUBLE"),
    "bool": (pa.bool_(), "BOOLEAN"),
    "timestamp[us]": (pa.timestamp("us"), "TIMESTAMP"),
    "timestamp[us, tz=UTC]": (pa.timestamp("us", "UTC"), "TIMESTAMPTZ"),
    str(pa.list_(pa.string())): (pa.list_(pa.string()), "VARCHAR[]"),
}
"""Arrow type as text -> the type, and DuckDB's."""
HISTORY_COLUMNS = ("valid_from", "valid_to")


@dataclass
class Copy:
    """One table and its state in an open database.

    Attributes:
        database: the DuckDB connection.
        table: the table's name.
    """

    database: Any
    table: str

    @property
    def name(self) -> str:
        """The table's name for SQL."""
        return quote(self.table)

    @property
    def stage(self) -> str:
        """For SQL: the table that a first read fills."""
        return quote(f"_zoho_stage_{self.table.lower()}")

    def run(self, sql: str, *values: Any) -> list[Any]:
        """The rows of a statement."""
        found: list[Any] = self.database.execute(sql, list(values)).fetchall()
        return found

    def value(self, sql: str, *values: Any) -> Any:
        """The one value of a statement."""
        return self.run(sql, *values)[0][0]

    def exists(self, table: str | None = None) -> bool:
        """Whether there is a table of that name."""
        wanted = "SELECT count(*) FROM information_schema.tables WHERE lower(table_name) = lower(?)"
        return bool(self.value(wanted, table or self.table))

    def load_state(self) -> SyncState | None:
        """What the copy is of; None for a copy that does not exist. Raises ConfigurationError."""
        found = self.state_text()
        return None if found is None else SyncState.from_json(found)

    def state_text(self) -> str | None:
        """The state as it is stored, in whatever version."""
        if not self.exists(STATE_TABLE):
            return None
        found = self.run(f"SELECT state FROM {STATE_TABLE} WHERE lower(table_name) = lower(?)", self.table)
        return str(found[0][0]) if found else None

    def save_state(self, state: SyncState) -> None:
        """Remember it; part of the transaction that is open."""
        self.run(f"CREATE TABLE IF NOT EXISTS {STATE_TABLE} (table_name VARCHAR, state VARCHAR)")
        self.run(f"DELETE FROM {STATE_TABLE} WHERE lower(table_name) = lower(?)", self.table)
        self.run(f"INSERT INTO {STATE_TABLE} VALUES (?, ?)", self.table, state.to_json())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        self.database.begin()
        try:
            yield
        except BaseException:
            self.database.rollback()
            raise
        self.database.commit()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table (its name for SQL)."""
        names = ", ".join(map(quote, rows.schema.names))
        self.database.register("arriving_", rows)
        try:
            self.run(f"INSERT INTO {table} ({names}) SELECT {names} FROM arriving_")
        finally:
            self.database.unregister("arriving_")

    def create(self, table: str, schema: pa.Schema, *, temporary: bool = False) -> None:
        """An empty table (its name for SQL) in place of what is there."""
        columns = ", ".join(f"{quote(column.name)} {TYPES[str(column.type)][1]}" for column in schema)
        self.run(f"CREATE OR REPLACE {'TEMP ' * temporary}TABLE {table} ({columns})")

    def fill(self, table: str, schema: pa.Schema, arriving: Iterable[pa.Table]) -> None:
        """A temporary table of these rows in place of what is there."""
        self.create(table, schema, temporary=True)
        for rows in arriving:
            self.insert(table, rows)


@contextlib.contextmanager
def open_copy(target: Target, *, full: bool) -> Iterator[Copy]:
    """The copy, open for one writer; a Parquet file is written when the block ends without an error.

    Args:
        target: a table of a DuckDB file, or a Parquet file.
        full: whether what is there may be replaced.

    Raises:
        ConfigurationError: another process has it open, or it was not made by `sync`.
        MissingDependency: duckdb is not installed.
    """
    if target.format == "duckdb":
        with connect(target.path) as database:
            copy = Copy(database, target.table)
            _check_ours(copy.exists() and copy.load_state() is None and not full, target)
            yield copy
        return
    side = target.path.absolute().with_name(f".{target.path.name}.sync")
    try:
        with connect(side) as database:
            copy = Copy(database, "records")
            _load(copy, target, full)
            yield copy
            _write(copy, target)
            is_staged = False
    except BaseException:
        is_staged = _has_stage(side)
        raise
    finally:
        if not is_staged:
            for name in (side, side.with_name(side.name + ".wal")):
                name.unlink(missing_ok=True)


def is_mirror(target: Target) -> bool:
    """Whether a file or table is kept current by `sync`."""
    if target.is_remote or not target.path.exists():
        return False
    if target.format == "duckdb":
        with connect(target.path) as database:
            return Copy(database, target.table).state_text() is not None
    return target.format == "parquet" and has_footer(target.path)


def _check_ours(is_strange: bool, target: Target) -> None:
    if is_strange:
        raise ConfigurationError(
            f"{target.text} was not made by sync; it is not replaced.",
            hint="Name another target, or replace it with full=True (--full).",
        )


def check_replaceable(state: SyncState) -> None:
    """Raise ConfigurationError for a copy with a history, which a new copy would not have."""
    if state.history:
        raise ConfigurationError("full=True would delete the history.", hint="Name another target.")


def _load(copy: Copy, target: Target, full: bool) -> None:
    """The rows and the state of the Parquet file; of what an earlier run left, only a first read under way is kept."""
    path = target.path.absolute()
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):  # of a process that was killed while it wrote
        leftover.unlink()
    state = read_footer(path)[0] if path.exists() else None
    if full and state is not None:
        check_replaceable(state)
    if full or not path.exists():
        return
    _check_ours(state is None, target)
    assert state is not None
    with copy.transaction():
        copy.run(f"DROP TABLE IF EXISTS {copy.stage}")
        copy.run(f"DROP TABLE IF EXISTS {copy.name}")
        copy.run(f"CREATE TABLE {copy.name} AS SELECT * FROM read_parquet(?)", str(path))
        copy.save_state(state)


def _write(copy: Copy, target: Target) -> None:
    import pyarrow.parquet as pq

    state = copy.load_state()
    assert state is not None
    pairs = [pair for field in state.fields for pair in zip(field.columns, field.types, strict=True)]
    pairs += [(name, "timestamp[us, tz=UTC]") for name in HISTORY_COLUMNS if state.history]
    schema = pa.schema([(name, TYPES[type_][0]) for name, type_ in pairs])
    names = ", ".join(quote(name) for name, _ in pairs)
    rows = copy.database.sql(f"SELECT {names} FROM {copy.name} ORDER BY CAST(id AS BIGINT)")
    with new_file(target) as path, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        batches = pa.RecordBatchReader.from_stream(rows)
        for group in in_groups((pa.Table.from_batches([batch]) for batch in batches), GROUP_ROWS):
            writer.write_table(group.cast(schema), row_group_size=GROUP_ROWS)
        writer.add_key_value_metadata({FOOTER_KEY: state.to_json()})


def _has_stage(side: Path) -> bool:
    with contextlib.suppress(ConfigurationError), connect(side) as database:
        state = Copy(database, "records").load_state()
        return state is not None and bool(state.stage)
    return False
