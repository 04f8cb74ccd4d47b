"""A push under way: what its calls share, on either road."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...errors import AuthError, CredentialsMissing, QueryError, ThrottledError, TransportError, ZohoError
from ...http.responses import Api
from ..progress import Progress
from .record_keys import keys_of
from .row_result import UNKNOWN, Fate, second, unsent
from .rows import Order, Row

__all__ = ["Writing"]

PAUSES = (0.3, 0.6, 1.2, 2.4)
"""Seconds before a call whose answer was lost is made again."""

MOST_LOSSES = 5

_FOR_ALL = (AuthError, CredentialsMissing, QueryError, ThrottledError)


@dataclass
class Writing:
    """What the calls of a push share.

    Attributes:
        api: makes the calls, and counts them.
        order: what to do.
        progress: is told of rows.
        fates: of every row, by position; true at every moment, for a report may be asked for at any.
        jobs: rows of bulk write jobs: position -> the job's id, the row's line in its file, lines in the file.
        lost: positions of rows that may have been written, because an answer was lost.
        doubtful: what finds the records of rows whose answer was lost: Zoho may still be about to write them.
        why: why no further call is made.
        halted: set when no further call is made.
    """

    api: Api
    order: Order
    progress: Progress
    fates: dict[int, Fate]
    jobs: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    why: str = ""
    halted: threading.Event = field(default_factory=threading.Event)
    losses: int = 0

    def mark(self, rows: Iterable[Row], fate: Fate) -> None:
        """All these rows have this fate."""
        self.fates.update({row.place: fate for row in rows})

    def settle(self, rows: Sequence[Row], found: Sequence[Fate]) -> None:
        """These rows have these fates, by the last answer about them, and are done with."""
        for row, fate in zip(rows, found, strict=True):
            self.fates[row.place] = second(fate, self.order.action) if row.place in self.lost else fate
            if fate.status == UNKNOWN:
                self.doubtful.update(keys_of(row, self.order))
        self.progress.add(len(rows))
        self.losses = self.losses + 1 if all(fate.status == UNKNOWN for fate in found) else 0
        if self.losses >= MOST_LOSSES:
            self.halt(f"Not sent: the answers of {MOST_LOSSES} calls in a row were lost.")

    def lose(self, rows: Iterable[Row]) -> None:
        """The answer about these rows was lost; they are about to be sent again."""
        for row in rows:
            self.lost.add(row.place)
            self.doubtful.update(keys_of(row, self.order))

    def cleared(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that may go: not those whose record Zoho may yet write an earlier row to, which then would win."""
        clear: list[Row] = []
        held: list[Row] = []
        for row in rows:
            (clear if self.doubtful.isdisjoint(keys_of(row, self.order)) else held).append(row)
        self.mark(held, unsent("Not sent: what became of an earlier row for the same record is not certain."))
        return clear

    def halt(self, why: str) -> None:
        """Make no further call."""
        self.why = self.why or why
        self.halted.set()

    def meet(self, error: ZohoError) -> None:
        """Halt if the next call would meet the same."""
        unreached = isinstance(error, TransportError) and not error.sent and not error.code.startswith("HTTP")
        if isinstance(error, _FOR_ALL) or unreached:
            self.halt(" ".join(filter(None, (f"Not sent: {error.args[0]}", error.hint))))

    def unsent(self) -> Fate:
        """The fate of a row that is not sent any more."""
        return unsent(self.why)

    def rests(self, pause: float) -> bool:
        """Wait, with jitter; whether the push goes on."""
        return not self.halted.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311  # jitter
