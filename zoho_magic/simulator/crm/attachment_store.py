"""The files attached to the org's records, in memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from .store import STEP

__all__ = ["Attachment", "Attachments"]

FIRST_ID = 554023000000950001


@dataclass(frozen=True)
class Attachment:
    """A file attached to a record."""

    id: int
    module: str
    parent: int
    name: str
    data: bytes
    owner: int
    created: int


class Attachments:
    """All attached files of the org."""

    def __init__(self) -> None:
        self._files: dict[int, Attachment] = {}
        self._ids = itertools.count(FIRST_ID, STEP)

    def add(self, module: str, parent: int, name: str, data: bytes, owner: int, created: int) -> Attachment:
        """Attach a file."""
        made = Attachment(next(self._ids), module, parent, name, data, owner, created)
        self._files[made.id] = made
        return made

    def of(self, module: str, parent: int) -> list[Attachment]:
        """A record's files, the latest first."""
        found = [each for each in list(self._files.values()) if (each.module, each.parent) == (module, parent)]
        return sorted(found, key=lambda each: -each.id)

    def delete(self, attachment: Attachment) -> None:
        """Take a file away."""
        self._files.pop(attachment.id, None)
