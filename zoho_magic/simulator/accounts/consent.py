"""The consent page: who is asked, what for, and what either answer leads to.

One page serves the redirect flow, devices and added scopes; what differs is what Accept and Reject do.
"""

from __future__ import annotations

from flask import Response, request

from ..context import SimulatorContext, current_context
from ..data_centres import LOCATIONS
from .consents import ConsentRequest
from .model import AccountUser
from .pages import error_page, page

__all__ = ["show_consent", "submit_consent"]


def show_consent(asking: ConsentRequest) -> Response:
    """The consent page, or its outcome at once where an option or an earlier consent says so."""
    here = current_context()
    user = here.accounts.user(here.options.user_data_centre or here.data_centre)
    with here.accounts.lock:
        if here.options.auto_consent == "reject":
            return asking.reject()
        if here.options.auto_consent == "accept" or _is_remembered(here, asking, user):
            return asking.accept(user)
    ticket = here.accounts.consents.add(asking)
    places = {place: LOCATIONS[place] for place in here.accounts.data_centres}
    return page("consent.html", asking=asking, ticket=ticket, user=user, places=places, selected=user.data_centre)


def submit_consent() -> Response:
    """What the page's buttons lead to. (Zoho's own form goes to an address of its own that nobody documents.)"""
    here = current_context()
    with here.accounts.lock:
        asking = here.accounts.consents.pop(request.form.get("ticket", ""))
        if asking is None:
            return error_page("An error occurred", "This page has expired. Please start again.", 400)
        if request.form.get("decision") != "accept":
            return asking.reject()
        place = request.form.get("data_centre", here.data_centre)
        return asking.accept(here.accounts.user(place if place in here.origins else here.data_centre))


def _is_remembered(here: SimulatorContext, asking: ConsentRequest, user: AccountUser) -> bool:
    owner = (asking.client.id, user.zuid, user.data_centre)
    return here.options.remember_consent and not asking.prompt and here.accounts.consents.has_consented(owner)
