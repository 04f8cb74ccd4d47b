"""The exception tree.

    ZohoError
    ├── ConfigurationError     a setting, an argument or a file cannot be used (also a ValueError)
    │   └── CredentialsMissing   a credential that the call needs is not set
    ├── MissingDependency      an optional package is not installed (also an ImportError)
    ├── AuthError              Zoho refused a code, a token, a client or a scope
    │   └── LoginError           a login was refused, cancelled or not answered in time
    ├── ThrottledError         too many requests; `.retry_after` is the number of seconds to wait
    ├── ApiError               the CRM refused a request
    ├── QueryError             the CRM does not know a module, a field or a query
    ├── PushError              rows cannot be written as they are, or some were not; `.report` says which
    └── TransportError         Zoho was not reached, or the response was not Zoho's

Each error has a `hint`: the next step. Hints for Zoho's own codes are in `error_catalog`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "ApiError",
    "AuthError",
    "ConfigurationError",
    "CredentialsMissing",
    "LoginError",
    "MissingDependency",
    "PushError",
    "QueryError",
    "ThrottledError",
    "TransportError",
    "ZohoError",
]

T = TypeVar("T")

_RED, _BOLD, _RESET = "\x1b[31m", "\x1b[1m", "\x1b[0m"


def printable(text: object) -> str:
    """The text without control characters, escape sequences and marks that reverse the direction of writing.

    Each becomes a replacement character; line breaks and tabs stay.

    Example::

        >>> printable("Deals\u202e")
        'Deals\ufffd'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in str(text))


class ZohoError(Exception):
    """What happened, in one line, and what to do next.

    Attributes:
        code: Zoho's own code (`invalid_code`, `INVALID_TOKEN`, ...), or "" where the error is not Zoho's.
        hint: the next step.
        operation: what was being done (`exchange`, `refresh`, `GET /crm/v8/org`, ...).
        status: the HTTP status of the CRM's refusal, else 0.
        details: what the CRM said about it (`column_name`, `api_name`, ...).

    In IPython it shows as one red line and `-> hint`; in a script, or with `ZOHO_MAGIC_DEBUG=1`, as a traceback.

    Example::

        try:
            zoho.refresh()
        except ZohoError as error:
            print(error, error.hint, error.code)
    """

    def __init__(self, message: str, *, hint: str = "", code: str = "", operation: str = "") -> None:
        super().__init__(printable(message))
        self.hint = printable(hint)
        self.code = code
        self.operation = operation
        self.status = 0
        self.details: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.args[0]}\n-> {self.hint}" if self.hint else str(self.args[0])

    def _render_traceback_(self) -> list[str]:
        if os.environ.get("ZOHO_MAGIC_DEBUG"):
            return traceback.format_exception(type(self), self, self.__traceback__)
        # A notebook shows red text on a red ground, at 2.7:1; there the sentence is bold and has the page's own colour.
        accent = _RED if sys.stdout is not None and sys.stdout.isatty() else _BOLD
        accent, reset = ("", "") if os.environ.get("NO_COLOR") else (accent, _RESET)
        line = f"{accent}{type(self).__name__}: {self.args[0]}{reset}"
        return [line, f"-> {self.hint}"] if self.hint else [line]


class ConfigurationError(ZohoError, ValueError):
    """A setting, an argument or a settings file cannot be used; the message names it."""


class CredentialsMissing(ConfigurationError):  # noqa: N818  # it reads as what happened
    """A credential that the call needs is not set, or `.env` could not be read or saved."""


class MissingDependency(ZohoError, ImportError):  # noqa: N818  # the name that house.md gives it
    """An optional package is not installed; the hint is the command that installs it."""


class AuthError(ZohoError):
    """Zoho refused a grant code, a token, a client or a scope."""


class LoginError(AuthError):
    """A login was refused, cancelled or not answered in time."""


class ThrottledError(ZohoError):
    """Too many requests, by Zoho's count or by ours; `retry_after` is the seconds to wait (0.0 if unknown)."""

    retry_after: float = 0.0


class ApiError(ZohoError):
    """The CRM refused a request."""


class QueryError(ZohoError):
    """The CRM does not know a module, a field or a query; the message names it and the nearest name."""


class PushError(ZohoError):
    """Rows cannot be written as they are, or some were not. `report` is the PushReport, where there is one."""

    report: Any = None


class TransportError(ZohoError):
    """Zoho was not reached, or the response was not Zoho's.

    `may_have_been_sent`: whether the call may have been carried out.
    """

    may_have_been_sent: bool = True


def capture(
    call: Callable[[], T], translate: Callable[[BaseException], BaseException] = lambda error: error
) -> T | BaseException:
    """What `call` returns, or the exception it raised, without the frames that it passed through.

    An exception keeps the locals of all those frames, and `%xmode Verbose`, `%debug`, rich and error reporters show
    them: request bodies, headers, the text of a settings file. So whatever handles a secret in clear runs in here, and
    the caller raises what it gets outside any `except` block. The exception of a caller's own code (a time limit, a
    hook, Ctrl-C) stays the same object; a note tells where it came from.

    Args:
        call: what handles secrets.
        translate: the exception to return instead of one.

    Returns:
        The result, or a BaseException.

    Example::

        >>> capture(lambda: 1)
        1
        >>> capture(lambda: 1 / 0)
        ZeroDivisionError('division by zero')
    """
    try:
        return call()
    except BaseException as error:  # noqa: BLE001  # whatever it is, it must not keep those frames
        caught = error
    return without_frames(caught, translate(caught))


def call_without_leaking(call: Callable[[], T]) -> T:
    """As `capture`, and raises what the call raised."""
    outcome = capture(call)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def without_frames(caught: BaseException, told: BaseException) -> BaseException:
    """The exception to raise instead of one that was caught: no frames, no exceptions behind it."""
    if told is caught and isinstance(told, Exception) and not isinstance(told, ZohoError):
        _note_origin(told)
    told.__context__ = told.__cause__ = told.__traceback__ = None
    told.__suppress_context__ = False
    return told


def _note_origin(error: BaseException) -> None:
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    if hasattr(error, "add_note"):  # from Python 3.11
        where = f"{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
        error.add_note(f"raised at {where}, during a call of zoho_magic")
