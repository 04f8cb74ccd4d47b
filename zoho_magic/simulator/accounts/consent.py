"""The consent page: who is asked, what for, and what either answer leads to.

One page serves the redirect flow, devices and added scopes; what differs is what Accept and Reject do.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request

from ..context import World, world
from ..data_centres import LOCATIONS
from .model import Client, User
from .pages import error_page, page

__all__ = ["Asking", "Consents", "ask", "decide"]

Owner = tuple[str, str, str]


@dataclass(frozen=True)
class Asking:
    """One question to a person. Without `prompt` an earlier yes may answer it (see Options.remember_consent)."""

    client: Client
    scopes: tuple[str, ...]
    accept: Callable[[User], Response]
    reject: Callable[[], Response]
    prompt: bool = True


class Consents:
    """Questions waiting for an answer, and who has said yes before."""

    def __init__(self) -> None:
        self._asking: dict[str, Asking] = {}
        self._given: dict[Owner, bool] = {}

    def wait(self, asking: Asking) -> str:
        """Keep a question; the ticket answers it once."""
        ticket = secrets.token_urlsafe(16)
        self._asking[ticket] = asking
        return ticket

    def answered(self, ticket: str) -> Asking | None:
        """The question of that ticket, which is then used up."""
        return self._asking.pop(ticket, None)

    def given(self, owner: Owner) -> bool:
        """True when this user has consented to this client before."""
        return owner in self._given

    def offline(self, owner: Owner) -> bool:
        """True when that was for offline access, so that a refresh token exists somewhere."""
        return self._given.get(owner, False)

    def remember(self, owner: Owner, offline: bool) -> None:
        """Note a yes."""
        self._given[owner] = offline or self.offline(owner)

    def forget(self, owner: Owner) -> None:
        """Note that the user took it back."""
        self._given.pop(owner, None)


def ask(asking: Asking) -> Response:
    """The consent page, or its outcome at once where an option or an earlier consent says so."""
    here = world()
    user = here.accounts.user(here.options.user_data_centre or here.data_centre)
    with here.accounts.lock:
        if here.options.auto_consent == "reject":
            return asking.reject()
        if here.options.auto_consent == "accept" or _remembered(here, asking, user):
            return asking.accept(user)
    ticket = here.accounts.consents.wait(asking)
    places = {place: LOCATIONS[place] for place in here.accounts.data_centres}
    return page("consent.html", asking=asking, ticket=ticket, user=user, places=places, selected=user.data_centre)


def decide() -> Response:
    """What the page's buttons lead to. (Zoho's own form goes to an address of its own that nobody documents.)"""
    here = world()
    with here.accounts.lock:
        asking = here.accounts.consents.answered(request.form.get("ticket", ""))
        if asking is None:
            return error_page("An error occurred", "This page has expired. Please start again.", 400)
        if request.form.get("decision") != "accept":
            return asking.reject()
        place = request.form.get("data_centre", here.data_centre)
        return asking.accept(here.accounts.user(place if place in here.origins else here.data_centre))


def _remembered(here: World, asking: Asking, user: User) -> bool:
    owner = (asking.client.id, user.zuid, user.data_centre)
    return here.options.remember_consent and not asking.prompt and here.accounts.consents.given(owner)
