"""Users by e-mail address, for columns that name an owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from .cell_encoders import InvalidCellError, record_id

__all__ = ["Directory"]


class Directory:
    """Finds users by e-mail address, asking for them only when an address is used.

    Args:
        users: gives user id -> name, e-mail address.
    """

    def __init__(self, users: Callable[[], Mapping[str, tuple[str, str]]]) -> None:
        self._users = users

    def id_of(self, text: str) -> str:
        """The id for an address, an id or a full name.

        Raises:
            InvalidCellError: nobody has this address or name, or several users have this name.

        Example::

            >>> Directory(dict).id_of("554023000000235011")
            '554023000000235011'
        """
        address = text.strip().lower()
        if "@" not in address:
            try:
                return record_id(address)
            except InvalidCellError:
                return self._by_full_name(text)
        if address not in self._by_address:
            raise InvalidCellError("the e-mail address of a CRM user; nobody has this one")
        return self._by_address[address]

    def _by_full_name(self, text: str) -> str:
        wanted = " ".join(text.split()).casefold()
        found = [user for user, (name, _) in self._users().items() if " ".join(name.split()).casefold() == wanted]
        if len(found) == 1:
            return found[0]
        why = f"{len(found)} users have this name" if found else "nobody has this name"
        raise InvalidCellError(f"the e-mail address or the id of a CRM user, or a full name; {why}")

    @cached_property
    def _by_address(self) -> dict[str, str]:
        # Deleted users come last: an address that was given to somebody else means the one who is there.
        return {address.lower(): user for user, (_, address) in reversed(list(self._users().items())) if address}
