"""All of the CRM's endpoints on one blueprint."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from . import (
    attachments,
    coql,
    custom_view_routes,
    deleted_records,
    files,
    org_structure,
    records,
    recycle_bin_routes,
    related_lists,
    search,
    settings,
    tags,
)
from .bulk import read, upload, write
from .request_lifecycle import add_limit_headers, release_slot
from .writing import records as writes

__all__ = ["crm_blueprint"]


class ModuleName(BaseConverter):
    """A path segment that may be a module: not one of the addresses that have a meaning of their own."""

    regex = "(?!(?:org|users|coql|upload|settings|files)$)[^/]+"
    part_isolating = True


class RecordId(BaseConverter):
    """A path segment that may be a record's id: it begins with a digit, as no address of Zoho's does."""

    regex = r"\d[^/]*"
    part_isolating = True


def crm_blueprint() -> Blueprint:
    """The CRM's half of an origin: everything under /crm."""
    blueprint = Blueprint("crm", __name__)
    blueprint.record(_know_converters)
    blueprint.after_request(add_limit_headers)
    blueprint.teardown_request(release_slot)
    for endpoints in (
        settings,
        org_structure,
        custom_view_routes,
        related_lists,
        attachments,
        files,
        tags,
        coql,
        search,
        deleted_records,
        recycle_bin_routes,
        read,
        upload,
        write,
        records,
        writes,
    ):
        endpoints.add_routes(blueprint)
    return blueprint


def _know_converters(state: BlueprintSetupState) -> None:
    state.app.url_map.converters |= {"module": ModuleName, "record": RecordId}
