"""What `%zoho_push` asks of a person before anything is written."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.error import StdinNotImplementedError, UsageError

from .lazy_session import is_interactive

__all__ = ["ASK_ABOVE_ROWS", "confirm", "get_variable"]

ASK_ABOVE_ROWS = 1_000


def get_variable(variables: Mapping[str, Any], name: str) -> Any:
    """The variable of that name, of the calling function or the notebook. Raises UsageError where there is none."""
    name = name.removeprefix("$")
    if name not in variables:
        raise UsageError("FRAME: there is no variable of that name in this notebook. Run the cell that makes it.")
    value = variables[name]
    return get_variable(variables, value) if isinstance(value, str) else value


def confirm(
    shell: Any,
    line: Namespace,
    frame: Any,
    count_inserted: Callable[..., int],
    place: Callable[[], str] = lambda: "",
) -> None:
    """Ask before a deletion, many rows or rows that were inserted before, unless --yes, or nothing will be written.

    Args:
        shell: IPython's shell.
        line: the parsed line of `%zoho_push`.
        frame: what will be pushed.
        count_inserted: `ZohoSession.count_inserted`.
        place: the organisation and the environment, asked for where a question is asked.

    Raises:
        UsageError: no action was named, nobody is there to ask, or the answer was no.
    """
    if len(set(line.actions or ())) != 1:
        raise UsageError("%zoho_push: say one thing to do: --insert, --update, --upsert --on FIELD, or --delete.")
    if line.dry_run or line.diff or line.yes:
        return
    action, rows = line.actions[0], len(frame) if hasattr(frame, "__len__") else 0
    inserted = 0 if action == "delete" else count_inserted(line.module, frame, action)
    if action != "delete" and rows <= ASK_ABOVE_ROWS and not inserted:
        return
    where = f"{line.module} of {line.profile}" if line.profile else line.module
    what = f"{action} {_rows(rows)} in {where}"
    before = f"{_rows(inserted)} of {line.frame} {_were(inserted)} inserted before, in this session. " * bool(inserted)
    answer = _answer(shell, f"{before}{place()}Really {what}? [y/N] ")
    if answer is None:
        raise UsageError(f"%zoho_push: to {what} in an unattended run, add --yes. {before}".rstrip())
    if answer not in ("y", "yes"):
        raise UsageError(f"%zoho_push: nothing was written. To {what}, answer y, or add --yes.")


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _answer(shell: Any, question: str) -> str | None:
    """What was typed; None where nobody can type."""
    try:
        return input(question).strip().lower() if is_interactive(shell) else None
    except (EOFError, StdinNotImplementedError):
        return None
