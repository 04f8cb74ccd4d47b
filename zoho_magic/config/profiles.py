"""Profiles: other accounts, each in a file of its own. The profile `prod` is `.env.prod` beside the nearest `.env`."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import CredentialsMissing
from . import dotenv_file

__all__ = ["check_usable", "list_profiles", "name_of", "path_of"]

_PREFIX = ".env."
_IGNORED_SUFFIXES = (".lock", ".tmp", ".example", ".sample", ".template", ".dist", ".bak", ".swp", "~")


def path_of(profile: str | os.PathLike[str]) -> Path:
    """The env file of a profile, which is a name or itself a file; it need not exist.

    Example::

        >>> path_of("prod").name
        '.env.prod'
    """
    given = Path(profile).expanduser()
    if given.is_file() or given.name != str(profile):
        return given.absolute()
    beside = dotenv_file.find().with_name(f"{_PREFIX}{given.name}")
    return beside if beside.is_file() or "." not in given.name else given.absolute()


def name_of(path: Path | None) -> str:
    """What a person calls the profile in this file: `prod` for `.env.prod`; "" for `.env` and for no file at all."""
    if path is None or path.name == ".env":
        return ""
    return path.name.removeprefix(_PREFIX)


def list_profiles() -> list[str]:
    """Names of the profiles beside the nearest `.env`."""
    found = dotenv_file.find().parent.glob(f"{_PREFIX}*")
    return sorted(name_of(path) for path in found if path.is_file() and not path.name.endswith(_IGNORED_SUFFIXES))


def check_usable(path: Path) -> None:
    """Raise CredentialsMissing unless there is such a profile; it names the ones there are."""
    if not path.exists():
        names = list_profiles()
        raise CredentialsMissing(
            "There is no such profile" + (f": there are {', '.join(names)}." if names else f" in {path.parent}."),
            hint=f"NAME stands for {_PREFIX}NAME beside the nearest .env. %zoho_setup --env NAME makes one.",
        )
