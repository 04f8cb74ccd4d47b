"""The login methods. Each takes a context and returns credentials and a token, in the same state whichever it was.

To add one, write a function and add it to `LOGIN_METHODS`.
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
from ..config.pasted import parse_grant
from ..errors import ConfigurationError, CredentialsMissing, ThrottledError, TransportError, ZohoError
from ..secret import Secret
from . import account_location, scope_enhancement
from . import authorization as consent
from .authorization import AuthorizationRequest, MatchResult
from .device_flow import DeviceLogin
from .environment import RuntimeEnvironment, choose_method
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
    """What a login needs: credentials, how to reach Zoho, and how to talk to the user.

    Attributes:
        credentials: the credentials to sign in with; `refresh_token` is the earlier one, if any.
        post, get: functions that call Zoho.
        clock: seconds since the epoch.
        organisation: the id of the organisation that is already connected, or "".
        granted: the scopes of the token that there is, as Zoho said; empty without one.
        ui: how to show and ask.
        environment: where this runs.
        timeout: seconds to wait for the browser to come back.
    """

    credentials: Credentials
    post: PostForm
    get: account_location.Get
    clock: Callable[[], float]
    organisation: Callable[[], str] = field(default=lambda: "")
    granted: Callable[[], tuple[str, ...]] = field(default=lambda: ())
    ui: LoginUI = field(default_factory=LoginUI)
    environment: RuntimeEnvironment = field(default_factory=RuntimeEnvironment)
    timeout: float = 300.0


@dataclass(frozen=True)
class LoginResult:
    """The result of a login: a token, and the credentials it belongs to, to be saved.

    There is no token where the refresh token only gained scopes: the next access token has them.
    """

    credentials: Credentials
    token: Token | None = None


@dataclass(frozen=True, repr=False)
class PasteUrlLogin:
    """A login in any browser; the user pastes the address that it ends on.

    Attributes:
        context: what it is for.
        authorization: the request that Zoho's page answers.
    """

    context: LoginContext
    authorization: AuthorizationRequest

    @property
    def instructions(self) -> LoginInstructions:
        """What the user has to do."""
        steps = (
            "1. Open the link in your browser, sign in and accept.",
            f"2. It ends on an address that begins with {self.authorization.redirect_uri}; "
            "the page will not load; that is expected.",
            "3. Copy the whole address from the address bar and paste it, within a minute.",
        )
        return LoginInstructions("Sign in to Zoho in your browser", self.authorization.url, steps)

    def finish(self, typed: Secret) -> LoginResult:
        """Exchange the code in the pasted address.

        Raises:
            CredentialsMissing: the text is not an address of this login.
            AuthError, ThrottledError, TransportError: Zoho refused or was not reached.
        """
        return _finish_redirect(
            self.context, self.authorization, consent.query_of_pasted_url(typed, self.authorization.redirect_uri)
        )


def login(method: str, context: LoginContext) -> LoginResult:
    """Sign in by a login method; "auto" chooses one.

    Raises:
        CredentialsMissing: the client is not known yet, nobody can answer.
        ConfigurationError: `method` is unknown.
        AuthError, ThrottledError, TransportError: Zoho or the person refused, or nobody answered.
    """
    if method == "auto":
        choice = choose_method(context.credentials, context.environment)
        context.ui.show(LoginInstructions(f"Using {choice.method}: {choice.reason}"))
        method = choice.method
    if method not in LOGIN_METHODS:
        near = get_close_matches(method, LOGIN_METHODS, n=1)
        raise ConfigurationError(
            f"Unknown login method {method!r}. Choose one of: auto, {', '.join(LOGIN_METHODS)}.", hint=_suggestion(near)
        )
    context.credentials.require("client_id", "client_secret")
    return LOGIN_METHODS[method](context)


def _suggestion(near: list[str]) -> str:
    return f"Did you mean {near[0]}?" if near else "auto chooses by what is configured and where this runs."


def browser(context: LoginContext) -> LoginResult:
    """Sign in with a browser on this machine, which is redirected back here."""
    question = consent.build(context.credentials)
    query = _wait_for_redirect(context, Secret(question.url), question.redirect_uri, question.match)
    return _finish_redirect(context, question, query)


def paste_url(context: LoginContext) -> LoginResult:
    """Sign in with any browser; the user pastes the address that it ends on."""
    waiting = PasteUrlLogin(context, consent.build(context.credentials))
    with context.ui.showing(waiting.instructions):
        query = _ask_for_query(context, waiting.authorization.redirect_uri)
    return _finish_redirect(context, waiting.authorization, query)


def _ask_for_query(context: LoginContext, redirect_uri: str) -> Secret:
    """The query of the address that is pasted; asked again, at most twice, for the same consent."""
    for _ in range(2):
        try:
            return consent.query_of_pasted_url(_ask(context, _ADDRESS_PROMPT), redirect_uri)
        except ConfigurationError as error:
            if isinstance(error, CredentialsMissing):
                raise
            context.ui.show(LoginInstructions(f"{error.args[0]} {error.hint}"))
    return consent.query_of_pasted_url(_ask(context, _ADDRESS_PROMPT), redirect_uri)


_ADDRESS_PROMPT = "The address it ended on (hidden): "


def device(context: LoginContext) -> LoginResult:
    """Sign in on any other device, with a short code."""
    waiting = DeviceLogin.begin(context.credentials, context.post, context.get, context.clock)
    with context.ui.showing(waiting.instructions):
        while (step := waiting.poll()).token is None:
            context.ui.sleep(step.retry_in)
    return result_of_device(waiting, step.token)


def result_of_device(waiting: DeviceLogin, token: Token) -> LoginResult:
    """The result of a finished device login."""
    return _with_refresh_token(waiting.credentials, token)


def client_credentials(context: LoginContext) -> LoginResult:
    """Sign a self client in for its organisation, without a user. Only id, secret and `soid` are kept."""
    wanted = context.credentials.replace(soid=_soid(context), refresh_token=None)
    request_token = partial(oauth.client_credentials, wanted.accounts, scopes=wanted.scopes, soid=wanted.soid)
    token = _with_dc_hint(context, wanted, request_token)
    notes = token.warnings if context.credentials.refresh_token is None else (*token.warnings, OLD_TOKEN_NOTE)
    return LoginResult(wanted, replace(token, warnings=notes))


OLD_TOKEN_NOTE = (
    "The refresh token there was is no longer kept here; at Zoho it is valid until you revoke it "  # noqa: S105
    "(accounts.zoho.com > Sessions > Connected Apps)."
)


def code(context: LoginContext) -> LoginResult:
    """Exchange a grant code from Zoho's console (a self client): `ZOHO_GRANT_CODE`, or one that is asked for."""
    wanted = context.credentials
    grant_code = wanted.grant_code
    if grant_code is None:
        with context.ui.showing(_console_instructions(wanted)):
            typed = parse_grant(_ask(context, "Grant code (hidden): "))
        wanted = wanted.replace(**typed)
        grant_code = wanted.grant_code or Secret("")
    return exchange_code(context, wanted, grant_code)


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
"""Each login method. To add one, add a row here."""


