"""What it takes to push some rows of a report once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import PushError
from .input_table import Table, table_of

if TYPE_CHECKING:
    from .report import PushReport

__all__ = ["Retry", "RetryContext"]


@dataclass(frozen=True)
class RetryContext:
    """What went before a push of the same rows.

    Attributes:
        origin: where each row stands in the frame that was pushed first.
        total: rows of that frame.
        jobs: rows of bulk write jobs: position -> the job's id, the row's line in its file, lines in the file.
        lost: positions of rows that may have been written, because an answer was lost.
    """

    positions: Sequence[int]
    total: int
    jobs: Mapping[int, tuple[str, int, int]] = field(default_factory=dict)
    maybe_written: frozenset[int] = frozenset()

    def of(self, places: Sequence[int]) -> RetryContext:
        """The past of only the rows at these positions."""
        jobs = {new: self.jobs[old] for new, old in enumerate(places) if old in self.jobs}
        lost = frozenset(new for new, old in enumerate(places) if old in self.maybe_written)
        return RetryContext([self.positions[place] for place in places], self.total, jobs, lost)


@dataclass(frozen=True)
class Retry:
    """The rows of a report that may be pushed again.

    Attributes:
        push: pushes a table with a past.
        kept: the rows that may go again as they are.
        places: where those stand in the report.
        failed: where every failed row stands in the report.
        past: of every row of the report.
    """

    push: Callable[[Table, RetryContext], PushReport]
    rows: Table
    places: Sequence[int]
    failed: Sequence[int]
    past: RetryContext

    def __call__(self, frame: Any = None) -> PushReport:
        """See `PushReport.retry`."""
        places = sorted({*self.places, *(self.failed if frame is not None else ())})
        if not places:
            raise PushError("There is no row that may be pushed again as it is.", hint="Mend the frame: retry(frame).")
        table = self.rows if frame is None else self._chosen(table_of(frame), places)
        return self.push(table, self.past.of(places))

    def _chosen(self, corrected: Table, places: Sequence[int]) -> Table:
        if len(corrected) == len(self.past.positions):
            return corrected.take(places)
        if len(corrected) == self.past.total:
            return corrected.take([self.past.positions[place] for place in places])
        raise PushError(
            f"The mended frame has {len(corrected):,} rows, and {self.past.total:,} were pushed.",
            hint="Keep every row in it, in the same order: the good ones are not pushed again.",
        )
