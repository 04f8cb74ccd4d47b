"""A local Zoho over real HTTP on loopback: accounts server, CRM API, bulk jobs, faults.

It is an independent reading of Zoho's documentation and shares no code with the client it serves. Names are imported
at first use, so that pytest, which loads the plugin in this package, does not import a web server for every project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import Clock
    from .faults import Fault
    from .options import Options
    from .simulator import Simulator

__all__ = ["Clock", "Fault", "Options", "Simulator"]
_MODULES = {"Clock": "clock", "Fault": "faults", "Options": "options", "Simulator": "simulator"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
