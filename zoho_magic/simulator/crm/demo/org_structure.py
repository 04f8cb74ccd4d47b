"""The demo org's roles, profiles and territories."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PROFILES", "ROLES", "TERRITORIES", "Profile", "Role", "Territory"]


@dataclass(frozen=True)
class Role:
    """A place in the role hierarchy; `reporting_to` is the name of the role above it."""

    id: int
    name: str
    reporting_to: str | None = None
    description: str | None = None
    share_data_with_peers: bool = False


@dataclass(frozen=True)
class Profile:
    """A set of permissions. `custom` ones were made by an administrator, who is then `created_by`."""

    id: int
    name: str
    description: str
    custom: bool = False


@dataclass(frozen=True)
class Territory:
    """A sales territory; `parent` is the name of the one that contains it."""

    id: int
    name: str
    parent: str | None = None
    description: str | None = None


ROLES = {
    each.name: each
    for each in (
        Role(554023000000026005, "CEO", description="Users with this role have access to the data of all other users."),
        Role(554023000000026008, "Sales", "CEO", share_data_with_peers=True),
        Role(554023000000026009, "Service", "CEO"),
    )
}
PROFILES = {
    each.name: each
    for each in (
        Profile(554023000000026011, "Administrator", "crm.security.profile.admin.desc"),
        Profile(554023000000026014, "Standard", "crm.security.profile.standard.desc"),
        Profile(554023000000026017, "Field Sales", "Reads and writes records, exports nothing.", custom=True),
    )
}
TERRITORIES = {
    each.name: each
    for each in (
        Territory(554023000000027001, "Global", description="Everything Northbeam sells."),
        Territory(554023000000027004, "Americas", "Global"),
        Territory(554023000000027007, "EMEA", "Global"),
        Territory(554023000000027010, "APAC", "Global"),
    )
}
