"""The org's records: one SQLite table a module, in memory, with typed columns.

How values lie in the columns: ids and lookups are integers, datetimes whole seconds since 1970 in UTC, dates ISO
text, booleans 0 and 1, several values (multi-select picklists, tags) text joined by `MANY`, files JSON text. A
formula is a generated column, so it is always right and never touches Modified_Time.
"""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from .schema import Field, Module, Rollup, Schema

__all__ = ["MANY", "STEP", "Store", "columns_of", "module_column", "quoted"]

MANY = "\x1f"
STEP = 37  # between two record ids
COLUMN_TYPES = {
    "boolean": "INTEGER", "integer": "INTEGER", "bigint": "INTEGER", "double": "REAL", "currency": "REAL",
    "percent": "REAL", "datetime": "INTEGER", "lookup": "INTEGER", "ownerlookup": "INTEGER",
    "userlookup": "INTEGER", "multi_module_lookup": "INTEGER",
}  # fmt: skip
Row = tuple[Any, ...]


def quoted(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def module_column(each: Field) -> str:
    """The column beside a multi-module lookup that says which module its id belongs to."""
    return f"{each.name}$module"


class Store:
    """The tables. Every statement goes through `read` or `write`, one at a time.

    `version` grows with every write: what was prepared from an older version is stale.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.version = 0
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA cache_size=-200000; PRAGMA temp_store=MEMORY;")
        self._connection.create_function("casefold", 1, _casefold, deterministic=True)
        self._next_id: dict[str, count[int]] = {}
        for module in schema.rows():
            self._create(module)

    def close(self) -> None:
        """Give the memory back; nothing can be read afterwards."""
        with self.lock:
            self._connection.close()

    def __del__(self) -> None:
        """Close what was not closed: an open connection is a ResourceWarning from Python 3.13 on."""
        if hasattr(self, "_connection"):
            self._connection.close()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a SELECT."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def write(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one INSERT, UPDATE or DELETE; the number of rows it touched."""
        with self.lock:
            self.version += 1
            return self._connection.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows, all or none."""
        with self.lock:
            self.version += 1
            self._connection.execute("BEGIN")
            self._connection.executemany(sql, rows)
            self._connection.execute("COMMIT")

    def fill(self, module: Module, columns: dict[str, Sequence[Any]]) -> None:
        """Put whole columns (API or column name to values, all of one length) into an empty table."""
        names = ", ".join(quoted(name) for name in columns)
        marks = ", ".join("?" * len(columns))
        self.write_many(
            f"INSERT INTO {quoted(module.name)} ({names}) VALUES ({marks})",
            zip(*columns.values(), strict=True),
        )

    def index(self) -> None:
        """Add what makes ordered windows and look-ups quick; done once the demo rows are in."""
        with self.lock:
            for module in self.schema.rows():
                self._index(module)
            self._connection.execute("ANALYZE")

    def ids(self, module: Module, amount: int) -> list[int]:
        """The first `amount` record ids of a module that is being filled."""
        return [module.first_id + STEP * place for place in range(amount)]

    def new_id(self, module: Module) -> int:
        """An id no record of this module has or ever had."""
        with self.lock:
            if module.name not in self._next_id:
                [(last,)] = self.read(f"SELECT max(id) FROM {quoted(module.name)}")
                self._next_id[module.name] = count((last or module.first_id) + STEP, STEP)
            return next(self._next_id[module.name])

    def count(self, module: Module, where: str = "1", values: Sequence[Any] = ()) -> int:
        """How many rows there are."""
        [(amount,)] = self.read(f"SELECT count(*) FROM {quoted(module.name)} WHERE {where}", values)
        return int(amount)

    def refresh_rollups(self, parent: Module, ids: Iterable[int] | None = None) -> None:
        """Recompute the parent's roll-up fields, for some of its rows or all of them."""
        some = f" WHERE id IN ({', '.join(str(int(each)) for each in ids)})" if ids is not None else ""
        for each in parent.fields:
            if each.rollup:
                self.write(
                    f"UPDATE {quoted(parent.name)} SET {quoted(each.name)} = {_rollup(parent, each.rollup)}{some}"
                )

    def _create(self, module: Module) -> None:
        columns = ", ".join(part for each in module.stored for part in columns_of(each))
        self._connection.execute(f"CREATE TABLE {quoted(module.name)} ({columns})")

    def _index(self, module: Module) -> None:
        table = quoted(module.name)
        narrow = [("id",)] + [(name, "id") for name in ("Modified_Time", "Created_Time") if name in module]
        narrow += [(each.name,) for each in module.fields if each.unique or each.name == module.upsert_on]
        narrow += [(each.name,) for each in module.fields if each.kind == "lookup"]
        if "Converted__s" in module:
            narrow.append(("Converted__s", "id"))
        for names in narrow:
            label, columns = quoted(f"{module.name} by {names[0]}"), ", ".join(quoted(name) for name in names)
            self._connection.execute(f"CREATE INDEX IF NOT EXISTS {label} ON {table} ({columns})")
        for each in module.fields:
            if each.unique or each.name == module.upsert_on:
                label = quoted(f"{module.name} by any {each.name}")
                self._connection.execute(f"CREATE INDEX {label} ON {table} ({quoted(each.name)} COLLATE NOCASE)")


def columns_of(each: Field) -> list[str]:
    """The columns of a field as CREATE TABLE takes them."""
    if each.name == "id":
        return ["id INTEGER PRIMARY KEY"]
    kind = COLUMN_TYPES.get(each.value_type, "TEXT")
    made = f" GENERATED ALWAYS AS ({each.formula}) VIRTUAL" if each.formula else ""
    main = f"{quoted(each.name)} {kind}{made}"
    return [main, f"{quoted(module_column(each))} TEXT"] if each.kind == "multi_module_lookup" else [main]


def _rollup(parent: Module, rollup: Rollup) -> str:
    child, via, here = quoted(rollup.child), quoted(rollup.via), quoted(parent.name)
    return f"(SELECT {rollup.aggregate} FROM {child} AS c WHERE c.{via} = {here}.id AND {rollup.where})"


def _casefold(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text
