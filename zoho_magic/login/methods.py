"""The roads to a grant. Each takes an errand and returns credentials and a token, in the same state whichever it was.

To add one, write a function and add it to `ROADS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial

from ..auth import oauth
from ..auth.oauth import PostForm, Token
from ..config.credentials import Credentials
from ..errors import CredentialsMissing, ThrottledError, TransportError, ZohoError
from ..secret import Secret
from . import account_location as home
from . import authorization as consent
from . import scope_enhancement as enhance
from .authorization import AuthorizationRequest, MatchResult
from .device_flow import DeviceLogin
from .environment import RuntimeEnvironment, choose
from .loopback_server import LoopbackServer
from .prompts import LoginInstructions, LoginUI

__all__ = [
    "LOGIN_METHODS",
    "LoginContext",
    "LoginResult",
    "PasteUrlLogin",
    "add_scopes",
    "exchange_code",
    "login",
    "result_of_device",
]


@dataclass(frozen=True)
class LoginContext:
    """What a login needs: as whom, how to reach Zoho, whom to ask.

    Attributes:
        wanted: the credentials to sign in with; `refresh_token` is the one there was before, if any.
        post, get: how to reach Zoho.
        clock: seconds since the epoch.
        organisation: the id of the org there is access to already, or "".
        person: whom to show and ask.
        place: where this is.
        patience: seconds to wait for a browser to come back.
    """

    credentials: Credentials
    post: PostForm
    get: home.Get
    clock: Callable[[], float]
    organisation: Callable[[], str] = field(default=lambda: "")
    person: LoginUI = field(default_factory=LoginUI)
    place: RuntimeEnvironment = field(default_factory=RuntimeEnvironment)
    patience: float = 300.0


@dataclass(frozen=True)
class LoginResult:
    """What a road led to: a token, and the credentials it was obtained with, to be saved.

    No token where the refresh token stayed the same and gained something: the next one minted has it.
    """

    credentials: Credentials
    token: Token | None = None


@dataclass(frozen=True, repr=False)
class PasteUrlLogin:
    """A consent page that somebody opens anywhere, and whose last address she pastes.

    Attributes:
        errand: what it is for.
        question: the page.
    """

    errand: LoginContext
    authorization: AuthorizationRequest

    @property
    def invitation(self) -> LoginInstructions:
        """What to do on this road."""
        steps = (
            "1. Open the link in your browser, sign in and accept.",
            f"2. It ends on an address that begins with {self.authorization.redirect_uri}; "
            "if that page does not load, all is well.",
            "3. Copy the whole address from the address bar and paste it, within a minute.",
        )
        return LoginInstructions("Sign in to Zoho in your browser", self.authorization.url, steps)

    def finish(self, typed: Secret) -> LoginResult:
        """What a pasted address is worth. Raises CredentialsMissing if it is none, else as `travel`."""
        return _finish_redirect(
            self.errand, self.authorization, consent.query_of_pasted_url(typed, self.authorization.redirect_uri)
        )


def login(road: str, errand: LoginContext) -> LoginResult:
    """Sign in by this road; "auto" chooses one.

    Raises:
        CredentialsMissing: the client is not known yet, nobody can answer, or there is no such road.
        AuthError, ThrottledError, TransportError: Zoho or the person refused, or nobody answered.
    """
    if road == "auto":
        choice = choose(errand.credentials, errand.place)
        errand.person.show(LoginInstructions(f"{choice.reason} So the road is: {choice.method}."))
        road = choice.method
    if road not in LOGIN_METHODS:
        near = get_close_matches(road, LOGIN_METHODS, n=1)
        raise CredentialsMissing(
            f"There is no such road. It is one of: auto, {', '.join(LOGIN_METHODS)}.", hint=_suggestion(near)
        )
    errand.credentials.require("client_id", "client_secret")
    return LOGIN_METHODS[road](errand)


def _suggestion(near: list[str]) -> str:
    return f"Did you mean {near[0]}?" if near else "auto chooses by what is configured and where this runs."


def browser(errand: LoginContext) -> LoginResult:
    """By a browser on this machine, which comes back by itself."""
    question = consent.build(errand.credentials)
    query = _wait_for_redirect(errand, Secret(question.url), question.redirect_uri, question.match)
    return _finish_redirect(errand, question, query)


def paste_url(errand: LoginContext) -> LoginResult:
    """By a browser anywhere; the address it ends on is pasted back."""
    waiting = PasteUrlLogin(errand, consent.build(errand.credentials))
    with errand.person.showing(waiting.invitation):
        typed = _asked(errand, "The address it ended on (hidden): ")
    return waiting.finish(typed)


def device(errand: LoginContext) -> LoginResult:
    """On any other device, by a short code."""
    waiting = DeviceLogin.begin(errand.credentials, errand.post, errand.get, errand.clock)
    with errand.person.showing(waiting.invitation):
        while (step := waiting.poll()).token is None:
            errand.person.sleep(step.retry_in)
    return result_of_device(waiting, step.token)


def result_of_device(waiting: DeviceLogin, token: Token) -> LoginResult:
    """What a device login led to."""
    return _with_refresh_token(waiting.credentials, token)


def client_credentials(errand: LoginContext) -> LoginResult:
    """By nobody: a self client signs in for its organisation. Nothing but id, secret and `soid` is kept."""
    wanted = errand.credentials.replace(soid=_soid(errand), refresh_token=None)
    mint = partial(oauth.client_credentials, wanted.accounts, scopes=wanted.scopes, soid=wanted.soid)
    token = _with_dc_hint(errand, wanted, mint)
    notes = token.warnings if errand.credentials.refresh_token is None else (*token.warnings, OLD_TOKEN_NOTE)
    return LoginResult(wanted, replace(token, warnings=notes))


OLD_TOKEN_NOTE = (
    "The refresh token there was is no longer kept here; at Zoho it is valid until you revoke it "  # noqa: S105
    "(accounts.zoho.com > Sessions > Connected Apps)."
)


def code(errand: LoginContext) -> LoginResult:
    """By a code from Zoho's console (a self client): the waiting one, or one that is asked for."""
    wanted = errand.credentials
    grant_code = wanted.grant_code
    if grant_code is None:
        with errand.person.showing(_console_instructions(wanted)):
            grant_code = _asked(errand, "Grant code (hidden): ")
    return exchange_code(errand, wanted, grant_code)


