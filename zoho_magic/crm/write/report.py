"""`PushReport`: one row for every row of the frame, saying what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from ...errors import PushError
from .causes import causes_text
from .input_table import Table
from .row_result import FAILED, SKIPPED, SUCCEEDED, UNKNOWN, VALID, RowResult

__all__ = ["PushReport", "build_report"]

COLUMNS = ("status", "action", "id", "code", "message", "field")


class _Rows(pd.DataFrame):
    """Rows of a report; shown, their messages are whole, which pandas cuts at 50 characters."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def __repr__(self) -> str:
        return causes_text(self) or super().__repr__()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            html: str | None = super()._repr_html_()  # type: ignore[misc]
        return html


class PushReport(pd.DataFrame):
    """A frame with the index of what was pushed and the columns status, action, id, code, message, field (all text).

    `status` is succeeded, failed, unknown (Zoho may have written the row: nobody can tell from here), after a dry run
    valid, with `only_changes` unchanged (the record had its values already), and in the report of an undo skipped
    (somebody changed the record since). What you select from it is a plain DataFrame. `attrs` has module, action, on,
    api, reason, warnings, and the calls and credits that writing, reading and looking up names took. As text and as a
    card it shows the rows that were not written, those with the same cause together, and no row that was.

    Example::

        report = zoho.push("Leads", frame, "upsert", on="Email")
        report.counts                     # {'succeeded': 98, 'failed': 2, 'unknown': 0}
        report.failed[["code", "field", "message"]]
        report.raise_for_failed()
    """

    _again: Callable[[Any], PushReport] | None = (
        None  # not in pandas' _metadata: a pickled report can be read, but not retried
    )

    _undo: Callable[[], PushReport] | None = None

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    @property
    def title(self) -> str:
        """What was done, and how many rows came to which end, in one line."""
        counts = ", ".join(f"{number:,} {status}" for status, number in self.counts.items())
        return f"{self.attrs.get('action', 'push')} {self.attrs.get('module', '')}: {counts}"

    def __repr__(self) -> str:
        return "\n".join(filter(None, (self.title, causes_text(self))))

    @property
    def counts(self) -> dict[str, int]:
        """Rows by status; succeeded, failed and unknown are always there and add up to all rows (valid: a dry run)."""
        found = self["status"].value_counts().to_dict()
        first = (VALID, FAILED) if found.get(VALID) else (SUCCEEDED, FAILED, UNKNOWN)
        return {status: int(found.get(status, 0)) for status in dict.fromkeys((*first, *found))}

    @property
    def succeeded(self) -> pd.DataFrame:
        """The rows that were written."""
        return self[self["status"] == SUCCEEDED]

    @property
    def failed(self) -> pd.DataFrame:
        """The rows that were not written, each with its reason."""
        return self._rows(FAILED)

    @property
    def unknown(self) -> pd.DataFrame:
        """The rows that may have been written."""
        return self._rows(UNKNOWN)

    def _rows(self, status: str) -> pd.DataFrame:
        rows = _Rows(self[self["status"] == status])
        rows.attrs = dict(self.attrs)
        return rows

    @property
    def problem(self) -> str:
        """Why the first row was not written, in one line; "" where every row was written."""
        bad = self[self["status"].isin((FAILED, UNKNOWN, SKIPPED))]
        if bad.empty:
            return ""
        first = bad.iloc[0]
        why = " ".join(filter(None, (first["code"], first["field"], first["message"])))
        return f"First: {why}"

    def raise_for_failed(self) -> PushReport:
        """The report itself if every row was written (or is valid).

        Raises:
            PushError: some were not, or may not have been; `error.report` is this report.

        Example::

            zoho.push("Leads", frame, "insert").raise_for_failed()
        """
        bad = self[self["status"].isin((FAILED, UNKNOWN))]
        if bad.empty:
            return self
        error = PushError(
            f"Not every row was written: {self.title}. {self.problem}".strip(),
            hint="report.failed and report.unknown show the rows; correct the frame, then report.retry(frame).",
            code=str(bad["code"].iloc[0]),
        )
        error.report = self
        raise error

    def retry(self, frame: Any = None) -> PushReport:
        """Push again what may be pushed again, and return the report of those rows.

        Args:
            frame: the corrected frame, with the rows and the index labels of the frame that was pushed, in any order:
                every failed row is pushed again. Without it, only rows that failed for a transient reason (not sent,
                locked, an error of Zoho's own), as they were.

        A row that an earlier `retry` pushed is not pushed a second time from here: the retry continues from the report
        that the earlier one returned. A row is not sent either, and fails with the code SUPERSEDED, if a later row of
        the frame wrote the same record: it would undo that.

        Unknown rows of a bulk write job are not written again: the job is asked what became of them. Other unknown rows
        are written again where twice has the same effect as once: updates, deletions, upserts of rows with a value in
        `on`. Inserts never: look for them first, or upsert on a unique field.

        Raises:
            PushError: nothing may be pushed again; the frame has other rows or index labels than the pushed one, or
                its labels are not unique.

        Example::

            report = zoho.push("Leads", frame, "upsert", on="Email")
            frame.loc[report.failed.index, "Lead_Status"] = "Contacted"
            report = report.retry(frame)
        """
        if self._again is None:
            raise PushError("There is no row that may be pushed again.", hint=_why_nothing(self))
        return self._again(frame)

    def undo(self) -> PushReport:
        """Put back what this push changed, and return the report of that.

        Updated records get their previous values of the fields that were written, records that were added go to the
        recycle bin, deleted ones are restored from it (scope ZohoCRM.settings.recycle_bin.UPDATE). A record that
        somebody changed since, by its Modified_Time (after bulk write: by the values that were written), is `skipped`
        and says so. No automation runs. What was undone once is left alone by the next `undo`.

        Needs the previous values: see `keep` of `ZohoSession.push`. Values of subforms and multi-select lookups, and
        long rich texts, are not kept; `attrs["warnings"]` names the fields.

        Raises:
            PushError: previous values were not kept, or all is undone already.
            AuthError, ApiError, ThrottledError, TransportError: as `ZohoSession.request`, before anything was written.
        """
        if self._undo is None:
            raise PushError(
                "This push cannot be undone: the previous values were not kept.",
                hint="Push with keep=True; it is the default for updates, upserts and deletions up to 10,000 rows.",
            )
        return self._undo()


def _why_nothing(report: PushReport) -> str:
    counts = report.counts
    if VALID in counts:
        return "A dry run pushes nothing: correct the frame and push it."
    if counts[UNKNOWN]:
        return "Rows of an insert that are unknown may be there: look for them, or upsert on a unique field."
    return "" if counts[FAILED] else "Every row was written."


def build_report(
    results: Sequence[RowResult], table: Table, attrs: Mapping[Any, Any], again: Callable[[Any], PushReport] | None
) -> PushReport:
    """The report of these results, in the order of the table."""
    rows = [
        (result.status, result.action, result.id, result.code, result.message, _column(result.field, table.columns))
        for result in results
    ]
    report = PushReport(rows, index=table.index, columns=list(COLUMNS), dtype="str")
    report.attrs = dict(attrs)
    report._again = again
    return report


def _column(field: str, columns: Mapping[str, Any]) -> str:
    """The frame's column behind the field that Zoho blames: `Owner.id` may have been written as `Owner.email`."""
    base = field.removesuffix(".id")
    for name in (field, f"{base}.id", f"{base}.email", base):
        if name in columns:
            return name
    return field
