"""What a magic asks before it spends more than half of the day's API credits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.error import StdinNotImplementedError, UsageError

from .lazy_session import is_interactive

if TYPE_CHECKING:
    from ..crm.read.planner import Plan

__all__ = ["confirm_cost"]


def confirm_cost(shell: Any) -> Callable[[Plan], bool]:
    """A `confirm` for `ZohoSession.pull` that asks the user; it raises UsageError where nobody can answer."""

    def confirm(plan: Plan) -> bool:
        cost = f"About {plan.rows or 0:,} rows take {plan.credits or 0:,} API credits, more than half of the day's."
        try:
            if is_interactive(shell):
                return input(f"{cost} Go on? [y/N] ").strip().lower() in ("y", "yes")
        except (EOFError, StdinNotImplementedError):
            pass
        raise UsageError(f"{cost} Nobody can be asked here: add --yes.")

    return confirm
