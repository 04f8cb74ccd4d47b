"""Rows, rate and time left, for anything that takes longer than a second."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any

from ..http.backoff import current_wait_budget

__all__ = ["Progress"]

DELAY_SECONDS = 1.0


class Progress:
    """A progress bar that appears after a second and goes away at the end.

    Args:
        label: what is going on.
        show: whether anybody is watching; nothing is imported or printed otherwise.
    """

    def __init__(self, label: str, show: bool) -> None:
        self._label = label
        self._show = show
        self._lock = threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self._show:
            from tqdm.auto import tqdm

            current_wait_budget().announce = self.say
            self._bar = tqdm(desc=self._label, unit=" rows", unit_scale=True, leave=False, delay=DELAY_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def expect(self, rows: int | None) -> None:
        """Say how many rows will come, if known."""
        if self._bar is not None and rows is not None:
            self._bar.total = rows

    def say(self, text: str) -> None:
        """Show why nothing arrives for a while; called from any thread."""
        if self._bar is not None:
            with self._lock:
                self._bar.write(text, file=sys.stderr)

    def add(self, rows: int) -> None:
        """Rows have arrived; called from any thread."""
        if self._bar is not None:
            with self._lock:
                self._bar.update(rows)

    def show_bytes(self, size: int) -> None:
        """So many bytes have been written."""
        if self._bar is not None and size:
            with self._lock:
                self._bar.set_postfix_str(f"{size / 1e6:,.1f} MB written", refresh=False)
