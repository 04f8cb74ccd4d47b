"""`sync`: the copy is equal to a fresh pull, whatever happened in the org between two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

duckdb = pytest.importorskip("duckdb")

from tests.support.mirror_env import TARGETS, copy_of, differences  # noqa: E402
from tests.support.pull_env import asked, connect, world  # noqa: E402
from zoho_magic.errors import ConfigurationError, TransportError  # noqa: E402
from zoho_magic.simulator import Simulator  # noqa: E402
from zoho_magic.simulator.crm import org_changes  # noqa: E402
from zoho_magic.simulator.crm.schema import Field  # noqa: E402

UNKIND = {
    "restore_moves_modified_time": False,
    "restored_still_listed": True,
    "conversion_moves_modified_time": False,
    "deleted_lag": 20.0,
}


def ids(sim: Simulator, module: str = "Leads") -> list[str]:
    return [row["id"] for row in sim.crm.rows(module)]


def update(zoho: Any, module: str, rows: list[dict[str, Any]]) -> None:
    answer = zoho.request("PUT", f"/crm/v8/{module}", json={"data": rows})
    assert answer.status_code == 200, answer.text


def insert(zoho: Any, module: str, rows: list[dict[str, Any]]) -> None:
    assert zoho.request("POST", f"/crm/v8/{module}", json={"data": rows}).status_code == 201


def delete(zoho: Any, module: str, keys: list[str]) -> None:
    assert zoho.request("DELETE", f"/crm/v8/{module}", params={"ids": ",".join(keys)}).status_code == 200


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("unkind", [False, True])
def test_a_copy_follows_everything_that_happens(to: str, unkind: bool) -> None:
    with world(rows=80, **(UNKIND if unkind else {})) as (sim, zoho):
        first = zoho.sync("Leads", to=to)
        assert (first.rows, first.added, first.path) == (sim.crm.count("Leads"), sim.crm.count("Leads"), to)
        assert differences(zoho, to) == []
        a, b, c, d, e, f, *_ = ids(sim)
        sim.clock.advance(1000)
        update(zoho, "Leads", [{"id": a, "Company": "New"}, {"id": b, "Lead_Score": 77}])
        insert(zoho, "Leads", [{"Last_Name": "Fresh"}])
        delete(zoho, "Leads", [c, d])
        sim.clock.advance(60)
        report = zoho.sync("Leads", to=to)
        assert (report.added, report.changed, report.deleted) == (1, 2, 2)
        assert differences(zoho, to) == []
        org_changes.restore(sim.crm, "Leads", c)
        org_changes.convert(sim.crm, e)
        sim.crm.store.write("DELETE FROM Leads WHERE id = ?", (int(f),))  # hidden by sharing: nobody reports it
        sim.clock.advance(60)
        report = zoho.sync("Leads", to=to, check=True)
        left = [] if not unkind else [e]
        assert {row[0] for row in differences(zoho, to)} <= set(left)
        assert report.checked
        assert report.rows == sim.crm.count("Leads")


@pytest.mark.parametrize("to", TARGETS)
def test_a_run_without_changes_is_cheap_and_changes_nothing(to: str) -> None:
    with world(rows=60) as (sim, zoho):
        zoho.sync("Leads", to=to)
        sim.clock.advance(3600)
        zoho.request("GET", "/crm/v8/org")
        calls, before = sim.traffic.count(), copy_of(to)
        report = zoho.sync("Leads", to=to)
        assert (report.added, report.changed, report.deleted, report.checked) == (0, 0, 0, False)
        assert report.calls <= 5
        assert report.credits <= 10
        assert sim.traffic.count() - calls <= 6  # with a new access token
        assert copy_of(to).equals(before)
        assert not [p for p in Path().iterdir() if p.name.startswith(".")]


def test_the_cursor_is_zohos_clock_and_never_ours() -> None:
    with world(rows=20) as (sim, zoho):
        sim.clock.advance(40 * 86_400)  # this machine's clock is far behind
        report = zoho.sync("Leads", to="leads.parquet")
        assert report.cursor[:13] == sim.clock.now().isoformat()[:13]
        a, *_ = ids(sim)
        update(zoho, "Leads", [{"id": a, "Company": "Later"}])
        assert zoho.sync("Leads", to="leads.parquet").changed == 1
        assert differences(zoho, "leads.parquet") == []


@pytest.mark.parametrize("to", TARGETS)
def test_a_filter_lets_rows_come_and_go(to: str) -> None:
    where = {"where": "Lead_Score >= 50", "fields": ["Last_Name", "Lead_Score"]}
    with world(rows=60) as (sim, zoho):
        zoho.sync("Leads", to=to, **where)
        rows = {row["id"]: row["Lead_Score"] for row in sim.crm.rows("Leads")}
        high = next(key for key, score in rows.items() if (score or 0) >= 50)
        low = next(key for key, score in rows.items() if score is not None and score < 50)
        update(zoho, "Leads", [{"id": high, "Lead_Score": 1}, {"id": low, "Lead_Score": 99}])
        sim.clock.advance(60)
        report = zoho.sync("Leads", to=to, **where)
        assert (report.added, report.deleted) == (1, 1)
        assert differences(zoho, to, where="Lead_Score >= 50", fields=["Last_Name", "Lead_Score"]) == []


def test_a_copy_of_something_else_is_refused_and_stays() -> None:
    with world(rows=20) as (sim, zoho):
        zoho.sync("Leads", to="leads.parquet")
        before = Path("leads.parquet").read_bytes()
        for asked_for, problem in (
            ({"where": "Lead_Score > 3"}, "made with where left out"),
            ({"fields": ["Last_Name"]}, "made with fields left out"),
            ({"history": True}, "made with history"),
        ):
            with pytest.raises(ConfigurationError, match=problem):
                zoho.sync("Leads", to="leads.parquet", **asked_for)
        with pytest.raises(ConfigurationError, match="made with the module 'Leads'"):
            zoho.sync("Contacts", to="leads.parquet")
        with world(rows=20, org_id="999") as (_, other), pytest.raises(ConfigurationError, match="the organisation"):
            other.sync("Leads", to="leads.parquet")
        with pytest.raises(ConfigurationError, match="kept current by sync"):
            zoho.export("Leads", to="leads.parquet")
        assert Path("leads.parquet").read_bytes() == before
        zoho.export("Leads", to="mine.parquet")
        with pytest.raises(ConfigurationError, match=r"mine.parquet was not made by sync"):
            zoho.sync("Leads", to="mine.parquet")
        assert zoho.sync("Leads", to="mine.parquet", full=True).rows == sim.crm.count("Leads")
        zoho.sync("Leads", to="leads.parquet", full=True, fields=["Last_Name"])
        assert copy_of("leads.parquet").schema.names == ["id", "Last_Name", "Modified_Time"]


@pytest.mark.parametrize("to", TARGETS)
def test_fields_are_followed_by_their_ids(to: str) -> None:
    with world(rows=30) as (sim, zoho):
        zoho.sync("Leads", to=to)
        org_changes.add_field(sim.crm, "Leads", Field("Shoe_Size", "integer", custom=True), list(range(10)))
        org_changes.rename_field(sim.crm, "Leads", "Company", "Firm")
        org_changes.remove_field(sim.crm, "Leads", "Fax")
        sim.clock.advance(60)
        faxes = {row["id"]: row["Fax"] for row in copy_of(to).to_pylist()}
        report = zoho.sync("Leads", to=to)
        told = " ".join(report.columns)
        for text in ("Shoe_Size is new", "Company is called Firm now", "Fax is gone"):
            assert text in told
        zoho.metadata.refresh()
        assert differences(zoho, to) == []
        assert {row["id"]: row["Fax"] for row in copy_of(to).to_pylist()} == faxes
        org_changes.retype_field(sim.crm, "Leads", "Shoe_Size", "double")
        assert "from integer to double" in " ".join(zoho.sync("Leads", to=to, prune=True).columns)
        zoho.metadata.refresh()
        assert differences(zoho, to) == []
        assert "Fax" not in copy_of(to).schema.names
        assert zoho.sync("Leads", to=to).columns == ()
        org_changes.retype_field(sim.crm, "Leads", "Shoe_Size", "text")
        before = copy_of(to)
        with pytest.raises(ConfigurationError, match="Shoe_Size changed from double to text"):
            zoho.sync("Leads", to=to)
        assert copy_of(to).equals(before)


def test_formulas_and_names_are_read_on_a_schedule() -> None:
    to = "crm.duckdb"
    with world(rows=60) as (sim, zoho):
        first = zoho.sync("Accounts", to=to)
        key, _ = sim.crm.store.read("SELECT id, Account_Name FROM Accounts LIMIT 1")[0]
        contacts = zoho.sync("Contacts", to=to)
        assert contacts.rows == sim.crm.count("Contacts")
        sim.crm.store.write("UPDATE Accounts SET Account_Name = 'Renamed' WHERE id = ?", (key,))
        sim.clock.advance(3600)
        quiet = zoho.sync("Contacts", to=to)
        assert quiet.formulas_as_of == contacts.formulas_as_of
        found = zoho.sync("Contacts", to=to, refresh="formulas")
        assert found.formulas_as_of > contacts.formulas_as_of
        assert differences(zoho, "crm.duckdb::Contacts", "Contacts") == []
        sim.clock.advance(2 * 86_400)
        assert zoho.sync("Accounts", to=to, refresh="never").formulas_as_of == first.formulas_as_of
        assert zoho.sync("Accounts", to=to).formulas_as_of > first.formulas_as_of


def test_names_of_users_are_joined_afresh() -> None:
    from dataclasses import replace

    with world(rows=30) as (sim, zoho):
        zoho.sync("Leads", to="leads.parquet")
        owner = int(copy_of("leads.parquet").to_pylist()[0]["Owner.id"])
        sim.crm.users[owner] = replace(sim.crm.users[owner], last_name="Newly-Wed")
        sim.clock.advance(60)
        assert zoho.sync("Leads", to="leads.parquet").changed == 0
        with_new_name = [row for row in copy_of("leads.parquet").to_pylist() if "Newly-Wed" in (row["Owner"] or "")]
        assert with_new_name


def test_history_keeps_earlier_versions() -> None:
    with world(rows=20) as (sim, zoho):
        first = zoho.sync("Leads", to="crm.duckdb::leads", history=True)
        a, b, *_ = ids(sim)
        for number in range(2):
            sim.clock.advance(900)
            update(zoho, "Leads", [{"id": a, "Company": f"Firm {number}"}])
            second = zoho.sync("Leads", to="crm.duckdb::leads")
        delete(zoho, "Leads", [b])
        sim.clock.advance(900)
        assert zoho.sync("Leads", to="crm.duckdb::leads").deleted == 1
        assert differences(zoho, "crm.duckdb::leads") == []
        rows = copy_of("crm.duckdb::leads", history=True).to_pylist()
        versions = sorted((row for row in rows if row["id"] == a), key=lambda row: row["valid_from"])
        assert [row["Company"] for row in versions[1:]] == ["Firm 0", "Firm 1"]
        assert [row["valid_to"] for row in versions] == [row["valid_from"] for row in versions[1:]] + [None]
        assert versions[0]["valid_from"].isoformat() == first.cursor
        assert versions[2]["valid_from"].isoformat() == second.cursor
        [gone] = [row for row in rows if row["id"] == b]
        assert gone["valid_to"] is not None
        with pytest.raises(ConfigurationError, match="delete the history"):
            zoho.sync("Leads", to="crm.duckdb::leads", full=True)


def test_several_modules_and_one_without_modified_time() -> None:
    with world(rows=40) as (sim, zoho):
        reports = zoho.sync(["Leads", "Contacts", "Deals"], to="crm.duckdb")
        assert [(each.module, each.rows) for each in reports] == [
            (name, sim.crm.count(name)) for name in ("Leads", "Contacts", "Deals")
        ]
        assert [each.rows for each in zoho.sync(["Leads", "Deals"], to="copies/")] == [
            sim.crm.count("Leads"),
            sim.crm.count("Deals"),
        ]
        assert sorted(p.name for p in Path("copies").iterdir()) == ["Deals.parquet", "Leads.parquet"]
        for to, problem in (("leads.parquet", "room for one"), ("crm.duckdb::x", "room for one"), ("a.csv", "current")):
            with pytest.raises(ConfigurationError, match=problem):
                zoho.sync(["Leads", "Deals"], to=to)


def test_a_first_read_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoho_magic.crm.read import bulk_read as bulk

    download = bulk._download
    for to in TARGETS:
        with world(rows=100, bulk_page_rows=30) as (sim, zoho):
            broken = iter([False, False, True])

            def failing(*asked_for: Any, broken: Any = broken, **more: Any) -> None:
                if next(broken, False):
                    raise TransportError("cut")
                download(*asked_for, **more)

            monkeypatch.setattr(bulk, "_download", failing)
            with pytest.raises(TransportError):
                zoho.sync("Leads", to=to, via="bulk")
            downloads = len([c for c in sim.traffic.calls if c.path.endswith("/result")])
            assert downloads == 2
            report = zoho.sync("Leads", to=to, via="bulk")
            assert len([c for c in sim.traffic.calls if c.path.endswith("/result")]) - downloads <= 4
            assert report.rows == sim.crm.count("Leads")
            assert differences(zoho, to, via="bulk") == []
            emptied = ids(sim)[0]
            sim.clock.advance(3600)
            update(zoho, "Leads", [{"id": emptied, "Company": "Read by COQL"}])
            sim.crm.store.write("UPDATE Leads SET Description = '' WHERE id = ?", (int(emptied),))
            assert zoho.sync("Leads", to=to).changed == 1
            assert differences(zoho, to, via="bulk") == []  # an empty text is null in a bulk CSV


def test_the_state_holds_no_secret_and_says_what_it_is_of() -> None:
    with world(rows=20) as (sim, zoho):
        zoho.sync("Leads", to="crm.duckdb::leads")
        with duckdb.connect("crm.duckdb") as database:
            [(name, text)] = database.execute("SELECT * FROM _zoho_sync").fetchall()
        state = json.loads(text)
        assert (name, state["module"], state["org"]) == ("leads", "Leads", sim.options.org_id)
        for secret in (sim.client_secret, zoho.credentials.refresh_token.reveal(), zoho.token.reveal()):
            assert secret not in text
            assert secret.encode() not in Path("crm.duckdb").read_bytes()


def test_two_writers_do_not_meet() -> None:
    with world(rows=20) as (sim, zoho):
        zoho.sync("Leads", to="crm.duckdb::leads")
        import subprocess
        import sys

        code = "import duckdb, sys; c = duckdb.connect('crm.duckdb'); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(ConfigurationError, match="cannot be opened"):
                zoho.sync("Leads", to="crm.duckdb::leads")
            other.communicate()
        assert connect(sim).sync("Leads", to="crm.duckdb::leads").rows == sim.crm.count("Leads")
        assert asked(sim, "/crm/v8/org") >= 1


@pytest.mark.parametrize("module", ["Leads", "Contacts"])
def test_a_copy_is_whole_though_bulk_read_leaves_rows_out_and_nobody_counts(module: str) -> None:
    unkind = {"bulk_drops_null_parents": True, "coql_knows_converted": False}
    with world(rows=60, **unkind) as (sim, zoho):
        for number in range(2):
            report = zoho.sync(module, to="copy.parquet", via="bulk")
            rows = {row["id"]: row["Last_Name"] for row in copy_of("copy.parquet").to_pylist()}
            assert rows == {row["id"]: row["Last_Name"] for row in sim.crm.rows(module)}
            assert report.rows == sim.crm.count(module)
            keys = [row["id"] for row in sim.crm.rows(module) if not row.get("Converted__s")]
            sim.clock.advance(1200)
            update(zoho, module, [{"id": key, "Last_Name": f"Round {number}"} for key in keys[:3]])
            delete(zoho, module, keys[3:5])
            sim.clock.advance(60)
