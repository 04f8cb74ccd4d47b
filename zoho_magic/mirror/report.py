"""What an export did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ExportReport", "size_text"]


@dataclass(frozen=True)
class ExportReport:
    """What `export` wrote; `print(report)` or a notebook shows it as a table.

    Attributes:
        module: API name.
        path: where it went, as `to` named it.
        rows: written rows.
        bytes: size of what was written; of a database, of its whole file.
        calls, credits: what it took at Zoho.
        seconds: from the first call to the finished file.
        api: records, coql or bulk.
        query: what was asked, in the API's own words.
        pulled_at: when the last row had come, ISO 8601 in UTC.
        warnings: what did not come, or is not quite the same in this format.

    Example::

        report = zoho.export("Leads", to="leads.parquet")
        report.rows, report.path
    """

    module: str
    path: str
    rows: int
    bytes: int
    calls: int
    credits: int
    seconds: float
    api: str
    query: str
    pulled_at: str
    warnings: tuple[str, ...] = ()

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows it."""
        return {
            "Module": self.module,
            "Written to": self.path,
            "Rows": f"{self.rows:,}",
            "Size": size_text(self.bytes),
            "API": f"{self.api}, {self.calls:,} calls, {self.credits:,} API credits",
            "Time": f"{self.seconds:.1f} s",
            "Notes": " ".join(self.warnings),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {**asdict(self), "warnings": list(self.warnings)}

    def __str__(self) -> str:
        return "\n".join(f"{label + ':':13}{text}" for label, text in self.details.items() if text)

    __repr__ = __str__


def size_text(size: float) -> str:
    """A size in bytes, for people.

    Example::

        >>> size_text(1_500_000)
        '1.5 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit in ("bytes", "kB") else f"{size:,.1f} {unit}"
