"""An auth object for a user's own `requests` calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..session import ZohoSession
    from .oauth import Token

__all__ = ["ZohoAuth"]


class ZohoAuth:
    """Signs calls to Zoho's hosts, and signs once more with a new token after a 401.

    Raises TransportError for any other host: a token is sent to Zoho only.

    Example::

        requests.get("https://www.zohoapis.com/crm/v8/org", auth=zoho.auth)
    """

    __slots__ = ("_session",)

    def __init__(self, session: ZohoSession) -> None:
        self._session = session

    def __call__(self, request: Any) -> Any:
        """What `requests` calls with the prepared request."""
        token = self._session.token
        self._session.check_trusted_url(request.url)
        request.headers.update(token.headers)
        request.register_hook("response", lambda response, **options: self._retry_after_401(response, token, options))
        return request

    def _retry_after_401(self, response: Any, token: Token, options: dict[str, Any]) -> Any:
        from ..http.responses import is_token_refused

        # After a redirect this is another request, perhaps somebody else's host asking for the token by its 401.
        retry = response.request.copy()
        if not is_token_refused(response) or self._session.is_trusted_url(retry.url) or not _rewind_body(retry):
            return response
        retry.hooks = {"response": []}
        retry.headers.update(self._session._replace_rejected_token(token).headers)
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
