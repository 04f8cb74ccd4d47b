"""Where the person's account is: the data centre a redirect names, and the likely one where a client is not known.

https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..auth.oauth import PostForm
from ..config.credentials import Credentials
from ..config.settings import DC_CLIENT_SECRET_VARS
from ..data_centres import DATA_CENTRES, by_accounts_url, is_loopback, trusted_origin
from ..errors import AuthError, ZohoError
from ..http.backoff import wait_budget

__all__ = [
    "accounts_servers",
    "credentials_for_location",
    "data_centres_knowing_client",
    "server_of",
    "with_data_centre_hint",
]

TIMEOUT_SECONDS = 5.0
"""How long an error waits for the other data centres; some networks cannot reach all of them."""

Get = Callable[[str], Any]


def credentials_for_location(credentials: Credentials, server: str, location: str, get: Get) -> Credentials:
    """The credentials as used where the account is: data centre, accounts server, and that place's client secret.

    Args:
        credentials: as they were when the person was asked.
        server: the accounts server's origin, already checked; "" where it was not named.
        location: the data centre's name, as Zoho said it; "" where it was not said.
        get: fetches a URL of Zoho's, for the list of servers where `ZOHO_ACCOUNTS_URL` stands for one.

    Raises:
        AuthError: the location is none this package knows.
    """
    server = server or (server_of(location, credentials, get) if location not in ("", credentials.dc) else "")
    if server in ("", credentials.accounts):
        return credentials
    home = by_accounts_url(server)
    moved = {"dc": home.name if home else location if location in DATA_CENTRES else credentials.dc}
    # Another accounts server means another API: the token's own `api_domain` names it.
    return credentials.replace(**moved, accounts_url="" if home else server, api_url="")


def server_of(location: str, credentials: Credentials, get: Get) -> str:
    """The accounts server of a data centre. Raises AuthError for one that nobody knows."""
    found = accounts_servers(credentials, get).get(location)
    if found is None:
        raise AuthError(
            "Zoho says that your account is in a data centre this package does not know.",
            hint=f"It knows {', '.join(DATA_CENTRES)}; a newer version may know more.",
            code="other_dc",
        )
    return found


def accounts_servers(credentials: Credentials, get: Get) -> dict[str, str]:
    """Data centre -> accounts server: the table's, or what the server in `ZOHO_ACCOUNTS_URL` lists."""
    if not credentials.accounts_url or by_accounts_url(credentials.accounts_url):
        return {name: dc.accounts_url for name, dc in DATA_CENTRES.items()}
    try:
        listed = json.loads(get(f"{credentials.accounts}/oauth/serverinfo").content)["locations"]
    except (ZohoError, ValueError, LookupError, TypeError):
        return {}
    own = is_loopback(credentials.accounts)
    checked = {
        name: trusted_origin(str(url), extra=credentials.trusted_origins, loopback=own) for name, url in listed.items()
    }
    return {name: url for name, url in checked.items() if url}


def with_data_centre_hint(
    error: ZohoError, asked: Credentials, there: Credentials, post: PostForm, get: Get
) -> ZohoError:
    """The error with what is wrong and the next step, where Zoho said `invalid_client`; else as it is.

    Zoho's documents give one code for an unknown client, another place's secret, code or token, and a wrong type of
    client. Which one it is shows in what the same server says to the client alone, and to client and secret.

    Args:
        error: what a token endpoint answered.
        asked: the credentials before the person's account was found.
        there: the credentials that were refused.
        post, get: how to reach Zoho.
    """
    if error.code == "invalid_code" and error.operation == "refresh":
        return _of_another_place(error, there, post, get)
    if error.code != "invalid_client":
        return error
    better = copy.copy(error)
    if asked.dc != there.dc:
        better.hint = _multi_dc_hint(asked, there)
    elif _knows(there.accounts, _probe(there), post):
        better.args, better.hint = _explain_known_client(error, there, post, get)
    else:
        better.hint = _other_dc_hint(there, post, get) or error.hint
    return better


