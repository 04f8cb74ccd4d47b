"""The accounts server's answers: JSON in Zoho's shape, refusals, and reading what was sent."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import Request, Response

from ..options import Options

__all__ = ["OAuthRefusal", "empty_response", "json_response", "parameters", "refuse", "refuse_throttled"]

TOO_MANY = {
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "error": "Access Denied",
    "status": "failure",
}
TOO_MANY_ZH = {  # seen in the wild, oauth.md 3
    "error_description": "您已连续提出过多请求，请稍后再试。",  # noqa: RUF001 - Zoho's own punctuation
    "error": "拒绝访问",
    "status": "failure",
}


class OAuthRefusal(Exception):  # noqa: N818 - an answer, as much as an error
    """The accounts server says no, with this body; HTTP 200 unless told otherwise, as the real one does."""

    def __init__(self, body: dict[str, Any], status: int = 200) -> None:
        super().__init__(body.get("error", ""))
        self.body = body
        self.status = status


def refuse(error: str, **more: str) -> NoReturn:
    """Answer `{"error": ...}` with HTTP 200."""
    raise OAuthRefusal({**more, "error": error})


def refuse_throttled(options: Options) -> NoReturn:
    """Answer that there were too many requests."""
    raise OAuthRefusal(TOO_MANY_ZH if options.localised_throttle else TOO_MANY, options.throttle_status)


def json_response(body: dict[str, Any], status: int = 200) -> Response:
    """JSON as the accounts server writes it."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, content_type="application/json;charset=UTF-8")


def empty_response(status: int) -> Response:
    """An empty page with that status."""
    return Response(b"", status, content_type="text/html;charset=UTF-8")


def parameters(request: Request) -> dict[str, str]:
    """Query and form together; HTTP Basic may stand for the client's id and secret only (oauth.md 3)."""
    given = request.values.to_dict()
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        given.setdefault("client_id", basic.username or "")
        given.setdefault("client_secret", basic.password or "")
    return given
