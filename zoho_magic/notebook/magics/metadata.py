"""Magics that describe the CRM: modules and fields."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from IPython.core.magic import Magics

from ..lazy_session import get_session
from ..magic_parser import magic, option
from ..notes import show_warnings
from .options import MODULE, PROFILE, REFRESH

if TYPE_CHECKING:
    import pandas

__all__ = ["MetadataMagics"]


class MetadataMagics(Magics):
    """What modules and fields there are."""

    @magic(
        option("--count", action="store_true", help="with the number of records, one API credit a module"),
        REFRESH,
        PROFILE,
    )
    def zoho_modules(self, line: Namespace) -> pandas.DataFrame:
        """The modules of the org whose records can be read.

        Examples::

            %zoho_modules
            %zoho_modules --count
        """
        found: pandas.DataFrame = show_warnings(
            get_session(line.profile).modules(count=line.count, refresh=line.refresh)
        )
        return found

    @magic(
        MODULE,
        option("search", nargs="*", metavar="SEARCH", help="only fields with these words in their name or label"),
        REFRESH,
        PROFILE,
    )
    def zoho_fields(self, line: Namespace) -> pandas.DataFrame:
        """The fields of a module: label, type, the frame's columns and dtypes, required, choices, lookup target.

        Example::

            %zoho_fields Leads
            %zoho_fields Leads amount
        """
        return get_session(line.profile).fields(line.module, search=" ".join(line.search), refresh=line.refresh)
