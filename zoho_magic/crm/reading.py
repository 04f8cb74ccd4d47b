"""What a person wants to read, and what a road brought back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from .answers import Api
from .metadata import Field

__all__ = ["Harvest", "Meter", "Reading", "coql_credits"]


@dataclass(frozen=True)
class Reading:
    """Records of one module.

    Attributes:
        module: API name.
        fields: what to bring, `id` first.
        where: COQL criteria, nested in pairs; "" for all.
        order: COQL's `order by` list; "" for newest first.
        limit: at most so many rows; None for all.
        since: only records modified at or after this moment, which has a time zone.
        converted: whether converted records count: "false", "true" or "both"; "" where the module has none.
    """

    module: str
    fields: tuple[Field, ...]
    where: str = ""
    order: str = ""
    limit: int | None = None
    since: datetime | None = None
    converted: str = ""

    @property
    def since_text(self) -> str:
        """`since` as Zoho writes a moment: whole seconds with an offset."""
        return self.since.replace(microsecond=0).isoformat() if self.since else ""

    @property
    def criteria(self) -> str:
        """Everything that narrows it, as one COQL clause; "" when nothing does."""
        parts = [self.where] if self.where else []
        if self.since is not None:
            parts.append(f"Modified_Time >= '{self.since_text}'")
        if self.converted in ("true", "false"):
            parts.append(f"Converted__s = {self.converted}")
        while len(parts) > 1:
            parts[:2] = [f"({parts[0]} and {parts[1]})"]
        return "".join(parts)


@dataclass
class Harvest:
    """Rows, and what a person should know about how they came."""

    rows: pa.Table
    query: str = ""
    warnings: list[str] = field(default_factory=list)


def coql_credits(limit: int) -> int:
    """Credits of one COQL call: 1 up to a limit of 200, 2 up to 1,000, 3 up to 2,000.

    https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """
    return 1 if limit <= 200 else 2 if limit <= 1000 else 3


class Meter:
    """An `Api` that counts the calls and credits of one pull, and tells how many rows have arrived.

    Args:
        api: the session.
        arrived: called with the number of rows of every answer, for a progress bar.
    """

    def __init__(self, api: Api, arrived: Callable[[int], None] = lambda _: None) -> None:
        self._api = api
        self.arrived = arrived
        self.calls = 0
        self.credits = 0

    def request(self, method: str, path: str, *, credits: int = 1, **options: Any) -> Any:
        """As `ZohoSession.request`; `credits` is what Zoho charges for it."""
        self.calls += 1
        self.credits += credits
        return self._api.request(method, path, **options)
