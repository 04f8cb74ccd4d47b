"""Magics on the org itself: its users, roles, profiles, territories, currencies and business hours."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics

from ..lazy_session import get_session
from ..magic_parser import magic
from ..notes import show_warnings
from .options import PROFILE

if TYPE_CHECKING:
    import pandas

__all__ = ["PeopleMagics"]


class PeopleMagics(Magics):
    """Who works in the org and how it is set up."""

    @magic(PROFILE)
    def zoho_users(self, line: Namespace) -> pandas.DataFrame:
        """Every user of the org, deactivated and deleted ones included; `id` joins `Owner.id`.

        Example::

            users = %zoho_users
        """
        return _shown(get_session(line.profile).users())

    @magic(PROFILE)
    def zoho_roles(self, line: Namespace) -> pandas.DataFrame:
        """The roles of the org; `id` joins `role.id` of %zoho_users.

        Example::

            %zoho_roles
        """
        return _shown(get_session(line.profile).roles())

    @magic(PROFILE)
    def zoho_profiles(self, line: Namespace) -> pandas.DataFrame:
        """The profiles of the org, which say what users may do; `id` joins `profile.id` of %zoho_users.

        Example::

            %zoho_profiles
        """
        return _shown(get_session(line.profile).profiles())

    @magic(PROFILE)
    def zoho_territories(self, line: Namespace) -> pandas.DataFrame:
        """The sales territories of the org; `manager.id` joins `id` of %zoho_users.

        Example::

            %zoho_territories
        """
        return _shown(get_session(line.profile).territories())

    @magic(PROFILE)
    def zoho_currencies(self, line: Namespace) -> pandas.DataFrame:
        """The currencies of the org with their exchange rates; `iso_code` joins `Currency` of records.

        Example::

            %zoho_currencies
        """
        return _shown(get_session(line.profile).currencies())

    @magic(PROFILE)
    def zoho_business_hours(self, line: Namespace) -> pandas.DataFrame:
        """The hours in which the org works, one row a day of the week.

        Example::

            %zoho_business_hours
        """
        return _shown(get_session(line.profile).business_hours())


def _shown(frame: Any) -> pandas.DataFrame:
    found: pandas.DataFrame = show_warnings(frame)
    return found
