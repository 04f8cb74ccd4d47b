"""A push under way: what its calls share, by either API."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...errors import AuthError, CredentialsMissing, QueryError, ThrottledError, TransportError, ZohoError
from ...http.responses import CrmApi
from ..progress import Progress
from .operation import WriteOperation
from .record_keys import record_keys
from .row_messages import retry_hint
from .row_result import UNKNOWN, RowResult, merge_with_lost_answer, not_sent
from .rows import Row

__all__ = ["PushState"]

BACKOFF_SECONDS = (0.3, 0.6, 1.2, 2.4)
"""Seconds before a call whose answer was lost is made again."""

MAX_LOST_ANSWERS = 5

_RETRY = "report.retry()"
_FOR_ALL = (AuthError, CredentialsMissing, QueryError, ThrottledError)


@dataclass
class PushState:
    """What the calls of a push share.

    Attributes:
        api: makes the calls, and counts them.
        operation: what to do.
        progress: counts rows.
        results: of every row, by position; true at every moment, for a report may be asked for at any.
        jobs: rows of bulk write jobs: position -> the job's id, the row's line in its file, lines in the file.
        lost: positions of rows that may have been written, because an answer was lost.
        uncertain_keys: what finds the records of rows whose answer was lost: Zoho may still be about to write them.
        halt_reason: why no further call is made.
        halted: set when no further call is made.
    """

    api: CrmApi
    operation: WriteOperation
    progress: Progress
    results: dict[int, RowResult]
    jobs: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    uncertain_keys: set[tuple[str, str]] = field(default_factory=set)
    halt_reason: str = ""
    halted: threading.Event = field(default_factory=threading.Event)
    losses: int = 0

    def mark(self, rows: Iterable[Row], result: RowResult) -> None:
        """All these rows have this result."""
        self.results.update({row.index: result for row in rows})

    def settle(self, rows: Sequence[Row], found: Sequence[RowResult]) -> None:
        """These rows have these results, by the last answer about them, and are done with."""
        for row, result in zip(rows, found, strict=True):
            self.results[row.index] = (
                merge_with_lost_answer(result, self.operation.action) if row.index in self.lost else result
            )
            if result.status == UNKNOWN:
                self.uncertain_keys.update(record_keys(row, self.operation))
        self.progress.add(len(rows))
        self.losses = self.losses + 1 if all(result.status == UNKNOWN for result in found) else 0
        if self.losses >= MAX_LOST_ANSWERS:
            self.halt(
                f"Not sent: the answers of {MAX_LOST_ANSWERS} calls in a row were lost. "
                f"{_RETRY} sends the rows that were not sent."
            )

    def mark_lost(self, rows: Iterable[Row]) -> None:
        """The answer about these rows was lost; they are about to be sent again."""
        for row in rows:
            self.lost.add(row.index)
            self.uncertain_keys.update(record_keys(row, self.operation))

    def without_conflicts(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that may go: not those whose record Zoho may yet write an earlier row to, which then would win."""
        clear: list[Row] = []
        held: list[Row] = []
        for row in rows:
            (clear if self.uncertain_keys.isdisjoint(record_keys(row, self.operation)) else held).append(row)
        self.mark(held, not_sent("Not sent: what became of an earlier row for the same record is not certain."))
        return clear

    def halt(self, why: str) -> None:
        """Make no further call."""
        self.halt_reason = self.halt_reason or why
        self.halted.set()

    def on_error(self, error: ZohoError) -> None:
        """Halt if the next call would meet the same."""
        unreached = (
            isinstance(error, TransportError) and not error.may_have_been_sent and not error.code.startswith("HTTP")
        )
        if isinstance(error, _FOR_ALL) or unreached:
            told = " ".join(filter(None, (f"Not sent: {error.args[0]}", retry_hint(error.hint or ""))))
            self.halt(told if _RETRY in told else f"{told} {_RETRY} sends the rows that were not sent.")

    def not_sent(self) -> RowResult:
        """The result of a row that is not sent any more."""
        return not_sent(self.halt_reason)

    def sleep(self, pause: float) -> bool:
        """Wait, with jitter; whether the push goes on."""
        return not self.halted.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311  # jitter
