"""What one running simulator is made of, as its request handlers find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from .accounts import Accounts
    from .clock import Clock
    from .crm import Crm
    from .faults import Faults
    from .options import Options
    from .traffic import Traffic

__all__ = ["World", "world"]


@dataclass(frozen=True)
class World:
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
    traffic: Traffic


def world() -> World:
    """The World of the request being answered (`current_app.extensions["zoho"]`)."""
    found: World = current_app.extensions["zoho"]
    return found
