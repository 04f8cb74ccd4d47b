"""More scopes for a refresh token that exists: it gains them and stays the same, so none of Zoho's 20 is used up.

https://www.zoho.com/accounts/protocol/oauth/incremental-authorization.html
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from ..auth import oauth
from ..auth.oauth import PostForm
from ..config.credentials import Credentials
from ..errors import explain
from ..secret import Secret
from .authorization import REDIRECT_URI, Verdict, fields_of

__all__ = ["Enhancement", "ask"]


@dataclass(frozen=True, repr=False)
class Enhancement:
    """One question about more scopes. `url` holds a secret (Zoho's design): it goes to a browser here, nowhere else."""

    url: Secret
    redirect_uri: str

    def verdict(self, query: Secret) -> Verdict:
        """Whether a query string answers it. Nothing depends on it: what the token may do is asked of Zoho."""
        fields = {name: value.reveal() for name, value in fields_of(query).items() if name in _SAID}
        if "error" in fields:
            return "refused"
        return "accepted" if fields.get("status") == "success" and fields.get("scope_enhanced") == "true" else ""

    def read(self, query: Secret, credentials: Credentials) -> None:
        """Raise AuthError if the person refused."""
        if self.verdict(query) == "refused":
            raise explain(fields_of(query)["error"].reveal(), doing="consent", **credentials.facts)


_SAID = ("status", "scope_enhanced", "error")


def ask(credentials: Credentials, scopes: tuple[str, ...], post: PostForm) -> Enhancement:
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
    answer = oauth.heard(post(f"{credentials.accounts}/oauth/v2/token/scopeenhance", form))
    token = answer.fields.get("access_token")
    if not isinstance(token, Secret):
        raise oauth.refusal(answer, "scopes", credentials.facts)
    back = credentials.redirect_uri or REDIRECT_URI
    query = {
        "client_id": credentials.client_id,
        "response_type": "update_scopes",
        "redirect_uri": back,
        "scope": ",".join(scopes),
        "enhance_token": token.reveal(),
        "logout": "true",
    }
    return Enhancement(Secret(f"{credentials.accounts}/oauth/v2/token/addextrascope?{urlencode(query)}"), back)
