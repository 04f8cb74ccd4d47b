"""The desk where questions to the CRM are asked: `pull`, `coql`, modules and fields, over one session."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import QueryError
from . import schema_tables as catalogue
from . import users as people
from .metadata import Metadata
from .parallel import side_by_side
from .progress import Progress
from .read import pull
from .read.arrow import FRAMES, Frame
from .read.planner import Plan
from .read.record_query import Meter

if TYPE_CHECKING:
    import pandas
    import requests

    from ..session import ZohoSession
    from .write.push import PushReport
    from .write.rows import Order

__all__ = ["Desk"]


class Desk:
    """Reads the CRM for a session; what it learns of the org (modules, fields, users) it keeps.

    Args:
        session: makes the calls.
    """

    def __init__(self, session: ZohoSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._everybody: dict[str, tuple[str, str]] | None = None
        self.metadata = Metadata(self)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """As `ZohoSession.request`."""
        return self._session.request(method, path, **options)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What Zoho granted; empty where it did not say."""
        return self._session.token.scopes

    @property
    def credits_left(self) -> int | None:
        """API credits left today; None until Zoho tells."""
        return self._session.credits_left

    def width(self) -> int:
        """Calls at once: what the org's edition and Zoho's present patience allow."""
        return self._session.width()

    def people(self) -> Mapping[str, tuple[str, str]]:
        """User id -> full name, e-mail address."""
        with self._lock:
            if self._everybody is None:
                self._everybody = people.everybody(self)
            return self._everybody

    def pull(self, module: str, *, via: str, frame: Frame, show: bool, **asked: Any) -> Any:
        """See `ZohoSession.pull`."""
        _refuse_unknown_frame(frame)
        self._ask_ahead(module)
        reading, warnings = pull.reading_of(self.metadata, module, **asked)
        with Progress(f"Pulling {module}", show) as progress:
            return pull.pull(self, reading, warnings, via=via, frame=frame, progress=progress)

    def _ask_ahead(self, module: str) -> None:
        """Ask at the same time what would be asked one after the other."""
        list(side_by_side([lambda: self.metadata.fields(module), self.width], 2))

    def plan(self, module: str, *, via: str, **asked: Any) -> Plan:
        """See `ZohoSession.plan`."""
        reading, _ = pull.reading_of(self.metadata, module, **asked)
        return pull.planned(self, reading, via, Meter(self))

    def coql(self, query: str, *, params: Mapping[str, Any], frame: Frame, show: bool) -> Any:
        """See `ZohoSession.coql`."""
        from .read import coql_statement as queries

        _refuse_unknown_frame(frame)
        with Progress("COQL", show) as progress:
            return queries.run(self, query, params, frame=frame, progress=progress)

    def push(self, frame: Any, order: Order, *, via: str, dry_run: bool, show: bool) -> PushReport:
        """See `ZohoSession.push`."""
        from .write import push  # it brings pandas

        with Progress(f"Pushing {order.module}", show) as progress:
            return push.push(self, frame, order, via=via, dry_run=dry_run, progress=progress)

    def upload_hosts(self) -> tuple[str, str]:
        """Origin that takes bulk write files, and the org's id. Raises CredentialsMissing where Zoho names none."""
        return self._session.upload_origin(), self._session.organisation.zgid

    def modules(self, *, count: bool, refresh: bool) -> pandas.DataFrame:
        """See `ZohoSession.modules`."""
        if refresh:
            self.metadata.refresh()
        return catalogue.modules(self, count=count)

    def fields(self, module: str, *, refresh: bool) -> pandas.DataFrame:
        """See `ZohoSession.fields`."""
        if refresh:
            self.metadata.refresh()
        return catalogue.fields(self.metadata, module)


def _refuse_unknown_frame(frame: str) -> None:
    if frame not in FRAMES:
        raise QueryError(f"There is no frame {frame!r}.", hint=f"Use one of {', '.join(FRAMES)}.")
