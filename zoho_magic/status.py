"""What a session has to say about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .auth.api_host import api_origin
from .auth.oauth import Token
from .config import profiles
from .config.credentials import Credentials
from .config.settings import ENV_VARS
from .crm.org import AccountInfo
from .data_centres import by_api_url
from .errors import ConfigurationError, ZohoError, printable
from .scopes import has_crm_scope, missing_scopes

__all__ = ["Status", "build_status"]


@dataclass(frozen=True)
class Status:
    """Who is connected, where, with what rights; what `%zoho` shows.

    Attributes:
        connected: whether there is a usable access token.
        name, email: of the person the token belongs to; "" where Zoho did not say.
        organisation: company name of the CRM org; "" where Zoho did not say.
        edition: the org's paid edition (`enterprise`, ...), which sets its limits.
        dc, data_centre: data centre, as in `ZOHO_DC` and for people.
        environment: production, sandbox or developer; simulator for the demo.
        demo: whether this is `%zoho_demo`: invented data on this machine, nobody's account.
        api_url: origin of the CRM API in use.
        scopes: as granted by Zoho, or as configured before the first token.
        expires_in: seconds left of the access token; 0 without one.
        token_shared: whether the access token is shared with your other processes.
        credits_left: API credits left today; None until Zoho tells (it does once half are used).
        sources: key of a setting -> where it came from; never its value.
        file: the `.env` in use, or "memory".
        profile: its name as a profile; "" for `.env` itself.
        magics: names to list, where somebody asked for them (`%zoho` does).
        warnings: what a person should act on.
        next_step: what to do now; "" when everything works.

    Example::

        zoho.status().next_step
    """

    connected: bool
    dc: str
    data_centre: str
    environment: str
    api_url: str
    scopes: tuple[str, ...]
    file: str
    demo: bool = False
    profile: str = ""
    name: str = ""
    email: str = ""
    organisation: str = ""
    edition: str = ""
    expires_in: int = 0
    token_shared: bool = False
    credits_left: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    magics: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def title(self) -> str:
        """Who is connected, in one line."""
        return f"Demo: {self._title}" if self.demo else self._title

    @property
    def _title(self) -> str:
        if not self.connected:
            return "Signed in, but not to Zoho CRM" if self._lacks_crm else "Not connected to Zoho CRM"
        who = self.name or self.email
        if not who and self.next_step:
            return "Zoho gave a token, but the CRM did not say whose it is"
        at = f" at {self.organisation}" if self.organisation else ""
        return (f"Connected as {who}" if who else "Connected to Zoho CRM") + at

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows a status; what is empty is left out."""
        minutes, seconds = divmod(self.expires_in, 60)
        kept = ", shared by your kernels" if self.token_shared else ""
        rows = {
            "Person": " ".join(filter(None, (self.name, f"<{self.email}>" if self.email else ""))),
            "Organisation": self.organisation + (f" ({self.edition})" if self.edition else ""),
            "Demo": "invented data on this machine; %zoho_demo --stop goes back to your account" if self.demo else "",
            "Profile": self.profile and f"{self.profile} ({self.environment}); back to .env: %zoho --env .env",
            "Data centre": f"{self.dc} ({self.data_centre}), {self.environment}",
            "API": self.api_url,
            "Access token": f"{minutes} min {seconds} s left{kept}" if self.connected else "",
            "API credits": f"{self.credits_left:,} left" if self.credits_left is not None else "",
            "Scopes": ", ".join(self.scopes),
            "Not covered": self._not_covered,
            "Settings": "; ".join(f"{', '.join(keys)} from {source}" for source, keys in self._keys_by_source.items()),
            "File": self.file,
            "Magics": " ".join(self.magics) + (" (each answers to -h)" if self.magics else ""),
        }
        return {label: text for label, text in rows.items() if text}

    @property
    def _lacks_crm(self) -> bool:
        return self.expires_in > 0 and not has_crm_scope(self.scopes)

    @property
    def _not_covered(self) -> str:
        """The tasks that the token's scopes do not cover, and the one line that adds them all."""
        if not self.expires_in or not (lacking := missing_scopes(self.scopes)):
            return ""
        tasks = "; ".join(f"{task} needs {', '.join(scopes)}" for task, scopes in lacking.items())
        return f"{tasks}. All at once: {_add_scopes_call(lacking)}"

    @property
    def _keys_by_source(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, source in self.sources.items():
            found.setdefault(source, []).append(key)
        return found

    def __str__(self) -> str:
        lines = [self.title, *(f"  {label + ':':14}{text}" for label, text in self.details.items())]
        lines += [f"  ! {warning}" for warning in self.warnings]
        return printable("\n".join([*lines, *([f"  -> {self.next_step}"] if self.next_step else [])]))

    __repr__ = __str__


def build_status(
    credentials: Credentials,
    token: Token | None,
    account: AccountInfo,
    problem: ZohoError | None,
    *,
    credits_left: int | None,
    cache_problem: str,
    warnings: Sequence[str],
    demo: bool = False,
) -> Status:
    """The status of a session: what it is connected with, and what to do where it is not."""
    api_url = api_origin(credentials, token) if token and not isinstance(problem, ConfigurationError) else ""
    return Status(
        connected=token is not None and has_crm_scope(token.scopes),
        name=account.person.name,
        email=account.person.email,
        organisation=account.organisation.name,
        edition=account.organisation.edition,
        dc=credentials.dc,
        data_centre=credentials.data_centre.display_name,
        environment="simulator" if demo else _environment(credentials, api_url),
        demo=demo,
        api_url=api_url,
        scopes=(token.scopes if token else ()) or credentials.scopes,
        expires_in=token.expires_in if token else 0,
        credits_left=credits_left,
        sources=_sources(credentials),
        file=str(credentials.path or "memory"),
        profile=profiles.name_of(credentials.path),
        token_shared=bool(credentials.token_cache) and not cache_problem,
        warnings=_non_empty(
            *warnings, _conflict_warning(credentials), cache_problem, *account.notes, problem.args[0] if problem else ""
        ),
        next_step=problem.hint if problem else _next_step(credentials, token),
    )


def _environment(credentials: Credentials, api_url: str) -> str:
    """The environment that the calls go to: a token may be for another one than is set."""
    home = by_api_url(api_url)
    return (
        next((name for name, url in home.api_urls.items() if url == api_url), "") if home else credentials.environment
    )


def _add_scopes_call(lacking: Mapping[str, Sequence[str]]) -> str:
    names = dict.fromkeys(scope for scopes in lacking.values() for scope in scopes)
    return f"zoho.login(add_scopes={list(names)})"


def _conflict_warning(credentials: Credentials) -> str:
    if not credentials.conflicts or credentials.path is None:
        return ""
    keys, file = ", ".join(credentials.conflicts), credentials.path.name
    if credentials.file_wins:
        return f"{keys}: the environment has another value; {file} was named, so its value is used."
    return (
        f"{keys}: the environment and {file} have different values; the environment's is used. Unset it to use {file}."
    )


def _sources(credentials: Credentials) -> dict[str, str]:
    return {ENV_VARS[name]: source for name, source in credentials.sources.items() if getattr(credentials, name)}


def _non_empty(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _next_step(credentials: Credentials, token: Token | None) -> str:
    if token is not None and not has_crm_scope(token.scopes):
        return f"The token has no scope of the CRM. Add what you need: {_add_scopes_call(missing_scopes(()))}."
    if token is not None:
        return ""
    if not credentials.client_id or credentials.client_secret is None:
        return "Run %zoho_setup, or %zoho_demo to try everything without a Zoho account."
    return f"Run %zoho_login; or generate a code at {credentials.data_centre.console_url} and run %zoho_exchange."
