"""Putting a finished file in the place of another one, in one step."""

from __future__ import annotations

import time
from pathlib import Path

__all__ = ["replace"]

_IN_USE = (5, 32)  # ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION
_TRIES, _PAUSE_SECONDS = 20, 0.05


def replace(source: Path, target: Path) -> None:
    """Rename `source` to `target`, whatever stood there.

    Windows refuses that while another program has the target open, as virus scanners and search indexers do for a
    moment after every change; so it is tried again for a second.

    Raises:
        OSError: it is refused for another reason, or still refused after a second.
    """
    for _ in range(_TRIES - 1):
        try:
            source.replace(target)
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    source.replace(target)
