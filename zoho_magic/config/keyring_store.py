"""The OS keyring instead of `.env` for the client secrets and the refresh token.

`ZOHO_KEYRING=<name>` in `.env` names one entry, which holds all of them: they change together or not at all. The name
ends in random letters, so that nobody who leaves a `.env` in a folder can guess the entry of somebody else's.
A secret that is in `.env` all the same wins; so no order of writing and no crash in between can lose one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigurationError
from ..secret import Secret
from . import dotenv_file
from .file_lock import exclusive
from .settings import DC_CLIENT_SECRET_VARS, ENV_VARS, SETTINGS

__all__ = ["KEYRING_VAR", "check_available", "display_name", "is_stored", "move_in", "move_out", "read", "save"]

KEYRING_VAR = "ZOHO_KEYRING"
SERVICE = "zoho_magic"
_KEYRING_VARS = {*(setting.env_var for setting in SETTINGS if setting.in_keyring), *DC_CLIENT_SECRET_VARS.values()}
T = TypeVar("T")
_WHY = {
    "NoKeyringError": "this machine has none",
    "KeyringLocked": "it is locked",
    "InitError": "it cannot be opened",
    "PasswordSetError": "it refused to keep them",
    "PasswordDeleteError": "it refused to let go of them",
}


def is_stored(key: str) -> bool:
    """Whether this key's value goes to the keyring: client secrets and the refresh token do, a grant code does not."""
    return key in _KEYRING_VARS


def display_name() -> str:
    """What to call the keyring, for a person. Raises ConfigurationError as the others."""
    return f"OS keyring ({_call_backend(lambda ring: ring.get_keyring().name)})"


def read(name: str) -> dict[str, Secret] | None:
    """The secrets in an entry by their keys; None where there is no such entry.

    Raises:
        ConfigurationError: the keyring is missing, locked or failing, or the entry is not one of ours.
    """
    found = _call_backend(lambda ring: _parse_entry(ring.get_password(SERVICE, name)))
    if found is None or isinstance(found, dict):
        return found
    raise ConfigurationError(
        f"The entry {name} in the OS keyring is not one of ours.",
        hint=f"Remove {KEYRING_VAR} from .env, then run %zoho_setup.",
    )


def check_available(name: str) -> None:
    """Raise ConfigurationError now if `save` could not work."""
    read(name)


def save(path: Path, changes: Mapping[str, Secret | str | None]) -> None:
    """Write settings as `dotenv_file.write` does, but secrets to the keyring if `.env` says so.

    Raises:
        ConfigurationError: one of the two cannot be written; what was there before is still there.
    """
    with _exclusive(path):
        name = os.environ.get(KEYRING_VAR) or dotenv_file.read(path, frozenset({KEYRING_VAR})).get(KEYRING_VAR)
        ours = {key: value for key, value in changes.items() if name and is_stored(key)}
        if name and ours:
            _update_entry(name, ours)
        dotenv_file.write(path, {**changes, **dict.fromkeys(ours)})
        if ours:
            with contextlib.suppress(OSError):
                os.utime(path)  # other kernels look at the file to see that something changed


def move_in(path: Path) -> None:
    """Move the secrets of a `.env` into the keyring. Raises ConfigurationError; they are then where they were."""
    with _exclusive(path):
        found = _read_secrets(path)
        name = str(found.get(KEYRING_VAR) or _new_entry_name(path))
        ours = {key: value for key, value in found.items() if isinstance(value, Secret)}
        check_available(name)
        # The name first: whatever happens from here on, somebody knows of the entry.
        dotenv_file.write(path, {KEYRING_VAR: name})
        _update_entry(name, ours)
        dotenv_file.write(path, dict.fromkeys(ours))


def move_out(path: Path) -> None:
    """Move them back into `.env`. Raises ConfigurationError; they are then where they were."""
    if os.environ.get(KEYRING_VAR):
        raise ConfigurationError(
            f"{KEYRING_VAR} is set in the process environment.", hint="Unset it there, then run again."
        )
    with _exclusive(path):
        found = _read_secrets(path)
        if (name := found.get(KEYRING_VAR)) is None:
            return
        kept = read(str(name)) or {}
        dotenv_file.write(path, {key: value for key, value in kept.items() if key not in found})
        _call_backend(lambda ring: kept and ring.delete_password(SERVICE, str(name)))
        dotenv_file.write(path, {KEYRING_VAR: None})


def _read_secrets(path: Path) -> dict[str, Secret | str]:
    ours = frozenset(filter(is_stored, (*ENV_VARS.values(), *DC_CLIENT_SECRET_VARS.values())))
    values = dotenv_file.read(path, ours | {KEYRING_VAR})
    return {key: Secret(value) if is_stored(key) else value for key, value in values.items()}


def _new_entry_name(path: Path) -> str:
    return f"{re.sub('[^A-Za-z0-9_-]', '', path.parent.name)[:30]}-{secrets.token_hex(8)}"


def _update_entry(name: str, changes: Mapping[str, Secret | str | None]) -> None:
    wanted = {key: value for key, value in {**(read(name) or {}), **changes}.items() if isinstance(value, Secret)}
    _call_backend(lambda ring: ring.set_password(SERVICE, name, json.dumps({k: v.reveal() for k, v in wanted.items()})))
    if read(name) != wanted:  # some backends take everything and keep nothing
        raise ConfigurationError(
            f"{display_name()} did not keep what it was given.",
            hint="Choose another backend: python -m keyring --help.",
        )


def _parse_entry(text: str | None) -> dict[str, Secret] | bool | None:
    """The entry's secrets; False for something else."""
    try:
        found = {} if text is None else json.loads(text)
    except ValueError:
        return False
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return False
    return None if text is None else {key: Secret(value) for key, value in found.items() if is_stored(key)}


def _call_backend(act: Callable[[Any], T]) -> T:
    """What the keyring answers.

    The frames below hold secrets: an exception that passed through them may not leave, not even as a `__context__`.
    """
    problem: BaseException
    try:
        import keyring

        return act(keyring)
    except ModuleNotFoundError:
        problem = ConfigurationError(
            "The OS keyring needs the package keyring.", hint="Run: %pip install 'zoho_magic[keyring]'"
        )
    except KeyboardInterrupt:
        problem = KeyboardInterrupt()
    except Exception as error:  # noqa: BLE001  # a backend raises whatever its system does
        problem = _unusable(type(error).__name__)
    raise problem


def _unusable(kind: str) -> ConfigurationError:
    return ConfigurationError(
        f"The OS keyring cannot be used: {_WHY.get(kind, f'it failed ({kind})')}.",
        hint="Nothing was lost. Unlock or start it and run this again; on a machine without one keep the secrets in "
        f".env: remove {KEYRING_VAR} there and run %zoho_setup.",
    )


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """One process at a time moves or saves secrets, so that none is moved while another replaces it."""
    dotenv_file.check_writable(path)
    real, problem = Path(os.path.realpath(path)), ""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(exclusive(real.with_name(f"{real.name}.keyring.lock"), dotenv_file.LOCK_SECONDS))
        except OSError:  # a time-out is one
            problem = f"{real} is being changed by another process."
        if problem:
            raise ConfigurationError(problem, hint="Run it again in a moment.")
        yield
