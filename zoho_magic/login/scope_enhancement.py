"""More scopes for a refresh token that exists: it gains them and stays the same, so none of Zoho's 20 is used up.

https://www.zoho.com/accounts/protocol/oauth/incremental-authorization.html
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from ..auth import oauth
from ..auth.oauth import PostForm
from ..config.credentials import Credentials
from ..error_catalog import error_for
from ..secret import Secret
from .authorization import REDIRECT_URI, MatchResult, parse_query

__all__ = ["ScopeEnhancementRequest", "build"]


@dataclass(frozen=True, repr=False)
class ScopeEnhancementRequest:
    """One question about more scopes. `url` holds a secret (Zoho's design): it goes to a browser here, nowhere else."""

    url: Secret
    redirect_uri: str

    def match(self, query: Secret) -> MatchResult:
        """Whether a query string answers it. Nothing depends on it: what the token may do is asked of Zoho."""
        fields = {name: value.reveal() for name, value in parse_query(query).items() if name in _SAID}
        if "error" in fields:
            return "refused"
        return "accepted" if fields.get("status") == "success" and fields.get("scope_enhanced") == "true" else ""

    def parse_redirect(self, query: Secret, credentials: Credentials) -> None:
        """Raise AuthError if the person refused."""
        if self.match(query) == "refused":
            raise error_for(parse_query(query)["error"].reveal(), operation="consent", **credentials.error_context)


_SAID = ("status", "scope_enhanced", "error")


def build(credentials: Credentials, scopes: tuple[str, ...], post: PostForm) -> ScopeEnhancementRequest:
    """A question about these further scopes.

    Raises:
        AuthError, ApiError: Zoho does not offer it for this client or token; a new consent does the same.
        ThrottledError, TransportError: too often, or nobody answered.
    """
    form = {
        "grant_type": "update_scopes_token",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "refresh_token": credentials.refresh_token,
    }
    answer = post(f"{credentials.accounts}/oauth/v2/token/scopeenhance", form)
    token = answer.fields.get("access_token")
    if not isinstance(token, Secret):
        raise oauth.to_error(answer, "scopes", credentials.error_context)
    redirect_uri = credentials.redirect_uri or REDIRECT_URI
    query = {
        "client_id": credentials.client_id,
        "response_type": "update_scopes",
        "redirect_uri": redirect_uri,
        "scope": ",".join(scopes),
        "enhance_token": token.reveal(),
        "logout": "true",
    }
    return ScopeEnhancementRequest(
        Secret(f"{credentials.accounts}/oauth/v2/token/addextrascope?{urlencode(query)}"), redirect_uri
    )
