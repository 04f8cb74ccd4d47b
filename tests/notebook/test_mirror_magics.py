"""`%zoho_pull --to`, in a real shell, against a local Zoho."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.ipython_shell import Shell, open_shell
from zoho_magic import ExportReport
from zoho_magic.crm.read import pull
from zoho_magic.session_registry import get_session
from zoho_magic.simulator import Simulator


@pytest.fixture
def shell(env_file: Path) -> Iterator[Shell]:
    with open_shell() as opened:
        opened.run("%load_ext zoho_magic")
        yield opened


def test_pull_to_a_file_gives_a_report_with_a_card(shell: Shell, simulator: Simulator) -> None:
    report = shell.run("%zoho_pull Leads --fields Last_Name --converted both --to leads.parquet")
    assert isinstance(report, ExportReport)
    assert pq.read_table("leads.parquet").schema.names == ["id", "Last_Name"]
    assert (report.rows, report.path) == (simulator.crm.count("Leads"), "leads.parquet")
    card = shell.ip.display_formatter.format(report)[0]["text/html"]
    for text in ("Exported Leads", "leads.parquet", f"{report.rows:,}", "API credits"):
        assert text in card
        assert text.removeprefix("Exported ") in repr(report)
    shell.run("%zoho_pull Leads --fields Last_Name --to leads.csv --safe-csv")
    assert Path("leads.csv").read_text().startswith('"id","Last_Name"')
    assert "does not say which format" in shell.failed("%zoho_pull Leads --to leads")


def test_many_credits_are_asked_for_and_yes_answers(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "is_expensive", lambda found, home: True)
    answers = iter(["n", "y"])
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or next(answers))
    assert "Stopped before" in shell.failed("%zoho_pull Leads --to leads.csv")
    assert not Path("leads.csv").exists()
    assert shell.run("%zoho_pull Leads --to leads.csv").rows
    assert "more than half of the day's" in asked[0]
    assert len(asked) == 2
    assert len(shell.run("%zoho_pull Leads --yes")) > 0
    assert get_session().credits_left is None
