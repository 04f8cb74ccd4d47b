"""Datetimes as Zoho writes them: ISO 8601, whole seconds, in the calling user's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["EPOCH", "parse", "render", "render_all"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
QUARTER, DAY = 900, 86_400


def render(seconds: int, zone: ZoneInfo) -> str:
    """Seconds since 1970 as text such as `2026-03-29T03:00:00+02:00`."""
    shift, text = _offset(zone, seconds // QUARTER)
    day, rest = divmod(seconds + shift, DAY)
    return f"{_date(day)}T{_time(rest)}{text}"


@lru_cache(maxsize=200_000)
def _offset(zone: ZoneInfo, quarter: int) -> tuple[int, str]:
    """The zone's offset during a quarter of an hour, in whole minutes: before 1900 or so there were seconds in it."""
    offset = (EPOCH + quarter * QUARTER * SECOND).astimezone(zone).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    return minutes * 60, f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@lru_cache(maxsize=100_000)
def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).date().isoformat()


@lru_cache(maxsize=DAY)
def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def render_all(column: Sequence[int | None], zone: ZoneInfo) -> list[str | None]:
    """A whole column of them."""
    return [None if seconds is None else render(seconds, zone) for seconds in column]


def parse(text: str) -> int:
    """Seconds since 1970 of an ISO 8601 datetime with an offset; ValueError for anything else."""
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset in {text!r}")
    return (moment - EPOCH) // SECOND
