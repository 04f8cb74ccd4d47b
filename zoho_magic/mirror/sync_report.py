"""What a synchronisation did, and what it would do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["SyncPlan", "SyncReport"]


@dataclass(frozen=True)
class SyncReport:
    """What `sync` did to one copy; `print(report)` or a notebook shows it as a table.

    Attributes:
        module: API name.
        path: the target, as `to` named it.
        rows: in the copy now, without earlier versions.
        added, changed, deleted: rows; a row that was read again without a difference is none of them.
        columns: a sentence about each field that is new, renamed, removed or of another type.
        calls, credits: what it took at Zoho.
        seconds: of the whole run.
        cursor: Zoho's clock when the run began, ISO 8601 in UTC: the copy is as of then, or newer.
        formulas_as_of: when formulas, roll-ups and names of lookups were read for every record.
        checked: whether the ids of all records were compared.
        warnings: what the user should know.

    Example::

        report = zoho.sync("Leads", to="crm.duckdb::leads")
        report.added, report.changed, report.deleted
    """

    module: str
    path: str = ""
    rows: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    columns: tuple[str, ...] = ()
    calls: int = 0
    credits: int = 0
    seconds: float = 0.0
    cursor: str = ""
    formulas_as_of: str = ""
    checked: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows it."""
        return {
            "Module": self.module,
            "Copy": self.path,
            "Rows": f"{self.rows:,}: {self.added:,} added, {self.changed:,} changed, {self.deleted:,} deleted",
            "Fields": "; ".join(self.columns),
            "As of": self.cursor,
            "Formulas as of": f"{self.formulas_as_of} (with roll-ups and names of lookups)",
            "Checked": "the ids of all records were compared" if self.checked else "",
            "Cost": f"{self.calls:,} calls, {self.credits:,} API credits, {self.seconds:.1f} s",
            "Notes": " ".join(self.warnings),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {**asdict(self), "columns": list(self.columns), "warnings": list(self.warnings)}

    def to_json(self) -> str:
        """Everything as one line of JSON."""
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        return "\n".join(f"{label + ':':16}{text}" for label, text in self.details.items() if text)

    __repr__ = __str__


@dataclass(frozen=True)
class SyncPlan:
    """What `sync` would do, from the copy's state; nothing was asked of Zoho but one count.

    Attributes:
        module: API name.
        path: the target.
        steps: what would happen, a sentence each.
        rows: of the copy now; None where there is none.
        changed: about how many records would be read; None when unknown.
        credits: about how many API credits it would take; None when unknown.

    Example::

        zoho.plan_sync("Leads", to="crm.duckdb::leads").credits
    """

    module: str
    path: str
    steps: tuple[str, ...]
    rows: int | None = None
    changed: int | None = None
    credits: int | None = None

    @property
    def details(self) -> dict[str, str]:
        """Label -> text, for every front end that shows it."""
        return {
            "Module": self.module,
            "Copy": self.path + (f", {self.rows:,} rows" if self.rows is not None else ", does not exist yet"),
            "To read": "unknown" if self.changed is None else f"about {self.changed:,} records",
            "API credits": "unknown" if self.credits is None else f"about {self.credits:,}",
            **{f"Step {number}": step for number, step in enumerate(self.steps, 1)},
        }

    def __str__(self) -> str:
        return "\n".join(f"{label + ':':13}{text}" for label, text in self.details.items() if text)

    __repr__ = __str__
