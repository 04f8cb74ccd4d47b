"""What a forked child must not share with its parent: connections, locks, and counts of calls under way."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["renew_after_fork"]

_fresh: WeakKeyDictionary[Any, dict[str, Callable[[], Any]]] = WeakKeyDictionary()


def renew_after_fork(owner: Any, **fresh: Callable[[], Any]) -> None:
    """Give `owner` new values for these attributes in every process that is forked from this one.

    A connection that two processes read from gives each the other's answers, and a lock that another thread held at the
    fork is never released in the child. The parent keeps what it has: nothing is closed.

    Args:
        owner: the object; it is not kept alive.
        fresh: attribute -> what makes its new value.
    """
    _fresh[owner] = fresh


def _renew() -> None:
    for owner, fresh in list(_fresh.items()):
        for name, make in fresh.items():
            setattr(owner, name, make())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
