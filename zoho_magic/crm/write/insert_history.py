"""Which rows this session has inserted, so that a cell that is run again does not insert them again without a word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .input_table import Table, is_empty
from .row_result import SUCCEEDED, UNKNOWN, RowResult

__all__ = ["InsertHistory"]


class InsertHistory:
    """Digests of the rows that were inserted, or may have been, by module.

    Example::

        history = InsertHistory()
        history.record("Leads", table, results)
        history.count("Leads", table)    # rows of the table that were inserted before
    """

    def __init__(self) -> None:
        self._digests: defaultdict[str, set[int]] = defaultdict(set)

    def record(self, module: str, table: Table, results: Sequence[RowResult]) -> None:
        """Remember the rows of the table that were inserted or whose outcome is unknown."""
        written = [place for place, result in enumerate(results) if result.status in (SUCCEEDED, UNKNOWN)]
        self._digests[module].update(_digests(table.take(written)))

    def count(self, module: str, table: Table) -> int:
        """How many rows of the table are equal to one that was recorded."""
        known = self._digests.get(module)
        return sum(digest in known for digest in _digests(table)) if known else 0


def _digests(table: Table) -> list[int]:
    rows: list[list[str]] = [[] for _ in range(len(table))]
    for name in sorted(table.columns):
        for row, cell in zip(rows, table.columns[name], strict=True):
            if not is_empty(cell):
                row.append(f"{name}={cell!r}")
    return [hash(tuple(row)) for row in rows]
