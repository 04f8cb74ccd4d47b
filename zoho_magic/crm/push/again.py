"""What it takes to push some rows of a report once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import PushError
from .table import Table, table_of

if TYPE_CHECKING:
    from .report import PushReport

__all__ = ["Again", "Jobs"]

Jobs = Mapping[int, tuple[str, int, int]]
"""Position of a row -> id of its bulk write job, its line in the job's file, lines in the file."""


@dataclass(frozen=True)
class Again:
    """The rows of a report that may be pushed again.

    Attributes:
        push: pushes a table, whose rows stand at these places of the frame first pushed; rows of jobs are asked after.
        kept: the rows that may go again as they are.
        places: where those stand in the report.
        failed: where every failed row stands in the report.
        origin: where each row of the report stands in the frame first pushed.
        total: rows of that frame.
        jobs: rows of jobs whose end is not known.
    """

    push: Callable[[Table, Sequence[int], int, Jobs], PushReport]
    kept: Table
    places: tuple[int, ...]
    failed: tuple[int, ...]
    origin: Sequence[int]
    total: int
    jobs: Jobs

    def __call__(self, frame: Any = None) -> PushReport:
        """See `PushReport.retry`."""
        places = sorted({*self.places, *(self.failed if frame is not None else ())})
        if not places:
            raise PushError("There is no row that may be pushed again as it is.", hint="Mend the frame: retry(frame).")
        table = self.kept if frame is None else self._chosen(table_of(frame), places)
        jobs = {new: self.jobs[old] for new, old in enumerate(places) if old in self.jobs}
        return self.push(table, [self.origin[place] for place in places], self.total, jobs)

    def _chosen(self, mended: Table, places: Sequence[int]) -> Table:
        if len(mended) == len(self.origin):
            return mended.at(places)
        if len(mended) == self.total:
            return mended.at([self.origin[place] for place in places])
        raise PushError(
            f"The mended frame has {len(mended):,} rows, and {self.total:,} were pushed.",
            hint="Keep every row in it, in the same order: the good ones are not pushed again.",
        )
