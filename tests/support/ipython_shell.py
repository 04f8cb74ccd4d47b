"""A real IPython shell for the tests of the faces."""

from __future__ import annotations

import atexit
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Shell:
    """A shell with the extension loaded: run cells, see what was shown."""

    def __init__(self, ip: InteractiveShell) -> None:
        self.ip = ip
        self.raw = self.shown = ""

    def run(self, cell: str) -> Any:
        """Run a cell as a person would; its result. What it showed is in `shown`, with colours in `raw`."""
        outcome = self._outcome(cell)
        assert outcome.success, self.shown
        return outcome.result

    def failed(self, cell: str) -> str:
        """Run a cell that must fail; the text of the failure."""
        assert not self._outcome(cell).success, self.shown
        return self.shown

    def offered(self, line: str) -> list[str]:
        """What the line can become by TAB at its end, asked as a kernel asks."""
        with provisionalcompleter():
            return [line[: one.start] + one.text for one in self.ip.Completer.completions(line, len(line))]

    def _outcome(self, cell: str) -> Any:
        told = io.StringIO()
        with redirect_stdout(told), redirect_stderr(told):
            outcome = self.ip.run_cell(cell, store_history=True)
        self.raw = told.getvalue().strip()
        self.shown = _COLOUR.sub("", self.raw)
        return outcome


@contextmanager
def open_shell() -> Iterator[Shell]:
    """An InteractiveShell of its own, put away afterwards with every trace in `sys` and `builtins`."""
    before = sys.excepthook, sys.displayhook
    ip = InteractiveShell.instance()
    try:
        yield Shell(ip)
    finally:
        if ip.history_manager is not None:
            ip.history_manager.end_session()
        atexit.unregister(ip.atexit_operations)
        ip.atexit_operations()
        ip.restore_sys_module_state()
        InteractiveShell.clear_instance()
        sys.excepthook, sys.displayhook = before


@contextmanager
def loaded_shell() -> Iterator[Shell]:
    """A shell of its own in which the extension is loaded."""
    with open_shell() as shell:
        shell.run("%load_ext zoho_magic")
        yield shell
