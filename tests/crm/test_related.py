"""History, related lists, notes and files, from Python and by magic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.support.ipython_shell import Shell
from tests.support.pull_env import world
from zoho_magic import QueryError
from zoho_magic.crm.files import safe_name
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module")
def org() -> Iterator[World]:
    with world() as found:
        yield found


def test_history_has_a_row_a_period_that_ends_where_the_next_begins(org: World) -> None:
    _, zoho = org
    found = zoho.history("Deals")
    assert list(found.columns)[:7] == ["id", "deal", "deal.id", "stage", "from", "to", "days"]
    assert len(found) == len(zoho.pull("DealHistory", fields=["Stage"]))
    assert str(found["from"].dtype) == str(found["to"].dtype) == "datetime64[us, UTC]"
    assert found["days"].dtype == "Int64"
    one = found[found["deal.id"] == found["deal.id"].value_counts().index[0]]
    assert list(one["to"][:-1]) == list(one["from"][1:])
    assert list(one["moved_to"][:-1]) == list(one["stage"][1:])
    assert pd.isna(one["to"].iloc[-1])
    assert any("name no deal" in warning for warning in found.attrs["warnings"])
    assert zoho.history("Deals", explain=True).api
    with pytest.raises(QueryError, match="no history of Leads") as refused:
        zoho.history("Leads")
    assert "Deals" in refused.value.hint


@pytest.mark.parametrize("behaviour", ["documented", "worst"])
def test_related_records_carry_their_parent_and_every_page(behaviour: str) -> None:
    with world(rows=60) as (sim, zoho):
        sim.options.list_page_rows = 2
        accounts = zoho.pull("Accounts", fields=["Account_Name"])["id"]
        contacts = zoho.pull("Contacts", fields=["Account_Name"]).dropna(subset=["Account_Name.id"])
        if behaviour == "worst":
            sim.options.unknown_record_status = 400
        found = zoho.related("Accounts", "Contacts", [*accounts, "554023999999999999"], fields=["Last_Name"])
        assert sorted(zip(found["parent.id"], found["id"], strict=True)) == sorted(
            zip(contacts["Account_Name.id"], contacts["id"], strict=True)
        )
        unknown = [text for text in found.attrs["warnings"] if "no record 554023999999999999" in text]
        assert len(unknown) == (behaviour == "worst")


def test_mistakes_are_named(org: World) -> None:
    _, zoho = org
    with pytest.raises(QueryError, match=r"no related list 'Contact'\. Did you mean Contacts"):
        zoho.related("Accounts", "Contact", ["1"])
    with pytest.raises(QueryError, match=r"1\.5 is not a record id"):
        zoho.notes("Deals", [1.5])  # type: ignore[list-item]
    with pytest.raises(QueryError, match="no file"):
        zoho.upload("Deals", "1", "nowhere.pdf")
    with pytest.raises(QueryError, match=r"no column parent\.id"):
        zoho.download(pd.DataFrame({"id": ["1"]}), "folder", module="Deals")


def test_files_go_up_and_come_down_once(org: World, tmp_path: Path) -> None:
    sim, zoho = org
    deals = zoho.pull("Deals", fields=["Deal_Name"], limit=3)["id"]
    for number, name in enumerate(["offer.pdf", "..", "con", "a/b:c.txt"]):
        (tmp_path / f"{number}").write_bytes(b"x" * (number + 1) * 1000)
        with (tmp_path / f"{number}").open("rb") as file:
            zoho.request("POST", f"/crm/v8/Deals/{deals[number % 2]}/Attachments", files={"file": (name, file)})
    files = zoho.attachments("Deals", deals)
    assert sorted(files["Size"]) == [1000, 2000, 3000, 4000]
    folder = tmp_path / "down"
    first = zoho.download(files, folder)
    assert set(first["status"]) == {"downloaded"}
    assert sorted(path.stat().st_size for path in folder.iterdir()) == [1000, 2000, 3000, 4000]
    sim.traffic.clear()
    assert set(zoho.download(files, folder)["message"]) == {"already here"}
    assert sim.traffic.calls == []
    bounded = zoho.download(files, tmp_path / "small", max_bytes=2500)
    assert sorted(bounded["status"]) == ["downloaded", "downloaded", "skipped", "skipped"]
    sim.faults.add(Fault(path="/crm/v8/Deals/.*/Attachments/.*", status=404, body={"code": "X"}, times=99))
    assert set(zoho.download(files, tmp_path / "again")["status"]) == {"failed"}
    sim.faults.clear()
    assert not list((tmp_path / "again").iterdir())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "con", "a\x00b", "x" * 500, "", "...", "nul.txt", "a\u202efdp.exe"]
)
def test_a_file_name_never_leaves_its_folder(name: str, tmp_path: Path) -> None:
    made = safe_name(name, "7")
    assert (tmp_path / made).parent == tmp_path
    assert made.startswith("7-")
    assert made.isprintable()
    (tmp_path / made).touch()


def test_the_magics(shell: Shell, env_file: Path, isolated: Path) -> None:
    assert env_file.is_file()
    assert len(shell.run("%zoho_history Deals"))
    shell.run("%zoho_history Deals --explain")
    shell.run("ids = get_ipython().run_line_magic('zoho_pull', 'Deals --fields Deal_Name --limit 2')['id']")
    (isolated / "a.txt").write_text("hello")
    assert shell.run("one = ids[0]\n%zoho_upload Deals $one a.txt")
    files = shell.run("files = %zoho_attachments Deals --ids $ids\nfiles")
    assert list(files["File_Name"]) == ["a.txt"]
    assert list(shell.run("%zoho_download files down")["status"]) == ["downloaded"]
    assert "parent.id" in shell.run("%zoho_notes Deals --ids $ids").columns
    assert "parent.id" in shell.run("%zoho_related Deals Tasks --ids $ids").columns
