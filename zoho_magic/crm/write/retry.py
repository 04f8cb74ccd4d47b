"""What it takes to push some rows of a report once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...errors import PushError, ZohoError
from .input_table import Table, table_of

if TYPE_CHECKING:
    from .report import PushReport

__all__ = ["Retry", "RetryContext"]

_KEEP_ALL_ROWS = "Pass every row that was pushed, with its index label: rows that were written are not pushed again."


@dataclass(frozen=True)
class RetryContext:
    """What went before a push of the same rows.

    Attributes:
        first: the table that was pushed first.
        positions: where each row stands in that table.
        jobs: rows of bulk write jobs: position -> the job's id, the row's line in its file, lines in the file.
        maybe_written: positions of rows that may have been written, because an answer was lost.
        last_writers: what finds a record -> position in `first` of the last row that wrote it, or may have.
    """

    first: Table
    positions: Sequence[int]
    jobs: Mapping[int, tuple[str, int, int]] = field(default_factory=dict)
    maybe_written: frozenset[int] = frozenset()
    last_writers: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, places: Sequence[int]) -> RetryContext:
        """The context of only the rows at these positions."""
        jobs = {new: self.jobs[old] for new, old in enumerate(places) if old in self.jobs}
        lost = frozenset(new for new, old in enumerate(places) if old in self.maybe_written)
        return RetryContext(self.first, [self.positions[place] for place in places], jobs, lost, self.last_writers)


@dataclass
class Retry:
    """The rows of a report that may be pushed again; a row that was handed to a newer report goes on from that one.

    Attributes:
        push: pushes a table with a context.
        table: the rows of the report.
        places: positions of the rows that may go again as they are.
        failed: positions of every failed row.
        context: of every row of the report.
        newer: position -> the report that the row was handed to; None while that push runs, or where it broke off.
    """

    push: Callable[[Table, RetryContext], PushReport]
    table: Table
    places: Sequence[int]
    failed: Sequence[int]
    context: RetryContext
    newer: dict[int, PushReport | None] = field(default_factory=dict)

    def __call__(self, frame: Any = None) -> PushReport:
        """See `PushReport.retry`."""
        places = sorted({*self.places, *(self.failed if frame is not None else ())})
        if not places:
            raise PushError(
                "There is no row that may be pushed again as it is.", hint="Correct the frame: report.retry(frame)."
            )
        table = self.table if frame is None else self._aligned(frame)
        fresh = [place for place in places if place not in self.newer]
        if not fresh:
            return self._continue(places, None if frame is None else table)
        report = self._hand_over(fresh, table)
        if len(fresh) < len(places):
            report.attrs["warnings"].append(
                f"{len(places) - len(fresh):,} rows were left out: an earlier retry() pushed them, its report has them."
            )
        return report

    def _hand_over(self, places: Sequence[int], table: Table) -> PushReport:
        self.newer.update(dict.fromkeys(places))
        try:
            report = self.push(table.take(places), self.context.of(places))
        except ZohoError:  # nothing was sent: the rows are still this report's
            for place in places:
                del self.newer[place]
            raise
        self.newer.update(dict.fromkeys(places, report))
        return report

    def _continue(self, places: Sequence[int], table: Table | None) -> PushReport:
        """Retry from the report that these rows were handed to, which knows what became of them."""
        reports = {id(self.newer[place]): self.newer[place] for place in places}
        report = next(iter(reports.values()))
        if report is None:
            raise PushError(
                "A retry of these rows was interrupted before it returned its report.",
                hint="Look which of them are in the CRM, and push the others as a frame of their own.",
            )
        if len(reports) > 1:
            raise PushError(
                "These rows were pushed again already.", hint="Continue with the reports that retry() returned."
            )
        its_places = [place for place, newer in self.newer.items() if newer is report]
        return report.retry(None if table is None else table.take(its_places))

    def _aligned(self, frame: Any) -> Table:
        """The corrected rows in the order of this report."""
        corrected = frame if isinstance(frame, Table) else table_of(frame)
        first, positions = self.context.first, list(self.context.positions)
        if len(corrected) == len(self.table):
            aligned = _by_label(corrected, self.table)
        elif len(corrected) == len(first):
            aligned = _by_label(corrected, first).take(positions)
        else:
            raise PushError(
                f"The corrected frame has {len(corrected):,} rows, and {len(first):,} were pushed.",
                hint=_KEEP_ALL_ROWS,
            )
        _refuse_moved(aligned, self.table, {*self.places, *self.failed})
        return aligned


def _by_label(corrected: Table, pushed: Table) -> Table:
    """The corrected rows in the order of those that were pushed."""
    if not (pushed.index.is_unique and corrected.index.is_unique):
        raise PushError(
            "The corrected frame cannot be aligned, because its index labels are not unique.",
            hint="Push the rows that failed as a frame of their own: "
            "zoho.push(module, frame[(report['status'] == 'failed').to_numpy()], action).",
        )
    places = corrected.index.get_indexer(pd.Index(pushed.index))
    if (places < 0).any():
        label = pushed.index[int((places < 0).argmax())]
        raise PushError(
            f"The corrected frame has no row {label!r}, which was pushed: its index is not that of the pushed frame.",
            hint=_KEEP_ALL_ROWS,
        )
    return corrected.take(places.tolist())


def _refuse_moved(corrected: Table, pushed: Table, again: set[int]) -> None:
    """Refuse a frame whose rows moved while the labels did not, as after `reset_index` or a sort in polars."""
    names = [name for name in pushed.columns if name in corrected.columns]
    before, after = _row_texts(pushed, names), _row_texts(corrected, names)
    changed = {place for place in range(len(before)) if before[place] != after[place]}
    left = {before[place]: place for place in changed - again}
    moved = next(((left[after[place]], place) for place in sorted(changed) if after[place] in left), None)
    if moved is not None:
        old, new = (pushed.index[place] for place in moved)
        raise PushError(
            f"The corrected frame has another order: what was row {old!r} now is row {new!r}.",
            hint="Keep the order of the frame that was pushed, or its index labels (no reset_index).",
        )


def _row_texts(table: Table, names: Sequence[str]) -> list[tuple[str, ...]]:
    columns = [[repr(cell) for cell in table.columns[name]] for name in names]
    return list(zip(*columns, strict=True)) if columns else [()] * len(table)
