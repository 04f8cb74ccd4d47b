"""Options that several magics take, each declared once."""

from __future__ import annotations

from collections.abc import Iterable

from ..magic_parser import option

__all__ = [
    "FRAME",
    "LAZY_FRAMES",
    "MAX_WAIT",
    "MODULE",
    "PROFILE",
    "PULL_FRAME",
    "REFRESH",
    "positive_int",
    "seconds",
    "split_names",
]

FRAMES = ("pandas", "polars", "arrow")
LAZY_FRAMES = ("dask", "duckdb", "polars-lazy")


def positive_int(text: str) -> int:
    """An argument's type: a whole number from 1."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


positive_int.description = "a positive integer"  # type: ignore[attr-defined]


def seconds(text: str) -> float:
    """An argument's type: seconds from 0."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


seconds.description = "a number of seconds"  # type: ignore[attr-defined]


def split_names(words: Iterable[str] | None) -> list[str]:
    """The names in words that may hold several, with commas between them."""
    return [name for word in words or () for name in word.split(",") if name]


MODULE = option(
    "module", completes="module", metavar="MODULE", help="API name of the module: Leads, Contacts, Deals, ..."
)
PROFILE = option(
    "--profile",
    completes="profile",
    metavar="NAME",
    help="for this line: another account's file, or NAME for .env.NAME beside the nearest .env",
)
FRAME = option("--frame", choices=FRAMES, default="pandas", help="kind of frame (pandas)")
PULL_FRAME = option(
    "--frame",
    choices=(*FRAMES, *LAZY_FRAMES),
    default="pandas",
    help="kind of frame (pandas); dask, duckdb and polars-lazy read a copy that is landed first",
)
MAX_WAIT = option(
    "--max-wait",
    type=seconds,
    metavar="SECONDS",
    help="wait at most so long for Zoho, all calls together (60, or what %%config ZohoMagic.max_wait says)",
)
REFRESH = option("--refresh", action="store_true", help="ask the CRM again")
