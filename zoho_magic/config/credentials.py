"""What a session needs to know to talk to Zoho, and where each value came from."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

from ..data_centres import (
    DATA_CENTRES,
    ENVIRONMENTS,
    DataCentre,
    by_accounts_url,
    by_api_url,
    find_data_centre,
    is_loopback,
    origin_of,
    trusted_origin,
)
from ..errors import ConfigurationError, CredentialsMissing, printable
from ..scopes import PRESETS, READ_WRITE, parse_scopes
from ..secret import Secret
from . import dotenv_file as envfile
from . import keyring_store, pasted
from .dotenv_file import DotenvContents
from .settings import DC_CLIENT_SECRET_VARS, ENV_VARS, IDENTIFYING_FIELDS, SECRET_FIELDS, URL_FIELDS

__all__ = ["CredentialChanges", "Credentials", "load", "save", "wrap_secrets"]


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
        client_secret_by_dc: data centre -> its own client secret (`ZOHO_CLIENT_SECRET_EU`, ...); "" -> the general one.
        trusted_origins: further origins the caller vouches for in Python; never read from a file.
        path: the `.env` these came from and are saved to; None keeps them in memory only.
        sources: field -> where it came from ("environment", the file's name, "OS keyring (...)", "this session").
        file_wins: whether the file was named explicitly, and so wins over the environment.
        conflicts: variables that have another value in the environment than in the file.
        keyring_error: why secrets that should be in the OS keyring are not here.

    Example::

        zoho = ZohoSession(Credentials(client_id="1000.ABC", client_secret=Secret("…"), dc="eu"))
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
    client_secret_by_dc: Mapping[str, Secret] = field(default_factory=dict)
    trusted_origins: frozenset[str] = frozenset()
    path: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    file_wins: bool = False
    conflicts: tuple[str, ...] = ()
    keyring_error: ConfigurationError | None = None
    file_notes: tuple[str, ...] = ()
    contents: DotenvContents = field(default_factory=DotenvContents)
    trust_file: bool = False
    ignore_invalid: bool = False
    invalid: Mapping[str, ConfigurationError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted_origins", frozenset(map(_validate_origin, self.trusted_origins)))
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
        return self.accounts_url or self.data_centre.accounts_url

    @property
    def error_context(self) -> dict[str, Any]:
        """What an error's hint names."""
        known = not self.accounts_url or by_accounts_url(self.accounts_url) or is_loopback(self.accounts_url)
        return {
            "dc": self.dc,
            "server": self.dc if known else f"{self.dc}, {self.accounts_url}",
            "console": self.data_centre.console_url,
            "environment": self.environment,
            "notes": self.setting_notes,
        }

    @property
    def setting_notes(self) -> dict[str, str]:
        """Field -> a sentence that says which of several values is used, and how to use the other one."""
        return {name: note for name, key in ENV_VARS.items() if (note := self._note(key))}

    def _note(self, key: str) -> str:
        keys = [key, *(DC_CLIENT_SECRET_VARS.values() if key == ENV_VARS["client_secret"] else ())]
        file = self.path.name if self.path else ".env"
        for one in keys:
            if one in self.conflicts and not self.file_wins:
                return (
                    f"{one} of the process environment is used, and {file} has another value: to use that one, run "
                    f'del os.environ["{one}"] (or load_dotenv(override=True); in VS Code reload the window).'
                )
            if one in self.conflicts:
                return f"{one} of {file} is used, and the process environment has another value."
            if numbers := self.contents.duplicates.get(one):
                lines = f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
                return f"{one} is in {file} {len(numbers)} times (lines {lines}): line {numbers[-1]} counts."
        return ""

    def replace(self, **fields: Any) -> Credentials:
        """A copy with other values, marked as set in this session; values are checked as when read from `.env`.

        With another data centre comes its client secret.

        Raises:
            ConfigurationError: there is no credential of that name.
        """
        _check_names(fields)
        fields = wrap_secrets(fields)
        sources = {**self.sources, **dict.fromkeys(fields, "this session")}
        checked = {name: _validate(name, value) for name, value in fields.items()}
        checked = {**self._without_zoho_urls(checked), **self._secret_of_dc(checked.get("dc", self.dc)), **checked}
        return replace(self, **checked, sources=sources)

    def require(self, *names: str) -> None:
        """Raise CredentialsMissing naming every one of these fields that is not set, and where it was looked for."""
        missing = [ENV_VARS[name] for name in names if not getattr(self, name)]
        if self.keyring_error and any(map(keyring_store.is_stored, missing)):
            raise copy.copy(self.keyring_error)
        if missing:
            raise CredentialsMissing(
                f"Not set: {', '.join(missing)} (looked in the environment and in "
                f"{printable(self.path or 'memory')}{self._state_of_file()}).",
                hint=self._suggestion(missing),
            )

    def _state_of_file(self) -> str:
        if self.path is None or self.path.is_file():
            return ""
        if self.path.is_symlink():
            return f", a link to {printable(os.path.realpath(self.path))}, which does not exist"
        return ", which does not exist"

    def _suggestion(self, missing: Sequence[str]) -> str:
        found = {key: self.contents.misspelt[key] for key in missing if key in self.contents.misspelt}
        if found:
            meant = "; ".join(
                f"line {line} has {written!r}: did you mean {key}?" for key, (line, written) in found.items()
            )
            return printable(meant[0].upper() + meant[1:])
        return f"Run %zoho_setup, or put {'it' if len(missing) == 1 else 'them'} into {printable(self.path or '.env')}."

    def _without_zoho_urls(self, checked: Mapping[str, Any]) -> dict[str, str]:
        """No address of the data centre before: the choice of another one would have no effect."""
        if checked.get("dc", self.dc) == self.dc:
            return {}
        accounts = {"accounts_url": ""} if by_accounts_url(self.accounts_url) else {}
        return {**accounts, **({"api_url": ""} if by_api_url(self.api_url) else {})}

    def _secret_of_dc(self, dc: str) -> dict[str, Secret]:
        secret = self.client_secret_by_dc.get(dc) or self.client_secret_by_dc.get("")
        return {"client_secret": secret} if secret and dc != self.dc else {}

    def _origin(self, name: str, url: str) -> str:
        origin = trusted_origin(url, extra=self.trusted_origins)
        if origin is None:
            raise ConfigurationError(
                f"{ENV_VARS[name]} (from {self.sources.get(name, 'this session')}) does not name a Zoho host over "
                "https or this machine: nothing is sent there.",
                hint=f"Remove {ENV_VARS[name]} or correct it. To trust it: ZohoSession.from_env(trusted=[...]).",
            )
        return origin


