"""Whole columns of demo data drawn from a seed, and the columns that most modules share."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ..store import MANY
from .people import SELLERS

__all__ = ["DAY", "UNTIL", "Columns", "Draw", "day_of", "money", "owners", "stamps", "tags"]

UNTIL = datetime(2026, 9, 30, 17, 0, tzinfo=timezone.utc)  # the demo org's last moment, so a seed gives the same rows
START = datetime(2023, 1, 2, 8, 0, tzinfo=timezone.utc)
DAY = 86_400
MONTHS = (0.85, 0.9, 1.25, 0.95, 0.95, 1.3, 0.75, 0.5, 1.2, 1.0, 1.05, 1.6)  # how busy each month is
RATES = {"USD": 1.0, "EUR": 0.92, "GBP": 0.79, "CAD": 1.36}
MONEY_OF = {"us": "USD", "ca": "CAD", "eu": "EUR", "uk": "GBP", "apac": "USD", "latam": "USD"}
SALES_REGION = {"us": "west", "ca": "west", "latam": "west", "eu": "eu", "uk": "uk", "apac": "apac"}

Columns = dict[str, Sequence[Any]]


class Draw:
    """Draws columns of `amount` values from one seeded source."""

    def __init__(self, seed: str, amount: int) -> None:
        self.random = random.Random(seed)
        self.amount = amount

    def pick(self, values: Sequence[Any], weights: Sequence[float] | None = None) -> list[Any]:
        """One of `values` for every row."""
        return self.random.choices(values, weights, k=self.amount)

    def some(self, share: float, values: Sequence[Any]) -> list[Any]:
        """One of `values` for about `share` of the rows, None for the others."""
        return self.sieve(share, self.pick(values))

    def sieve(self, share: float, column: Sequence[Any]) -> list[Any]:
        """The column with all but about `share` of its values emptied."""
        draw = self.random.random
        return [value if draw() < share else None for value in column]

    def whole(self, low: int, high: int) -> list[int]:
        """Integers from low to high."""
        return self.pick(range(low, high + 1))

    def skewed(self, middle: float, spread: float, step: int) -> list[int]:
        """Many small amounts, few large ones, in round steps."""
        draw = self.random.lognormvariate
        return self.pick([max(step, round(middle * draw(0, spread) / step) * step) for _ in range(4096)])

    def flags(self, share: float) -> list[int]:
        """1 for about `share` of the rows."""
        return self.pick((1, 0), (share, 1 - share))

    def several(self, values: Sequence[str], empty: float = 0.25) -> list[str | None]:
        """Some of `values` at once, in their own order, as the store keeps them."""
        sets = [sorted(self.random.sample(range(len(values)), self.random.choice((1, 1, 2, 3)))) for _ in range(64)]
        joined = [MANY.join(values[spot] for spot in spots) for spots in sets]
        return self.some(1 - empty, joined)


def day_of(moment: int) -> str:
    """The UTC date of a moment."""
    return datetime.fromtimestamp(moment, timezone.utc).date().isoformat()


def _busy_days() -> tuple[list[int], list[float]]:
    days = [START + timedelta(days=offset) for offset in range((UNTIL - START).days)]
    weekday = (1, 1.1, 1.1, 1.05, 0.9, 0.12, 0.08)
    weights = [
        MONTHS[day.month - 1] * weekday[day.weekday()] * 1.28 ** ((day - START).days / 365) for day in days
    ]  # fmt: skip
    return [int(day.timestamp()) for day in days], weights


def stamps(draw: Draw, who: Sequence[int]) -> Columns:
    """Owner and stamps: records made on busy days, oldest first, and changed some time after."""
    days, weights = _busy_days()
    seconds = draw.whole(-3600, 13 * 3600)
    created = sorted(min(a + b, int(UNTIL.timestamp())) for a, b in zip(draw.pick(days, weights), seconds, strict=True))
    last, share = int(UNTIL.timestamp()), draw.random.random
    modified = [moment + int((last - moment) * share() ** 3) for moment in created]
    return {"Owner": who, "Created_By": who, "Modified_By": who, "Created_Time": created, "Modified_Time": modified}


def owners(draw: Draw, regions: Sequence[str]) -> list[int]:
    """Who owns records of these regions: mostly somebody of the region's team."""
    teams = {
        region: [person.id for person in SELLERS if person.region == team] for region, team in SALES_REGION.items()
    }
    anyone = [person.id for person in SELLERS]
    spin = draw.random.random
    return [
        team[int(spin() * len(team))] if spin() < 0.8 else anyone[int(spin() * len(anyone))]
        for team in (teams[region] for region in regions)
    ]


def money(regions: Sequence[str]) -> Columns:
    """Each region's currency and its exchange rate."""
    currency = [MONEY_OF[region] for region in regions]
    return {"Currency": currency, "Exchange_Rate": [RATES[code] for code in currency]}


def tags(draw: Draw) -> list[str | None]:
    """Tags for some of the rows."""
    return draw.several(("vip", "event 2026", "reseller", "öko-bonus", "callback"), empty=0.7)
