"""The org itself: everything the CRM's endpoints share."""

# ruff: noqa: S608 - names in SQL come from the schema, values are bound
from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import Clock
from ..options import Options
from . import datetimes
from .attachment_store import Attachments
from .bulk.jobs import JobQueue
from .demo import PEOPLE, User, demo_schema, fill
from .demo.files import FILES
from .limits import Limits
from .recycle_bin import DeletedRecord, RecycleBin
from .response_cache import ResponseCache
from .schema import Field, Module
from .serialization import UserView, output_column, serialize_rows
from .store import Store, quoted
from .tokens import PageTokens
from .users_table import add_users

__all__ = ["Crm"]


class Crm:
    """One org with `rows` leads and what goes with them.

    `rows("Leads")` and `count("Leads")` say what the tables really hold, whatever the API shows of it; `triggered`
    lists (module, id, automations) for every record written.
    """

    def __init__(
        self, clock: Clock | None = None, rows: int = 2000, seed: int = 7, options: Options | None = None
    ) -> None:
        self.clock = clock or Clock()
        self.options = options or Options()
        self.schema = demo_schema()
        self.store = Store(self.schema)
        fill(self.store, rows, seed)
        self.users = {person.id: person for person in (self._signed_in(), *PEOPLE[1:])}
        add_users(self.store, self.users.values())
        self.response_cache = ResponseCache(self.store)
        self.tokens = PageTokens(self.clock)
        self.reads = JobQueue(self.clock, 554023000000568002)
        self.writes = JobQueue(self.clock, 554023000000668002)
        self.uploads: dict[str, Any] = {}
        self.bulk_tokens: dict[str, Any] = {}
        self.bulk_tokens_of: dict[int, str] = {}
        self.downloads: deque[float] = deque()
        self.recycle_bin = RecycleBin(self.options)
        self.attachments = Attachments()
        self.files: dict[str, tuple[str, bytes]] = {}
        self.tags: dict[str, set[str]] = {}
        self.triggered: list[tuple[str, str, tuple[str, ...]]] = []
        self._numbers: dict[int, count[int]] = {}
        self._add_old_deletions()
        self._attach_files()
        self.limits = Limits(self.clock, self.options, len(self.active_users()))

    def close(self) -> None:
        """Wait for jobs under way and give the memory back."""
        self.reads.wait()
        self.writes.wait()
        self.store.close()

    def active_users(self) -> list[User]:
        """Users who can sign in and own records."""
        return [person for person in self.users.values() if person.status == "active"]

    def user(self, zuid: str) -> User:
        """The user with this ZUID; a stranger is taken for the administrator."""
        return next((person for person in self.users.values() if person.zuid == zuid), self.users[PEOPLE[0].id])

    def view(self, user: User, coql: bool = False) -> UserView:
        """How this user sees values."""
        return UserView(ZoneInfo(user.time_zone), self.users, self.options, coql)

    def now(self) -> int:
        """Whole seconds since 1970 on the simulator's clock."""
        return int(self.clock.time())

    def moment(self, seconds: float, user: User) -> str:
        """A datetime as this user sees it."""
        return datetimes.render(int(seconds), ZoneInfo(user.time_zone))

    def count(self, module: str) -> int:
        """How many records the module holds, converted leads included."""
        return self.store.count(self.schema[module])

    def rows(self, module: str) -> list[dict[str, Any]]:
        """Every record of the module as the API shows it to the administrator, oldest first."""
        found = self.schema[module]
        return self.read(found, "1 ORDER BY t.id", (), self.view(self.users[PEOPLE[0].id]))

    def read(self, module: Module, where: str, values: tuple[Any, ...], view: UserView) -> list[dict[str, Any]]:
        """The records that fit an SQL condition, every stored field of them."""
        outputs = [output_column(self.schema, each) for each in module.stored]
        columns = ", ".join(part for each in outputs for part in each.sql)
        rows = self.store.read(f"SELECT {columns} FROM {quoted(module.name)} AS t WHERE {where}", values)
        return serialize_rows(outputs, rows, view)

    def next_number(self, module: Module, field: Field) -> str:
        """The next running number of an autonumber field."""
        if field.id not in self._numbers:
            self._numbers[field.id] = count(self.count(module.name) + 1)
        return f"{field.prefix}{next(self._numbers[field.id]):06d}"

    def _add_old_deletions(self) -> None:
        """A few leads were deleted before our time: some still in the recycle bin, some gone for good."""
        leads = self.schema["Leads"]
        for number, days in enumerate((3, 17, 45, 70, 100)):
            name = f"Duplicate {number + 1}"
            gone = DeletedRecord(
                leads.first_id - 37 * (number + 1), name, PEOPLE[1].id, PEOPLE[0].id, self.now() - days * 86_400
            )
            self.recycle_bin.put(leads, gone)

    def _attach_files(self) -> None:
        for name, place, file_name, data in FILES:
            ids = self.store.read(f"SELECT id, Owner FROM {quoted(name)} ORDER BY id LIMIT 1 OFFSET {place}")
            for key, owner in ids:
                self.attachments.add(name, key, file_name, data, owner, self.now())

    def _signed_in(self) -> User:
        chosen = self.options
        if any(person.zuid == chosen.zuid for person in PEOPLE[1:]):
            return PEOPLE[0]
        return replace(
            PEOPLE[0], zuid=chosen.zuid, first_name=chosen.first_name, last_name=chosen.last_name, email=chosen.email
        )
