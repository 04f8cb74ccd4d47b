"""The quickstart notebook in a real kernel: with the simulator inside, and with somebody's own `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError

from tests.e2e.kernels import execute, mimes, notebook_of, outputs, quickstart
from zoho_magic import ZohoSession
from zoho_magic.simulator import Simulator


def own_account(simulator: Simulator, folder: Path, code: str | None = None) -> Path:
    """The `.env` of somebody who copied four values from Zoho's console."""
    lines = {
        "ZOHO_CLIENT_ID": simulator.client_id,
        "ZOHO_CLIENT_SECRET": simulator.client_secret,
        "ZOHO_GRANT_CODE": code or simulator.grant_code(),
        "ZOHO_ACCOUNTS_URL": simulator.url,
        "ZOHO_API_URL": simulator.url,
    }
    path = folder / ".env"
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    return path


def test_as_it_is_on_the_simulator(isolated: Path) -> None:
    notebook = execute(quickstart(), isolated)
    assert "Connected as Patricia Boyle" in mimes(notebook, "%zoho_exchange")["text/html"]
    assert "%zoho_pull" in mimes(notebook, "%zoho\n")["text/plain"]
    assert "Last_Name" in mimes(notebook, "leads = ")["text/html"]
    assert mimes(notebook, "deals = ")["image/png"]
    assert not list(isolated.rglob(".env")), "the demo stays in memory"


def test_unchanged_but_for_the_demo_cell_with_an_account_of_ones_own(simulator: Simulator, isolated: Path) -> None:
    env_file = own_account(simulator, isolated)
    notebook = execute(quickstart(with_demo=False), isolated)
    assert f"{env_file}" in mimes(notebook, "%zoho\n")["text/plain"]
    assert simulator.crm.rows("Leads")[0]["Company"]
    assert mimes(notebook, "deals = ")["image/png"]
    saved = ZohoSession.from_env(env_file).credentials
    assert saved.refresh_token is not None
    assert saved.grant_code is None, "a code works once"
    assert simulator.traffic.count(path="/crm/v8/Leads") > 0


def test_a_week_later_two_lines_are_enough(simulator: Simulator, env_file: Path, isolated: Path) -> None:
    notebook = execute(notebook_of("%load_ext zoho_magic", "leads = %zoho_pull Leads --limit 3\nlen(leads)"), isolated)
    assert mimes(notebook, "leads = ")["text/plain"] == "3"
    assert outputs(notebook, "%load_ext") == []


def test_the_quickstart_runs_again_unattended_with_the_stored_refresh_token(
    simulator: Simulator, env_file: Path, isolated: Path
) -> None:
    notebook = execute(quickstart(with_demo=False), isolated)
    assert "Connected as Patricia Boyle" in mimes(notebook, "%zoho_exchange")["text/html"]


def test_a_used_code_in_the_environment_does_not_stop_who_is_connected(
    simulator: Simulator, env_file: Path, isolated: Path
) -> None:
    env_file.write_text(env_file.read_text() + "ZOHO_GRANT_CODE=1000.spent\n")
    notebook = execute(notebook_of("%load_ext zoho_magic", "%zoho_exchange"), isolated)
    shown = mimes(notebook, "%zoho_exchange")["text/plain"]
    assert "Connected as Patricia Boyle" in shown
    assert "ZOHO_GRANT_CODE is used up" in shown


UNATTENDED = """\
from zoho_magic.notebook.lazy_session import is_interactive
is_interactive(get_ipython())"""


def test_an_unattended_run_says_what_to_put_where(simulator: Simulator, isolated: Path) -> None:
    env_file = own_account(simulator, isolated, code="x")
    env_file.write_text(env_file.read_text().replace("ZOHO_GRANT_CODE=x\n", ""))
    lines = ("%load_ext zoho_magic", UNATTENDED, "%zoho_setup", "%zoho_setup --ask", "%zoho_exchange", "%zoho")
    notebook = execute(notebook_of(*lines), isolated, allow_errors=True)
    assert mimes(notebook, "from zoho_magic")["text/plain"] == "False"
    for line, told in (
        ("%zoho_setup\n", ("runs unattended", f"ZOHO_GRANT_CODE into {env_file}", "%zoho_exchange")),
        ("%zoho_setup --ask", ("ZOHO_GRANT_CODE is needed and nobody typed it",)),
        ("%zoho_exchange", ("ZOHO_GRANT_CODE is needed and nobody typed it", "into .env")),
    ):
        (error,) = [output for output in outputs(notebook, line) if output.output_type == "error"]
        assert error.ename == "CredentialsMissing"
        assert len(error.traceback) <= 2
        assert all(text in "\n".join(error.traceback) for text in told)
    assert "Not connected" in mimes(notebook, "%zoho\n")["text/plain"]


def test_setup_in_an_unattended_run_that_is_connected_just_says_so(env_file: Path, isolated: Path) -> None:
    notebook = execute(notebook_of("%load_ext zoho_magic", "%zoho_setup"), isolated)
    assert "Connected as Patricia Boyle" in mimes(notebook, "%zoho_setup\n")["text/plain"]


def test_an_error_stops_the_run(simulator: Simulator, isolated: Path) -> None:
    own_account(simulator, isolated, code="1000.spent")
    with pytest.raises(CellExecutionError, match="AuthError"):
        execute(quickstart(with_demo=False), isolated)
