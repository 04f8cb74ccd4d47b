"""Consent requests waiting for the user, and the consents given before."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flask import Response

from .model import AccountUser, Client

__all__ = ["ConsentRequest", "Consents"]

Owner = tuple[str, str, str]


@dataclass(frozen=True)
class ConsentRequest:
    """One question to a person. Without `prompt` an earlier yes may answer it (see Options.remember_consent)."""

    client: Client
    scopes: tuple[str, ...]
    accept: Callable[[AccountUser], Response]
    reject: Callable[[], Response]
    prompt: bool = True


class Consents:
    """Questions waiting for an answer, and who has said yes before."""

    def __init__(self) -> None:
        self._asking: dict[str, ConsentRequest] = {}
        self._given: dict[Owner, bool] = {}

    def add(self, asking: ConsentRequest) -> str:
        """Keep a question; the ticket answers it once."""
        ticket = secrets.token_urlsafe(16)
        self._asking[ticket] = asking
        return ticket

    def pop(self, ticket: str) -> ConsentRequest | None:
        """The question of that ticket, which is then used up."""
        return self._asking.pop(ticket, None)

    def has_consented(self, owner: Owner) -> bool:
        """True when this user has consented to this client before."""
        return owner in self._given

    def has_offline_consent(self, owner: Owner) -> bool:
        """True when that was for offline access, so that a refresh token exists somewhere."""
        return self._given.get(owner, False)

    def remember(self, owner: Owner, offline: bool) -> None:
        """Note a yes."""
        self._given[owner] = offline or self.has_offline_consent(owner)

    def forget(self, owner: Owner) -> None:
        """Note that the user took it back."""
        self._given.pop(owner, None)
