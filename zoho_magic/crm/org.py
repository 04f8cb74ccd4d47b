"""Who the token belongs to, and which org."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import TransportError, ZohoError, printable
from ..http.responses import TOKEN_REFUSED_CODES, CrmApi, list_of, object_of, parse_json
from .api_version import API

__all__ = ["AccountInfo", "CurrentUser", "Organisation", "fetch_account_info", "organisation", "person"]

T = TypeVar("T")


@dataclass(frozen=True)
class CurrentUser:
    """The user behind the token. `time_zone` is an IANA name; the CRM renders datetimes in it."""

    id: str = ""
    name: str = ""
    email: str = ""
    time_zone: str = ""


@dataclass(frozen=True)
class Organisation:
    """The CRM org. `zgid` is its id in headers, `edition` sets its credits and concurrency."""

    name: str = ""
    zgid: str = ""
    edition: str = ""
    type: str = ""


@dataclass(frozen=True)
class AccountInfo:
    """Who and where, as far as the scopes let us ask; `notes` says which scope is missing for the rest."""

    person: CurrentUser = CurrentUser()
    organisation: Organisation = Organisation()
    notes: tuple[str, ...] = ()


def fetch_account_info(api: CrmApi) -> AccountInfo:
    """The current user and the organisation; a call that the CRM refuses leaves its half empty, with a note.

    Raises:
        AuthError: the access token is dead.
        ThrottledError, TransportError: Zoho is throttling or was not reached.
    """
    from .parallel import map_parallel  # %load_ext gets as far as here, and asks nothing

    calls: list[Callable[[], tuple[Any, tuple[str, ...]]]] = [
        lambda: _if_allowed(person, api, CurrentUser()),
        lambda: _if_allowed(organisation, api, Organisation()),
    ]
    (who, first), (where, second) = map_parallel(calls, len(calls))
    return AccountInfo(who, where, (*first, *second))


def _if_allowed(ask: Callable[[CrmApi], T], api: CrmApi, otherwise: T) -> tuple[T, tuple[str, ...]]:
    try:
        return ask(api), ()
    except ZohoError as error:
        if not _is_refusal(error):
            raise
        return otherwise, (f"{error.args[0]} {error.hint}",)


def _is_refusal(error: ZohoError) -> bool:
    """Whether the CRM answered and refused this one call: names and limits are then unknown, nothing else is lost."""
    if isinstance(error, TransportError):
        return error.code.startswith("HTTP ")
    return error.status >= 400 and error.code not in TOKEN_REFUSED_CODES


def person(api: CrmApi) -> CurrentUser:
    """Who is connected, from `GET /users?type=CurrentUser` (scope ZohoCRM.users.READ).

    https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
    """
    found = _first(parse_json(api.request("GET", f"{API}/users", params={"type": "CurrentUser"})), "users")
    return CurrentUser(_text(found, "id"), _text(found, "full_name"), _text(found, "email"), _text(found, "time_zone"))


def organisation(api: CrmApi) -> Organisation:
    """The org, from `GET /org` (scope ZohoCRM.org.READ).

    https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html
    """
    found = _first(parse_json(api.request("GET", f"{API}/org")), "org")
    edition = _text(object_of(found, "license_details"), "paid_type")
    return Organisation(_text(found, "company_name"), _text(found, "zgid"), edition, _text(found, "type"))


def _first(answer: dict[str, Any], key: str) -> dict[str, Any]:
    return next(iter(list_of(answer, key)), {})


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return printable(str(value)) if isinstance(value, (str, int)) and value else ""
