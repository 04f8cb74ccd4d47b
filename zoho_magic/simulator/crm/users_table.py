"""Users as a table beside the modules, for `Owner.last_name` and the like."""

# ruff: noqa: S608 - names in SQL come from this file
from __future__ import annotations

from collections.abc import Iterable

from .demo import User
from .schema import Field, Module
from .store import Store, quoted

__all__ = ["USERS", "add_users"]

NAMES = ("first_name", "last_name", "full_name", "email", "zuid", "status", "time_zone", "locale", "role.name",
         "profile.name")  # fmt: skip
USERS = Module(
    "Users", "User", display="full_name", fields=(Field("id", "bigint"), *(Field(name, "text") for name in NAMES))
)  # fmt: skip


def add_users(store: Store, people: Iterable[User]) -> None:
    """Make the table and fill it."""
    columns = ", ".join(f"{quoted(name)} TEXT" for name in NAMES)
    store.write(f"CREATE TABLE Users (id INTEGER PRIMARY KEY, {columns})")
    marks = ", ".join("?" * (len(NAMES) + 1))
    store.write_many(f"INSERT INTO Users VALUES ({marks})", [_row(person) for person in people])


def _row(person: User) -> tuple[int | str, ...]:
    return (person.id, person.first_name, person.last_name, person.full_name, person.email, person.zuid,
            person.status, person.time_zone, person.locale, person.role, person.profile)  # fmt: skip
