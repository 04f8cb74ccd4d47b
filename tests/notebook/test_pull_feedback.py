"""What a pull says while it runs, when it ends, and when it is interrupted."""

from __future__ import annotations

import io
import signal
import threading
import time

import pytest

from tests.support.ipython_shell import Shell
from zoho_magic.crm.progress import Progress
from zoho_magic.simulator import Simulator


def test_an_assigned_pull_says_one_line(shell: Shell, env_file: object) -> None:
    shell.run("leads = %zoho_pull Leads --fields Last_Name Company --converted both")
    rows = shell.run("len(leads)")
    assert shell.run("%zoho_pull Leads --fields Last_Name --limit 1") is not None
    assert "column" not in shell.shown.partition("Out")[0].partition("Last_Name")[0]
    shell.run("leads = %zoho_pull Leads --fields Last_Name Company --converted both")
    assert f"note: {rows} rows x 3 columns, Records API, 2 calls, 2 credits, " in shell.shown
    shell.run("%%zoho_coql found\nselect Last_Name from Leads limit 1")
    assert "note: 1 row x " in shell.shown
    shell.run(
        "def pulled():\n    found = %zoho_pull Leads --fields Last_Name --limit 2\n    return found\nmine = pulled()"
    )
    assert "note: 2 rows x 2 columns" in shell.shown


def test_an_interrupted_pull_is_one_line_with_the_rows_that_had_come(
    shell: Shell, env_file: object, simulator: Simulator
) -> None:
    shell.run("%zoho_pull Leads --fields Last_Name --limit 1")
    simulator.options.latency = 5.0
    main = threading.main_thread().ident or 0
    timer = threading.Timer(0.6, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    try:
        shown = shell.failed("leads = %zoho_pull Leads --fields Last_Name Email --converted both")
    finally:
        timer.cancel()
        simulator.options.latency = 0.0
    assert shown.splitlines() == [
        "Interrupted: Pulling Leads was interrupted after 0 rows.",
        "-> What had arrived was not kept. Run the cell again.",
    ]


def test_a_state_and_the_seconds_are_shown_within_a_second_and_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    told.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", told)
    until = time.monotonic() + 20
    with Progress("Pulling Leads", show=True) as progress:
        progress.expect(2_000)
        progress.state("Zoho prepares the export (queued)")
        while "prepares the export" not in told.getvalue() and time.monotonic() < until:
            threading.Event().wait(0.02)
        begun = time.monotonic()
        progress.state("")
        progress.add(1_000)
        while "50%" not in told.getvalue() and time.monotonic() < begun + 20:
            threading.Event().wait(0.02)
    assert "Pulling Leads: Zoho prepares the export (queued)" in told.getvalue()
    assert "1.00k/2.00k" in told.getvalue()
    assert told.getvalue().rstrip("\r").endswith(" ")


def test_a_quick_pull_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr("sys.stderr", told)
    with Progress("Pulling Leads", show=True) as progress:
        progress.expect(10)
        progress.add(10)
    assert "10.0" not in told.getvalue()