def _console_instructions(credentials: Credentials) -> LoginInstructions:
    steps = ("1. Open the client there and Generate Code with these scopes:", f"   {','.join(credentials.scopes)}")
    last = "2. Copy the code and paste it below; it works once, for a few minutes."
    return LoginInstructions("Generate a code in Zoho's console", credentials.data_centre.console_url, (*steps, last))


LOGIN_METHODS: dict[str, Callable[[LoginContext], LoginResult]] = {
    "browser": browser,
    "paste-url": paste_url,
    "device": device,
    "client-credentials": client_credentials,
    "code": code,
}
"""Every road by its name."""


def add_scopes(errand: LoginContext, more: tuple[str, ...], road: str = "auto") -> LoginResult:
    """Further scopes: Zoho's scope enhancement where that works, else a new consent with all scopes.

    "auto" is the road of before. The link of an enhancement holds a secret, so it is given to a browser here only.

    Raises as `travel`.
    """
    wanted = errand.credentials.replace(scopes=tuple(dict.fromkeys((*errand.credentials.scopes, *more))))
    again = replace(errand, credentials=wanted)
    road = _previous_method(wanted, errand.place) if road == "auto" else road
    if road != "browser" or wanted.refresh_token is None:
        return login(road, again)
    try:
        question = enhance.build(wanted, more, errand.post)
    except (ThrottledError, TransportError):
        raise
    except ZohoError:
        question = None
    if question is None:
        return login(road, again)
    question.parse_redirect(_wait_for_redirect(errand, question.url, question.redirect_uri, question.match), wanted)
    return LoginResult(wanted)


def _previous_method(credentials: Credentials, place: RuntimeEnvironment) -> str:
    if credentials.refresh_token is None or credentials.redirect_uri or credentials.client_id.startswith("1004."):
        return choose(credentials, place).method
    return "code"  # a refresh token without a redirect URI came from a self client's code


def _wait_for_redirect(
    errand: LoginContext, authorization: Secret, redirect_uri: str, match: Callable[[Secret], MatchResult]
) -> Secret:
    with LoopbackServer(redirect_uri, authorization, match) as listener, errand.person.showing(_opening(listener)):
        errand.person.open_browser(listener.start_url)
        return listener.wait(errand.patience)


def _opening(listener: LoopbackServer) -> LoginInstructions:
    steps = ("Your browser opens Zoho's page; if it does not, open this link. Accept there and come back.",)
    return LoginInstructions("Sign in to Zoho in your browser", listener.start_url, steps)


def _finish_redirect(errand: LoginContext, authorization: AuthorizationRequest, query: Secret) -> LoginResult:
    redirect = consent.parse_redirect(authorization, query, errand.credentials)
    there = home.credentials_for_location(errand.credentials, redirect.accounts, redirect.location, errand.get)
    return exchange_code(
        errand, there.replace(redirect_uri=authorization.redirect_uri), redirect.code, authorization.verifier
    )


def exchange_code(
    errand: LoginContext, there: Credentials, grant_code: Secret, verifier: Secret | None = None
) -> LoginResult:
    """A grant code's worth, at the data centre of these credentials. Raises as `oauth.exchange`."""
    mint = partial(oauth.exchange, there.accounts, code=grant_code, redirect_uri=there.redirect_uri)
    token = _with_dc_hint(errand, there, partial(mint, code_verifier=verifier))
    return _with_refresh_token(there.replace(grant_code=None), token)


def _with_refresh_token(there: Credentials, token: Token) -> LoginResult:
    """With the refresh token that came along; where none did, the one there was is better than none."""
    return LoginResult(there.replace(refresh_token=token.refresh_token) if token.refresh_token else there, token)


def _with_dc_hint(errand: LoginContext, there: Credentials, mint: Callable[..., Token]) -> Token:
    """What was minted, or the refusal with a next step that knows about data centres."""
    client = {"client_id": there.client_id, "client_secret": there.client_secret, "error_context": there.error_context}
    try:
        return mint(post=errand.post, clock=errand.clock, **client)
    except ZohoError as error:
        refused = error
    raise home.with_data_centre_hint(refused, errand.credentials, there, errand.post, errand.get)


def _soid(errand: LoginContext) -> str:
    """`ZohoCRM.<organisation id>`: set, known from an earlier login, or asked for."""
    known = errand.credentials.soid or errand.organisation()
    if not known:
        known = _asked(errand, "Organisation id (Setup > Developer Hub > APIs & SDKs; hidden): ").reveal()
    if not re.fullmatch(r"(ZohoCRM\.)?\d+", known):
        raise CredentialsMissing(
            "That is no organisation id: it is a number.", hint="Copy it from the CRM: Setup > Developer Hub > APIs."
        )
    return known if "." in known else f"ZohoCRM.{known}"


def _asked(errand: LoginContext, authorization: str) -> Secret:
    typed = Secret(errand.person.prompt(authorization).strip()) if errand.place.interactive else Secret("")
    if not typed:
        raise CredentialsMissing(
            "Nothing was typed.",
            hint="Run it again where you can answer; in a scheduled run, use --client-credentials.",
        )
    return typed
