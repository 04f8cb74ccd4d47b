"""What has changed, into the table.

Temporary tables hold it: `changed_` whole rows, `gone_` ids, `fresh_` single columns. Everything
runs in the one transaction of a run. With history, a version of a row that is no longer true stays, with
`valid_to`; the rows without `valid_to` are the current ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .copy import HISTORY_COLUMNS, Copy
from .duckdb_file import quote

__all__ = ["Counts", "current", "merge", "name_users", "take_fresh_columns"]


@dataclass(frozen=True)
class Counts:
    """Rows added, changed and deleted."""

    added: int = 0
    changed: int = 0
    deleted: int = 0


def current(copy: Copy, history: bool) -> str:
    """For SQL: the rows that are true now."""
    return f"(SELECT * FROM {copy.name} WHERE valid_to IS NULL)" if history else copy.name


def merge(copy: Copy, columns: Sequence[str], *, history: bool, moment: str) -> Counts:
    """Take over `changed_` and `gone_`.

    Args:
        copy: the copy.
        columns: of the fields the module has now; `changed_` has them all.
        history: whether versions are kept.
        moment: ISO 8601: from when the new versions are true.
    """
    differs = f"{_row('c', columns)} IS DISTINCT FROM {_row('t', columns)}"
    both = f"changed_ c JOIN {current(copy, history)} t ON c.id = t.id"
    copy.run(f"CREATE OR REPLACE TEMP TABLE differing_ AS SELECT c.id FROM {both} WHERE {differs}")
    fresh = f"SELECT c.id FROM changed_ c ANTI JOIN {current(copy, history)} t ON c.id = t.id"
    copy.run(f"CREATE OR REPLACE TEMP TABLE new_ AS {fresh}")
    lost = f"SELECT t.id FROM {current(copy, history)} t SEMI JOIN gone_ g ON g.id = t.id"
    counts = Counts(
        copy.value("SELECT count(*) FROM new_"),
        copy.value("SELECT count(*) FROM differing_"),
        copy.value(f"SELECT count(*) FROM ({lost})"),
    )
    (_merge_versions if history else _merge_rows)(copy, columns, moment)
    return counts


def _merge_rows(copy: Copy, columns: Sequence[str], _moment: str) -> None:
    names = ", ".join(map(quote, columns))
    values = ", ".join(f"c.{quote(name)}" for name in columns)
    pairs = ", ".join(f"{quote(name)} = c.{quote(name)}" for name in columns if name != "id")
    # A MERGE without a primary key: with one, DuckDB's file is twice as large.
    update = f"WHEN MATCHED THEN UPDATE SET {pairs}" if pairs else ""
    copy.run(
        f"MERGE INTO {copy.name} AS t USING (SELECT * FROM changed_ WHERE id IN (SELECT id FROM differing_) "
        f"OR id IN (SELECT id FROM new_)) AS c ON t.id = c.id {update} "
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
    )
    copy.run(f"DELETE FROM {copy.name} WHERE id IN (SELECT id FROM gone_)")


def _merge_versions(copy: Copy, columns: Sequence[str], moment: str) -> None:
    kept = [name for name in _columns(copy) if name not in columns and name not in HISTORY_COLUMNS]
    names = ", ".join(map(quote, [*columns, *kept, *HISTORY_COLUMNS]))
    values = ", ".join([*(f"c.{quote(name)}" for name in columns), *(f"t.{quote(name)}" for name in kept)])
    copy.run(
        f"CREATE OR REPLACE TEMP TABLE versions_ AS SELECT {values}, CAST(? AS TIMESTAMPTZ) AS valid_from, "
        f"CAST(NULL AS TIMESTAMPTZ) AS valid_to FROM changed_ c LEFT JOIN {current(copy, True)} t ON c.id = t.id "
        "WHERE c.id IN (SELECT id FROM differing_) OR c.id IN (SELECT id FROM new_)",
        moment,
    )
    copy.run(
        f"UPDATE {copy.name} SET valid_to = CAST(? AS TIMESTAMPTZ) WHERE valid_to IS NULL "
        "AND (id IN (SELECT id FROM differing_) OR id IN (SELECT id FROM gone_))",
        moment,
    )
    copy.run(f"INSERT INTO {copy.name} ({names}) SELECT * FROM versions_")


def _columns(copy: Copy) -> list[str]:
    return [row[0] for row in copy.run(f"DESCRIBE {copy.name}")]


def take_fresh_columns(copy: Copy, columns: Sequence[str], fresh: Sequence[str], *, history: bool) -> None:
    """Add the rows whose columns in `fresh_` differ to `changed_`, unless they are in it or gone."""
    values = ", ".join(f"{'f' if name in fresh else 't'}.{quote(name)}" for name in columns)
    names = ", ".join(map(quote, columns))
    copy.run(
        f"INSERT INTO changed_ ({names}) SELECT {values} FROM {current(copy, history)} t JOIN fresh_ f ON f.id = t.id "
        f"WHERE {_row('t', fresh)} IS DISTINCT FROM {_row('f', fresh)} "
        "AND t.id NOT IN (SELECT id FROM changed_) AND t.id NOT IN (SELECT id FROM gone_)"
    )


def name_users(copy: Copy, fields: Sequence[str], *, history: bool) -> None:
    """Names and addresses of `users_` (id, name, email) into every row that names one of them otherwise."""
    valid = "AND t.valid_to IS NULL" if history else ""
    for field in fields:
        name, email, key = quote(field), quote(f"{field}.email"), quote(f"{field}.id")
        new_name, new_email = f"coalesce(u.name, t.{name})", f"coalesce(u.email, t.{email})"
        copy.run(
            f"UPDATE {copy.name} AS t SET {name} = {new_name}, {email} = {new_email} "
            f"FROM users_ u WHERE t.{key} = u.id AND row(t.{name}, t.{email}) "
            f"IS DISTINCT FROM row({new_name}, {new_email}) {valid}"
        )


def _row(alias: str, columns: Sequence[str]) -> str:
    return f"row({', '.join(f'{alias}.{quote(name)}' for name in columns)})"
