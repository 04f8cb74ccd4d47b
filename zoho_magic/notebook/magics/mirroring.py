"""The magic that keeps copies current; `python -m zoho_magic sync` takes the same line."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics

from ..lazy_session import get_session, is_interactive
from ..magic_parser import magic, option
from ..notes import show_warnings
from .options import PROFILE, split_names

if TYPE_CHECKING:
    from ...session import ZohoSession

__all__ = ["MirroringMagics", "run_line"]


class MirroringMagics(Magics):
    """Copies outside memory."""

    @magic(
        option("modules", nargs="*", completes="module", metavar="MODULE", help="API names; left out with --all"),
        option("--to", metavar="PATH", help="FILE.duckdb::TABLE, FILE.duckdb, FILE.parquet or FOLDER/"),
        option("--all", action="store_true", help="every module whose records can be read"),
        option("--fields", completes="field", nargs="+", metavar="FIELD", help="only these, at every run"),
        option("--where", completes="field", metavar="CONDITION", help='a COQL condition in quotes: "Amount > 5000"'),
        option("--full", action="store_true", help="write the copy anew"),
        option("--check", action="store_true", help="compare the ids of all records"),
        option(
            "--refresh",
            choices=("due", "formulas", "never"),
            default="due",
            help="formulas, roll-ups, names of lookups: once a day (due), now (formulas), never",
        ),
        option("--prune", action="store_true", help="drop the columns of fields that the module has no longer"),
        option("--history", action="store_true", help="keep earlier versions of rows: valid_from, valid_to"),
        option("--explain", action="store_true", help="show what would be done and its cost instead of doing it"),
        option("--json", action="store_true", help="print the report as a line of JSON for each module"),
        PROFILE,
    )
    def zoho_sync(self, line: Namespace) -> Any:
        """Make copies of modules equal to Zoho, through updates, deletions, restores and changes of their fields.

        Examples::

            %zoho_sync Leads --to crm.duckdb::leads
            %zoho_sync Leads Contacts Deals --to crm.duckdb
            %zoho_sync Leads --to leads.parquet --explain
        """
        return run_line(get_session(line.profile), line, progress=is_interactive(self.shell))

    @magic(
        option("folder", metavar="FOLDER", help="a new or empty folder, or that of a backup to continue"),
        option("--check", action="store_true", help="only check that the backup is complete and unchanged"),
        PROFILE,
    )
    def zoho_backup(self, line: Namespace) -> Any:
        """Every module that can be read as Parquet, with schema, users and a manifest; run again, it continues.

        Examples::

            %zoho_backup crm-2026-01-31
            %zoho_backup crm-2026-01-31 --check
        """
        session = get_session(line.profile)
        if line.check:
            return show_warnings(session.check_backup(line.folder))
        return show_warnings(session.backup(line.folder, progress=is_interactive(self.shell)))


def run_line(session: ZohoSession, line: Namespace, *, progress: bool) -> Any:
    """Do what a parsed line of `%zoho_sync` says: the report, a list of them, or None where it was printed."""
    modules = split_names(line.modules)
    if line.all:
        modules = list(session.modules()["module"])
    if not modules or not line.to:
        raise UsageError("%zoho_sync: name a module (or --all), and --to PATH. Try %zoho_sync -h.")
    options: dict[str, Any] = {
        "fields": split_names(line.fields) or None,
        "where": line.where,
        "params": line.variables,
        "full": line.full,
        "check": line.check,
        "refresh": line.refresh,
        "prune": line.prune,
        "history": line.history,
    }
    alone = len(modules) == 1 and not line.all
    if line.explain:
        plans = [session.plan_sync(module, line.to, **options) for module in modules]
        return plans[0] if alone else plans
    reports = session.sync(modules, line.to, **options, progress=progress)
    if not line.json:
        return reports[0] if alone else reports
    for report in reports:
        print(report.to_json())  # noqa: T201  # what --json is for
    return None
