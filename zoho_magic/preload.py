"""Packages that take long to load, loaded while Zoho is being asked."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from importlib import import_module

__all__ = ["preload"]


def preload(*names: str) -> threading.Thread:
    """Begin to import packages on another thread; whoever needs one before it is there waits for it, as always.

    Returns:
        The thread. A caller that fails joins it first: an interpreter that ends in the middle of an import prints a
        traceback of its own.

    Example::

        preload("pyarrow", "pandas")
    """
    missing = [name for name in names if name not in sys.modules]
    # Not a daemon: a program that ends at once must not be torn down in the middle of an import.
    thread = threading.Thread(target=_import_all, args=(missing,), name="zoho_magic preload")
    thread.start()
    return thread


def _import_all(names: list[str]) -> None:
    for name in names:
        with suppress(ImportError):  # whoever needs it says so
            import_module(name)
