"""%zoho_push in a real shell: what it asks, what it shows, and what Ctrl-C leaves behind."""

from __future__ import annotations

import builtins
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.ipython_shell import Shell, loaded_shell
from tests.support.push_env import hurry, leads, stored, world, writes
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import use_session
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world() as opened:
        use_session(opened[1])
        yield opened


@pytest.fixture
def shell(zoho: World) -> Iterator[Shell]:
    with loaded_shell() as opened:
        opened.ip.user_ns.update(few=leads(3), many=leads(1_001), rows=[{"Last_Name": "Li"}])
        yield opened


def answer(monkeypatch: pytest.MonkeyPatch, reply: str | type[BaseException]) -> list[str]:
    """What is typed at the next prompts; the questions."""
    asked: list[str] = []

    def typed(question: str = "") -> str:
        asked.append(question)
        if not isinstance(reply, str):
            raise reply
        return reply

    monkeypatch.setattr(builtins, "input", typed)
    return asked


def unattended(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell.ip, "kernel", object(), raising=False)
    monkeypatch.setattr(shell.ip, "get_parent", lambda: {"content": {"allow_stdin": False}}, raising=False)


def test_every_action_returns_the_report(zoho: World, shell: Shell) -> None:
    before = zoho[0].crm.count("Leads")
    report = shell.run("report = %zoho_push Leads few --insert\nreport")
    assert report.counts["succeeded"] == 3
    shell.ip.user_ns["changed"] = report[["id"]].assign(Company="New")
    assert shell.run("%zoho_push Leads changed --update").counts["succeeded"] == 3
    assert shell.run("%zoho_push Leads few --upsert --on Email").attrs["on"] == ["Email"]
    assert shell.run("%zoho_push Leads few --upsert --on Email --dry-run").counts == {"valid": 3, "failed": 0}
    assert shell.run("%zoho_push Leads report --delete --yes").counts["succeeded"] == 3
    assert zoho[0].crm.count("Leads") == before
    assert shell.run("%zoho_push Leads rows --insert --via bulk").attrs["api"] == "bulk"


def test_warnings_are_shown_above_the_report(shell: Shell) -> None:
    shell.run("few['Full_Name'] = 'x'\nreport = %zoho_push Leads few --insert")
    assert "Zoho does not let anyone write Full_Name" in shell.shown


def test_no_triggers_and_clear_empty_reach_the_call(zoho: World, shell: Shell) -> None:
    sim = zoho[0]
    shell.ip.user_ns["one"] = leads(1, Phone="5")
    report = shell.run("%zoho_push Leads one --insert --no-triggers")
    assert sim.crm.triggered[-1][2] == ()
    shell.ip.user_ns["bare"] = report[["id"]].assign(Phone=None, City="Bern")
    shell.run("%zoho_push Leads bare --update")
    assert sim.crm.triggered[-1][2] != ()
    assert stored(sim)[report["id"].iloc[0]]["Phone"] == "5"
    shell.run("%zoho_push Leads bare --update --clear-empty")
    assert stored(sim)[report["id"].iloc[0]]["Phone"] is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Leads few", "say one thing to do"),
        ("Leads few --insert --delete", "say one thing to do"),
        ("Leads nothing_here --insert", "there is no variable of that name"),
        ("Leads few --insert --on Email", "'on' is for an upsert"),
        ("Leads few --update", "needs the column 'id'"),
        ("Leeds few --insert", "Did you mean Leads"),
        ("Leads few --insert --via pigeon", "--via must be one of auto, records, bulk"),
    ],
)
def test_a_line_that_cannot_be_done_says_why(zoho: World, shell: Shell, line: str, told: str) -> None:
    assert told in shell.failed(f"%zoho_push {line}")
    assert not writes(zoho[0])


def test_a_frame_that_is_none(zoho: World, shell: Shell) -> None:
    assert "A int cannot be pushed" in shell.failed("number = 5\n%zoho_push Leads number --insert")


# Questions


@pytest.mark.parametrize(
    ("line", "question"),
    [
        ("Leads gone --delete", "Northbeam Solar (production). Really delete 1 row in Leads? [y/N] "),
        ("Leads many --insert", "Northbeam Solar (production). Really insert 1,001 rows in Leads? [y/N] "),
    ],
)
@pytest.mark.parametrize(("reply", "goes"), [("y", True), ("YES ", True), ("", False), ("n", False), ("sure", False)])
def test_it_asks_before_a_deletion_and_before_many_rows(
    zoho: World, shell: Shell, monkeypatch: pytest.MonkeyPatch, line: str, question: str, reply: str, goes: bool
) -> None:
    [record, *_] = stored(zoho[0])
    shell.ip.user_ns["gone"] = [{"id": record}]
    asked = answer(monkeypatch, reply)
    if goes:
        assert shell.run(f"%zoho_push {line}").counts["failed"] == 0
    else:
        assert "nothing was written" in shell.failed(f"%zoho_push {line}")
    assert asked == [question]
    assert bool(writes(zoho[0])) == goes


