"""Magics that describe the CRM: modules and fields."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics

from ..lazy_session import get_session
from ..magic_parser import magic, option
from ..notes import show_credits, show_warnings
from .options import MODULE, PROFILE, REFRESH

if TYPE_CHECKING:
    import pandas

__all__ = ["MetadataMagics"]


class EntityDiagram(str):
    """A diagram's text, which a front end that knows Mermaid draws."""

    __slots__ = ()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/vnd.mermaid": str(self), "text/plain": str(self)}


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
        from ..tables import readable  # it brings pandas

        found = get_session(line.profile).modules(count=line.count, refresh=line.refresh)
        return readable(show_warnings(found))

    @magic(
        MODULE,
        option("search", nargs="*", metavar="SEARCH", help="only fields with these words in their name or label"),
        option("--views", action="store_true", help="list the custom views of the module instead"),
        REFRESH,
        PROFILE,
    )
    def zoho_fields(self, line: Namespace) -> pandas.DataFrame:
        """The fields of a module: label, type, the frame's columns and dtypes, required, choices, lookup target.

        Example::

            %zoho_fields Leads
            %zoho_fields Leads amount
            %zoho_fields Leads --views
        """
        session = get_session(line.profile)
        if not line.views:
            from ..tables import readable  # it brings pandas

            return readable(session.fields(line.module, search=" ".join(line.search), refresh=line.refresh))
        if line.search or line.refresh:
            raise UsageError("%zoho_fields: --views goes with neither SEARCH nor --refresh.")
        return session.views(line.module)

    @magic(MODULE, PROFILE)
    def zoho_profile(self, line: Namespace) -> pandas.DataFrame:
        """Fill rate, distinct and commonest values and range of every column of a module; it reads all records.

        Example::

            %zoho_profile Leads
        """
        from ..tables import readable  # it brings pandas

        found = get_session(line.profile).profile(line.module)
        show_credits(found)
        return readable(show_warnings(found))

    @magic(
        MODULE,
        option("field", completes="field", nargs="?", metavar="FIELD", help="API name of one picklist; all without"),
        PROFILE,
    )
    def zoho_choices(self, line: Namespace) -> pandas.DataFrame:
        """The choices of picklists: value, label, colour, in the CRM's order.

        Example::

            %zoho_choices Deals Stage
        """
        return get_session(line.profile).choices(line.module, line.field)

    @magic(
        option("modules", completes="module", nargs="*", metavar="MODULE", help="API names; every module without"),
        option("--mermaid", action="store_true", help="the lookups between them as a diagram in Mermaid's language"),
        PROFILE,
    )
    def zoho_schema(self, line: Namespace) -> Any:
        """The data dictionary of modules as a frame, or their entity diagram; one API credit a module.

        Examples::

            %zoho_schema Deals Accounts
            %zoho_schema Deals Accounts Contacts --mermaid
        """
        session = get_session(line.profile)
        if line.mermaid:
            return EntityDiagram(session.schema_diagram(*line.modules))
        return session.schema(*line.modules)
