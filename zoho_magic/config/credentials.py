"""What a session needs to know to talk to Zoho, and where each value came from."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..data_centres import DATA_CENTRES, ENVIRONMENTS, DataCentre, origin_of, trusted_origin
from ..errors import CredentialsMissing
from ..scopes import READ_WRITE, split
from ..secret import Secret
from . import dotenv_file as envfile
from . import keyring_store as oskeyring

__all__ = ["KEYS", "OWN_SECRETS", "SECRETS", "Credentials", "concealed", "load", "save"]

KEYS = {
    "client_id": "ZOHO_CLIENT_ID",
    "client_secret": "ZOHO_CLIENT_SECRET",
    "refresh_token": "ZOHO_REFRESH_TOKEN",
    "dc": "ZOHO_DC",
    "scopes": "ZOHO_SCOPES",
    "redirect_uri": "ZOHO_REDIRECT_URI",
    "environment": "ZOHO_ENVIRONMENT",
    "soid": "ZOHO_SOID",
    "grant_code": "ZOHO_GRANT_CODE",
    "accounts_url": "ZOHO_ACCOUNTS_URL",
    "api_url": "ZOHO_API_URL",
    "token_cache": "ZOHO_TOKEN_CACHE",
    "keyring": "ZOHO_KEYRING",
}
"""Each field of `Credentials` and its key in `.env`. To add a setting: a line here, one in `Credentials`."""

SECRETS = frozenset({"client_secret", "refresh_token", "grant_code"})

OWN_SECRETS = {dc: f"ZOHO_CLIENT_SECRET_{dc.upper()}" for dc in DATA_CENTRES}
"""Data centre -> the key of its own client secret: Zoho gives a client another one in each, unless told otherwise.

https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
"""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who is asking, where, and for what; immutable. Secrets are `Secret`.

    Attributes:
        client_id: from Zoho's API console.
        client_secret: from the same page; the one of `dc`, where that has one of its own.
        refresh_token: lasts until revoked; None before the first exchange.
        grant_code: a code waiting to be exchanged, from `ZOHO_GRANT_CODE`.
        dc: name of the data centre, a key of `DATA_CENTRES`.
        scopes: what to ask for.
        redirect_uri: registered with a server-based client; "" for a self client.
        environment: production, sandbox or developer.
        soid: `ZohoCRM.<organisation id>`, for client credentials.
        accounts_url: another accounts origin, loopback or a Zoho host; "" for the data centre's.
        api_url: likewise for the CRM API.
        token_cache: "1" shares access tokens with the other processes of this user; "" keeps them in memory.
        keyring: entry of the OS keyring that has what secrets `.env` has not; "" where there is none.
        client_secrets: data centre -> its own client secret (`ZOHO_CLIENT_SECRET_EU`, ...); "" -> the general one.
        trusted: further origins the caller vouches for in Python; never read from a file.
        path: the `.env` these came from and are saved to; None keeps them in memory only.
        sources: field -> where it came from ("environment", the file's name, "OS keyring (...)", "this session").
        trouble: why secrets that should be in the OS keyring are not here.
    """

    client_id: str = ""
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    grant_code: Secret | None = None
    dc: str = "us"
    scopes: tuple[str, ...] = READ_WRITE
    redirect_uri: str = ""
    environment: str = "production"
    soid: str = ""
    accounts_url: str = ""
    api_url: str = ""
    token_cache: str = ""
    keyring: str = ""
    client_secrets: Mapping[str, Secret] = field(default_factory=dict)
    trusted: frozenset[str] = frozenset()
    path: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    trouble: CredentialsMissing | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted", frozenset(map(_vouched, self.trusted)))
        for name in ("accounts_url", "api_url"):
            if url := getattr(self, name):
                object.__setattr__(self, name, self._origin(name, url))

    @property
    def data_centre(self) -> DataCentre:
        """The row of the table `dc` names."""
        return DATA_CENTRES[self.dc]

    @property
    def accounts(self) -> str:
        """Origin of the accounts server that is asked for tokens."""
        return self.accounts_url or self.data_centre.accounts

    @property
    def facts(self) -> dict[str, str]:
        """What an error's hint names."""
        return {"dc": self.dc, "console": self.data_centre.console, "environment": self.environment}

    def changed(self, **fields: Any) -> Credentials:
        """A copy with other values, marked as set in this session; values are checked as when read from `.env`.

        With another data centre comes its client secret.
        """
        fields = concealed(fields)
        sources = {**self.sources, **dict.fromkeys(fields, "this session")}
        checked = {name: _usable(name, value) for name, value in fields.items()}
        return replace(self, **{**self._secret_at(checked.get("dc", self.dc)), **checked}, sources=sources)

    def require(self, *names: str) -> None:
        """Raise CredentialsMissing naming every one of these fields that is not set, and where it was looked for."""
        missing = [KEYS[name] for name in names if not getattr(self, name)]
        if self.trouble and any(map(oskeyring.keeps, missing)):
            raise copy.copy(self.trouble)
        if missing:
            raise CredentialsMissing(
                f"Not set: {', '.join(missing)} (looked in the environment and in {self.path or 'memory'}).",
                hint=f"Run %zoho_setup, or put {'it' if len(missing) == 1 else 'them'} into {self.path or '.env'}.",
            )

    def _secret_at(self, dc: str) -> dict[str, Secret]:
        secret = self.client_secrets.get(dc) or self.client_secrets.get("")
        return {"client_secret": secret} if secret and dc != self.dc else {}

    def _origin(self, name: str, url: str) -> str:
        origin = trusted_origin(url, also=self.trusted)
        if origin is None:
            raise CredentialsMissing(
                f"{KEYS[name]} (from {self.sources.get(name, 'this session')}) does not name a Zoho host over https, "
                "nor this machine: nothing is sent there.",
                hint=f"Remove {KEYS[name]} or correct it. A host you vouch for: ZohoSession.from_env(trusted=[...]).",
            )
        return origin


