"""Changes to a text that leave every other character as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Edit", "apply_edits"]


@dataclass(frozen=True, order=True)
class Edit:
    """`new` in place of the characters from `start` up to `end`; an insertion where both are the same."""

    start: int
    end: int
    new: str

    def shifted(self, by: int) -> Edit:
        """The same edit in a text that begins `by` characters earlier."""
        return Edit(self.start + by, self.end + by, self.new)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits; of two at one place, an insertion comes first, else the order given counts.

    Example::

        >>> apply_edits("a and b", [Edit(0, 0, "("), Edit(7, 7, ")")])
        '(a and b)'
    """
    pieces, place = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < place:
            raise ValueError(f"Edits overlap at {edit.start}.")
        pieces += [text[place : edit.start], edit.new]
        place = edit.end
    return "".join([*pieces, text[place:]])
