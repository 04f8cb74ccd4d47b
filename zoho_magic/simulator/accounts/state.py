"""What all accounts servers of one simulator know."""

from __future__ import annotations

import threading

from ..accounts.model import Access
from ..clock import Clock
from ..options import Options
from .clients import Clients
from .consents import Consents
from .devices import Devices
from .model import AccountUser
from .sliding_window import SlidingWindow
from .tokens import Tokens

__all__ = ["Accounts"]


class Accounts:
    """Shared by every data centre; what belongs to one of them says so through its user.

    Hold `lock` around anything that reads and then changes.
    """

    def __init__(self, clock: Clock, options: Options, data_centres: tuple[str, ...]) -> None:
        self.clock = clock
        self.options = options
        self.data_centres = data_centres
        self.lock = threading.RLock()
        self.clients = Clients(data_centres)
        self.tokens = Tokens(clock, options)
        self.rate_limits = SlidingWindow(clock, options)
        self.consents = Consents()
        self.devices = Devices(clock)

    def user(self, data_centre: str) -> AccountUser:
        """The demo person, as the user of that data centre."""
        asked = self.options
        return AccountUser(asked.zuid, data_centre, asked.first_name, asked.last_name, asked.email)

    def access(self, token: str, data_centre: str) -> Access | None:
        """Whose access token this is; None when it is dead, unknown, or another data centre's."""
        found = self.tokens.access(token)
        if found is None or found.grant.user.data_centre != data_centre:
            return None
        grant = found.grant
        return Access(grant.user.zuid, grant.client_id, data_centre, frozenset(grant.scopes), found.id)