def add_scopes(context: LoginContext, more: tuple[str, ...], method: str = "auto") -> LoginResult:
    """Add scopes to the grant: by Zoho's scope enhancement where that works, else by a new consent with all scopes.

    "auto" is the method of the earlier login. The link of an enhancement holds a
    secret, so only a browser on this machine gets it.

    Raises:
        CredentialsMissing: the client is not known yet, or nobody can answer.
        AuthError, ThrottledError, TransportError: Zoho or the user refused, or nobody answered.
    """
    before = context.granted() or context.credentials.scopes
    wanted = context.credentials.replace(scopes=tuple(dict.fromkeys((*before, *more))))
    again = replace(context, credentials=wanted)
    method = _previous_method(wanted, context.environment) if method == "auto" else method
    if method != "browser" or wanted.refresh_token is None:
        return login(method, again)
    try:
        question = scope_enhancement.build(wanted, more, context.post)
    except (ThrottledError, TransportError):
        raise
    except ZohoError:
        question = None
    if question is None:
        return login(method, again)
    question.parse_redirect(_wait_for_redirect(context, question.url, question.redirect_uri, question.match), wanted)
    return LoginResult(wanted)


def _previous_method(credentials: Credentials, place: RuntimeEnvironment) -> str:
    if credentials.refresh_token is None or credentials.redirect_uri or credentials.client_id.startswith("1004."):
        return choose_method(credentials, place).method
    return "code"  # a refresh token without a redirect URI came from a self client's code


