"""A Zoho to push to, a session on it, and pauses as good as none, for the tests of pushing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest

from tests.support.pull_env import no_pauses
from zoho_magic.config.credentials import Credentials
from zoho_magic.crm.write import bulk_write, push_state
from zoho_magic.secret import Secret
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Options, Simulator

ROUTES = ("records", "bulk")
WRITES = r"/crm/v8/(Leads|Projects|Deals|Contacts|Accounts|Tasks)(/upsert)?|/crm/v8/upload|/crm/bulk/v8/write"


@contextmanager
def world(rows: int = 12, scopes: Sequence[str] | None = None, **options: Any) -> Iterator[tuple[Simulator, Any]]:
    """A Zoho whose bulk jobs are done at once, and a session that lives by its clock."""
    with Simulator(rows=rows, options=Options(**{"job_seconds": 0.0, **options})) as sim:
        zoho = connect(sim, scopes)
        yield sim, zoho
        zoho.close()


def connect(sim: Simulator, scopes: Sequence[str] | None = None) -> ZohoSession:
    """A session with these scopes."""
    credentials = Credentials(
        client_id=sim.client_id,
        client_secret=Secret(sim.client_secret),
        refresh_token=Secret(sim.refresh_token(scopes)),
        accounts_url=sim.url,
        api_url=sim.url,
    )
    return ZohoSession(credentials, clock=sim.clock.time)


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Pauses between two tries of the same thing are as good as none."""
    no_pauses(patch)
    patch.setattr(push_state, "BACKOFF_SECONDS", (0.001, 0.001, 0.001, 0.001))
    patch.setattr(bulk_write, "INITIAL_BACKOFF_SECONDS", 0.002)
    patch.setattr(bulk_write, "MAX_BACKOFF_SECONDS", 0.01)


def leads(rows: int, start: int = 0, **columns: Any) -> pd.DataFrame:
    """Leads that nobody has yet."""
    places = range(start, start + rows)
    names = {"Last_Name": [f"Pushed {n}" for n in places], "Email": [f"pushed{n}@example.com" for n in places]}
    return pd.DataFrame({**names, "Company": "Northwind", **columns})


def stored(sim: Simulator, module: str = "Leads") -> dict[str, dict[str, Any]]:
    """What the tables hold, by id."""
    return {row["id"]: row for row in sim.crm.rows(module)}


def settle(sim: Simulator) -> None:
    """Return when the simulator has finished everything that a client may have stopped waiting for."""
    while sim.traffic.in_flight:
        threading.Event().wait(0.002)
    sim.crm.writes.wait()


def writes(sim: Simulator) -> list[Any]:
    """The calls so far that could have written something."""
    asked = ("/oauth", "/crm/v8/coql")
    return [call for call in sim.traffic.calls if call.method != "GET" and not call.path.startswith(asked)]
