"""Datetimes as Zoho writes them: ISO 8601, whole seconds, in the calling user's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

__all__ = ["EPOCH", "parse", "render", "render_all"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


def render(seconds: int, zone: ZoneInfo) -> str:
    """Seconds since 1970 as text such as `2026-03-29T03:00:00+02:00`."""
    moment = (EPOCH + seconds * SECOND).astimezone(zone)
    offset = moment.utcoffset()
    if offset is not None and offset.total_seconds() % 60:  # before time zones were whole minutes
        moment = moment.astimezone(timezone(timedelta(minutes=round(offset.total_seconds() / 60))))
    return moment.isoformat()


def render_all(column: Sequence[int | None], zone: ZoneInfo) -> list[str | None]:
    """A whole column of them."""
    known: dict[int | None, str | None] = {None: None}
    for seconds in set(column) - {None}:
        known[seconds] = render(seconds, zone) if seconds is not None else None
    return [known[seconds] for seconds in column]


def parse(text: str) -> int:
    """Seconds since 1970 of an ISO 8601 datetime with an offset; ValueError for anything else."""
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset in {text!r}")
    return (moment - EPOCH) // SECOND
