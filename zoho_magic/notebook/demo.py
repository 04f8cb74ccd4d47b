"""`%zoho_demo`: the simulator, started in this kernel, and a session to it."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from ..config.credentials import Credentials
from ..errors import ZohoError
from ..secret import Secret
from ..session import ZohoSession
from ..session_registry import current_session, get_session, use_session
from ..status import Status

if TYPE_CHECKING:
    from ..simulator import Simulator

__all__ = ["close", "start", "stop"]

_running: dict[int, Simulator] = {}
_sessions: list[ZohoSession] = []
_previous_session: list[ZohoSession] = []


def start(rows: int) -> Status:
    """Start the simulator (or keep the running one of the same size) and make a session to it the current one.

    The session's credentials stay in memory: your own `.env` is neither read nor written.
    """
    if not _running:
        _previous_session[:] = filter(None, [current_session()])
    if rows not in _running:
        close()
        _running[rows] = _simulator(rows)
    _close_sessions()
    _sessions.append(_session(_running[rows]))
    use_session(_sessions[-1])
    return get_session().status()


def stop() -> Status:
    """Stop it and go back to the session there was before."""
    close()
    use_session(_previous_session.pop() if _previous_session else None)
    return get_session().status()


@atexit.register
def close() -> None:
    """Stop the simulator and close what talked to it, whichever session is the current one."""
    _close_sessions()
    while _running:
        _running.popitem()[1].stop()


def _close_sessions() -> None:
    # A front end that restarts the demo often would otherwise collect open connections.
    while _sessions:
        _sessions.pop().close()


def _simulator(rows: int) -> Simulator:
    missing = ""
    try:
        from ..simulator import Simulator
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
    if missing:
        raise ZohoError(f"The simulator needs {missing}.", hint="Run: %pip install 'zoho_magic[demo]'")
    simulator = Simulator(rows=rows)
    simulator.start()
    return simulator


def _session(simulator: Simulator) -> ZohoSession:
    there = simulator.connection()
    session = ZohoSession(
        Credentials(
            client_id=there["client_id"],
            client_secret=Secret(there["client_secret"]),
            refresh_token=Secret(there["refresh_token"]),
            grant_code=Secret(there["grant_code"]),
            accounts_url=there["url"],
            api_url=there["url"],
        )
    )
    session.is_demo = True
    return session
