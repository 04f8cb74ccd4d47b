"""What it takes to push some rows of a report once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import PushError
from .input_table import Table, table_of

if TYPE_CHECKING:
    from .report import PushReport

__all__ = ["Again", "Past"]


@dataclass(frozen=True)
class Past:
    """What went before a push of the same rows.

    Attributes:
        origin: where each row stands in the frame that was pushed first.
        total: rows of that frame.
        jobs: rows of bulk write jobs: position -> the job's id, the row's line in its file, lines in the file.
        lost: positions of rows that may have been written, because an answer was lost.
    """

    origin: Sequence[int]
    total: int
    jobs: Mapping[int, tuple[str, int, int]] = field(default_factory=dict)
    lost: frozenset[int] = frozenset()

    def of(self, places: Sequence[int]) -> Past:
        """The past of only the rows at these positions."""
        jobs = {new: self.jobs[old] for new, old in enumerate(places) if old in self.jobs}
        lost = frozenset(new for new, old in enumerate(places) if old in self.lost)
        return Past([self.origin[place] for place in places], self.total, jobs, lost)


@dataclass(frozen=True)
class Again:
    """The rows of a report that may be pushed again.

    Attributes:
        push: pushes a table with a past.
        kept: the rows that may go again as they are.
        places: where those stand in the report.
        failed: where every failed row stands in the report.
        past: of every row of the report.
    """

    push: Callable[[Table, Past], PushReport]
    kept: Table
    places: Sequence[int]
    failed: Sequence[int]
    past: Past

    def __call__(self, frame: Any = None) -> PushReport:
        """See `PushReport.retry`."""
        places = sorted({*self.places, *(self.failed if frame is not None else ())})
        if not places:
            raise PushError("There is no row that may be pushed again as it is.", hint="Mend the frame: retry(frame).")
        table = self.kept if frame is None else self._chosen(table_of(frame), places)
        return self.push(table, self.past.of(places))

    def _chosen(self, mended: Table, places: Sequence[int]) -> Table:
        if len(mended) == len(self.past.origin):
            return mended.at(places)
        if len(mended) == self.past.total:
            return mended.at([self.past.origin[place] for place in places])
        raise PushError(
            f"The mended frame has {len(mended):,} rows, and {self.past.total:,} were pushed.",
            hint="Keep every row in it, in the same order: the good ones are not pushed again.",
        )
