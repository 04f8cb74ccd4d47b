"""A backup is complete, continues after a failure, and its check finds what is missing or changed."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.ipython_shell import open_shell
from tests.support.pull_env import connect, world
from zoho_magic.errors import ConfigurationError, QueryError
from zoho_magic.session_registry import use_session


def test_a_backup_is_complete_continues_and_can_be_checked(tmp_path: Path) -> None:
    with world(rows=40) as (_, zoho), open_shell() as shell:
        use_session(zoho)
        shell.run("%load_ext zoho_magic")
        folder = tmp_path / "crm"
        first = shell.run(f"%zoho_backup {folder}").set_index("name")
        assert {"_schema", "_users", *zoho.metadata.modules()} == set(first.index)
        written = first[first["status"] == "written"]
        assert {"Leads", "Deals", "_schema", "_users"} <= set(written.index)
        everyone = zoho.pull("Leads", converted="both")
        assert set(pq.read_table(folder / "Leads.parquet").column("id").to_pylist()) == set(everyone["id"])
        assert first["rows"]["Leads"] == len(everyone)
        (folder / "Leads.parquet").unlink()
        (folder / "Deals.parquet").write_bytes(b"broken")
        checked = shell.run(f"%zoho_backup {folder} --check").set_index("name")["status"]
        assert (checked["Leads"], checked["Deals"], checked["Contacts"]) == ("missing", "changed", "ok")
        assert "not complete" in shell.shown
        again = zoho.backup(folder).set_index("name")["status"]
        assert (again["Leads"], again["Deals"], again["Contacts"]) == ("written", "written", "kept")
        assert zoho.check_backup(folder).attrs["complete"] == (len(written) == len(first))
        with pytest.raises(ConfigurationError, match="other files"):
            zoho.backup(tmp_path)
        with pytest.raises(QueryError, match="no manifest"):
            zoho.check_backup(tmp_path)


def test_a_part_that_was_refused_is_named_and_brought_by_the_next_run(tmp_path: Path) -> None:
    scopes = "ZohoCRM.modules.READ ZohoCRM.settings.modules.READ ZohoCRM.settings.fields.READ ZohoCRM.org.READ"
    with world(rows=3) as (sim, zoho), connect(sim, scopes) as narrow:
        first = narrow.backup(tmp_path / "crm")
        assert list(first["name"][first["status"] == "failed"]) == ["_users"]
        assert "scopes do not cover" in first.set_index("name")["message"]["_users"]
        assert not first.attrs["complete"]
        assert not zoho.check_backup(tmp_path / "crm").attrs["complete"]
        second = zoho.backup(tmp_path / "crm")
        assert list(second["name"][second["status"] == "written"]) == ["_users"]
        assert second.attrs["complete"]
        assert zoho.check_backup(tmp_path / "crm").attrs["complete"]