class CredentialChanges(TypedDict, total=False):
    """Credentials that a login may use and save: the keywords of `exchange`, `login` and their like."""

    client_id: str
    client_secret: str | Secret
    dc: str
    scopes: str | Sequence[str]
    redirect_uri: str
    soid: str


def _check_names(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in ENV_VARS:
            near = get_close_matches(name, ENV_VARS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(ENV_VARS)}."
            raise ConfigurationError(f"There is no credential {name!r}.", hint=hint)


def load(
    path: Path,
    trusted_origins: frozenset[str] = frozenset(),
    file_wins: bool = False,
    *,
    trust_file: bool = False,
    ignore_invalid: bool = False,
) -> Credentials:
    """Credentials from a `.env` file and the process environment; whatever is missing stays empty.

    Args:
        path: the file.
        trusted_origins: origins that may be sent secrets beside Zoho's and loopback.
        file_wins: the file was named explicitly, so it wins over the environment; else the environment wins.
        trust_file: use the file although it belongs to another user or others can write it.
        ignore_invalid: leave out what cannot be used and name it in `Credentials.invalid`, instead of raising.

    Raises:
        ConfigurationError: the file cannot be read or is not to be believed, a value in it or in the environment cannot
            be used, or values contradict each other.
    """
    contents, (stored, stored_own), invalid = _read_file(path, trust_file, ignore_invalid)
    notes = tuple(_file_notes(path, contents, stored, stored_own))
    from_env, given_own = _extract(os.environ)
    conflicts = _conflicts(stored, stored_own, from_env, given_own)
    if file_wins:
        from_env, given_own = _beside_file(stored, from_env, given_own, conflicts)
    kept, kept_own, keyring, trouble = _from_keyring({**stored, **from_env})
    values, by_dc = {**kept, **stored, **from_env}, {**kept_own, **stored_own, **given_own}
    sources = _sources((keyring, kept), (path.name, stored), (_FROM_ENVIRONMENT, from_env))
    labels = {name: f"{ENV_VARS[name]} (from {source})" for name, source in sources.items()}
    lines = {name: contents.lines.get(ENV_VARS[name], 0) for name, source in sources.items() if source == path.name}
    fields = _validated(values, labels, lines, invalid, ignore_invalid)
    _apply_accounts_url(fields, labels, invalid, ignore_invalid)
    _refuse_mixed_sources(fields, {**sources, **dict.fromkeys(kept, path.name)}, trusted_origins)
    by_dc = {dc: _secret(DC_CLIENT_SECRET_VARS[dc], value) for dc, value in by_dc.items()}
    if (dc := fields.get("dc", Credentials.dc)) in by_dc:
        sources["client_secret"] = _FROM_ENVIRONMENT if dc in given_own else path.name if dc in stored_own else keyring
    secrets = {**by_dc, **({"": fields["client_secret"]} if "client_secret" in fields else {})}
    fields |= {"client_secret": by_dc[dc]} if dc in by_dc else {}
    return Credentials(
        **fields,
        client_secret_by_dc=secrets,
        path=path,
        sources=sources,
        trusted_origins=trusted_origins,
        keyring_error=trouble,
        file_wins=file_wins,
        conflicts=conflicts,
        file_notes=notes,
        contents=contents,
        trust_file=trust_file,
        ignore_invalid=ignore_invalid,
        invalid=invalid,
    )


def _read_file(
    path: Path, trust_file: bool, ignore_invalid: bool
) -> tuple[DotenvContents, tuple[dict[str, Any], dict[str, Secret]], dict[str, ConfigurationError]]:
    """What is odd about the file, its values, and why it cannot be used."""
    try:
        envfile.remove_leftovers(path)
        contents = envfile.read_contents(path, frozenset((*ENV_VARS.values(), *DC_CLIENT_SECRET_VARS.values())))
        if not (contents.untrusted and contents.values and not trust_file):
            return replace(contents, values={}), _extract(contents.values), {}
        error = envfile.untrusted_error(path, contents.untrusted)
    except ConfigurationError as problem:
        error = copy.copy(problem)
    if ignore_invalid:
        return DotenvContents(), ({}, {}), {"": error}
    raise error


def _validated(
    values: Mapping[str, Any],
    labels: Mapping[str, str],
    lines: Mapping[str, int],
    invalid: dict[str, ConfigurationError],
    ignore_invalid: bool,
) -> dict[str, Any]:
    """The values as they are used. Those that cannot be used are added to `invalid`, or raised with their line."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        try:
            fields[name] = _validate(name, value, labels[name])
        except ConfigurationError as error:
            if line := lines.get(name):
                error.args = (f"{str(error.args[0]).rstrip('.')} (line {line}).",)
            if not ignore_invalid:
                raise
            invalid[name] = error
    return fields


def _apply_accounts_url(
    fields: dict[str, Any], labels: Mapping[str, str], invalid: dict[str, ConfigurationError], ignore_invalid: bool
) -> None:
    """Let a Zoho address say which data centre is meant where `ZOHO_DC` does not."""
    url = trusted_origin(fields.get("accounts_url", "")) or ""
    api = trusted_origin(fields.get("api_url", "")) or ""
    home = by_accounts_url(url) or (None if url else by_api_url(api))
    if home is None:
        return
    if "dc" not in fields:
        fields["dc"] = home.name
    elif by_accounts_url(url) and home.name != fields["dc"]:
        error = ConfigurationError(
            f"{labels['dc']} is {fields['dc']}, and {labels['accounts_url']} is the address of {home.name}: they "
            "contradict each other.",
            hint=f"Remove ZOHO_ACCOUNTS_URL if your account is in {DATA_CENTRES[fields['dc']].display_name}; else set "
            f"ZOHO_DC={home.name}.",
        )
        if not ignore_invalid:
            raise error
        invalid["accounts_url"] = error
        del fields["accounts_url"]


def _file_notes(
    path: Path, contents: DotenvContents, stored: Mapping[str, Any], stored_own: Mapping[str, Any]
) -> Iterator[str]:
    """What is odd about the file, in sentences."""
    for key, numbers in contents.duplicates.items():
        lines = ", ".join(map(str, numbers[:-1]))
        yield f"{printable(path)} sets {key} more than once: line {numbers[-1]} is used, not line {lines}. Remove one."
    for key, (number, written) in contents.misspelt.items():
        yield f"Line {number} of {printable(path)} sets {printable(written)[:60]}, which is not used: is it {key}?"
    if (stored_own or SECRET_FIELDS & stored.keys()) and envfile.is_world_readable(path):
        yield f"Every user of this machine can read the secrets in {printable(path)}. Run: chmod 600 {printable(path)}"


def _refuse_mixed_sources(
    fields: Mapping[str, Any], sources: Mapping[str, str], trusted_origins: frozenset[str]
) -> None:
    """A URL that one source names must not receive the client secret of another, unless it is Zoho's own.

    A file that somebody else left in a shared folder would else name a port of this machine where they listen.
    """
    for name in URL_FIELDS & fields.keys() if "client_secret" in fields else ():
        origin, owner = origin_of(fields[name]), sources["client_secret"]
        if origin and is_loopback(origin) and origin not in trusted_origins and sources[name] != owner:
            raise ConfigurationError(
                f"{ENV_VARS[name]} comes from {sources[name]}, the client secret from {owner}: nothing is sent there.",
                hint=f"Set them in one place, remove {ENV_VARS[name]}, or trust it: trusted=[{fields[name]!r}].",
            )


def _sources(*found: tuple[str, Mapping[str, Any]]) -> dict[str, str]:
    """Where each value comes from; of several sources the last one counts."""
    return {name: source for source, values in found for name in values}


def _conflicts(
    stored: Mapping[str, Any], stored_own: Mapping[str, Any], from_env: Mapping[str, Any], given_own: Mapping[str, Any]
) -> tuple[str, ...]:
    """The variables whose value in the environment is another one than in the file."""
    fields = (ENV_VARS[name] for name, value in stored.items() if from_env.get(name, value) != value)
    own = (DC_CLIENT_SECRET_VARS[dc] for dc, value in stored_own.items() if given_own.get(dc, value) != value)
    return (*fields, *own)


def _beside_file(
    stored: Mapping[str, Any], from_env: dict[str, Any], given_own: dict[str, Any], conflicts: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of the environment completes a file that was named explicitly.

    Nothing that identifies an account where the two contradict, and never a URL for the file's secrets.
    """
    identifying = {ENV_VARS[name] for name in IDENTIFYING_FIELDS} | set(DC_CLIENT_SECRET_VARS.values())
    if identifying.intersection(conflicts):
        return {name: value for name, value in from_env.items() if name not in {*IDENTIFYING_FIELDS, *stored}}, {}
    in_keyring = "keyring" in stored
    has_secrets = in_keyring or bool(SECRET_FIELDS & stored.keys())
    left_out = {*stored, *(URL_FIELDS if has_secrets else ()), *(SECRET_FIELDS if in_keyring else ())}
    return {name: value for name, value in from_env.items() if name not in left_out}, {} if in_keyring else given_own


_FROM_ENVIRONMENT = "environment"


def _from_keyring(known: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Secret], str, ConfigurationError | None]:
    """What the OS keyring has, by name and by data centre; what to call it; and why it has nothing."""
    if not (name := known.get("keyring")) or {"client_secret", "refresh_token"} <= known.keys():
        return {}, {}, "", None
    try:
        found, keyring = keyring_store.read(name), keyring_store.display_name()
    except ConfigurationError as error:
        return {}, {}, "", copy.copy(error)
    if found is None:
        return {}, {}, "", _missing_entry(name, keyring)
    return *_extract(found), keyring, None


