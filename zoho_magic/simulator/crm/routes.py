"""All of the CRM's endpoints on one blueprint."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from . import coql, count_and_deleted, records, settings
from .bulk import read, upload, write
from .request_lifecycle import add_limit_headers, release_slot
from .writing import records as writes

__all__ = ["crm_blueprint"]


class ModuleName(BaseConverter):
    """A path segment that may be a module: not one of the addresses that have a meaning of their own."""

    regex = "(?!(?:org|users|coql|upload|settings|files)$)[^/]+"
    part_isolating = True


def crm_blueprint() -> Blueprint:
    """The CRM's half of an origin: everything under /crm."""
    blueprint = Blueprint("crm", __name__)
    blueprint.record(_know_module_names)
    blueprint.after_request(add_limit_headers)
    blueprint.teardown_request(release_slot)
    for endpoints in (settings, coql, count_and_deleted, read, upload, write, records, writes):
        endpoints.add_routes(blueprint)
    return blueprint


def _know_module_names(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["module"] = ModuleName
