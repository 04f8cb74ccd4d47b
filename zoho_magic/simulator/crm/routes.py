"""All of the CRM's endpoints on one blueprint."""

from __future__ import annotations

from flask import Blueprint

from . import coql, extras, records, settings
from .bulk import read, upload, write
from .calls import finish, mark
from .writing import records as writes

__all__ = ["crm_blueprint"]


def crm_blueprint() -> Blueprint:
    """The CRM's half of an origin: everything under /crm."""
    blueprint = Blueprint("crm", __name__)
    blueprint.after_request(mark)
    blueprint.teardown_request(finish)
    for room in (settings, coql, extras, read, upload, write, records, writes):
        room.add_routes(blueprint)
    return blueprint
