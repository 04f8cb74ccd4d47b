"""Which variable a magic takes: the calling function's first, and `$name` as a bound value on a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

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
        """
        def outer(rows):
            def inner():
                rows
                report = %zoho_push Leads rows --insert --dry-run
                return report
            return inner
        report = outer(many)()
        """,
        """
        class Writer:
            rows = rows
            def write(self, rows):
                report = %zoho_push Leads rows --insert --dry-run
                return report
        report = Writer().write(many)
        """,
        """
        def outer(rows):
            return [get_ipython().run_line_magic("zoho_push", "Leads rows --insert --dry-run") for _ in range(1)][0]
        report = outer(many)
        """,
    ],
)
def test_a_push_inside_a_function_takes_the_functions_frame(shell: Shell, cell: str) -> None:
    shell.run(dedent(cell))
    assert len(shell.ip.user_ns["report"]) == 5


LATER = """
from concurrent.futures import ThreadPoolExecutor
def outer(rows, earlier=None):
    if earlier is not None:
        return earlier()
    def inner():
        report = %zoho_push Leads rows --insert --dry-run
        return report
    return inner
def in_a_thread(rows):
    def job():
        report = %zoho_push Leads rows --insert --dry-run
        return report
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(job).result()
def by_lambda(rows):
    return lambda: get_ipython().run_line_magic("zoho_push", "Leads rows --insert --dry-run")
def two_around(rows):
    def middle():
        def inner():
            return get_ipython().run_line_magic("zoho_push", "Leads rows --insert --dry-run")
        return inner
    return middle
def too_early():
    report = %zoho_push Leads rows --insert --dry-run
    rows = many
