"""The keywords of `ZohoSession.sync`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

__all__ = ["REFRESH", "Refresh", "SyncKeywords", "SyncOptions"]

Refresh = Literal["due", "formulas", "never"]
REFRESH: tuple[Refresh, ...] = ("due", "formulas", "never")


class SyncKeywords(TypedDict, total=False):
    """What may be given by name; `ZohoSession.sync` says what each means."""

    fields: Sequence[str] | None
    where: str | None
    params: Mapping[str, Any] | None
    via: Literal["auto", "records", "coql", "bulk"]
    full: bool
    check: bool
    refresh: Refresh
    prune: bool
    history: bool
    progress: bool | None


@dataclass(frozen=True)
class SyncOptions:
    """The same, checked."""

    fields: tuple[str, ...] | None = None
    where: str = ""
    via: str = "auto"
    full: bool = False
    check: bool = False
    refresh: str = "due"
    prune: bool = False
    history: bool = False
