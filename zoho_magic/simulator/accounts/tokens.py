"""Codes, refresh tokens and access tokens: made, used, evicted, revoked."""

from __future__ import annotations

import itertools

from ..clock import Clock
from ..options import Options
from .model import AccessToken, Code, Grant, RefreshToken, new_token

__all__ = ["Tokens"]


class Tokens:
    """Everything issued and still worth something."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self._options = options
        self._codes: dict[str, Code] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._access: dict[str, AccessToken] = {}
        self._enhance: dict[str, tuple[str, float]] = {}
        self._ids = itertools.count(1)

    def issue_code(self, code: Code) -> str:
        """Issue a code that stands for this."""
        text = new_token(code.grant.prefix)
        self._codes[text] = code
        return text

    def code(self, text: str) -> Code | None:
        """What a code stands for, if it has not been used and has not expired."""
        code = self._codes.get(text)
        return code if code and code.expires > self._clock.time() else None

    def redeem(self, text: str) -> None:
        """Make a code worthless."""
        del self._codes[text]

    def refresh(self, text: str) -> RefreshToken | None:
        """The refresh token of that text, unless revoked or evicted."""
        return self._refresh.get(text)

    def issue_refresh_token(self, grant: Grant) -> RefreshToken:
        """A new refresh token; beyond the cap the owner's oldest dies silently, with its access tokens."""
        theirs = [token for token in self._refresh.values() if token.grant.owner == grant.owner]
        for token in theirs[: max(0, len(theirs) + 1 - self._options.refresh_tokens)]:
            self.revoke(token)
        token = RefreshToken(new_token(grant.prefix), grant)
        self._refresh[token.token] = token
        return token

    def revoke(self, refresh: RefreshToken) -> None:
        """End a refresh token and its access tokens."""
        del self._refresh[refresh.token]
        for text in refresh.live:
            self._access.pop(text, None)

    def issue_access_token(self, grant: Grant, refresh: RefreshToken | None = None) -> str:
        """A new access token. Beyond the cap the refresh token's oldest live one dies silently."""
        text = new_token(grant.prefix)
        self._access[text] = AccessToken(grant, self._clock.time() + self._options.token_lifetime, str(next(self._ids)))
        if refresh:
            self._evict_oldest(refresh, text)
        return text

    def _evict_oldest(self, refresh: RefreshToken, newest: str) -> None:
        live = [text for text in refresh.live if self.access(text)] + [newest]
        kept = live[-self._options.active_tokens :]
        for text in set(refresh.live) - set(kept):
            self._access.pop(text, None)
        refresh.live = kept

    def access(self, text: str) -> AccessToken | None:
        """What an access token stands for, while it lives."""
        found = self._access.get(text)
        return found if found and found.expires > self._clock.time() else None

    def revoke_access_token(self, text: str) -> None:
        """End one access token."""
        self._access.pop(text, None)

    def issue_enhance_token(self, refresh: RefreshToken, lifetime: float) -> str:
        """A token that allows adding scopes to this refresh token for a while."""
        text = new_token(refresh.grant.prefix)
        self._enhance[text] = (refresh.token, self._clock.time() + lifetime)
        return text

    def refresh_token_to_enhance(self, text: str) -> RefreshToken | None:
        """The refresh token that such a token is about, while it lives."""
        refresh, expires = self._enhance.get(text, ("", 0.0))
        return self._refresh.get(refresh) if expires > self._clock.time() else None
