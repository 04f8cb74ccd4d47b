"""`%zoho_pull --to`, `%zoho_sync` and its command line, in a real shell, against a local Zoho."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.ipython_shell import Shell, loaded_shell
from zoho_magic import ExportReport, SyncPlan, SyncReport
from zoho_magic.crm.read import pull
from zoho_magic.notebook.command_line import main
from zoho_magic.session_registry import get_session
from zoho_magic.simulator import Simulator


@pytest.fixture
def shell(env_file: Path) -> Iterator[Shell]:
    with loaded_shell() as opened:
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


def test_sync_gives_a_report_a_plan_and_json(shell: Shell, simulator: Simulator) -> None:
    pytest.importorskip("duckdb")
    plan = shell.run("%zoho_sync Leads --to leads.parquet --explain")
    assert isinstance(plan, SyncPlan)
    assert "does not exist yet" in repr(plan)
    assert not Path("leads.parquet").exists()
    report = shell.run("%zoho_sync Leads --to leads.parquet")
    assert isinstance(report, SyncReport)
    assert report.rows == simulator.crm.count("Leads")
    card = shell.ip.display_formatter.format(report)[0]["text/html"]
    assert "Copy of Leads" in card
    assert report.cursor in card
    plan = shell.run("%zoho_sync Leads --to leads.parquet --explain")
    assert (plan.rows, "modified since" in repr(plan)) == (report.rows, True)
    assert "Copy of Leads" in shell.ip.display_formatter.format(plan)[0]["text/html"]
    assert shell.run("%zoho_sync Leads --to leads.parquet --json --check --refresh formulas") is None
    told = json.loads(shell.shown)
    assert (told["module"], told["rows"], told["checked"]) == ("Leads", report.rows, True)
    reports = shell.run("%zoho_sync Leads Deals --to crm.duckdb")
    assert [each.module for each in reports] == ["Leads", "Deals"]
    assert "name a module" in shell.failed("%zoho_sync --to leads.parquet")
    assert "--refresh must be one of" in shell.failed("%zoho_sync Leads --to leads.parquet --refresh all")


def test_every_module_in_one_line(shell: Shell, simulator: Simulator) -> None:
    duckdb = pytest.importorskip("duckdb")
    reports = shell.run("%zoho_sync --all --to crm.duckdb")
    assert {each.module for each in reports} == set(get_session().modules()["module"])
    with duckdb.connect("crm.duckdb") as database:
        for report in reports:
            assert database.execute(f'SELECT count(*) FROM "{report.module}"').fetchall() == [(report.rows,)]
            assert report.rows == simulator.crm.count(report.module)


def test_a_command_line_for_cron(simulator: Simulator, env_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("duckdb")
    assert main(["sync", "Leads", "--to", "leads.parquet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == simulator.crm.count("Leads")
    assert main(["sync", "Leads", "--to", "leads.parquet"]) == 0
    assert "0 added, 0 changed, 0 deleted" in capsys.readouterr().out
    for words, code in (
        (["sync", "Nothing", "--to", "leads.parquet"], 1),
        (["sync", "Leads"], 2),
        (["sync", "Leads", "--to", "leads.json"], 2),
        (["sync", "Leads", "--to", "leads.parquet", "--where", "Lead_Score > 1"], 2),
        (["pull"], 2),
        (["sync", "-h"], 0),
    ):
        assert main(words) == code
    told = capsys.readouterr()
    assert "made with where left out" in told.err
    assert "The CRM has no module 'Nothing'" in told.err
    simulator.stop()
    get_session().close()
    assert main(["sync", "Leads", "--to", "leads.parquet"]) == 75


def test_a_lazy_frame_is_landed_where_the_line_says(shell: Shell, simulator: Simulator) -> None:
    pytest.importorskip("polars")
    frame = shell.run("%zoho_pull Leads --converted both --frame polars-lazy --to leads.parquet")
    assert type(frame).__name__ == "LazyFrame"
    assert len(frame.collect()) == simulator.crm.count("Leads") == len(pq.read_table("leads.parquet"))
    assert "takes neither ids nor full" in shell.failed("%zoho_pull Leads --frame duckdb --full")
    compared = get_session().compare("leads.parquet", "leads.parquet")
    assert "Changed" in shell.ip.display_formatter.format(compared)[0]["text/html"]