"""


@pytest.mark.parametrize(
    "call",
    ["outer(many)()", "outer(many, outer(rows))", "in_a_thread(many)", "by_lambda(many)()", "two_around(many)()()",
     "too_early()"],
)  # fmt: skip
def test_a_variable_of_the_function_that_is_gone_is_never_the_notebooks(shell: Shell, zoho: World, call: str) -> None:
    shell.run(LATER)
    told = shell.failed(f"report = {call}")
    assert "rows is a variable of the function" in told
    assert "Make it a parameter" in told
    assert zoho[0].traffic.count(method="POST", path="/crm/v8/Leads") == 0


def test_coql_of_a_closure_refuses_the_notebooks_value(shell: Shell) -> None:
    cell = """
    def outer(status):
        return lambda: get_ipython().run_cell_magic("zoho_coql", "", "select id from Leads where Lead_Status = $status")
    """
    shell.run(dedent(cell))
    assert "status is a variable of the function outer" in shell.failed("outer('Contacted')()")


def test_a_cell_magic_inside_a_function_takes_the_functions_variable(shell: Shell) -> None:
    cell = """
    def pull(status):
        return get_ipython().run_cell_magic("zoho_coql", "", "select id from Leads where Lead_Status = $status")
    mine = pull("no such status")
    """
    shell.run(dedent(cell))
    assert len(shell.ip.user_ns["mine"]) == 0


def test_a_function_of_a_module_sees_its_own_globals_first(shell: Shell, isolated: Path) -> None:
    (isolated / "helpers_of_mine.py").write_text(
        "from IPython import get_ipython\nstatus = 'no such status'\ndef pull():\n"
        "    line = 'Leads --fields Last_Name --where \"Lead_Status = $status\"'\n"
        "    return get_ipython().run_line_magic('zoho_pull', line)\n"
    )
    shell.run(f"import sys; sys.path.insert(0, {str(isolated)!r}); import helpers_of_mine")
    assert len(shell.run("helpers_of_mine.pull()")) == 0


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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("%zoho_pull {module}", "write $module instead of {module}"),
        ("%zoho_pull Leads --where \"Lead_Status = '{status}'\"", "write $status"),
        ("%zoho_pull Leads --where \"Lead_Status = '{nothing}'\"", "nothing in braces"),
        ("%zoho_pull Leads --where \"Lead_Status = '{parts[0]}'\"", "nothing in braces"),
        ("%zoho_pull Leads --limit {1 + 1}", "nothing in braces"),
        ("%zoho_coql select id from Leads where Lead_Status = '{status}'", "write $status"),
        ("%%zoho_coql\nselect id from Leads where Lead_Status = '{{nothing}}'", "nothing in braces"),
        ("%%zoho_coql {module}\nselect id from Leads", "write $module"),
        ("%zoho_pull Leads --where \"Lead_Status = '$status'\"", "Leave out the quotes"),
        ("%%zoho_coql\nselect id from Leads where Lead_Status = '$status'", "Leave out the quotes"),
        ("%%zoho_coql\nselect id from Leads where Lead_Status like '$status%'", "Leave out the quotes"),
    ],
)
def test_what_would_be_sent_as_it_stands_is_refused(shell: Shell, line: str, told: str) -> None:
    shell.run("module, parts = 'Leads', ['Contacted']")
    assert told in shell.failed(line)


def test_a_dollar_that_names_no_variable_stays_text(shell: Shell) -> None:
    assert len(shell.run("%zoho_coql select id from Leads where Last_Name = 'cash $money'")) == 0


@pytest.mark.parametrize(
    ("value", "argument", "told"),
    [
        ("None", "--limit $v", "--limit cannot take $v, which is None"),
        ("[1, 2]", "--fields $v", "--fields cannot take $v, which is of type list"),
        ("{'a': 1}", "--fields $v", "of type dict"),
        ("object()", "--profile $v", "of type object"),
        ("pandas.DataFrame()", "--since $v", "--since cannot take $v, which is of type DataFrame"),
        ("pandas.NaT", "--since $v", "which is NaT"),
        ("float('nan')", "--limit $v", "which is nan"),
        ("['Last_Name', 'Company']", "--limit $v", "--limit takes one value, not 2"),
        ("''", "--order-by $v", "$v is empty"),
        ("0", "--limit $v", "--limit must be a positive integer"),
        ("'--explain'", "--profile $v", "no such profile"),
        ("len", "--profile $v", "of type builtin_function_or_method"),
    ],
)
def test_a_value_that_an_argument_cannot_have_is_refused_by_its_type(
    shell: Shell, value: str, argument: str, told: str
) -> None:
    shell.run(f"import pandas; v = {value}")
    assert told in shell.failed(f"%zoho_pull Leads {argument}").replace("a profile", "such profile")


@pytest.mark.parametrize(
    ("value", "line", "rows"),
    [
        ("2.0", "%zoho_pull Leads --limit $v", 2),
        ("pandas.Series([3]).iloc[0]", "%zoho_pull Leads --limit=$v", 3),
        ("pandas.Index(['Last_Name', 'Email'])", "%zoho_pull Leads --limit 1 --fields $v Company", 1),
        ("'Email'", "%zoho_pull Leads --limit 1 --fields Last_Name,$v", 1),
        ("'Last_Name'", "%zoho_pull Leads --limit 1 --order-by '$v desc'", 1),
        ("'coql'", "%zoho_pull Leads --limit 1 --via $v", 1),
        ("pandas.Timestamp('2000-01-01', tz='UTC')", "%zoho_pull Leads --limit 1 --since $v", 1),
        ("'many'", "%zoho_push Leads $v --insert --dry-run", 5),
        ("many", "%zoho_push Leads $v --insert --dry-run", 5),
    ],
)
def test_a_value_of_any_fitting_type_is_taken(shell: Shell, value: str, line: str, rows: int) -> None:
    shell.run(f"import pandas; v = {value}")
    assert len(shell.run(line)) == rows


def test_a_value_is_bound_and_never_pasted_in(shell: Shell) -> None:
    shell.run("status = \"x' or Last_Name != '\"")
    assert len(shell.run('%zoho_pull Leads --fields Last_Name --where "Lead_Status = $status"')) == 0


def test_an_unknown_variable_is_named(shell: Shell) -> None:
    assert "no variable nothing_there" in shell.failed("%zoho_pull $nothing_there")
    assert "nothing_there" in shell.failed('%zoho_pull Leads --where "Lead_Status = $nothing_there"')


def test_a_script_binds_parameters_of_a_filter(zoho: World) -> None:
    frame = zoho[1].pull("Leads", fields=["Lead_Status"], where="Lead_Status = $wanted", params={"wanted": "Contacted"})
    assert set(frame["Lead_Status"]) == {"Contacted"}
