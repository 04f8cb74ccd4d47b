"""Packages that take long to load, loaded while Zoho is being asked."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from importlib import import_module

__all__ = ["preload"]


def preload(*names: str) -> None:
    """Begin to import packages on another thread; whoever needs one before it is there waits for it, as always.

    Example::

        load_ahead("pyarrow", "pandas")
    """
    missing = [name for name in names if name not in sys.modules]
    if missing:
        # Not a daemon: a program that ends at once must not be torn down in the middle of an import.
        threading.Thread(target=_import_all, args=(missing,), name="zoho_magic load ahead").start()


def _import_all(names: list[str]) -> None:
    for name in names:
        with suppress(ImportError):  # whoever needs it says so
            import_module(name)
