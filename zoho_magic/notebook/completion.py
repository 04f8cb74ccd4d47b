"""TAB on our magic lines and in COQL cells. Every other completion is left alone.

How the words reach IPython depends on its version: `completion_matcher` (8.6 and newer) or `completion_hook` (7.34 to
8.5, Google Colab). Which words they are is in `completion_words`, imported at the first TAB.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from IPython.core import completer

__all__ = ["register", "unregister"]

HAS_MATCHERS = hasattr(completer, "context_matcher")
"""Whether this IPython has completion matchers."""


def register(ip: Any) -> None:
    """Make TAB in this shell offer our words."""
    _adapter().register(ip)


def unregister(ip: Any) -> None:
    """Undo `register`."""
    _adapter().unregister(ip)


def _adapter() -> Any:
    return import_module(".completion_matcher" if HAS_MATCHERS else ".completion_hook", __package__)
