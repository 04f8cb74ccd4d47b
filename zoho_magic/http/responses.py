"""What the CRM answers: its JSON, its empty 204, and its refusals as typed errors.

Envelope and codes: https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..error_catalog import error_for
from ..errors import ThrottledError, TransportError, ZohoError
from ..scopes import covers, missing_scopes, scope_for
from .backoff import seconds_of

if TYPE_CHECKING:
    import requests

__all__ = [
    "TOKEN_REFUSED_CODES",
    "CrmApi",
    "is_token_refused",
    "list_of",
    "object_of",
    "parse_json",
    "raise_for_error",
    "unexpected",
]

_EMPTY = (204, 304)
TOKEN_REFUSED_CODES = ("INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE")


class CrmApi(Protocol):
    """What the rest of this folder needs of a session: one authorised call, already checked."""

    def request(self, method: str, path: str, **options: Any) -> requests.Response: ...


def parse_json(response: requests.Response) -> dict[str, Any]:
    """The answer's JSON object; {} for the empty answers (204, 304). Raises TransportError for anything else."""
    if response.status_code in _EMPTY:
        return {}
    answer = _json(response)
    if answer is None:
        raise _not_zoho(response)
    return answer


def list_of(answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in a list of an answer; [] where it has no such list. Raises TransportError for another shape."""
    found = answer.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise unexpected(key)
    return found


def object_of(answer: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object of that name in an answer; {} where it has none. Raises TransportError for another shape."""
    found = answer.get(key)
    if found is not None and not isinstance(found, dict):
        raise unexpected(key)
    return found or {}


def unexpected(what: str) -> TransportError:
    """The error for an answer in which something has another shape than Zoho documents."""
    return TransportError(
        f"The CRM's answer has {what} in a shape that Zoho does not document.",
        hint="Run it again; a proxy may be in between. If it stays, report it with the call.",
        code="HTTP 200",
    )


def is_token_refused(response: requests.Response) -> bool:
    """Whether this is the 401 that a fresh access token may cure."""
    return response.status_code == 401 and (_json(response) or {}).get("code") in TOKEN_REFUSED_CODES


def raise_for_error(
    response: requests.Response, method: str, path: str, error_context: Mapping[str, Any]
) -> requests.Response:
    """The response, unless Zoho refused; an answer that carries results row by row is never a refusal.

    Raises:
        AuthError, ThrottledError, QueryError, ApiError: by Zoho's code, see `error_catalog.CATALOGUE`.
        TransportError: an error status without Zoho's JSON.
    """
    if response.status_code < 400:
        return response
    answer = _json(response)
    if answer is not None and "code" not in answer and ("data" in answer or "recycle_bin" in answer):
        return response
    raise _to_error(response, answer, method, path, error_context)


def _scopes_to_add(needed: str, granted: tuple[str, ...]) -> str:
    """The scope of this call, and what else reading takes that the token has not: one consent instead of several."""
    if not needed:
        return "SCOPE (the scope this call needs, from Zoho's API guide)"
    reading = missing_scopes(granted, ("metadata", "pull", "names of users", "COQL")) if granted else {}
    others = [scope for scopes in reading.values() for scope in scopes if not covers((scope,), needed)]
    return " ".join(dict.fromkeys([needed, *others]))


def _to_error(
    response: requests.Response, answer: dict[str, Any] | None, method: str, path: str, error_context: Mapping[str, Any]
) -> ZohoError:
    if response.status_code == 429:
        return _throttled(response, method, path)
    if answer is None or not isinstance(answer.get("code"), (str, int)):
        return _not_zoho(response)
    details = answer.get("details") or {}
    named = details if isinstance(details, dict) else {}
    listed = named.get("permissions")
    permissions = " ".join(map(str, listed if isinstance(listed, list) else [listed] if listed else []))
    error = error_for(
        str(answer["code"]),
        operation=f"{method} {path}",
        zoho_message=_said(answer, details),
        scope=_scopes_to_add(scope_for(method, path), error_context.get("granted", ())),
        permissions=f" ({permissions})" if permissions else "",
        **{name: fact for name, fact in error_context.items() if name != "granted"},
    )
    error.status, error.details = response.status_code, named
    return error


def _said(answer: Mapping[str, Any], details: Any) -> str:
    """Zoho's message and what it names: "unsupported column, column_name: Last_Nam"."""
    named = details.items() if isinstance(details, dict) else [("details", details)] if details else []
    values = (f"{key}: {value if isinstance(value, str) else json.dumps(value)}" for key, value in named)
    return ", ".join(filter(None, (str(answer.get("message") or ""), *values)))


def _throttled(response: requests.Response, method: str, path: str) -> ZohoError:
    after = seconds_of(response.headers.get("Retry-After", ""))
    used_up = response.headers.get("X-API-CREDITS-REMAINING", "").strip() == "0"
    seconds = after or (_CREDITS_SECONDS if used_up else 60.0)
    wait = f"{seconds:.0f} s" if after else "until they come back" if used_up else "a minute"
    error = error_for("CREDITS_USED_UP" if used_up else "TOO_MANY_REQUESTS", operation=f"{method} {path}", wait=wait)
    error.status = response.status_code
    if isinstance(error, ThrottledError):
        error.retry_after = seconds
    return error


_CREDITS_SECONDS = 86_400.0
"""Zoho counts the credits of the last 24 hours."""


def _json(response: requests.Response) -> dict[str, Any] | None:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):  # nested a thousand deep, or a number of thousands of digits
        return None
    return answer if isinstance(answer, dict) else None


_REFUSED = (400, 401, 403, 404, 405, 407, 411, 413, 414, 415, 431)
"""Statuses with which whatever is in between turns a call away before Zoho has seen it."""


def _not_zoho(response: requests.Response) -> TransportError:
    error = TransportError(
        f"The CRM's answer (HTTP {response.status_code}) is not the JSON that Zoho sends.",
        hint="A proxy, a sign-in page or a maintenance page may be in between; try again in a minute.",
        code=f"HTTP {response.status_code}",
    )
    error.may_have_been_sent = response.status_code not in _REFUSED
    return error
