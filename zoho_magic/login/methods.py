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
from .authorization import Consent, Verdict
from .device_flow import DeviceLogin
from .environment import Place, choose
from .loopback_server import Loopback
from .prompts import Invitation, Person

__all__ = ["ROADS", "Errand", "Obtained", "PastedLogin", "add_scopes", "exchanged", "of_device", "travel"]


@dataclass(frozen=True)
class Errand:
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

    wanted: Credentials
    post: PostForm
    get: home.Get
    clock: Callable[[], float]
    organisation: Callable[[], str] = field(default=lambda: "")
    person: Person = field(default_factory=Person)
    place: Place = field(default_factory=Place)
    patience: float = 300.0


@dataclass(frozen=True)
class Obtained:
    """What a road led to: a token, and the credentials it was obtained with, to be saved.

    No token where the refresh token stayed the same and gained something: the next one minted has it.
    """

    credentials: Credentials
    token: Token | None = None


@dataclass(frozen=True, repr=False)
class PastedLogin:
    """A consent page that somebody opens anywhere, and whose last address she pastes.

    Attributes:
        errand: what it is for.
        question: the page.
    """

    errand: Errand
    question: Consent

    @property
    def invitation(self) -> Invitation:
        """What to do on this road."""
        steps = (
            "1. Open the link in your browser, sign in and accept.",
            f"2. It ends on an address that begins with {self.question.redirect_uri}; "
            "if that page does not load, all is well.",
            "3. Copy the whole address from the address bar and paste it, within a minute.",
        )
        return Invitation("Sign in to Zoho in your browser", self.question.url, steps)

    def finish(self, typed: Secret) -> Obtained:
        """What a pasted address is worth. Raises CredentialsMissing if it is none, else as `travel`."""
        return _granted(self.errand, self.question, consent.pasted(typed, self.question.redirect_uri))


def travel(road: str, errand: Errand) -> Obtained:
    """Sign in by this road; "auto" chooses one.

    Raises:
        CredentialsMissing: the client is not known yet, nobody can answer, or there is no such road.
        AuthError, ThrottledError, TransportError: Zoho or the person refused, or nobody answered.
    """
    if road == "auto":
        choice = choose(errand.wanted, errand.place)
        errand.person.show(Invitation(f"{choice.why} So the road is: {choice.road}."))
        road = choice.road
    if road not in ROADS:
        near = get_close_matches(road, ROADS, n=1)
        raise CredentialsMissing(f"There is no such road. It is one of: auto, {', '.join(ROADS)}.", hint=_meant(near))
    errand.wanted.require("client_id", "client_secret")
    return ROADS[road](errand)


def _meant(near: list[str]) -> str:
    return f"Did you mean {near[0]}?" if near else "auto chooses by what is configured and where this runs."


def browser(errand: Errand) -> Obtained:
    """By a browser on this machine, which comes back by itself."""
    question = consent.ask(errand.wanted)
    query = _come_back(errand, Secret(question.url), question.redirect_uri, question.verdict)
    return _granted(errand, question, query)


def paste_url(errand: Errand) -> Obtained:
    """By a browser anywhere; the address it ends on is pasted back."""
    waiting = PastedLogin(errand, consent.ask(errand.wanted))
    with errand.person.invited(waiting.invitation):
        typed = _asked(errand, "The address it ended on (hidden): ")
    return waiting.finish(typed)


def device(errand: Errand) -> Obtained:
    """On any other device, by a short code."""
    waiting = DeviceLogin.begin(errand.wanted, errand.post, errand.get, errand.clock)
    with errand.person.invited(waiting.invitation):
        while (step := waiting.poll()).token is None:
            errand.person.pause(step.wait)
    return of_device(waiting, step.token)


def of_device(waiting: DeviceLogin, token: Token) -> Obtained:
    """What a device login led to."""
    return _lasting(waiting.credentials, token)


def client_credentials(errand: Errand) -> Obtained:
    """By nobody: a self client signs in for its organisation. Nothing but id, secret and `soid` is kept."""
    wanted = errand.wanted.changed(soid=_soid(errand), refresh_token=None)
    mint = partial(oauth.client_credentials, wanted.accounts, scopes=wanted.scopes, soid=wanted.soid)
    token = _helped(errand, wanted, mint)
    notes = token.notes if errand.wanted.refresh_token is None else (*token.notes, STILL_VALID)
    return Obtained(wanted, replace(token, notes=notes))


STILL_VALID = (
    "The refresh token there was is no longer kept here; at Zoho it is valid until you revoke it "
    "(accounts.zoho.com > Sessions > Connected Apps)."
)


def code(errand: Errand) -> Obtained:
    """By a code from Zoho's console (a self client): the waiting one, or one that is asked for."""
    wanted = errand.wanted
    grant_code = wanted.grant_code
    if grant_code is None:
        with errand.person.invited(_generating(wanted)):
            grant_code = _asked(errand, "Grant code (hidden): ")
    return exchanged(errand, wanted, grant_code)


