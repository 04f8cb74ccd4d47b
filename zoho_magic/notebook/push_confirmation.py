"""What `%zoho_push` asks of a person before anything is written."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from IPython.core.error import StdinNotImplementedError, UsageError

from .lazy_session import is_interactive

__all__ = ["ASK_ABOVE_ROWS", "confirm", "get_variable"]

ASK_ABOVE_ROWS = 1_000


def get_variable(shell: Any, name: str) -> Any:
    """The notebook's variable of that name. Raises UsageError where there is none."""
    if name not in shell.user_ns:
        raise UsageError("%zoho_push: there is no variable of that name in this notebook. Run the cell that makes it.")
    return shell.user_ns[name]


def confirm(shell: Any, line: Namespace, frame: Any) -> None:
    """Ask before a deletion and before many rows, unless the line says --yes or nothing will be written.

    Raises:
        UsageError: no action was named, nobody is there to ask, or the answer was no.
    """
    if len(set(line.actions or ())) != 1:
        raise UsageError("%zoho_push: say one thing to do: --insert, --update, --upsert --on FIELD, or --delete.")
    action, rows = line.actions[0], len(frame) if hasattr(frame, "__len__") else 0
    if line.dry_run or line.yes or not (action == "delete" or rows > ASK_ABOVE_ROWS):
        return
    where = f"{line.module} of {line.profile}" if line.profile else line.module
    what = f"{action} {rows:,} row{'s' * (rows != 1)} in {where}"
    answer = _answer(shell, f"Really {what}? [y/N] ")
    if answer is None:
        raise UsageError(f"%zoho_push: to {what} in an unattended run, add --yes.")
    if answer not in ("y", "yes"):
        raise UsageError(f"%zoho_push: nothing was written. To {what}, answer y, or add --yes.")


def _answer(shell: Any, question: str) -> str | None:
    """What was typed; None where nobody can type."""
    try:
        return input(question).strip().lower() if is_interactive(shell) else None
    except (EOFError, StdinNotImplementedError):
        return None
