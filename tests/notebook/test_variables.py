"""Which variable a magic takes: the calling function's first, and `$name` as a bound value on a line."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

import pytest

from tests.support.ipython_shell import Shell, open_shell
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
    with open_shell() as opened:
        opened.run("%load_ext zoho_magic")
        opened.ip.user_ns.update(rows=leads(1), many=leads(5), status="Contacted")
        yield opened


@pytest.mark.parametrize(
    "cell",
    [
        """
        def write(rows):
            report = %zoho_push Leads rows --insert --dry-run
            return report
        report = write(many)
        """,
        """
        def outer():
            rows = many
            def inner():
                report = %zoho_push Leads rows --insert --dry-run
                return report
            return inner()
        report = outer()
        """,
        """
        def write(rows):
            return get_ipython().run_line_magic("zoho_push", "Leads rows --insert --dry-run")
        report = write(many)
        """,
        """
        reports = [get_ipython().run_line_magic("zoho_push", "Leads $rows --insert --dry-run") for rows in [many]]
        report = reports[0]
        """,
    ],
)
def test_a_push_inside_a_function_takes_the_functions_frame(shell: Shell, cell: str) -> None:
    shell.run(dedent(cell))
    assert len(shell.ip.user_ns["report"]) == 5


def test_outside_of_a_function_the_notebooks_frame_is_taken(shell: Shell) -> None:
    assert len(shell.run("%zoho_push Leads rows --insert --dry-run")) == 1


def test_coql_inside_a_function_binds_the_functions_variable(shell: Shell) -> None:
    cell = """
    def pull(status):
        frame = %zoho_coql select Last_Name from Leads where Lead_Status = $status
        return frame
    mine = pull("no such status")
    theirs = %zoho_coql select Last_Name from Leads where Lead_Status = $status
    """
    shell.run(dedent(cell))
    assert len(shell.ip.user_ns["mine"]) == 0
    assert len(shell.ip.user_ns["theirs"]) > 0


@pytest.mark.parametrize(
    "line",
    [
        "%zoho_pull $module --limit $n",
        "%zoho_pull Leads --fields $names --limit $n",
        '%zoho_pull Leads --fields Last_Name Lead_Status --limit $n --where "Lead_Status = $status"',
        "%zoho_pull Leads --fields Last_Name --limit $n --order-by $order",
        "%zoho_pull Leads --fields Last_Name --limit $n --since $day",
    ],
)
def test_a_variable_stands_for_a_value_on_the_line(shell: Shell, line: str) -> None:
    shell.run("import datetime")
    shell.run("module, n, names = 'Leads', 2, ['Last_Name', 'Company']")
    shell.run("order, day = 'Last_Name desc', datetime.date(2000, 1, 1)")
    frame = shell.run(line)
    assert len(frame) == 2
    if "names" in line:
        assert list(frame.columns) == ["id", "Last_Name", "Company"]
    if "$status" in line:
        assert set(frame["Lead_Status"]) == {"Contacted"}


def test_modules_can_be_looped_over(shell: Shell) -> None:
    cell = """
    frames = {}
    for module in ["Leads", "Deals"]:
        frames[module] = get_ipython().run_line_magic("zoho_pull", "$module --limit 1")
    """
    shell.run(dedent(cell))
    assert {name: len(frame) for name, frame in shell.ip.user_ns["frames"].items()} == {"Leads": 1, "Deals": 1}


@pytest.mark.parametrize("line", ["%zoho_pull {module}", "%zoho_pull Leads --where \"Lead_Status = '{status}'\""])
def test_braces_are_refused_with_the_way_to_write_it(shell: Shell, line: str) -> None:
    shell.run("module = 'Leads'")
    assert "instead of {" in shell.failed(line)


def test_a_value_is_bound_and_never_pasted_in(shell: Shell) -> None:
    shell.run("status = \"x' or Last_Name != '\"")
    assert len(shell.run('%zoho_pull Leads --fields Last_Name --where "Lead_Status = $status"')) == 0


def test_an_unknown_variable_is_named(shell: Shell) -> None:
    assert "no variable nothing_there" in shell.failed("%zoho_pull $nothing_there")
    assert "nothing_there" in shell.failed('%zoho_pull Leads --where "Lead_Status = $nothing_there"')


def test_a_script_binds_parameters_of_a_filter(zoho: World) -> None:
    frame = zoho[1].pull("Leads", fields=["Lead_Status"], where="Lead_Status = $wanted", params={"wanted": "Contacted"})
    assert set(frame["Lead_Status"]) == {"Contacted"}
