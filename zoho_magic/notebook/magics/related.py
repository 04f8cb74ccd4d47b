"""Magics on what belongs to records: history, related lists, notes and files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics

from ..lazy_session import get_session, is_interactive
from ..magic_parser import magic, option
from ..notes import show_warnings
from ..push_confirmation import get_variable
from .options import FRAME, MODULE, PROFILE, split_names

if TYPE_CHECKING:
    import pandas

__all__ = ["RelatedMagics"]

IDS = option("--ids", nargs="+", required=True, metavar="ID", help="of these records: --ids $ids, a list or a column")


class RelatedMagics(Magics):
    """History, related lists, notes and files."""

    @magic(
        MODULE,
        option("--since", metavar="WHEN", help="only periods that began at or after this moment"),
        option("--explain", action="store_true", help="show the plan and its cost instead of reading"),
        PROFILE,
    )
    def zoho_history(self, line: Namespace) -> Any:
        """How long records stayed in each stage: one row a period, with from, to and days.

        Examples::

            history = %zoho_history Deals
            %zoho_history Deals --explain
        """
        session = get_session(line.profile)
        if line.explain:
            return session.history(line.module, since=line.since, explain=True)
        return show_warnings(session.history(line.module, since=line.since, progress=is_interactive(self.shell)))

    @magic(
        MODULE,
        option("list", metavar="LIST", help="API name of the related list: Contacts, Deals, Notes, Tasks, ..."),
        IDS,
        option("--fields", nargs="+", metavar="FIELD", help="API names of the list's module"),
        FRAME,
        PROFILE,
    )
    def zoho_related(self, line: Namespace) -> Any:
        """The records of a related list, for many records at once; `parent.id` joins their `id`.

        Example::

            %zoho_related Accounts Contacts --ids $ids --fields Last_Name Email
        """
        fields = split_names(line.fields) or None
        session, ids = get_session(line.profile), split_names(line.ids)
        return show_warnings(session.related(line.module, line.list, ids, fields=fields, frame=line.frame))

    @magic(MODULE, IDS, FRAME, PROFILE)
    def zoho_notes(self, line: Namespace) -> Any:
        """The notes on records; `parent.id` joins their `id`.

        Example::

            %zoho_notes Deals --ids $ids
        """
        return show_warnings(get_session(line.profile).notes(line.module, split_names(line.ids), frame=line.frame))

    @magic(MODULE, IDS, FRAME, PROFILE)
    def zoho_attachments(self, line: Namespace) -> Any:
        """The files attached to records, without their content; %zoho_download fetches that.

        Example::

            files = %zoho_attachments Deals --ids $ids
        """
        session, ids = get_session(line.profile), split_names(line.ids)
        return show_warnings(session.attachments(line.module, ids, frame=line.frame))

    @magic(
        option("frame", completes="variable", metavar="FRAME", help="variable with a frame of files"),
        option("folder", metavar="FOLDER", help="where to put the files; made if missing"),
        PROFILE,
    )
    def zoho_download(self, line: Namespace) -> pandas.DataFrame:
        """Download attached files into a folder; run again, it fetches only what is missing.

        Example::

            %zoho_download files contracts/
        """
        frame = get_variable(line.variables, line.frame)
        return get_session(line.profile).download(frame, Path(line.folder))

    @magic(
        MODULE,
        option("id", metavar="ID", help="the record's id"),
        option("file", metavar="FILE", help="the file, at most 20 MB"),
        PROFILE,
    )
    def zoho_upload(self, line: Namespace) -> str:
        """Attach a file to a record; shows the id of the attachment.

        Example::

            %zoho_upload Deals 554023004000008074 contract.pdf
        """
        return get_session(line.profile).upload(line.module, line.id, Path(line.file))