@pytest.mark.parametrize("line", ["Leads few --insert", "Leads many --insert --yes", "Leads many --insert --dry-run"])
def test_it_does_not_ask_otherwise(shell: Shell, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    asked = answer(monkeypatch, "n")
    assert shell.run(f"%zoho_push {line}").counts["failed"] == 0
    assert asked == []


@pytest.mark.parametrize("again", ["few", "few.assign(Company='Changed').iloc[::-1]", "few.iloc[:2].copy()", "few[:0]"])
def test_a_cell_that_is_run_again_asks_before_rows_are_inserted_twice(
    zoho: World, shell: Shell, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    shell.run("%zoho_push Leads few --insert")
    shell.run(f"again = {again}")
    same = {"few": 3, "few.iloc[:2].copy()": 2}.get(again, 0)
    asked = answer(monkeypatch, "n")
    before = zoho[0].crm.count("Leads")
    if same:
        assert "nothing was written" in shell.failed("%zoho_push Leads again --insert")
        question = (
            f"{same} rows of again were inserted before, in this session. "
            f"Northbeam Solar (production). Really insert {same} rows in Leads? [y/N] "
        )
        assert (asked, zoho[0].crm.count("Leads")) == ([question], before)
        report = shell.run("%zoho_push Leads again --insert --yes")
        assert report.attrs["warnings"] == [f"{same} of these rows are equal to rows that an earlier push inserted."]
    else:
        shell.run("%zoho_push Leads again --insert --dry-run\n%zoho_push Leads again --upsert --on Email")
        assert asked == []


@pytest.mark.parametrize("how", ["a kernel", "no terminal"])
def test_an_unattended_run_needs_yes(zoho: World, shell: Shell, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    answer(monkeypatch, EOFError)
    if how == "a kernel":
        unattended(shell, monkeypatch)
    told = shell.failed("%zoho_push Leads many --insert")
    assert "to insert 1,001 rows in Leads in an unattended run, add --yes" in told
    assert not writes(zoho[0])
    assert shell.run("%zoho_push Leads many --insert --yes").counts["succeeded"] == 1_001
    assert shell.run("%zoho_push Leads rows --insert").counts["succeeded"] == 1


def test_help_states_what_automations_do(shell: Shell) -> None:
    shell.run("%zoho_push -h")
    assert "may send e-mails" in shell.shown
    for option in ("--insert", "--update", "--upsert", "--on", "--delete", "--dry-run", "--no-triggers", "--yes"):
        assert option in shell.shown


def test_the_report_is_shown_as_a_card(shell: Shell) -> None:
    report = shell.run("%zoho_push Leads few --insert")
    data, _ = shell.ip.display_formatter.format(report)
    assert "insert Leads: 3 succeeded" in data["text/html"]
    assert "border-left" in data["text/html"]


# Ctrl-C


PUSHER = """
    import json, sys
    import pandas as pd
    from zoho_magic.config.credentials import Credentials
    from zoho_magic.secret import Secret
    from zoho_magic.session import ZohoSession

    c = json.loads(sys.stdin.readline())
    secrets = {"client_secret": Secret(c["client_secret"]), "refresh_token": Secret(c["refresh_token"])}
    session = ZohoSession(Credentials(client_id=c["client_id"], accounts_url=c["url"], api_url=c["url"], **secrets))
    frame = pd.DataFrame({"Last_Name": [f"Row {n}" for n in range(3000)], "Company": "x"})
    session.push("Leads", frame.head(1), "insert")
    print("ready", flush=True)
    report = session.push("Leads", frame, "insert", via=c["via"])
    again = report.retry() if c["via"] == "records" else report
    told = [report.counts, list(report["code"]), report.attrs["warnings"], list(report["message"]), again.counts]
    print(json.dumps(told))
"""


def interrupted(sim: Simulator, via: str, reached: Any) -> list[Any]:
    """What a process says that got a SIGINT once the simulator was reached."""
    import json

    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PUSHER)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({**sim.connection(), "via": via}) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        while not reached():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        return json.loads(process.stdout.readline())


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
def test_ctrl_c_returns_the_report_of_what_was_done() -> None:
    with world() as (sim, _):
        before = sim.crm.count("Leads")
        sim.faults.add(Fault("/crm/v8/Leads", "POST", after=1, times=8, delay=0.02))
        sim.faults.add(Fault("/crm/v8/Leads", "POST", times=10, delay=0.3))
        counts, codes, warnings, _messages, again = interrupted(
            sim, "records", lambda: sim.traffic.count("POST", "/crm/v8/Leads") >= 4
        )
        assert counts["unknown"] == 0, "what was on its way was waited for"
        assert 300 <= counts["succeeded"] < 3_000
        assert counts["succeeded"] + counts["failed"] == 3_000
        assert set(codes) == {"SUCCESS", "NOT_SENT"}
        assert "Interrupted" in warnings[0]
        assert again == {"succeeded": counts["failed"], "failed": 0, "unknown": 0}
        assert sim.crm.count("Leads") - before == 3_001


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
def test_ctrl_c_during_a_job_says_that_it_goes_on() -> None:
    with world(job_seconds=3600.0) as (sim, _):
        counts, _codes, _warnings, messages, _again = interrupted(
            sim, "bulk", lambda: sim.traffic.count("GET", "/crm/bulk/v8/write/") >= 1
        )
        assert counts == {"succeeded": 0, "failed": 0, "unknown": 3_000}
        assert "goes on at Zoho: report.retry() asks" in messages[0]


# See before, undo after


def test_diff_says_what_it_reads_and_writes_nothing(zoho: World, shell: Shell) -> None:
    report = shell.run("%zoho_push Leads few --insert")
    sent = len(writes(zoho[0]))
    shell.ip.user_ns["changed"] = report[["id"]].assign(City=["Bern", None, None])
    shown = shell.run("%zoho_push Leads changed --update --diff")
    assert "about 1 API credits" in shell.shown
    assert list(shown["action"]) == ["update", "failed", "failed"]
    assert len(writes(zoho[0])) == sent
    assert shell.run("%zoho_push Leads few --upsert --on Email --only-changes").counts["unchanged"] == 3


def test_kept_pushes_are_listed_and_undone(zoho: World, shell: Shell) -> None:
    report = shell.run("%zoho_push Leads few --insert")
    shell.ip.user_ns["changed"] = report[["id"]].assign(City="Bern")
    shell.run("%zoho_push Leads changed --update --no-keep")
    assert len(shell.run("%zoho_undo")) == 0
    shell.ip.user_ns["changed"] = report[["id"]].assign(City="Rome")
    shell.run("%zoho_push Leads changed --update")
    listed = shell.run("%zoho_undo")
    assert listed["records"].tolist() == [3]
    undone = shell.run(f"%zoho_undo {listed['name'].iloc[0]}")
    assert undone.counts["succeeded"] == 3
    assert {stored(zoho[0])[key]["City"] for key in report["id"]} == {"Bern"}


def test_config_turns_keeping_off(zoho: World, shell: Shell) -> None:
    report = shell.run("%zoho_push Leads few --insert")
    shell.ip.user_ns["changed"] = report[["id"]].assign(City="Bern")
    shell.run("%config ZohoMagic.keep_previous_values = False")
    shell.run("%zoho_push Leads changed --update")
    assert len(shell.run("%zoho_undo")) == 0
    shell.run("%zoho_push Leads changed --update --keep")
    assert len(shell.run("%zoho_undo")) == 1


def test_an_assigned_push_whose_rows_failed_shows_a_line(zoho: World, shell: Shell) -> None:
    shell.ip.user_ns["bad"] = [{"Company": "x"}]
    shell.run("r = %zoho_push Leads bad --insert")
    assert "0 succeeded, 1 failed, 0 unknown. First: MANDATORY_NOT_FOUND Last_Name" in shell.shown
    shell.run("good = %zoho_push Leads few --insert")
    assert "First:" not in shell.shown


def test_a_cell_with_an_upsert_of_rows_without_a_key_asks_when_it_is_run_again(
    zoho: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.ip.user_ns["new"] = leads(2).assign(Email=[None, "x@example.com"])
    shell.run("%zoho_push Leads new --upsert --on Email")
    asked = answer(monkeypatch, "n")
    assert "nothing was written" in shell.failed("%zoho_push Leads new --upsert --on Email")
    assert asked[0].startswith("1 row of new was inserted before")


def test_labels_are_renamed_on_request(shell: Shell) -> None:
    shell.ip.user_ns["labelled"] = leads(1).rename(columns={"Last_Name": "Last Name"})
    assert "df.rename(columns={'Last Name': 'Last_Name'})" in shell.failed("%zoho_push Leads labelled --insert")
    assert shell.run("%zoho_push Leads labelled --insert --rename").counts["succeeded"] == 1
