"""The sessions that magics and completion use, imported when the first is needed: `%load_ext` must not wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..session import ZohoSession

__all__ = ["get_session", "is_interactive"]


def get_session(profile: str | None = None) -> ZohoSession:
    """As `zoho_magic.get_session`."""
    from .. import session_registry

    return session_registry.get_session(profile)


def is_interactive(shell: Any) -> bool:
    """Whether somebody can answer: a terminal, or a front end that said so as it sent the cell (nbclient says no)."""
    if not hasattr(shell, "kernel"):
        return True
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() or {}  # xeus-python's shell has none
    return bool(parent.get("content", {}).get("allow_stdin", True))
