"""Words that stand in quotes where they name a column.

Zoho does not publish its list. https://help.zoho.com/portal/en/community/topic/kaizen-171-faqs-on-coql-api names
`External`; the rest are words of COQL and those that SQL standards and common dialects reserve. Quotes around a column
are always allowed, so a word too many does no harm; a word too few is quoted when Zoho's answer calls it `near`.
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["RESERVED_WORDS", "needs_quotes", "quote"]

RESERVED_WORDS = frozenset(
    """
    all alter and any as asc between by case cast check collate column commit constraint create cross cube current
    current_date current_time current_timestamp current_user cursor database default delete desc describe distinct drop
    else end escape except exists external false fetch for foreign from full function grant group grouping having in
    index inner insert intersect interval into is join key lateral leading left like limit natural not null of offset on
    only or order outer over partition primary procedure range references revoke right rollback rollup row rows select
    session_user set some table then to trailing trigger true truncate union unique update user using values view when
    where window with
    """.split()  # noqa: SIM905  # a list of words is read more easily than a list of literals
)


def needs_quotes(path: str, words: Collection[str] = RESERVED_WORDS) -> bool:
    """Whether a dotted path stands in quotes: a step of it, or all of it, is one of the words (in lower case).

    A path that goes to one of several modules does as well: Zoho's pages show it in quotes only.
    https://www.zoho.com/crm/developer/docs/api/v8/Get-Records-through-COQL-Query.html

    Example::

        >>> needs_quotes("Account_Name.Order"), needs_quotes("What_Id->Leads.Email"), needs_quotes("Email")
        (True, True, False)
    """
    lower = path.lower()
    return "->" in path or lower in words or any(step in words for step in lower.split("."))


def quote(name: str) -> str:
    """A column or text in single quotes.

    Example::

        >>> quote("O'Hara")
        "'O''Hara'"
    """
    return "'" + name.replace("'", "''") + "'"
