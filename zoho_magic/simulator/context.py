"""The parts of a running simulator, for its request handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from .accounts.state import Accounts
    from .clock import Clock
    from .crm.org import Crm
    from .faults import Faults
    from .options import Options
    from .traffic import RequestLog

__all__ = ["SimulatorContext", "current_context"]


@dataclass(frozen=True)
class SimulatorContext:
    """One per origin: `data_centre` is that origin's, everything else is shared by the whole simulator.

    `origins` maps data centre to its accounts server, `apis` to its API (usually the same URL).
    """

    data_centre: str
    origins: dict[str, str]
    apis: dict[str, str]
    clock: Clock
    options: Options
    accounts: Accounts
    crm: Crm
    faults: Faults
    traffic: RequestLog


def current_context() -> SimulatorContext:
    """The context of the request being answered (`current_app.extensions["zoho"]`)."""
    found: SimulatorContext = current_app.extensions["zoho"]
    return found
