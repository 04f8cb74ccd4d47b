"""Users by e-mail address, for columns that name an owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from .cell_encoders import InvalidCellError, record_id

__all__ = ["Directory"]


class Directory:
    """Finds users by e-mail address, asking for them only when an address is used.

    Args:
        people: gives user id -> name, e-mail address.
    """

    def __init__(self, people: Callable[[], Mapping[str, tuple[str, str]]]) -> None:
        self._people = people

    def id_of(self, text: str) -> str:
        """The id for an address or an id.

        Raises:
            Unfit: nobody has this address, or it is neither.

        Example::

            >>> Directory(dict).id_of("554023000000235011")
            '554023000000235011'
        """
        address = text.strip().lower()
        if "@" not in address:
            try:
                return record_id(address)
            except InvalidCellError:
                raise InvalidCellError("the e-mail address or the id of a CRM user") from None
        if address not in self._by_address:
            raise InvalidCellError("the e-mail address of a CRM user; nobody has this one")
        return self._by_address[address]

    @cached_property
    def _by_address(self) -> dict[str, str]:
        # Deleted users come last: an address that was given to somebody else means the one who is there.
        return {address.lower(): user for user, (_, address) in reversed(list(self._people().items())) if address}
