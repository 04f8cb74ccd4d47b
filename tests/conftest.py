"""What every test gets: a world of its own, and, when it asks, a Zoho with a `.env` and a session that know it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.ipython_shell import Shell, loaded_shell
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import close_sessions, current_session
from zoho_magic.simulator import Simulator

# On a busy machine an example may take long; no example database is left in whatever folder a test works in.
settings.register_profile("zoho_magic", deadline=None, database=None)
settings.load_profile("zoho_magic")


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home and working directory (the value), no ZOHO_* variables, no proxy, and no current session."""
    home, here = tmp_path / "home", tmp_path / "work"
    for folder in (home, here):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for name in os.environ:
        if name.upper().startswith("ZOHO_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(here)
    close_sessions()
    yield here
    if (session := current_session()) is not None:  # one that was made by hand
        session.close()
    close_sessions()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A local Zoho with few rows; `simulator.clock.advance(3600)` moves its time, and the session's."""
    with Simulator(rows=20) as zoho:
        yield zoho


@pytest.fixture
def shell() -> Iterator[Shell]:
    """An IPython shell with the extension loaded."""
    with loaded_shell() as found:
        yield found


@pytest.fixture
def env_file(simulator: Simulator, isolated: Path) -> Path:
    """A `.env` in the working directory with a client and a refresh token of the simulator."""
    path = isolated / ".env"
    lines = {
        "ZOHO_CLIENT_ID": simulator.client_id,
        "ZOHO_CLIENT_SECRET": simulator.client_secret,
        "ZOHO_REFRESH_TOKEN": simulator.refresh_token(),
        "ZOHO_ACCOUNTS_URL": simulator.url,
        "ZOHO_API_URL": simulator.url,
    }
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def session(simulator: Simulator, env_file: Path) -> Iterator[ZohoSession]:
    """A session on `env_file` that lives by the simulator's clock."""
    assert env_file.is_file()
    zoho = ZohoSession.from_env(clock=simulator.clock.time)
    yield zoho
    zoho.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay together, and every test that clicks in JupyterLab shares one server and one browser."""
    for item in items:
        clicks = "lab" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("browser" if clicks else str(item.path)))