def _of_another_place(error: ZohoError, there: Credentials, post: PostForm, get: Get) -> ZohoError:
    if not (others := _places(data_centres_knowing_client(there, post, get))):
        return error
    better = copy.copy(error)
    better.hint = f"{error.hint} If it was made in {others}, where this client is known too, set ZOHO_DC to that place."
    return better


def _explain_known_client(
    error: ZohoError, there: Credentials, post: PostForm, get: Get
) -> tuple[tuple[str, ...], str]:
    """Message and hint where the server that refused knows the client ID: what else is wrong."""
    place = f"{there.data_centre.display_name} ({there.error_context['server']})"
    with_secret = {**_probe(there), "client_secret": there.client_secret}
    if _answer_to(there.accounts, with_secret, post) != "invalid_code":
        return (
            (f"Zoho in {place} knows this client id; the client secret is not the one of this data centre.",),
            f"Copy the client secret from {there.data_centre.console_url}: each data centre has its own.",
        )
    if error.operation in _CLIENT_TYPES:
        needed = _CLIENT_TYPES[error.operation]
        return (
            (f"Zoho in {place} knows this client, but not as a client of the type {needed}.",),
            f"Register a client of the type {needed} at {there.data_centre.console_url}, or sign in another way.",
        )
    others = _places(data_centres_knowing_client(there, post, get))
    hint = (
        f"Set ZOHO_DC to the place it was made in ({others} knows this client id as well)."
        if others
        else (f"Generate it at {there.data_centre.console_url}, the console of this data centre.")
    )
    what = "refresh token" if error.operation == "refresh" else "grant code"
    return (f"Client id and secret are right for {place}; the {what} was made in another data centre.",), hint


_CLIENT_TYPES = {"device": "Non-browser Applications", "client credentials": "Self Client"}


def _multi_dc_hint(asked: Credentials, there: Credentials) -> str:
    return (
        f"You signed in to {there.data_centre.display_name} ({there.dc}). At {asked.data_centre.console_url} open the "
        f"client's Settings, switch on {there.data_centre.display_name} under Multi-DC, put the client secret "
        f"shown there into {DC_CLIENT_SECRET_VARS[there.dc]} and run %zoho_login again."
    )


def _other_dc_hint(there: Credentials, post: PostForm, get: Get) -> str:
    found = data_centres_knowing_client(there, post, get)
    if not found:
        return ""
    return (
        f"Zoho in {_places(found)} knows this client id: set ZOHO_DC={found[0]}, with the client secret of that place."
    )


def _places(found: list[str]) -> str:
    return " or ".join(f"{DATA_CENTRES[dc].display_name} ({dc})" for dc in found)


def _probe(credentials: Credentials) -> dict[str, Any]:
    return {"grant_type": "refresh_token", "client_id": credentials.client_id, "refresh_token": "none"}


def data_centres_knowing_client(credentials: Credentials, post: PostForm, get: Get) -> list[str]:
    """The other data centres whose accounts server knows this client id.

    Zoho looks at the client before anything else, so a call without a secret and without a token tells; neither is
    sent anywhere.
    """
    own = credentials.accounts
    others = {dc: url for dc, url in accounts_servers(credentials, get).items() if url != own and dc in DATA_CENTRES}
    form = _probe(credentials)
    known: list[str] = []
    asking = [threading.Thread(target=_ask, args=(*one, form, post, known), daemon=True) for one in others.items()]
    for thread in asking:
        thread.start()
    end = time.monotonic() + TIMEOUT_SECONDS
    for thread in asking:
        thread.join(max(0.0, end - time.monotonic()))
    return [dc for dc in others if dc in known]


def _ask(dc: str, url: str, form: Mapping[str, str], post: PostForm, known: list[str]) -> None:
    if _knows(url, form, post):
        known.append(dc)


def _knows(url: str, form: Mapping[str, Any], post: PostForm) -> bool:
    return _answer_to(url, form, post) in ("invalid_client_secret", "invalid_code")


def _answer_to(url: str, form: Mapping[str, Any], post: PostForm) -> str:
    try:
        with wait_budget(0.0):
            return str(post(f"{url}/oauth/v2/token", form).fields.get("error"))
    except ZohoError:
        return ""
