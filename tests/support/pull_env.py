"""A Zoho and a session on it for tests that pull, and rows put into it without its API."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zoho_magic.config.credentials import Credentials
from zoho_magic.crm.read import bulk_read as bulk
from zoho_magic.http import backoff
from zoho_magic.secret import Secret
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Options, Simulator

ROUTES = ("records", "coql", "bulk")
TEXT = "str" if int(pd.__version__.split(".")[0]) >= 3 else "string"  # the dtype of text columns
MANY = "\x1f"  # between values of a multi-select in the simulator's tables
_EASY = {"job_seconds": 0.0, "bulk_downloads_per_minute": 10**6, "credit_limit": 10**9}


BEHAVIOUR: Any = os.environ.get("ZOHO_SIMULATOR_BEHAVIOUR", "documented")
"""Which behaviour of the simulator the reading tests run against: documented, or worst."""


@contextmanager
def world(rows: int = 60, scopes: str | None = None, **options: Any) -> Iterator[tuple[Simulator, ZohoSession]]:
    """A Zoho whose bulk jobs are done at once, and a session that lives by its clock."""
    with Simulator(rows=rows, options=Options(**{**_EASY, **options}), behaviour=BEHAVIOUR) as sim:
        zoho = connect(sim, scopes)
        yield sim, zoho
        zoho.close()


def connect(sim: Simulator, scopes: str | None = None) -> ZohoSession:
    """A session with these scopes."""
    credentials = Credentials(
        client_id=sim.client_id,
        client_secret=Secret(sim.client_secret),
        refresh_token=Secret(sim.refresh_token(scopes)),
        accounts_url=sim.url,
        api_url=sim.url,
    )
    return ZohoSession(credentials, clock=sim.clock.time)


def write_env(sim: Simulator, folder: Path) -> None:
    """A `.env` there with a client and a refresh token, for a process of its own."""
    keys = {"CLIENT_ID": sim.client_id, "CLIENT_SECRET": sim.client_secret, "REFRESH_TOKEN": sim.refresh_token()}
    keys |= {"ACCOUNTS_URL": sim.url, "API_URL": sim.url}
    path = folder / ".env"
    path.write_text("".join(f"ZOHO_{name}={value}\n" for name, value in keys.items()))
    path.chmod(0o600)


def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are sent again almost at once, for a moment only."""
    monkeypatch.setattr(backoff, "INITIAL_SECONDS", 0.002)
    monkeypatch.setattr(backoff, "MAX_SECONDS", 0.02)
    monkeypatch.setattr(backoff, "POLL_INITIAL_SECONDS", 0.002)
    monkeypatch.setattr(backoff, "POLL_MAX_SECONDS", 0.01)
    monkeypatch.setattr(backoff, "MAX_WAIT_SECONDS", 0.3)


def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between two tries of the same thing are as good as none: for what happens, not for how long it takes."""
    no_pauses(monkeypatch)
    monkeypatch.setattr(bulk, "DOWNLOAD_BACKOFF_SECONDS", (0.002, 0.002, 0.0))
    monkeypatch.setattr(bulk, "MAX_DOWNLOAD_BACKOFF_SECONDS", 0.01)


def settled() -> None:
    """Return when no thread that a failed pull left behind makes a call any more."""
    for thread in threading.enumerate():
        if thread.name.startswith("zoho_magic "):
            thread.join(10)


def idle(sim: Simulator) -> None:
    """Return when the simulator works on no call any more: one whose caller gave up takes its place all the same."""
    settled()
    while sim.traffic.in_flight:
        time.sleep(0.005)


def put(sim: Simulator, module: str, rows: Sequence[Mapping[str, Any]], *, replace: bool = True) -> None:
    """Write rows as the simulator's tables hold them: ids and datetimes as integers, lists joined by `MANY`."""
    store = sim.crm.store
    if replace:
        store.write(f'DELETE FROM "{module}"')
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        store.write(f'INSERT INTO "{module}" ({names}) VALUES ({", ".join("?" * len(row))})', list(row.values()))


def ids(sim: Simulator, module: str = "Leads", where: str = "1") -> list[str]:
    """The ids a module holds, newest first."""
    return [str(key) for (key,) in sim.crm.store.read(f'SELECT id FROM "{module}" WHERE {where} ORDER BY id DESC')]


def asked(sim: Simulator, path: str = "/crm/v8/coql") -> int:
    """How many calls went there."""
    return sim.traffic.count(path=path)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Equal in every column, dtype and value."""
    pd.testing.assert_frame_equal(one, other, check_exact=True, obj=f"{one.attrs['api']} and {other.attrs['api']}")


def as_bulk_tells(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with what a bulk CSV cannot tell: "" is null there, and a comma inside a tag ends it.

    This is the canonical form of both; the other routes keep "" and whole tags, because they can.
    """
    found = frame.copy()
    for name in found.columns[found.dtypes == TEXT]:
        found[name] = found[name].replace("", None)
    if "Tag" in found:
        found["Tag"] = [_split(tags) for tags in found["Tag"]]
        found["Tag"] = found["Tag"].astype(object)
    found.attrs = dict(frame.attrs)
    return found


def _split(tags: list[str] | None) -> list[str] | None:
    parts = [part.strip() for tag in tags or () for part in tag.split(",")]
    return [part for part in parts if part] or None