def load(path: Path, trusted: frozenset[str] = frozenset()) -> Credentials:
    """Credentials from a `.env` file under the process environment, which wins; whatever is missing stays empty.

    Raises:
        CredentialsMissing: the file cannot be read, or a value in it or in the environment cannot be used.
    """
    stored, stored_own = _found(envfile.read(path, frozenset((*KEYS.values(), *OWN_SECRETS.values()))))
    given, given_own = _found(os.environ)
    kept, kept_own, keyring, trouble = _kept({**stored, **given})
    values, own = {**kept, **stored, **given}, {**kept_own, **stored_own, **given_own}
    sources = {**dict.fromkeys(kept, keyring), **dict.fromkeys(stored, path.name), **dict.fromkeys(given, _SET)}
    fields = {name: _usable(name, value, sources[name]) for name, value in values.items()}
    own = {dc: _secret(OWN_SECRETS[dc], value) for dc, value in own.items()}
    if (dc := fields.get("dc", Credentials.dc)) in own:
        sources["client_secret"] = _SET if dc in given_own else path.name if dc in stored_own else keyring
    secrets = {**own, **({"": fields["client_secret"]} if "client_secret" in fields else {})}
    fields |= {"client_secret": own[dc]} if dc in own else {}
    return Credentials(**fields, client_secrets=secrets, path=path, sources=sources, trusted=trusted, trouble=trouble)


_SET = "environment"


def _kept(known: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Secret], str, CredentialsMissing | None]:
    """What the OS keyring has, by name and by data centre; what to call it; and why it has nothing."""
    if not (name := known.get("keyring")) or {"client_secret", "refresh_token"} <= known.keys():
        return {}, {}, "", None
    try:
        found, keyring = oskeyring.read(name), oskeyring.place()
    except CredentialsMissing as error:
        return {}, {}, "", copy.copy(error)
    if found is None:
        return {}, {}, "", _gone(name, keyring)
    return *_found(found), keyring, None


def _gone(name: str, keyring: str) -> CredentialsMissing:
    return CredentialsMissing(
        f"The {keyring} has no entry {name}.",
        hint="Is this the machine and the user that made it? If so, %zoho_setup stores the secrets there anew.",
    )


