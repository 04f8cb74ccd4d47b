"""Why rows were not written: rows with one cause are told together, with their number and their labels."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from ...errors import printable
from .row_result import FAILED, SKIPPED, UNKNOWN, VALID

__all__ = ["Cause", "causes_of", "causes_text"]

MAX_LABELS = 10
MAX_CAUSES = 20
_BAD = (FAILED, UNKNOWN, SKIPPED)


class Cause(NamedTuple):
    """Which rows have one cause, and what it is."""

    rows: str
    text: str


def causes_of(report: pd.DataFrame) -> list[Cause]:
    """The causes in the order of their first rows; valid rows with a note are told too.

    Args:
        report: a push report, or rows of one.

    Example::

        causes_of(report)[0].rows    # '12 rows: 0, 3, 4, 5, 8, 9, 11, 12, 15, 17 and 2 more'
    """
    told = report["status"].isin(_BAD) | ((report["status"] == VALID) & (report["message"] != ""))
    labels: dict[tuple[str, ...], list[str]] = {}
    names = _row_names(report)
    for place in told.to_numpy().nonzero()[0]:
        row = report.iloc[place]
        labels.setdefault(tuple(row[["status", "code", "field", "message"]]), []).append(names[place])
    return [Cause(_rows(found), _text(*cause)) for cause, found in labels.items()]


def causes_text(report: pd.DataFrame) -> str:
    """The causes as lines for a terminal, broken between words at its width; no message is cut."""
    found = causes_of(report)
    more = len(found) - MAX_CAUSES
    rest = [f"and {more:,} more causes: report.failed, report.unknown"] if more > 0 else []
    return printable("\n".join([*_lines(found[:MAX_CAUSES]), *rest]))


def _lines(found: Iterable[Cause]) -> Iterator[str]:
    width = shutil.get_terminal_size().columns
    for cause in found:
        yield from textwrap.wrap(
            f"{cause.rows}: {cause.text}",
            width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _row_names(report: pd.DataFrame) -> list[str]:
    if report.index.is_unique:
        return [str(label) for label in report.index]
    return [f"{label} (position {place})" for place, label in enumerate(report.index)]


def _rows(labels: list[str]) -> str:
    if len(labels) == 1:
        return f"Row {labels[0]}"
    rest = f" and {len(labels) - MAX_LABELS:,} more" if len(labels) > MAX_LABELS else ""
    return f"{len(labels):,} rows: {', '.join(labels[:MAX_LABELS])}{rest}"


def _text(status: str, code: str, field: str, message: str) -> str:
    named = "" if field and message.startswith(f"{field}:") else field
    return " ".join(filter(None, (status, code, named, message)))
