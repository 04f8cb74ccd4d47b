"""What a person should know about a result, in one quiet line each above it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython
from IPython.display import display

from .lazy_session import is_interactive
from .translation import to_magic_text

if TYPE_CHECKING:
    from ..crm.write.report import PushReport

__all__ = [
    "Message",
    "show_credits",
    "show_failures",
    "show_reading_cost",
    "show_summary",
    "show_usage",
    "show_warnings",
    "shows_progress",
    "wants_notes",
]


class Message:
    """A line of text that is shown, not returned."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"note: {self._text}"

    def _repr_html_(self) -> str:
        return f'<div style="opacity:.75;font-size:90%">ⓘ {escape(self._text)}</div>'


def show_warnings(frame: Any) -> Any:
    """The frame, after showing the warnings it carries in `attrs`, in the words of the magics.

    What holds for every pull of a module is said once in a kernel; it stays in `attrs`.
    """
    attrs = getattr(frame, "attrs", {})
    for text in attrs.get("warnings", ()):
        if not _is_told(attrs.get("module", ""), text):
            display(Message(to_magic_text(text)))  # type: ignore[no-untyped-call]
    return frame


_STANDING = ("Converted records are not included", "Only single records carry")
"""How the warnings begin that are about the module and not about the rows."""

_told: WeakKeyDictionary[Any, set[tuple[str, str]]] = WeakKeyDictionary()


def _is_told(module: str, text: str) -> bool:
    """Whether this shell has shown a standing note of the module before."""
    shell = get_ipython()
    if shell is None or not text.startswith(_STANDING):
        return False
    told = _told.setdefault(shell, set())
    before = (module, text) in told
    told.add((module, text))
    return before


def show_summary(frame: Any, seconds: float) -> Any:
    """The frame, after one line on what came, by which API, at what cost: an assigned frame shows nothing itself."""
    attrs = getattr(frame, "attrs", None)
    if attrs:
        from ..crm.read.routes import ROUTES

        route = ROUTES.get(attrs.get("api"))
        api = route.label.removeprefix("the ") if route else attrs.get("api")
        rows, columns = frame.shape
        cost = f"{_counted(attrs.get('calls'), 'call')}, {_counted(attrs.get('credits'), 'credit')}"
        size = f"{_counted(rows, 'row')} x {_counted(columns, 'column')}"
        display(Message(f"{size}, {api}, {cost}, {seconds:.1f} s"))  # type: ignore[no-untyped-call]
    return frame


def show_credits(frame: Any) -> None:
    """Say what a frame took that is not the records themselves."""
    calls, credits = (_counted(frame.attrs.get(f"{unit}s"), unit) for unit in ("call", "credit"))
    display(Message(f"Read with {calls}, {credits}."))  # type: ignore[no-untyped-call]


def show_usage(frame: Any) -> Any:
    """The frame of `ZohoSession.usage`, after one line on its totals."""
    attrs = frame.attrs
    left = "not told by Zoho yet" if attrs["credits_left"] is None else f"{attrs['credits_left']:,}"
    cost = f"{_counted(attrs['calls'], 'call')}, {_counted(attrs['credits'], 'API credit')}, {left} left today"
    display(Message(f"{cost}; {_counted(attrs['token_requests'], 'token request')}."))  # type: ignore[no-untyped-call]
    return frame


def _counted(number: Any, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}" if isinstance(number, int) else f"? {unit}s"


def show_failures(report: PushReport) -> PushReport:
    """The report, after a line on rows that were not written: a report that is assigned shows no card."""
    if report.problem:
        display(Message(f"{report.title}. {report.problem}"))  # type: ignore[no-untyped-call]
    return report


def show_reading_cost(frame: Any) -> None:
    """Say what reading the records of a frame costs, before it happens."""
    from ..crm.write.current_values import credits_of_reading

    rows = len(frame) if hasattr(frame, "__len__") else 0
    credits = credits_of_reading(rows, len(getattr(frame, "columns", ())))
    display(Message(f"Reading what the CRM holds of {rows:,} rows: about {credits:,} API credits."))  # type: ignore[no-untyped-call]


def shows_progress(magics: Any) -> bool:
    """Whether a bar is wanted: somebody is there, and `%config ZohoMagic.progress` is on."""
    return is_interactive(magics.shell) and bool(getattr(magics, "progress", True))


def wants_notes(magics: Any) -> bool:
    """Whether `%config ZohoMagic.notes` is on."""
    return bool(getattr(magics, "notes", True))
