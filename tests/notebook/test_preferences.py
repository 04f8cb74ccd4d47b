"""What a person sets once for all lines, and the small habits of IPython that the magics share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ipython_shell import Shell, loaded_shell
from tests.support.push_env import leads, world
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import use_session
from zoho_magic.simulator import Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture
def zoho() -> Iterator[World]:
    with world() as opened:
        use_session(opened[1])
        yield opened


@pytest.fixture
def shell(zoho: World) -> Iterator[Shell]:
    with loaded_shell() as opened:
        opened.ip.user_ns.update(rows=leads(2))
        yield opened


def test_config_sets_the_frame_the_limit_and_the_api_of_every_line(shell: Shell) -> None:
    shell.run("%config ZohoMagic.frame = 'polars'")
    shell.run("%config ZohoMagic.limit = 3")
    shell.run("%config ZohoMagic.via = 'coql'")
    frame = shell.run("%zoho_pull Leads --fields Last_Name --converted both")
    assert type(frame).__module__.startswith("polars")
    assert frame.height == 3
    pandas = shell.run("%zoho_pull Leads --fields Last_Name --frame pandas --limit 2 --via records")
    assert len(pandas) == 2
    assert pandas.attrs["api"] == "records"
    assert len(shell.run("%zoho_push Leads rows --insert --dry-run")) == 2, "push has neither coql nor a kind of frame"


@pytest.mark.parametrize("wrong", ["frame = 'numpy'", "limit = 0", "via = 'soap'"])
def test_config_refuses_what_a_line_would_refuse(shell: Shell, wrong: str, caplog: pytest.LogCaptureFixture) -> None:
    shell.run(f"%config ZohoMagic.{wrong}")
    assert "of a ZohoMagic instance" in caplog.text
    assert len(shell.run("%zoho_pull Leads --limit 1")) == 1


def test_a_pull_says_its_size_and_cost_until_config_turns_that_off(shell: Shell) -> None:
    shell.run("frame = %zoho_pull Leads --fields Last_Name --limit 3 --via coql")
    assert "3 rows" in shell.shown
    shell.run("%config ZohoMagic.notes = False")
    shell.run("frame = %zoho_pull Leads --fields Last_Name --limit 3 --via coql")
    assert "3 rows" not in shell.shown


def test_a_semicolon_hushes_and_does_not_break_the_last_word(shell: Shell) -> None:
    assert shell.run("%zoho_pull Leads --limit 1 --fields Last_Name;") is None
    shell.run("frame = %zoho_pull Leads --limit 1 --fields Last_Name;")
    assert list(shell.ip.user_ns["frame"].columns) == ["id", "Last_Name"]
    shell.run("count = %zoho_coql select COUNT(id) from Leads;")
    assert len(shell.ip.user_ns["count"]) == 1


def test_a_module_is_found_in_other_letters(shell: Shell) -> None:
    assert len(shell.run("%zoho_pull leads --limit 1")) == 1
    assert len(shell.run("%zoho_push leads rows --insert --dry-run")) == 2
    assert "no module 'leeds'" in shell.failed("%zoho_pull leeds")


def test_fields_are_searched(shell: Shell) -> None:
    found = shell.run("%zoho_fields Leads phone")
    assert 0 < len(found) < 10
    assert all("phone" in f"{name} {label} {kind}".lower() for name, label, kind in
               zip(found["field"], found["label"], found["type"], strict=True))  # fmt: skip
    assert len(shell.run("%zoho_fields Leads no such field")) == 0


def test_deleting_asks_with_count_module_organisation_and_environment(shell: Shell, zoho: World) -> None:
    shell.ip.user_ns["old"] = zoho[1].pull("Leads", fields=["Last_Name"], limit=2)
    asked: list[str] = []
    import builtins

    before = builtins.input
    builtins.input = lambda question="": asked.append(question) or "n"  # type: ignore[assignment,func-returns-value]
    try:
        assert "nothing was written" in shell.failed("%zoho_push Leads old --delete")
    finally:
        builtins.input = before
    assert asked == ["Northbeam Solar (production). Really delete 2 rows in Leads? [y/N] "]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--where Company = 'Acme'", "--where \"Company = 'Acme'\""),
        ("--order-by Annual_Revenue desc --limit 3", '--order-by "Annual_Revenue desc"'),
    ],
)
def test_a_condition_without_quotes_is_shown_with_them(shell: Shell, line: str, told: str) -> None:
    assert told in shell.failed(f"%zoho_pull Leads {line}")
