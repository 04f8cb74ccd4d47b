"""A copy compared with a fresh pull."""

from __future__ import annotations

import warnings
from typing import Any

import duckdb
import pyarrow as pa

from zoho_magic.session import ZohoSession

TARGETS = ("crm.duckdb::leads", "leads.parquet")


def copy_of(to: str, *, history: bool = False) -> pa.Table:
    """The rows of a copy, newest first."""
    path, _, table = to.partition("::")
    with duckdb.connect(":memory:" if not table else path) as database, warnings.catch_warnings():
        database.execute("SET TimeZone = 'UTC'")
        source = f'"{table}"' if table else f"'{path}'"
        where = "" if history else "WHERE valid_to IS NULL" if _has_history(database, source) else ""
        order = "ORDER BY CAST(id AS BIGINT) DESC"
        return pa.RecordBatchReader.from_stream(database.sql(f"SELECT * FROM {source} {where} {order}")).read_all()


def _has_history(database: Any, source: str) -> bool:
    return any(row[0] == "valid_to" for row in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())


def differences(zoho: ZohoSession, to: str, module: str = "Leads", **asked: Any) -> list[Any]:
    """What a copy and a fresh pull do not have in common; [] where they are equal in every column."""
    converted = {"converted": "both"} if module == "Leads" else {}
    fresh = zoho.pull(module, frame="arrow", **{"via": "coql", **converted, **asked})
    found = copy_of(to)
    missing = [name for name in fresh.schema.names if name not in found.schema.names]
    if missing:
        return missing
    columns = fresh.schema.names
    one = {row["id"]: row for row in found.select(columns).cast(fresh.schema).to_pylist()}
    other = {row["id"]: row for row in fresh.to_pylist()}
    assert len(one) == len(found), "an id stands twice"
    return [
        (key, name, (one.get(key) or {}).get(name), (other.get(key) or {}).get(name))
        for key in sorted(one.keys() | other.keys())
        for name in columns
        if (one.get(key) or {}).get(name) != (other.get(key) or {}).get(name)
    ][:5]
