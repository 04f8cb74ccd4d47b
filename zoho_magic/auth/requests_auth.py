"""An auth object for a user's own `requests` calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .oauth import Token

__all__ = ["ZohoAuth"]


class ZohoAuth:
    """Adds the access token to calls to Zoho's hosts, and repeats a call once with a new token after a 401.

    A call to any other host raises TransportError: a token is sent to Zoho only.

    Args:
        get_token: returns the access token, refreshed if due.
        check_url: raises TransportError unless a token may be sent to the URL.
        is_trusted: whether a token may be sent to the URL.
        replace_rejected: returns another token than the one Zoho rejected.

    Example::

        requests.get("https://www.zohoapis.com/crm/v8/org", auth=zoho.auth)
    """

    __slots__ = ("_check_url", "_get_token", "_is_trusted", "_replace_rejected")

    def __init__(
        self,
        get_token: Callable[[], Token],
        check_url: Callable[[str], None],
        is_trusted: Callable[[str], bool],
        replace_rejected: Callable[[Token], Token],
    ) -> None:
        self._get_token, self._replace_rejected = get_token, replace_rejected
        self._check_url, self._is_trusted = check_url, is_trusted

    def __call__(self, request: Any) -> Any:
        """What `requests` calls with the prepared request."""
        token = self._get_token()
        self._check_url(request.url)
        request.headers.update(token.headers)
        request.register_hook("response", lambda response, **options: self._retry_after_401(response, token, options))
        return request

    def _retry_after_401(self, response: Any, token: Token, options: dict[str, Any]) -> Any:
        from ..http.responses import is_token_refused

        # After a redirect this is another request, perhaps somebody else's host asking for the token by its 401.
        retry = response.request.copy()
        if not is_token_refused(response) or not self._is_trusted(retry.url) or not _rewind_body(retry):
            return response
        retry.hooks = {"response": []}
        retry.headers.update(self._replace_rejected(token).headers)
        answer = response.connection.send(retry, **options)
        answer.history.append(response)
        return answer


def _rewind_body(request: Any) -> bool:
    """Whether the body can be sent again, from its beginning: text and files can, a generator cannot."""
    from requests.utils import rewind_body

    if request.body is None or isinstance(request.body, (str, bytes)):
        return True
    if not isinstance(request._body_position, int):
        return False
    rewind_body(request)
    return True
