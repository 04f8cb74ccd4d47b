"""Values of picklists: the nearest choice to a value that is none, and the other form of one that Zoho refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..metadata import Field
from . import records as calls
from .push_state import PushState
from .row_result import FAILED, RowResult
from .rows import Row

__all__ = ["invalid_choice", "resend_refused_choices"]

MAX_LISTED_CHOICES = 20


def invalid_choice(value: Any, field: Field) -> str:
    """What is wrong with a value of a picklist or multi-select, or "".

    A choice may be given as Zoho returns it or as it shows it.

    Example::

        >>> rating = Field("Rating", data_type="picklist", picklist_values=("Hot", "Cold"))
        >>> invalid_choice("Hott", rating)
        "'Hott' is none of the choices: did you mean 'Hot'?"
    """
    chosen = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    known = {*field.picklist_values, *field.picklist_labels}
    wrong = [item for item in chosen if known and isinstance(item, str) and item not in known]
    return f"{wrong[0]!r} is none of the choices: {_suggestion(wrong[0], field)}" if wrong else ""


def _suggestion(text: str, field: Field) -> str:
    words = list(dict.fromkeys((*field.picklist_values, *field.picklist_labels)))
    by_case = {word.casefold(): word for word in words}
    near = get_close_matches(text.strip().casefold(), by_case, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_case[near[0]]!r}?"
    rest = f" and {len(words) - MAX_LISTED_CHOICES} more" if len(words) > MAX_LISTED_CHOICES else ""
    return ", ".join(map(repr, words[:MAX_LISTED_CHOICES])) + rest


def resend_refused_choices(
    state: PushState, rows: Sequence[Row], fields: Mapping[str, Field], max_workers: Callable[[], int]
) -> None:
    """Send rows that Zoho refused for the form of a choice again, by calls, with its other form.

    Zoho's pages disagree on whether a picklist is written by its display value (Kaizen #205) or its actual value.
    """
    again = [row for row in rows if _replace_refused_choices(row, state.results[row.index], fields)]
    again = [row for row in again if row.index not in state.lost]
    if again and not state.halted.is_set():
        calls.write(state, again, max_workers())


def _replace_refused_choices(row: Row, result: RowResult, fields: Mapping[str, Field]) -> bool:
    """Put the other form of each choice that Zoho refused into the row; whether there was one."""
    if result.status != FAILED or result.code != "INVALID_DATA":
        return False
    is_changed = False
    for name in {part.strip().partition("[")[0] for part in result.field.split(",")}:
        other = _other_form(row.data.get(name), fields[name]) if name in fields else None
        if other is not None:
            row.data[name] = other
            is_changed = True
    return is_changed


def _other_form(value: Any, field: Field) -> Any:
    pairs = [pair for pair in zip(field.picklist_values, field.picklist_labels, strict=True) if pair[0] != pair[1]]
    other = {label: actual for actual, label in pairs} | dict(pairs)
    if isinstance(value, list):
        return [other.get(item, item) for item in value] if any(item in other for item in value) else None
    return other.get(value) if isinstance(value, str) else None
