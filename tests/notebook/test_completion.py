"""What TAB offers on our lines, and that it offers the same as before everywhere else."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.magic import Magics, magics_class

from tests.support.ipython_shell import Shell
from zoho_magic.notebook.magic_parser import magic, option
from zoho_magic.notebook.magics import ZohoMagic
from zoho_magic.session_registry import current_session
from zoho_magic.simulator import Simulator

ELSEWHERE = """
prin
%ti
%timeit pri
!ech
os.pat
zoho_pull pri
x = '%zoho_pull pri
%zoho
a.zo
""".strip().splitlines()


def _by_tab(magics: dict[str, dict[str, str]]) -> list[str]:
    return sorted([*(f"%{name}" for name in magics["line"]), *(f"%%{name}" for name in magics["cell"])])


@magics_class
class Travel(Magics):
    """A magic with choices."""

    @magic(
        option("--via", choices=["records", "coql", "bulk"], help="the route"), option("--stop", action="store_true")
    )
    def zoho_travel(self, line: Namespace) -> Namespace:
        """Go. Example: %zoho_travel --via bulk"""
        return line


@pytest.mark.parametrize(
    ("line", "become"),
    [
        ("%zoho_token --", ["%zoho_token --help", "%zoho_token --profile"]),
        ("%zoho_pull Leads --li", ["%zoho_pull Leads --limit"]),
        ("%zoho_pull Leads --limit 5 --fi", ["%zoho_pull Leads --limit 5 --fields"]),
        ("leads = %zoho_pull Leads --li", ["leads = %zoho_pull Leads --limit"]),
        ("    %zoho_demo --st", ["    %zoho_demo --stop"]),
        ("%zoho --sa", ["%zoho --save"]),
        ("one = 1\n%zoho_revoke --fo", ["one = 1\n%zoho_revoke --forget"]),
    ],
)
def test_options_are_offered_and_nothing_else(shell: Shell, line: str, become: list[str]) -> None:
    assert sorted(shell.offered(line)) == become


@pytest.mark.filterwarnings("ignore:`Completer.complete` is pending deprecation")
def test_front_ends_that_ask_line_by_line_get_the_same(shell: Shell) -> None:
    line = "x = %zoho_pull Leads --li"
    assert shell.ip.complete("", line, len(line))[1] == ["--limit"]
    shell.run("%unload_ext zoho_magic")
    assert shell.ip.complete("", line, len(line))[1] == []


def test_choices_of_the_option_before_the_cursor_are_offered(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ZohoMagic, "zoho_travel", Travel.zoho_travel, raising=False)
    assert sorted(shell.offered("%zoho_travel --via ")) == [
        f"%zoho_travel --via {route}" for route in ("bulk", "coql", "records")
    ]
    assert shell.offered("%zoho_travel --via co") == ["%zoho_travel --via coql"]
    assert "%zoho_travel --stop --via" in shell.offered("%zoho_travel --stop --")


def test_the_names_of_the_magics_are_offered_once(shell: Shell) -> None:
    assert shell.offered("%zoho_pul") == ["%zoho_pull"]


def test_every_other_completion_is_as_without_us(shell: Shell) -> None:
    shell.run("import os")
    shell.ip.Completer.use_jedi = False  # it has a time limit of its own, and then offers nothing
    with_us = {line: shell.offered(line) for line in ELSEWHERE}
    shell.run("%unload_ext zoho_magic")
    without = {line: shell.offered(line) for line in ELSEWHERE}
    assert sorted(with_us.pop("%zoho")) == _by_tab(ZohoMagic.magics)
    assert without.pop("%zoho") == []
    assert with_us == without
    assert "print" in without["prin"]


def test_a_value_is_completed_as_everywhere(shell: Shell) -> None:
    shell.run("open('settings.env', 'w').close()")
    assert "%zoho --env settings.env" in shell.offered("%zoho --env set")


def test_completing_does_no_work(shell: Shell) -> None:
    shell.offered("%zoho_pull Leads --limit 5 --")
    assert current_session() is None


@pytest.fixture
def connected(shell: Shell) -> Iterator[Shell]:
    shell.run("%zoho_demo --rows 20")
    yield shell
    shell.run("%zoho_demo --stop")


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("%zoho_pull Lea", "%zoho_pull Leads"),
        ("%zoho_fields Lea", "%zoho_fields Leads"),
        ("x = %zoho_pull Leads --fields Email Last_N", "x = %zoho_pull Leads --fields Email Last_Name"),
        ("%zoho_pull Leads --fields Email,Last_N", "%zoho_pull Leads --fields Email,Last_Name"),
        ('%zoho_pull Deals --where "Amount > 5 and Deal_N', '%zoho_pull Deals --where "Amount > 5 and Deal_Name'),
        ("%zoho_pull Deals --via bu", "%zoho_pull Deals --via bulk"),
        ("%%zoho_coql won\nselect id from Lea", "%%zoho_coql won\nselect id from Leads"),
        (
            "%%zoho_coql\nselect id\nfrom Deals where Account_Name.Indus",
            "%%zoho_coql\nselect id\nfrom Deals where Account_Name.Industry",
        ),
        ("%zoho_coql select id from Lea", "%zoho_coql select id from Leads"),
        ("%zoho_pull Deals --where \"Stage = 'Closed W", "%zoho_pull Deals --where \"Stage = 'Closed Won"),
        (
            "%zoho_pull Deals --where \"Stage in ('Qualification', 'closed w",
            "%zoho_pull Deals --where \"Stage in ('Qualification', 'Closed Won",
        ),
        (
            "%%zoho_coql\nselect id from Deals where Stage = 'Closed W",
            "%%zoho_coql\nselect id from Deals where Stage = 'Closed Won",
        ),
        (
            "%zoho_coql select id from Deals where Stage != 'Closed W",
            "%zoho_coql select id from Deals where Stage != 'Closed Won",
        ),
    ],
)
def test_names_come_from_the_crm(connected: Shell, typed: str, becomes: str) -> None:
    assert connected.offered(typed) == [becomes]


def test_frames_and_variables_of_the_notebook_are_offered(shell: Shell) -> None:
    shell.run("import pandas; fixed, rows_of_mine = pandas.DataFrame({'a': [1]}), [{'a': 1}]; status = 'Contacted'")
    assert shell.offered("%zoho_push Leads fi") == ["%zoho_push Leads fixed"]
    assert shell.offered("%zoho_push Leads rows_") == ["%zoho_push Leads rows_of_mine"]
    assert shell.offered('%zoho_pull Leads --where "Lead_Status = $sta') == [
        '%zoho_pull Leads --where "Lead_Status = $status'
    ]
    assert shell.offered("%%zoho_coql\nselect id from Deals where Stage = $sta") == [
        "%%zoho_coql\nselect id from Deals where Stage = $status"
    ]
    assert current_session() is None


def test_before_the_first_magic_tab_opens_no_session(shell: Shell, env_file: Path, simulator: Simulator) -> None:
    before = simulator.traffic.count()
    assert shell.offered("%zoho_pull Lea") == []
    assert current_session() is None
    assert simulator.traffic.count() == before


def test_without_a_connection_tab_is_silent(shell: Shell) -> None:
    assert shell.offered("%zoho_pull Lea") == []


def test_values_of_a_picklist_are_all_offered_and_nothing_else(connected: Shell) -> None:
    line = "%zoho_pull Deals --where \"Stage = '"
    stages = list(connected.run("import zoho_magic\nzoho_magic.get_session().choices('Deals', 'Stage')")["value"])
    assert sorted(connected.offered(line)) == sorted(line + stage for stage in stages)


def test_tab_with_a_profile_makes_no_call_before_the_first_magic(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator(rows=5) as sim:
        (tmp_path / ".env").touch()
        file = tmp_path / ".env.other"
        file.write_text(
            f"ZOHO_CLIENT_ID={sim.client_id}\nZOHO_CLIENT_SECRET={sim.client_secret}\n"
            f"ZOHO_REFRESH_TOKEN={sim.refresh_token()}\nZOHO_ACCOUNTS_URL={sim.url}\nZOHO_API_URL={sim.url}\n"
        )
        monkeypatch.chdir(tmp_path)
        assert shell.offered("%zoho_pull --profile other Lea") == []
        assert shell.offered("%zoho_pull Leads --profile other --fields Last_N") == []
        assert sim.traffic.calls == []
