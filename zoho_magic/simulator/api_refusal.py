"""The exception that becomes one of the API's JSON errors."""

from __future__ import annotations

from typing import Any

__all__ = ["ApiRefusal"]


class ApiRefusal(Exception):  # noqa: N818 - an answer, as much as an error
    """The API's refusal; the app answers it as JSON with this status and body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("code", ""))
        self.status = status
        self.body = body
