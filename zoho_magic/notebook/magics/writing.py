"""Magics that write records: push."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic import Magics

from ..lazy_session import get_session, is_interactive
from ..magic_parser import magic, option
from ..notes import show_failures, show_warnings
from ..push_confirmation import ASK_ABOVE_ROWS, confirm, get_variable
from .options import MODULE, PROFILE, split_names

if TYPE_CHECKING:
    from ...crm.write.push import PushReport

__all__ = ["WritingMagics"]

VIA = ("auto", "records", "bulk")


class WritingMagics(Magics):
    """Frames into records."""

    @magic(
        MODULE,
        option("frame", completes="variable", metavar="FRAME", help="the notebook's variable with the rows"),
        option("--insert", dest="actions", action="append_const", const="insert", help="add every row"),
        option(
            "--update", dest="actions", action="append_const", const="update", help="change the records of column id"
        ),
        option(
            "--upsert",
            dest="actions",
            action="append_const",
            const="upsert",
            help="change what --on finds, add the rest",
        ),
        option(
            "--delete",
            dest="actions",
            action="append_const",
            const="delete",
            help="records of column id to the recycle bin",
        ),
        option(
            "--on",
            nargs="+",
            completes="field",
            metavar="FIELD",
            help="for --upsert: finds the record, first match first",
        ),
        option("--dry-run", action="store_true", help="only check the rows against metadata"),
        option("--via", choices=VIA, default="auto", help="Zoho API to use; auto takes what costs fewer credits"),
        option("--no-triggers", action="store_true", help="run no workflow, approval or blueprint; without it all run"),
        option(
            "--clear-empty", action="store_true", help="an empty cell empties the field instead of leaving it alone"
        ),
        option(
            "--rename",
            action="store_true",
            help='take columns called by a label ("Last Name", "Record Id") for the fields they name',
        ),
        option(
            "--yes",
            action="store_true",
            help=f"do not ask before a deletion, more than {ASK_ABOVE_ROWS:,} rows, or rows inserted before",
        ),
        PROFILE,
    )
    def zoho_push(self, line: Namespace) -> PushReport:
        """Write the rows of a frame into the CRM; the report says what became of every single one.

        Workflows, approvals and blueprints run as for rows typed in by hand, and may send e-mails: --no-triggers
        keeps them still.

        Examples::

            %zoho_push Leads fixed --upsert --on Email --dry-run
            %zoho_push Leads fixed --upsert --on Email
            %zoho_push Deals old --delete
        """
        frame = get_variable(line.variables, line.frame)
        confirm(self.shell, line, frame, lambda *asked: get_session(line.profile).count_inserted(*asked))
        report: PushReport = get_session(line.profile).push(
            line.module,
            frame,
            line.actions[0],
            on=split_names(line.on),
            dry_run=line.dry_run,
            via=line.via,
            triggers=[] if line.no_triggers else None,
            clear_empty=line.clear_empty,
            rename=line.rename,
            progress=is_interactive(self.shell),
        )
        return show_failures(show_warnings(report))
