"""Profiles: other accounts, each in a file of its own. The profile `prod` is `.env.prod` beside the nearest `.env`."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CredentialsMissing
from . import dotenv_file as envfile
from . import keyring_store as oskeyring
from .settings import DC_CLIENT_SECRET_VARS, ENV_VARS

__all__ = ["check_usable", "list_profiles", "name_of", "path_of"]

_PREFIX = ".env."
_IGNORED_SUFFIXES = (".lock", ".tmp", ".example", ".sample", ".template", ".dist", ".bak", ".swp", "~")
_NON_IDENTIFYING = frozenset({"scopes", "redirect_uri", "grant_code", "token_cache"})
_IDENTIFYING_VARS = frozenset(key for name, key in ENV_VARS.items() if name not in _NON_IDENTIFYING) | frozenset(
    DC_CLIENT_SECRET_VARS.values()
)


def path_of(profile: str | os.PathLike[str]) -> Path:
    """The env file of a profile, which is a name or itself a file; it need not exist.

    Example::

        >>> path_of("prod").name
        '.env.prod'
    """
    given = Path(profile).expanduser()
    if given.is_file() or given.name != str(profile):
        return given.absolute()
    beside = envfile.find().with_name(f"{_PREFIX}{given.name}")
    return beside if beside.is_file() or "." not in given.name else given.absolute()


def name_of(path: Path | None) -> str:
    """What a person calls the profile in this file: `prod` for `.env.prod`; "" for `.env` and for no file at all."""
    if path is None or path.name == ".env":
        return ""
    return path.name.removeprefix(_PREFIX)


def list_profiles() -> list[str]:
    """Names of the profiles beside the nearest `.env`."""
    found = envfile.find().parent.glob(f"{_PREFIX}*")
    return sorted(name_of(path) for path in found if path.is_file() and not path.name.endswith(_IGNORED_SUFFIXES))


def check_usable(path: Path) -> None:
    """Raise CredentialsMissing unless a line that names this profile gets the account it names.

    Elsewhere the process environment wins over a file; here that would be another account than the one asked for.
    """
    if not path.is_file():
        names = list_profiles()
        raise CredentialsMissing(
            "There is no such profile" + (f": there are {', '.join(names)}." if names else f" in {path.parent}."),
            hint=f"NAME stands for {_PREFIX}NAME beside the nearest .env. %zoho --env {_PREFIX}NAME, "
            "then %zoho_setup, makes one.",
        )
    if hidden := _shadowed_vars(path):
        raise CredentialsMissing(
            f"{', '.join(hidden)} in the process environment would be used instead of {path.name}.",
            hint="Unset it there, or leave --profile out.",
        )


def _shadowed_vars(path: Path) -> list[str]:
    """Keys whose value in the file another one in the environment would win over."""
    values = envfile.read(path, _IDENTIFYING_VARS)
    # What the file leaves to the keyring the environment hides as well.
    kept = filter(oskeyring.is_stored, _IDENTIFYING_VARS if oskeyring.KEYRING_VAR in values else ())
    other = {key for key, value in values.items() if (os.environ.get(key) or value) != value}
    return sorted(other.union(key for key in kept if os.environ.get(key)))
