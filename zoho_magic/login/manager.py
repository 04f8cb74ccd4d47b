"""Logins of a session: which credentials go in, what is checked before Zoho is asked, what is saved afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..auth.oauth import PostForm
from ..auth.token_manager import TokenManager
from ..config import pasted
from ..config.credential_store import CredentialStore
from ..config.credentials import Credentials, wrap_secrets
from ..config.settings import ENV_VARS
from ..data_centres import by_api_url
from ..errors import ConfigurationError, ZohoError
from ..secret import Secret
from . import account_location, authorization, environment, methods
from .device_flow import DeviceLogin
from .methods import LoginContext, LoginResult, PasteUrlLogin
from .prompts import LoginUI

__all__ = ["LoginManager"]


class LoginManager:
    """Obtains grants for the credentials of a session and saves them; nothing is saved or changed where Zoho refuses.

    Args:
        store: the credentials, and where they are saved.
        tokens: the access tokens made from them.
        post, get: how to reach Zoho.
        clock: seconds since the epoch.
        organisation: the id of the organisation that is connected already, or "".
    """

    def __init__(
        self,
        store: CredentialStore,
        tokens: TokenManager,
        post: PostForm,
        get: account_location.Get,
        clock: Callable[[], float],
        organisation: Callable[[], str] = lambda: "",
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._post = post
        self._get = get
        self._clock = clock
        self._organisation = organisation
        self.notes: tuple[str, ...] = ()
        """What a user should know about the last login."""

    def exchange(self, code: Secret | None, changes: Mapping[str, Any]) -> None:
        """Exchange a grant code, in whatever wrapping it was pasted; see `ZohoSession.exchange`.

        Raises:
            ConfigurationError: client ID, secret or code is missing or is something else, or the file cannot be saved;
                the code is not spent.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.
        """
        found = {**(self._parse(code, changes) if code else {}), **wrap_secrets(changes)}
        wanted = self._store.load().replace(**found)
        wanted.require("client_id", "client_secret", "grant_code")
        self._store.check_writable()
        got = methods.exchange_code(self.context(wanted), wanted, wanted.grant_code or Secret(""))
        self.complete(got, *found, "grant_code")
        self.notes += _file_note(code)

    def login(
        self,
        method: str,
        changes: Mapping[str, Any],
        add_scopes: Sequence[str] = (),
        timeout: float = 300.0,
        ui: LoginUI | None = None,
        place: environment.RuntimeEnvironment | None = None,
    ) -> None:
        """Sign in by a method of `LOGIN_METHODS`; see `ZohoSession.login`.

        Raises:
            ConfigurationError: the client is not known yet, nobody can answer, or the file cannot be saved.
            AuthError, ThrottledError, TransportError: Zoho or the user refused, or nobody answered.
        """
        self._store.check_writable()
        context = self.context(self._store.load().replace(**wrap_secrets(changes)), timeout, ui, place)
        more = tuple(add_scopes)
        got = methods.add_scopes(context, more, method) if more else methods.login(method, context)
        self.complete(got, *changes)

    def begin_device(self, changes: Mapping[str, Any]) -> DeviceLogin:
        """Begin a login on another device. Raises as `login` does."""
        wanted = self._client(changes)
        self._store.check_writable()
        return DeviceLogin.begin(wanted, self._post, self._get, self._clock)

    def begin_paste(self, changes: Mapping[str, Any]) -> PasteUrlLogin:
        """Begin a login whose last address is pasted. Raises ConfigurationError."""
        wanted = self._client(changes)
        self._store.check_writable()
        return PasteUrlLogin(self.context(wanted), authorization.build(wanted))

    def complete(self, got: LoginResult, *names: str) -> None:
        """Use what a login led to; save these fields and every one that is different now. Raises ConfigurationError."""
        before, now = self._store.load(), got.credentials
        if got.token and (home := by_api_url(got.token.api_domain)) and home.name != now.dc:
            now = now.replace(dc=home.name)
        kept = now.client_secret == now.client_secret_by_dc.get(now.dc)  # it came with the data centre
        changed = [n for n in ENV_VARS if getattr(now, n) != getattr(before, n) and not (n == "client_secret" and kept)]
        self._store.update(now, *dict.fromkeys((*names, *changed)))
        if got.token is None:
            self._tokens.refresh()
        else:
            self._tokens.store(got.token)
        self.notes = got.token.warnings if got.token else ()

    def context(
        self,
        wanted: Credentials,
        timeout: float = 300.0,
        ui: LoginUI | None = None,
        place: environment.RuntimeEnvironment | None = None,
    ) -> LoginContext:
        """What a login method needs to sign in with these credentials."""
        return LoginContext(
            wanted,
            self._post,
            self._get,
            self._clock,
            organisation=self._organisation,
            granted=self._granted_scopes,
            ui=ui or LoginUI(),
            environment=place or environment.detect(),
            timeout=timeout,
        )

    def explain(self, error: ZohoError, credentials: Credentials) -> ZohoError:
        """A refused token request with a next step that knows about the other data centres."""
        return account_location.with_data_centre_hint(error, credentials, credentials, self._post, self._get)

    def _parse(self, code: Secret, changes: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return pasted.parse_grant(code)
        except ConfigurationError as error:
            problem = error
        self._client(changes)  # without a client it is the first thing that is missing
        raise problem

    def _client(self, changes: Mapping[str, Any]) -> Credentials:
        wanted = self._store.load().replace(**wrap_secrets(changes))
        wanted.require("client_id", "client_secret")
        return wanted

    def _granted_scopes(self) -> tuple[str, ...]:
        """What the token of now may do, as Zoho said; empty where there is none."""
        try:
            return self._tokens.get_token().scopes if self._store.load().refresh_token else ()
        except ZohoError:
            return ()


def _file_note(code: Secret | None) -> tuple[str, ...]:
    path = Path(pasted.clean(code.reveal())) if code else Path()
    if path.suffix.lower() != ".json" or len(str(path)) > 255 or not path.is_file():
        return ()
    return (f"{path.name} still holds the client secret: delete the file, .env has all of it now.",)
