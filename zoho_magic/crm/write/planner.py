"""Which API a push uses, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...errors import ConfigurationError, PushError
from .. import limits
from ..metadata import Field
from .bulk_csv import bulk_obstacle
from .operation import WriteOperation
from .records import credits_of
from .rows import Row

__all__ = ["VIA", "Route", "choose_route"]

VIA = ("auto", "records", "bulk")


class _Place(Protocol):
    @property
    def scopes(self) -> tuple[str, ...]: ...

    def upload_target(self) -> tuple[str, str]: ...


@dataclass(frozen=True)
class Route:
    """The way rows take: records or bulk, why, and for bulk the host of uploads and the org's id."""

    name: str
    reason: str
    upload_target: tuple[str, str] = ("", "")


def choose_route(
    place: _Place, operation: WriteOperation, via: str, columns: Sequence[Field], rows: Sequence[Row]
) -> Route:
    """The API: the one asked for, or the one that costs fewer API credits.

    Raises:
        PushError: bulk write was asked for, and cannot do this.
    """
    by_calls = credits_of(len(rows))
    by_jobs = -(-len(rows) // limits.BULK_WRITE_ROWS_PER_FILE) * limits.BULK_WRITE_CREDITS
    if via == "records":
        return Route("records", f"you chose it; {by_calls:,} API credits")
    if via == "auto" and by_jobs >= by_calls:
        return Route("records", f"{by_calls:,} API credits; bulk write takes {by_jobs:,}")
    cannot, upload_target = _obstacle(place, operation, columns, rows)
    if not cannot:
        reason = "you chose it; " if via == "bulk" else ""
        return Route("bulk", f"{reason}{by_jobs:,} API credits instead of {by_calls:,}", upload_target)
    if via == "bulk":
        raise PushError(f"Bulk write cannot be used: {cannot}.", hint='Use via="records".')
    return Route("records", f"{cannot}; {by_calls:,} API credits instead of {by_jobs:,}")


def _obstacle(
    place: _Place, operation: WriteOperation, columns: Sequence[Field], rows: Sequence[Row]
) -> tuple[str, tuple[str, str]]:
    """Why bulk write cannot do it, and the host of uploads and the org's id where it can."""
    cannot, upload_target = bulk_obstacle(operation, columns, rows) or _missing_scope(place.scopes), ("", "")
    if not cannot:
        try:
            upload_target = place.upload_target()
        except ConfigurationError as missing:
            cannot = str(missing.args[0]).rstrip(".")
        else:
            cannot = "" if upload_target[1] else "bulk write needs the org's id, and that the scope ZohoCRM.org.READ"
    return cannot, upload_target


def _missing_scope(scopes: Collection[str]) -> str:
    # Without a word from Zoho about scopes nothing is missing: it says so itself, and then calls go on.
    granted = {scope.lower() for scope in scopes}
    for family in ("ZohoCRM.bulk", "ZohoFiles.files") if granted else ():
        if not granted & {f"{family}.{operation}".lower() for operation in ("ALL", "CREATE", "WRITE")}:
            return f"bulk write needs the scope {family}.ALL"
    return ""
