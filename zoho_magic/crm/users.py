"""Every user of the org: COQL and bulk read name people by their id."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain

from ..errors import ZohoError
from ..http.responses import CrmApi
from .api_version import API
from .listing import Entry, iter_entries
from .parallel import map_parallel
from .read.record_query import CallCounter

__all__ = ["USER_KINDS", "list_users"]

USER_KINDS = ("AllUsers", "DeletedUsers")


def list_users(
    api: CrmApi, kinds: Sequence[str] = USER_KINDS
) -> tuple[dict[str, tuple[str | None, str | None]], list[ZohoError]]:
    """User id -> full name, e-mail address (None where Zoho sends none), and what kept a list from coming.

    Deleted users are in it too, for they own records still. The two lists do not depend on each other.
    https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
    """
    counted = CallCounter(api)
    lists = list(map_parallel([partial(_users_or_error, counted, kind) for kind in kinds], len(kinds)))
    entries = chain.from_iterable(one for one in lists if not isinstance(one, ZohoError))
    found = [user for user in entries if user.get("id")]
    named = {str(user["id"]): (user.get("full_name") or None, user.get("email") or None) for user in found}
    return named, [one for one in lists if isinstance(one, ZohoError)]


def _users_or_error(api: CallCounter, kind: str) -> list[Entry] | ZohoError:
    try:
        return list(iter_entries(api, f"{API}/users", "users", {"type": kind}))
    except ZohoError as error:
        return error
