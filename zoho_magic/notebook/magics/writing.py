"""Magics that write records: push, undo, tags."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import Any

from IPython.core.magic import Magics
from traitlets import Bool

from ..lazy_session import get_session, is_interactive, organisation_and_environment
from ..magic_parser import magic, option
from ..notes import show_failures, show_reading_cost, show_warnings
from ..push_confirmation import ASK_ABOVE_ROWS, confirm, get_variable
from .options import MAX_WAIT, MODULE, PROFILE, split_names

__all__ = ["WritingMagics"]

VIA = ("auto", "records", "bulk")


def _tag_names(words: Iterable[str] | None) -> list[str]:
    """Names of tags: each word is one, unless commas part them."""
    return [name.strip() for word in words or () for name in word.split(",") if name.strip()]


class WritingMagics(Magics):
    """Frames into records."""

    keep_previous_values = Bool(
        True,
        help="Keep previous values of updates, upserts and deletions up to 10,000 rows, so that they can be undone.",
    ).tag(config=True)

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
        option("--diff", action="store_true", help="write nothing; show which cells would change, old and new"),
        option("--only-changes", action="store_true", help="leave out rows whose record has their values already"),
        option("--keep", dest="keep", action="store_true", default=None, help="keep previous values for an undo"),
        option("--no-keep", dest="keep", action="store_false", default=None, help="do not read and keep them"),
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
        MAX_WAIT,
        PROFILE,
    )
    def zoho_push(self, line: Namespace) -> Any:
        """Write the rows of a frame into the CRM; the report says what became of every single one.

        Workflows, approvals and blueprints run as for rows typed in by hand, and may send e-mails: --no-triggers
        keeps them still.

        Examples::

            %zoho_push Leads fixed --upsert --on Email --dry-run
            %zoho_push Leads fixed --upsert --on Email
            %zoho_push Leads fixed --update --diff
            %zoho_push Deals old --delete
        """
        frame = get_variable(line.variables, line.frame)
        session = get_session(line.profile)
        confirm(self.shell, line, frame, session.count_inserted, lambda: organisation_and_environment(session))
        if line.diff or line.only_changes:
            show_reading_cost(frame)
        report = get_session(line.profile).push(
            line.module,
            frame,
            line.actions[0],
            on=split_names(line.on),
            dry_run=line.dry_run,
            via=line.via,
            triggers=[] if line.no_triggers else None,
            clear_empty=line.clear_empty,
            rename=line.rename,
            diff=line.diff,
            only_changes=line.only_changes,
            keep=line.keep if line.keep is not None or self.keep_previous_values else False,
            progress=is_interactive(self.shell),
            max_wait=line.max_wait,
        )
        return show_warnings(report) if line.diff else show_failures(show_warnings(report))

    @magic(
        MODULE,
        option(
            "frame", completes="variable", metavar="FRAME", help="the variable with the ids: a frame, Series or list"
        ),
        option("--add", nargs="+", metavar="TAG", help="tags to add, with commas between them if a name has spaces"),
        option("--remove", nargs="+", metavar="TAG", help="tags to remove; every other tag stays"),
        PROFILE,
    )
    def zoho_tag(self, line: Namespace) -> Any:
        """Add tags to records and remove others; tags that are not named stay as they are.

        Examples::

            %zoho_tag Leads hot --add VIP --remove callback
            %zoho_tag Leads hot --add "Hot lead, VIP"
        """
        report = get_session(line.profile).tag(
            line.module,
            get_variable(line.variables, line.frame),
            add=_tag_names(line.add),
            remove=_tag_names(line.remove),
            progress=is_interactive(self.shell),
        )
        return show_failures(report)

    @magic(MODULE, PROFILE)
    def zoho_tags(self, line: Namespace) -> Any:
        """The tags of a module, by name.

        Example::

            %zoho_tags Leads
        """
        return get_session(line.profile).tags(line.module)

    @magic(
        option("name", nargs="?", metavar="NAME", help="the push to undo; without it they are listed"),
        PROFILE,
    )
    def zoho_undo(self, line: Namespace) -> Any:
        """List the pushes whose previous values are kept, or undo one of them.

        Records that somebody changed since are skipped, and the report lists them.

        Examples::

            %zoho_undo
            %zoho_undo 20260131T080000Z-Leads-3f9c1a
        """
        session = get_session(line.profile)
        if line.name is None:
            return session.kept_pushes()
        return show_failures(show_warnings(session.undo(line.name, progress=is_interactive(self.shell))))