def _generating(wanted: Credentials) -> Invitation:
    steps = ("1. Open the client there and Generate Code with these scopes:", f"   {','.join(wanted.scopes)}")
    last = "2. Copy the code and paste it below; it works once, for a few minutes."
    return Invitation("Generate a code in Zoho's console", wanted.data_centre.console, (*steps, last))


ROADS: dict[str, Callable[[Errand], Obtained]] = {
    "browser": browser,
    "paste-url": paste_url,
    "device": device,
    "client-credentials": client_credentials,
    "code": code,
}
"""Every road by its name."""


def add_scopes(errand: Errand, more: tuple[str, ...], road: str = "auto") -> Obtained:
    """Further scopes: Zoho's scope enhancement where that works, else a new consent with all scopes.

    "auto" is the road of before. The link of an enhancement holds a secret, so it is given to a browser here only.

    Raises as `travel`.
    """
    wanted = errand.wanted.changed(scopes=tuple(dict.fromkeys((*errand.wanted.scopes, *more))))
    again = replace(errand, wanted=wanted)
    road = _road_of_before(wanted, errand.place) if road == "auto" else road
    if road != "browser" or wanted.refresh_token is None:
        return travel(road, again)
    try:
        question = enhance.ask(wanted, more, errand.post)
    except (ThrottledError, TransportError):
        raise
    except ZohoError:
        question = None
    if question is None:
        return travel(road, again)
    question.read(_come_back(errand, question.url, question.redirect_uri, question.verdict), wanted)
    return Obtained(wanted)


def _road_of_before(wanted: Credentials, place: Place) -> str:
    if wanted.refresh_token is None or wanted.redirect_uri or wanted.client_id.startswith("1004."):
        return choose(wanted, place).road
    return "code"  # a refresh token without a redirect URI came from a self client's code


def _come_back(errand: Errand, question: Secret, redirect_uri: str, verdict: Callable[[Secret], Verdict]) -> Secret:
    with Loopback(redirect_uri, question, verdict) as listener, errand.person.invited(_opening(listener)):
        errand.person.browse(listener.start)
        return listener.wait(errand.patience)


def _opening(listener: Loopback) -> Invitation:
    steps = ("Your browser opens Zoho's page; if it does not, open this link. Accept there and come back.",)
    return Invitation("Sign in to Zoho in your browser", listener.start, steps)


def _granted(errand: Errand, question: Consent, query: Secret) -> Obtained:
    redirect = consent.read(question, query, errand.wanted)
    there = home.at(errand.wanted, redirect.accounts, redirect.location, errand.get)
    return exchanged(errand, there.changed(redirect_uri=question.redirect_uri), redirect.code, question.verifier)


def exchanged(errand: Errand, there: Credentials, grant_code: Secret, verifier: Secret | None = None) -> Obtained:
    """A grant code's worth, at the data centre of these credentials. Raises as `oauth.exchange`."""
    mint = partial(oauth.exchange, there.accounts, code=grant_code, redirect_uri=there.redirect_uri)
    token = _helped(errand, there, partial(mint, code_verifier=verifier))
    return _lasting(there.changed(grant_code=None), token)


def _lasting(there: Credentials, token: Token) -> Obtained:
    """With the refresh token that came along; where none did, the one there was is better than none."""
    return Obtained(there.changed(refresh_token=token.refresh_token) if token.refresh_token else there, token)


def _helped(errand: Errand, there: Credentials, mint: Callable[..., Token]) -> Token:
    """What was minted, or the refusal with a next step that knows about data centres."""
    client = {"client_id": there.client_id, "client_secret": there.client_secret, "facts": there.facts}
    try:
        return mint(post=errand.post, clock=errand.clock, **client)
    except ZohoError as error:
        refused = error
    raise home.explained(refused, errand.wanted, there, errand.post, errand.get)


def _soid(errand: Errand) -> str:
    """`ZohoCRM.<organisation id>`: set, known from an earlier login, or asked for."""
    known = errand.wanted.soid or errand.organisation()
    if not known:
        known = _asked(errand, "Organisation id (Setup > Developer Hub > APIs & SDKs; hidden): ").reveal()
    if not re.fullmatch(r"(ZohoCRM\.)?\d+", known):
        raise CredentialsMissing(
            "That is no organisation id: it is a number.", hint="Copy it from the CRM: Setup > Developer Hub > APIs."
        )
    return known if "." in known else f"ZohoCRM.{known}"


def _asked(errand: Errand, question: str) -> Secret:
    typed = Secret(errand.person.ask(question).strip()) if errand.place.answers else Secret("")
    if not typed:
        raise CredentialsMissing(
            "Nothing was typed.",
            hint="Run it again where you can answer; in a scheduled run, use --client-credentials.",
        )
    return typed
