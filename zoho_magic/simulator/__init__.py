"""A local Zoho over real HTTP on loopback: accounts server, CRM API, bulk jobs, faults.

It is an independent reading of Zoho's documentation and shares no code with the client it serves.
"""

from .clock import Clock
from .faults import Fault
from .options import Options
from .simulator import Simulator

__all__ = ["Clock", "Fault", "Options", "Simulator"]
