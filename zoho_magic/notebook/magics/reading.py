"""Magics that read records: pull and COQL."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics

from ..cost_confirmation import confirm_cost
from ..lazy_session import get_session
from ..magic_parser import assign, magic, option
from ..notes import show_summary, show_warnings, shows_progress, wants_notes
from ..query_file import read_query
from ..variables import is_assigned
from .options import FRAME, LAZY_FRAMES, MAX_WAIT, MODULE, PROFILE, PULL_FRAME, positive_int, split_names

__all__ = ["ReadingMagics"]

VIA = ("auto", "records", "coql", "bulk")


class ReadingMagics(Magics):
    """Records into frames."""

    @magic(
        MODULE,
        option(
            "--fields",
            completes="field",
            nargs="+",
            metavar="FIELD",
            help="API names, with spaces or commas between them",
        ),
        option(
            "--where",
            completes="field",
            binds=True,
            metavar="CONDITION",
            help='a COQL condition in quotes: "Amount > 5000"',
        ),
        option(
            "--order-by", completes="field", metavar="LIST", help='in quotes: "Amount desc"; newest first if left out'
        ),
        option("--limit", type=positive_int, metavar="N", help="at most N rows"),
        option("--since", metavar="WHEN", help="modified at or after: 2026-01-31 or 2026-01-31T08:00:00+01:00"),
        option("--deleted", action="store_true", help="the records that were deleted (since WHEN), by whom and when"),
        option("--converted", choices=("false", "true", "both"), default="false", help="converted leads (false)"),
        option(
            "--view",
            completes="view",
            metavar="VIEW",
            help='the records of a custom view, by name in quotes or id: "Hot Leads"; 3 credits for 200 rows',
        ),
        option("--labels", action="store_true", help="labels of picklists, as people see them, instead of values"),
        option("--categories", action="store_true", help="picklists as ordered categories, in the CRM's order"),
        option("--ids", nargs="+", metavar="ID", help="only these records, in this order: --ids $ids"),
        option("--full", action="store_true", help="complete records with subforms; one API credit a record"),
        option(
            "--expand",
            completes="field",
            metavar="FIELD",
            help="a subform or multi-select lookup: one row for each of its rows, as FIELD.Column",
        ),
        option(
            "--home-currency",
            action="store_true",
            help="add Amount_home and so on: amounts in the home currency by each record's Exchange_Rate",
        ),
        option("--via", choices=VIA, default="auto", help="the Zoho API to use: records, coql, bulk, or auto"),
        PULL_FRAME,
        option("--explain", action="store_true", help="show the plan and its cost instead of pulling"),
        option(
            "--to",
            metavar="PATH",
            help="write to a file instead: .parquet .arrow .csv .xlsx, folder/, FILE.duckdb::TABLE, FOLDER.delta, s3://",
        ),
        option("--safe-csv", action="store_true", help="with --to FILE.csv: text that looks like a formula stays text"),
        option(
            "--yes", action="store_true", help="do not ask before half of the day's API credits; ignore free memory"
        ),
        MAX_WAIT,
        PROFILE,
    )
    def zoho_pull(self, line: Namespace) -> Any:
        """Records of a module as a DataFrame: every row, typed by metadata, through the cheapest API.

        Examples::

            leads = %zoho_pull Leads
            %zoho_pull Deals --fields Deal_Name Stage Amount --where "Amount > 5000" --limit 50
            %zoho_pull Leads --view "Hot Leads"
            %zoho_pull Projects --expand Line_Items
            %zoho_pull Leads --explain
            %zoho_pull Leads --to leads.parquet
        """
        _refuse_together(line)
        session = get_session(line.profile)
        if line.deleted:
            return show_warnings(session.deleted(line.module, since=line.since, frame=line.frame))
        asked = _question(line)
        by_id = {"ids": split_names(line.ids) if line.ids else None, "full": line.full}
        if line.explain:
            return session.plan(line.module, **asked, **by_id)
        shared: dict[str, Any] = {
            "progress": shows_progress(self),
            "max_wait": line.max_wait,
            "confirm": None if line.yes else confirm_cost(self.shell),
        }
        shown = {"labels": line.labels, "categories": line.categories}
        if line.frame in LAZY_FRAMES:
            return session.pull(line.module, **asked, **by_id, **shown, **shared, frame=line.frame, to=line.to)
        if line.to:
            return session.export(line.module, line.to, **asked, **shared, safe_csv=line.safe_csv)
        begun = time.perf_counter()
        shared |= {**shown, "check_memory": not line.yes, "expand": line.expand, "home_currency": line.home_currency}
        frame = session.pull(line.module, **asked, **by_id, **shared, frame=line.frame)
        if is_assigned() and wants_notes(self):
            show_summary(frame, time.perf_counter() - begun)
        return show_warnings(frame)

    @magic(
        option("variable", nargs="?", metavar="VAR", help="in a cell: the variable that takes the frame"),
        FRAME,
        option("--file", metavar="FILE", help="a file with the query, instead of the cell's text"),
        option("--explain", action="store_true", help="show what the query would cost instead of running it"),
        MAX_WAIT,
        PROFILE,
        cell=True,
    )
    def zoho_coql(self, line: Namespace) -> Any:
        """Every row of a COQL query. `$name` is a variable of the notebook, bound and escaped.

        Examples::

            %%zoho_coql won
            select Deal_Name, Amount, Owner.last_name from Deals where Stage = $stage

            %zoho_coql select COUNT(id) from Leads

            %%zoho_coql --explain
            select Deal_Name from Deals

            %%zoho_coql won --file report.coql
        """
        shell: Any = self.shell
        if line.file:
            line.body = read_query(line.file, line.body)
        if line.explain:
            return get_session(line.profile).coql(line.body, params=line.variables, explain=True)
        begun = time.perf_counter()
        frame = get_session(line.profile).coql(
            line.body,
            params=line.variables,
            frame=line.frame,
            progress=shows_progress(self),
            max_wait=line.max_wait,
        )
        if (line.variable or is_assigned()) and wants_notes(self):
            show_summary(frame, time.perf_counter() - begun)
        return assign(shell, line.variable, show_warnings(frame))


def _question(line: Namespace) -> dict[str, Any]:
    """What a pull, its plan and an export are asked alike."""
    return {
        "fields": split_names(line.fields) or None,
        "where": line.where,
        "params": line.variables,
        "order_by": line.order_by,
        "limit": line.limit,
        "since": line.since,
        "converted": line.converted,
        "view": line.view,
        "via": line.via,
    }


_NOT_WITH_DELETED = (
    "fields",
    "where",
    "order_by",
    "limit",
    "view",
    "labels",
    "categories",
    "ids",
    "full",
    "expand",
    "home_currency",
    "explain",
    "to",
    "safe_csv",
)


def _refuse_with_deleted(line: Namespace) -> None:
    given = [f"--{name.replace('_', '-')}" for name in _NOT_WITH_DELETED if getattr(line, name)]
    if given or line.frame in LAZY_FRAMES:
        raise UsageError(f"%zoho_pull: --deleted does not go with {given[0] if given else f'--frame {line.frame}'}.")


def _refuse_together(line: Namespace) -> None:
    """Raise UsageError where options do not go with each other."""
    if line.deleted:
        _refuse_with_deleted(line)
    else:
        _refuse_beside_a_frame(line)
    is_file = line.to and line.frame not in LAZY_FRAMES and not line.explain
    if is_file and (line.ids or line.full or line.labels or line.categories):
        raise UsageError(
            "--to goes with none of --ids, --full, --labels and --categories: pull a frame and write it with its own "
            "methods."
        )


def _refuse_beside_a_frame(line: Namespace) -> None:
    given = [f"--{name}" for name in ("explain", "to") if getattr(line, name)]
    given += [f"--frame {line.frame}"] if line.frame in LAZY_FRAMES else []
    shaping = "--expand" if line.expand else "--home-currency" if line.home_currency else ""
    if shaping and given:
        raise UsageError(f"%zoho_pull: {shaping} does not go with {given[0]}: pull a frame in memory.")
