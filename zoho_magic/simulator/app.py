"""One origin's Flask app: accounts server, CRM API, and the errors for addresses that neither has."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from .accounts.pages import page
from .accounts.routes import accounts_blueprint
from .api_refusal import ApiRefusal
from .context import SimulatorContext
from .crm.routes import crm_blueprint

__all__ = ["build_app"]

ERRORS = {
    404: (404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one"),
    405: (400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one"),
    500: (500, "INTERNAL_ERROR", "Internal Server Error"),
}
# What Zoho says of a query that is too complex; for other bodies nothing is documented.
TOO_DEEP = {
    "code": "SYNTAX_ERROR",
    "details": {},
    "message": "Parsing is happening for so long for the given query. please validate the query",
    "status": "error",
}


def build_app(context: SimulatorContext, accounts: bool = True, crm: bool = True) -> Flask:
    """An app for `context`'s data centre that serves either half or both."""
    app = Flask("zoho_magic.simulator")
    app.extensions["zoho"] = context
    app.url_map.merge_slashes = False
    if accounts:
        app.register_blueprint(accounts_blueprint())
    if crm:
        app.register_blueprint(crm_blueprint())
    app.add_url_rule("/", "home", lambda: page("home.html", title="A local Zoho simulator"))
    app.register_error_handler(ApiRefusal, lambda refusal: _json(refusal.status, refusal.body))
    app.register_error_handler(RecursionError, lambda _error: _json(400, TOO_DEEP))
    app.register_error_handler(HTTPException, _no_such_thing)
    return app


def _no_such_thing(error: HTTPException) -> Response:
    """Neither half has this address or method: a page from the accounts server, JSON from the API."""
    status = error.code or 500
    if request.path.startswith(("/oauth", "/.well-known")):
        return Response(b"", 400 if status == 405 else status, content_type="text/html;charset=UTF-8")
    known, code, message = ERRORS.get(status, (status, "INVALID_REQUEST", error.name))
    return _json(known, {"code": code, "details": {}, "message": message, "status": "error"})


def _json(status: int, body: dict[str, Any]) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, content_type="application/json;charset=UTF-8")
