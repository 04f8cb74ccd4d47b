"""How the CRM answers: JSON bodies as Zoho writes them, and refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from ..api_refusal import ApiRefusal

__all__ = ["answer", "dumps", "empty", "problem", "refusal"]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def dumps(body: Any) -> bytes:
    """Compact UTF-8 JSON."""
    return _encode(body).encode()


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer; bytes are taken for JSON that is ready."""
    data = body if isinstance(body, bytes) else dumps(body)
    return Response(data, status, content_type="application/json;charset=UTF-8")


def empty(status: int = 204) -> Response:
    """No body at all: how Zoho says there is nothing."""
    nothing = Response(b"", status)
    del nothing.headers["Content-Type"]  # the official SDK takes a typed empty answer for a download
    return nothing


def problem(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Zoho's error object."""
    return {"code": code, "details": dict(details or {}), "message": message, "status": "error"}


def refusal(code: str, message: str, details: Mapping[str, Any] | None = None, status: int = 400) -> ApiRefusal:
    """An error object to raise: the whole call is answered with it."""
    return ApiRefusal(status, problem(code, message, details))