def _missing_entry(name: str, keyring: str) -> ConfigurationError:
    return ConfigurationError(
        f"The {keyring} has no entry {name}.",
        hint="Is this the machine and the user that made it? If so, %zoho_setup stores the secrets there anew.",
    )


def _extract(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Secret]]:
    return _by_field(values), {
        dc: _as_secret(values[key]) for dc, key in DC_CLIENT_SECRET_VARS.items() if _is_given(values.get(key))
    }


def _as_secret(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _by_field(values: Mapping[str, Any]) -> dict[str, Any]:
    return wrap_secrets({name: values[key] for name, key in ENV_VARS.items() if _is_given(values.get(key))})


def _is_given(value: Secret | str | None) -> bool:
    """Whether it is more than blanks, which hide nothing."""
    return bool(value) and (isinstance(value, Secret) or bool(value and value.strip()))


def wrap_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields with every secret in a `Secret`; a frame that holds only these may end up in a traceback."""
    return {n: Secret(v) if n in SECRET_FIELDS and isinstance(v, str) else v for n, v in fields.items()}


def save(credentials: Credentials, *names: str) -> None:
    """Write these fields to where the credentials belong: `.env`, or the OS keyring where that says so.

    An empty field is removed; for credentials in memory only nothing is written.

    Raises:
        ConfigurationError: the file cannot be written; it is as it was.
    """
    if credentials.path is not None:
        write = keyring_store.save if credentials.keyring else envfile.write
        write(credentials.path, {_key(credentials, name): _stored(getattr(credentials, name)) for name in names})


def _key(credentials: Credentials, name: str) -> str:
    by_dc = name == "client_secret" and credentials.dc in credentials.client_secret_by_dc
    return DC_CLIENT_SECRET_VARS[credentials.dc] if by_dc else ENV_VARS[name]


def _stored(value: Secret | str | tuple[str, ...] | None) -> Secret | str | None:
    return ",".join(value) or None if isinstance(value, tuple) else value or None


def _validate(name: str, value: Any, label: str = "") -> Any:
    check = _VALIDATORS.get(name, _validate_word)
    try:
        return value if value is None else check(label or ENV_VARS[name], value)
    except ConfigurationError as error:
        error.details = {"setting": name}
        raise


def _validate_word(label: str, value: str) -> str:
    text = pasted.clean(value)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise _invalid(label, "has spaces or characters that no such value has", _COPY_AGAIN_HINT)
    return text


def _client_id(label: str, value: str) -> str:
    found, problem = pasted.check_client_id(value)
    if problem and found:
        raise _invalid(label, problem, f"{_COPY_AGAIN_HINT} A client ID begins with 1000.")
    return found


def _secret(label: str, value: Secret) -> Secret:
    found, problem = pasted.check_client_secret(value.reveal())
    secret = Secret(found)
    del found
    if problem and secret:
        raise _invalid(label, problem, _COPY_AGAIN_HINT)
    return secret


def _token(label: str, value: Secret) -> Secret:
    found, problem = pasted.check_stored_token(value.reveal())
    token = Secret(found)
    del found
    if problem and token:
        raise _invalid(label, problem, f"{_COPY_AGAIN_HINT} It looks like 1000.<hex>.<hex>.")
    return token


_COPY_AGAIN_HINT = "Copy it again from Zoho's console."


def _scopes(label: str, value: str | tuple[str, ...]) -> tuple[str, ...]:
    text = re.sub(r"[\"'\[\]{};]", " ", pasted.clean(value)) if isinstance(value, str) else ""
    if preset := PRESETS.get(re.sub(r"[^a-z]+", " ", text.lower()).strip().replace("readonly", "read only")):
        return preset
    scopes = parse_scopes(text) if isinstance(value, str) else tuple(value)
    if wrong := [scope for scope in scopes if not re.fullmatch(r"[\w.-]+", scope, re.ASCII) or _is_no_scope(scope)]:
        shown = pasted.kind_of(wrong[0]) if _is_no_scope(wrong[0]) else ""
        why = f"has {shown}, which is no scope" if shown else f"has {wrong[0]!a}, which is no scope"
        raise _invalid(label, why, "Write them as ZohoCRM.modules.ALL, with commas.")
    return scopes


def _is_no_scope(text: str) -> bool:
    return pasted.kind_of(text) not in ("", "a list of scopes", "a placeholder")


def _redirect(label: str, value: str) -> str:
    text = _validate_word(label, value)
    if text and not text.startswith(("http://", "https://")):
        raise _invalid(label, "does not begin with http:// or https://", "Write it exactly as in Zoho's console.")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise _invalid(
            label, "has no valid port", "A port is a number from 1 to 65535: http://localhost:8976/callback."
        ) from None
    return text


def _url(label: str, value: str) -> str:
    text = _validate_word(label, value)
    return f"https://{text}" if text and "://" not in text and find_data_centre(text) else text


def _dc(label: str, value: str) -> str:
    text = pasted.clean(value)
    return home.name if (home := find_data_centre(text)) else _one_of(label, text, tuple(DATA_CENTRES))


def _environment(label: str, value: str) -> str:
    text = pasted.clean(value).lower()
    return _one_of(
        label, {"prod": "production", "live": "production", "dev": "developer"}.get(text, text), ENVIRONMENTS
    )


def _validate_flag(label: str, value: str) -> str:
    text = _one_of(label, str(value), ("1", "0", "on", "off", "true", "false", "yes", "no", ""))
    return "1" if text in ("1", "on", "true", "yes") else ""


def _one_of(label: str, value: str, allowed: tuple[str, ...]) -> str:
    text = value.strip().lower()
    if text not in allowed:
        near = get_close_matches(text, allowed, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise _invalid(label, f"is none of {', '.join(allowed)}", f"Set it to one of them.{meant}")
    return text


def _invalid(label: str, why: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{label} {why}.", hint=hint)


_VALIDATORS: dict[str, Callable[[str, Any], Any]] = {
    "client_id": _client_id,
    "client_secret": _secret,
    "refresh_token": _token,
    "grant_code": _token,
    "accounts_url": _url,
    "api_url": _url,
    "dc": _dc,
    "environment": _environment,
    "scopes": _scopes,
    "redirect_uri": _redirect,
    "token_cache": _validate_flag,
}


def _validate_origin(url: str) -> str:
    origin = origin_of(url)
    if origin is None:
        raise ConfigurationError(
            "trusted=[...] names something that is not an origin.", hint="Write each one as https://host, in a list."
        )
    return origin
