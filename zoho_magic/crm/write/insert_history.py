"""Which rows this session has added, so that a cell that is run again does not add them again without a word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .input_table import Table, is_empty
from .operation import WriteOperation
from .record_keys import is_repeatable
from .row_result import SUCCEEDED, UNKNOWN, RowResult
from .rows import Row

__all__ = ["InsertHistory"]


class InsertHistory:
    """Digests of the rows that added something, or may have, by module and action.

    Inserts are recorded, rows of an upsert that no value finds, and rows that append to a subform.

    Example::

        history = InsertHistory()
        history.record(operation, table, rows, results)
        history.count("Leads", "insert", table)    # rows of the table that were inserted before
    """

    def __init__(self) -> None:
        self._digests: defaultdict[tuple[str, str], set[int]] = defaultdict(set)

    def record(
        self, operation: WriteOperation, table: Table, rows: Sequence[Row], results: Sequence[RowResult]
    ) -> None:
        """Remember the rows that added something, or whose outcome is unknown, and would add it again."""
        added = [
            place
            for place, (row, result) in enumerate(zip(rows, results, strict=True))
            if result.status in (SUCCEEDED, UNKNOWN) and not is_repeatable(row, operation)
        ]
        if added:
            self._digests[operation.module, operation.action].update(_digests(table.take(added)))

    def count(self, module: str, action: str, table: Table) -> int:
        """How many rows of the table are equal to one that was recorded."""
        known = self._digests.get((module, action))
        return sum(digest in known for digest in _digests(table)) if known else 0


def _digests(table: Table) -> list[int]:
    rows: list[list[str]] = [[] for _ in range(len(table))]
    for name in sorted(table.columns):
        for row, cell in zip(rows, table.columns[name], strict=True):
            if not is_empty(cell):
                row.append(f"{name}={cell!r}")
    return [hash(tuple(row)) for row in rows]
