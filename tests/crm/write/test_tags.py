"""Tags are added and removed without touching the others, with a result for every record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.ipython_shell import loaded_shell
from tests.support.push_env import hurry, leads, stored, world, writes
from zoho_magic.errors import PushError
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import use_session
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]
TAGS = "/crm/v8/Leads/actions/.*"


@pytest.fixture
def zoho(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    hurry(monkeypatch)
    with world(rows=5) as opened:
        use_session(opened[1])
        yield opened


def tags_of(sim: Simulator, record: str) -> list[str]:
    return sorted(each["name"] for each in stored(sim)[record]["Tag"] or ())


@pytest.mark.parametrize("form", ["series", "list", "frame", "report"])
def test_other_tags_stay(zoho: World, form: str) -> None:
    sim, session = zoho
    made = session.push("Leads", leads(3, Tag=[["old", "stays"]] * 3).set_axis(list("abc")), "insert")
    ids: Any = {"series": made["id"], "list": list(made["id"]), "frame": made[["id"]], "report": made}[form]
    report = session.tag("Leads", ids, add=["VIP", "new"], remove="old")
    assert report.counts["succeeded"] == 3
    assert list(report.index) == ([0, 1, 2] if form == "list" else list("abc"))
    assert {tuple(tags_of(sim, record)) for record in made["id"]} == {("VIP", "new", "stays")}
    assert (report.attrs["calls"], report.attrs["credits"]) == (2, 2)
    listed = session.tags("Leads")
    assert {"VIP", "new", "stays"} <= set(listed["name"])
    assert list(listed.columns) == ["name", "id", "color", "created_time", "modified_time"]
    assert isinstance(listed["created_time"].dtype, pd.DatetimeTZDtype)


def test_more_records_and_tags_than_a_call_takes(zoho: World) -> None:
    sim, session = zoho
    made = session.push("Leads", leads(230), "insert")
    report = session.tag("Leads", made, add=[f"t{n}" for n in range(10)])
    assert report.counts["succeeded"] == 230
    assert len(tags_of(sim, made["id"].iloc[-1])) == 10
    assert session.tag("Leads", made, remove=[f"t{n}" for n in range(12)]).counts["succeeded"] == 230
    assert tags_of(sim, made["id"].iloc[0]) == []


def test_every_record_has_its_own_result(zoho: World) -> None:
    sim, session = zoho
    [record] = session.push("Leads", leads(1), "insert")["id"]
    report = session.tag("Leads", ["554023000000999999", record, None, "x", 1.5], add="VIP")
    assert list(report["status"]) == ["failed", "succeeded", "failed", "failed", "failed"]
    assert "no such record" in report["message"].iloc[0]
    assert tags_of(sim, record) == ["VIP"]


def test_what_failed_can_be_sent_again(zoho: World) -> None:
    sim, session = zoho
    made = session.push("Leads", leads(3), "insert")
    sim.faults.add(Fault(TAGS, status=500, times=99))
    report = session.tag("Leads", made["id"], add="VIP")
    assert report.counts["succeeded"] == 0
    sim.faults.clear()
    assert report.retry().counts["succeeded"] == 3
    assert tags_of(sim, made["id"].iloc[0]) == ["VIP"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "no tag to add"),
        ({"add": ["a"], "remove": ["A"]}, "both have the tag"),
        ({"add": [""]}, "no name of a tag"),
        ({"add": "x" * 26}, "no name of a tag"),
        ({"remove": ["a,b"]}, "no name of a tag"),
        ({"add": [5]}, "no name of a tag"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_sent(zoho: World, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(PushError, match=told):
        zoho[1].tag("Leads", ["5"], **asked)
    with pytest.raises(PushError, match="no column 'id'"):
        zoho[1].tag("Leads", pd.DataFrame({"Id": ["5"]}), add="a")
    assert not writes(zoho[0])


def test_by_magic(zoho: World) -> None:
    sim, session = zoho
    made = session.push("Leads", leads(2, Tag=[["old"]] * 2), "insert")
    with loaded_shell() as shell:
        shell.ip.user_ns["hot"] = made
        report = shell.run("%zoho_tag Leads hot --add VIP 'Hot lead' --remove old")
        assert report.counts["succeeded"] == 2
        assert tags_of(sim, made["id"].iloc[0]) == ["Hot lead", "VIP"]
        assert "VIP" in list(shell.run("%zoho_tags Leads")["name"])
        assert "no tag to add" in shell.failed("%zoho_tag Leads hot")
