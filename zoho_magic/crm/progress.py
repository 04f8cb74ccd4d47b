"""Rows, rate, state and time left, for anything that takes longer than a second."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from functools import partial
from types import TracebackType
from typing import Any

from ..http.backoff import current_wait_budget

__all__ = ["Progress"]

DELAY_SECONDS, TICK_SECONDS = 0.9, 0.5


class Progress:
    """A progress bar that appears after a second and goes away at the end.

    Args:
        label: what is going on.
        show: whether anybody is watching; nothing is imported or printed otherwise.
    """

    def __init__(self, label: str, show: bool) -> None:
        self._label = label
        self._show = show
        self._lock = threading.RLock()
        self._bar: Any = None
        self._begun = time.monotonic()
        self._done = threading.Event()
        self._total: int | None = None
        self.rows = 0

    def __enter__(self) -> Progress:
        if self._show:
            from tqdm.auto import tqdm

            current_wait_budget().announce = self.say
            self._bar = tqdm(desc=self._label, unit=" rows", unit_scale=True, leave=False, delay=DELAY_SECONDS)
            task = partial(contextvars.copy_context().run, self._tick)
            threading.Thread(target=task, name="zoho_magic progress", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if isinstance(error, KeyboardInterrupt) and not error.args:
            of_all = f" of about {self._total:,}" if self._total else ""
            error.args = (f"{self._label} was interrupted after {self.rows:,}{of_all} rows.",)
        if self._bar is not None:
            with self._lock:
                self._bar.close()

    def _tick(self) -> None:
        # The seconds go on while Zoho prepares a file and no row arrives.
        while not self._done.wait(TICK_SECONDS):
            with self._lock:
                if not self._done.is_set() and time.monotonic() - self._begun >= DELAY_SECONDS:
                    self._bar.refresh()

    def expect(self, rows: int | None) -> None:
        """Say how many rows will come, if known."""
        self._total = rows
        if self._bar is not None and rows is not None:
            with self._lock:
                self._set_total(rows)

    def _set_total(self, rows: int) -> None:
        # A notebook's bar made without a total is a small square; `reset` makes it a bar, and shows it at once.
        begun, show = self._bar.start_t, self._bar.refresh
        if time.monotonic() - self._begun < DELAY_SECONDS:
            self._bar.refresh = lambda *_, **__: None
        try:
            self._bar.reset(total=rows)
        finally:
            self._bar.refresh, self._bar.start_t = show, begun
        self._bar.n = self.rows

    def state(self, text: str) -> None:
        """Show what Zoho is doing while no row arrives; "" for rows that do; called from any thread."""
        if self._bar is not None:
            with self._lock:
                self._bar.set_description_str(f"{self._label}: {text}" if text else self._label, refresh=False)

    def say(self, text: str) -> None:
        """Show why nothing arrives for a while; called from any thread."""
        if self._bar is not None:
            with self._lock:
                self._bar.write(text, file=sys.stderr)

    def add(self, rows: int) -> None:
        """Rows have arrived; called from any thread."""
        with self._lock:
            self.rows += rows
            if self._bar is not None:
                self._bar.update(rows)

    def show_bytes(self, size: int) -> None:
        """So many bytes have been written."""
        if self._bar is not None and size:
            with self._lock:
                self._bar.set_postfix_str(f"{size / 1e6:,.1f} MB written", refresh=False)
