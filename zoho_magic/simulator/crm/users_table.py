"""Users as a table beside the modules, for `from users` and for `Owner.last_name`, `Owner.role.name` and the like."""

# ruff: noqa: S608 - names in SQL come from this file
from __future__ import annotations

from collections.abc import Iterable

from .demo import User
from .demo.org_structure import PROFILES, ROLES
from .schema import Field, Module
from .store import Store, quoted

__all__ = ["NAMELESS", "USERS", "add_users"]

TEXTS = ("first_name", "last_name", "full_name", "email", "zuid", "status", "time_zone", "locale", "role.name",
         "role.reporting_to", "role.description", "profile.name", "profile.description", "profile.created_by",
         "profile.modified_by", "profile.created_time", "profile.modified_time")  # fmt: skip
IDS = ("role.id", "profile.id")
NAMES = ("first_name", "last_name", "full_name")
NAMELESS = "Users without names of the inactive"
USERS = Module(
    "Users", "User", display="full_name", scope="users", fields=(
        Field("id", "bigint"), *(Field(name, "bigint") for name in IDS), *(Field(name, "text") for name in TEXTS),
        Field("role.share_data_with_peers", "boolean"),
    ),
)  # fmt: skip


def add_users(store: Store, people: Iterable[User]) -> None:
    """Make the table and fill it, and a view of it in which users who are not active have no names."""
    names = [each.name for each in USERS.fields]
    columns = ", ".join(f"{quoted(name)} {'TEXT' if name in TEXTS else 'INTEGER'}" for name in names[1:])
    store.write(f"CREATE TABLE Users (id INTEGER PRIMARY KEY, {columns})")
    marks = ", ".join("?" * len(names))
    rows = (_row(person) for person in people)
    store.write_many(f"INSERT INTO Users VALUES ({marks})", [tuple(row.get(name) for name in names) for row in rows])
    shown = (f"iif(status = 'active', {name}, NULL) AS {name}" if name in NAMES else quoted(name) for name in names)
    store.write(f"CREATE VIEW {quoted(NAMELESS)} AS SELECT {', '.join(shown)} FROM Users")


def _row(person: User) -> dict[str, int | str | None]:
    role, profile = ROLES[person.role], PROFILES[person.profile]
    return {
        "id": person.id, "first_name": person.first_name, "last_name": person.last_name,
        "full_name": person.full_name, "email": person.email, "zuid": person.zuid, "status": person.status,
        "time_zone": person.time_zone, "locale": person.locale,
        "role.id": role.id, "role.name": role.name, "role.reporting_to": role.reporting_to,
        "role.description": role.description, "role.share_data_with_peers": int(role.share_data_with_peers),
        "profile.id": profile.id, "profile.name": profile.name, "profile.description": profile.description,
    }  # fmt: skip