def _wait_for_redirect(
    context: LoginContext, authorization: Secret, redirect_uri: str, match: Callable[[Secret], MatchResult]
) -> Secret:
    with LoopbackServer(redirect_uri, authorization, match) as listener, context.ui.showing(_opening(listener)):
        context.ui.open_browser(listener.start_url)
        return listener.wait(context.timeout)


def _opening(listener: LoopbackServer) -> LoginInstructions:
    steps = ("Your browser opens Zoho's page; if it does not, open this link. Accept there and come back.",)
    return LoginInstructions("Sign in to Zoho in your browser", listener.start_url, steps)


def _finish_redirect(context: LoginContext, authorization: AuthorizationRequest, query: Secret) -> LoginResult:
    redirect = consent.parse_redirect(authorization, query, context.credentials)
    there = account_location.credentials_for_location(
        context.credentials, redirect.accounts, redirect.location, context.get
    )
    return exchange_code(
        context, there.replace(redirect_uri=authorization.redirect_uri), redirect.code, authorization.verifier
    )


def exchange_code(
    context: LoginContext, there: Credentials, grant_code: Secret, verifier: Secret | None = None
) -> LoginResult:
    """Exchange a grant code at the data centre of these credentials.

    Raises:
        AuthError, ThrottledError, TransportError: Zoho refused or was not reached.
    """
    request_token = partial(oauth.exchange, there.accounts, code=grant_code, redirect_uri=there.redirect_uri)
    try:
        token = _with_dc_hint(context, there, partial(request_token, code_verifier=verifier))
    except TransportError as error:
        if error.may_have_been_sent:
            error.hint = "The code may be used up: generate a new one, then run it again."
        raise
    return _with_refresh_token(there.replace(grant_code=None), token)


def _with_refresh_token(there: Credentials, token: Token) -> LoginResult:
    """The result with the new refresh token; the earlier one stays where Zoho sent none."""
    if token.refresh_token:
        return LoginResult(there.replace(refresh_token=token.refresh_token), token)
    if there.refresh_token is not None:
        others = tuple(note for note in token.warnings if note != oauth.NO_REFRESH_TOKEN_NOTE)
        token = replace(token, warnings=(*others, EARLIER_TOKEN_NOTE))
    return LoginResult(there, token)


EARLIER_TOKEN_NOTE = (
    "Zoho sent no refresh token, so the earlier one stays in use: from the next refresh on the calls are made as "  # noqa: S105
    "the user it belongs to."
)


def _with_dc_hint(context: LoginContext, there: Credentials, request_token: Callable[..., Token]) -> Token:
    """The token, or Zoho's error with a next step that knows about data centres."""
    client = {"client_id": there.client_id, "client_secret": there.client_secret, "error_context": there.error_context}
    try:
        return request_token(post=context.post, clock=context.clock, **client)
    except ZohoError as error:
        refused = error
    raise account_location.with_data_centre_hint(refused, context.credentials, there, context.post, context.get)


def _soid(context: LoginContext) -> str:
    """`ZohoCRM.<organisation id>`: set, known from an earlier login, or asked for."""
    known = context.credentials.soid or context.organisation()
    if not known and not context.environment.interactive:
        raise CredentialsMissing(
            "Client credentials need the organisation they are for, and nobody is here to type it.",
            hint="Set ZOHO_SOID to ZohoCRM.<organisation id> (Setup > Developer Hub > APIs shows the id).",
        )
    if not known:
        known = _ask(context, "Organisation id (Setup > Developer Hub > APIs & SDKs; hidden): ").reveal()
    if not re.fullmatch(r"(ZohoCRM\.)?\d+", known):
        raise CredentialsMissing(
            "An organisation id is a number, for example 700123456.",
            hint="Copy it from the CRM: Setup > Developer Hub > APIs.",
        )
    return known if "." in known else f"ZohoCRM.{known}"


def _ask(context: LoginContext, authorization: str) -> Secret:
    typed = Secret(context.ui.prompt(authorization).strip()) if context.environment.interactive else Secret("")
    if not typed:
        raise CredentialsMissing(
            "No input was given.",
            hint="Run it again where you can answer; in a scheduled run, set ZOHO_SOID and use "
            'zoho.login("client-credentials").',
        )
    return typed
