"""Page tokens: opaque, bound to a user and the exact parameters, good for 24 hours."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from ..clock import Clock
from .answers import refusal

__all__ = ["Cursor", "PageTokens"]

LIFETIME = 86_400


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after the record with this sort value and id, or at an offset."""

    page: int
    after: tuple[int, int] | None = None
    offset: int = 0
    previous: Cursor | None = None


@dataclass(frozen=True)
class _Issued:
    user: int
    bound_to: str
    expires: float
    cursor: Cursor


class PageTokens:
    """The tokens given out in the last day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, _Issued] = {}
        self._lock = threading.Lock()

    def issue(self, user: int, bound_to: str, cursor: Cursor, expires: float) -> str:
        """A token for the page at `cursor`, for this user and these parameters only."""
        token = secrets.token_hex(24)
        with self._lock:
            if len(self._issued) > 20_000:
                self._issued = {name: each for name, each in self._issued.items() if each.expires > self._clock.time()}
            self._issued[token] = _Issued(user, bound_to, expires, cursor)
        return token

    def expiry(self) -> float:
        """When a token issued now ends."""
        return self._clock.time() + LIFETIME

    def open(self, token: str, user: int, bound_to: str) -> Cursor:
        """The page the token stands for; refused when it is not this user's, not for these parameters, or too old."""
        issued = self._issued.get(token)
        if issued is None or issued.user != user or issued.bound_to != bound_to:
            raise refusal(
                "TOKEN_BOUND_DATA_MISMATCH",
                "The page_token given seems to be invalid or input param is added or altered or deleted",
                {"param_name": "page_token"},
            )
        if issued.expires <= self._clock.time():
            details = {"api_name": "page_token", "json_path": "$.query.page_token"}
            raise refusal("EXPIRED_VALUE", "Page token expired", details)
        return issued.cursor