def _found(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Secret]]:
    return _named(values), {dc: _hidden(values[key]) for dc, key in OWN_SECRETS.items() if values.get(key)}


def _hidden(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return concealed({name: values[key] for name, key in KEYS.items() if values.get(key)})


def concealed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields with every secret in a `Secret`; a frame that holds only these may end up in a traceback."""
    return {n: Secret(v) if n in SECRETS and isinstance(v, str) else v for n, v in fields.items()}


def save(credentials: Credentials, *names: str) -> None:
    """Write these fields to where the credentials belong: `.env`, or the OS keyring where that says so.

    An empty field is removed; for credentials in memory only nothing is written.

    Raises:
        CredentialsMissing: the file cannot be written; it is as it was.
    """
    if credentials.path is not None:
        write = oskeyring.save if credentials.keyring else envfile.write
        write(credentials.path, {_key(credentials, name): _stored(getattr(credentials, name)) for name in names})


def _key(credentials: Credentials, name: str) -> str:
    own = name == "client_secret" and credentials.dc in credentials.client_secrets
    return OWN_SECRETS[credentials.dc] if own else KEYS[name]


def _stored(value: Secret | str | tuple[str, ...] | None) -> Secret | str | None:
    return ",".join(value) or None if isinstance(value, tuple) else value or None


def _usable(name: str, value: Any, source: str = "") -> Any:
    check = _CHECKS.get(name, _line)
    return value if value is None else check(f"{KEYS[name]} (from {source})" if source else KEYS[name], value)


def _line(label: str, value: str) -> str:
    if not _is_line(value):
        raise _unusable(label, "has spaces or characters that no such value has", _AGAIN)
    return value.strip()


def _secret(label: str, value: Secret) -> Secret:
    if not _is_line(value.reveal()):
        raise _unusable(label, "has spaces or characters that no such value has", _AGAIN)
    return Secret(value.reveal().strip())


_AGAIN = "Copy it again from Zoho's console."


def _is_line(value: str) -> bool:
    text = value.strip()
    return text.isascii() and text.isprintable() and " " not in text


def _scopes(label: str, value: str | tuple[str, ...]) -> tuple[str, ...]:
    scopes = split(value) if isinstance(value, str) else tuple(value)
    if wrong := [scope for scope in scopes if not re.fullmatch(r"[\w.-]+", scope, re.ASCII)]:
        raise _unusable(
            label, f"has {wrong[0]!a}, which is no scope", "Write them as ZohoCRM.modules.ALL, with commas."
        )
    return scopes


def _redirect(label: str, value: str) -> str:
    if value and not value.strip().startswith(("http://", "https://")):
        raise _unusable(label, "does not begin with http:// or https://", "Write it exactly as in Zoho's console.")
    return _line(label, value)


def _dc(label: str, value: str) -> str:
    return _one_of(label, value, tuple(DATA_CENTRES))


def _environment(label: str, value: str) -> str:
    return _one_of(label, value, ENVIRONMENTS)


def _switch(label: str, value: str) -> str:
    text = _one_of(label, str(value), ("1", "0", "on", "off", "true", "false", "yes", "no", ""))
    return "1" if text in ("1", "on", "true", "yes") else ""


def _one_of(label: str, value: str, allowed: tuple[str, ...]) -> str:
    text = value.strip().lower()
    if text not in allowed:
        near = get_close_matches(text, allowed, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise _unusable(label, f"is none of {', '.join(allowed)}", f"Set it to one of them.{meant}")
    return text


def _unusable(label: str, why: str, hint: str) -> CredentialsMissing:
    return CredentialsMissing(f"{label} {why}.", hint=hint)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "dc": _dc,
    "environment": _environment,
    "scopes": _scopes,
    "redirect_uri": _redirect,
    "token_cache": _switch,
    **dict.fromkeys(SECRETS, _secret),
}


def _vouched(url: str) -> str:
    origin = origin_of(url)
    if origin is None:
        raise CredentialsMissing(
            "trusted=[...] names something that is not an origin.", hint="Write each one as https://host, in a list."
        )
    return origin
