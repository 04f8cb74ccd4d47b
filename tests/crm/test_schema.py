"""The data dictionary, the entity diagram, choices of picklists and custom views, from Python and by magic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.ipython_shell import loaded_shell, open_shell
from tests.support.pull_env import connect, world
from zoho_magic.errors import AuthError, QueryError
from zoho_magic.notebook.completion_words import offer
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import use_session
from zoho_magic.simulator import Simulator

Org = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module", params=[{}, {"list_page_rows": 2}], ids=["kind", "unkind"])
def org(request: pytest.FixtureRequest) -> Iterator[Org]:
    with world(rows=20, **request.param) as opened:
        yield opened


def test_choices_are_in_stage_order_and_views_come_in_all_pages(org: Org) -> None:
    sim, zoho = org
    stages = zoho.choices("Deals", "Stage")
    assert tuple(stages["value"]) == sim.crm.schema["Deals"]["Stage"].values
    assert list(stages["order"]) == list(range(1, 10))
    assert set(zoho.choices("Products")["label"]) >= {"Hardware", "Services"}
    assert set(zoho.views("Leads")["name"]) == {"All Leads", "My Leads", "Hot Leads"}
    with pytest.raises(QueryError, match="not a picklist"):
        zoho.choices("Deals", "Amount")


def test_a_missing_scope_for_views_is_named() -> None:
    with world(rows=1) as (sim, _), connect(sim, "ZohoCRM.modules.READ ZohoCRM.settings.modules.READ") as zoho:
        with pytest.raises(AuthError) as caught:
            zoho.views("Leads")
        assert "ZohoCRM.settings.custom_views.READ" in caught.value.hint


def test_the_dictionary_has_every_field_and_the_diagram_every_lookup(org: Org) -> None:
    sim, zoho = org
    found = zoho.schema("Deals", "Accounts")
    for module in ("Deals", "Accounts"):
        assert set(found["field"][found["module"] == module]) == {each.name for each in sim.crm.schema[module].fields}
    row = found.set_index(["module", "field"]).loc[("Deals", "Account_Name")]
    assert (row["target"], row["type"]) == ("Accounts", "lookup")
    assert set(zoho.schema()["module"]) == set(zoho.metadata.modules())
    diagram = zoho.schema_diagram("Deals", "Accounts")
    assert diagram.startswith("erDiagram\n")
    assert '    Deals }o--o| Accounts : "Account_Name"' in diagram.splitlines()
    assert "Contacts" not in diagram
    with pytest.raises(QueryError, match="Did you mean Deals"):
        zoho.schema("Deal")


def test_each_has_its_magic(org: Org) -> None:
    _, zoho = org
    use_session(zoho)
    with loaded_shell() as shell:
        assert len(shell.run("%zoho_choices Deals Stage")) == 9
        assert len(shell.run("%zoho_fields Leads --views")) == 3
        assert set(shell.run("%zoho_schema Deals Accounts")["module"]) == {"Deals", "Accounts"}
        assert shell.run("%zoho_schema Deals Accounts --mermaid").startswith("erDiagram")
        assert "erDiagram" in shell.shown


def test_a_custom_view_is_pulled_by_name_or_id(org: Org) -> None:
    sim, zoho = org
    views = zoho.views("Leads").set_index("name")["id"]
    wanted = set(zoho.pull("Leads", where="Lead_Score >= 80")["id"])
    assert 0 < len(wanted) < 20
    for name in ("Hot Leads", "hot leads", views["Hot Leads"]):
        hot = zoho.pull("Leads", view=name)
        assert (set(hot["id"]), hot.attrs["api"]) == (wanted, "records")
    assert set(zoho.batches("Leads", view="Hot Leads").read_all()["id"].to_pylist()) == wanted
    assert zoho.plan("Leads", view="Hot Leads").rows in (None, len(wanted))
    sim.traffic.clear()
    assert len(zoho.pull("Leads", view="Hot Leads", fields=["Email"], limit=1)) == 1
    asked = [call for call in sim.traffic.calls if call.path == "/crm/v8/Leads"]
    assert [(call.query["cvid"], call.credits) for call in asked] == [(views["Hot Leads"], 3)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"view": "Hot Lead"}, "Did you mean Hot Leads"),
        ({"view": "Hot Leads", "where": "Lead_Score > 1"}, "`view` does not go with `where`"),
        ({"view": "Hot Leads", "order_by": "id"}, "`view` does not go with `order_by`"),
        ({"view": "Hot Leads", "ids": ["1"]}, "`view` does not go with `ids`"),
        ({"view": "Hot Leads", "full": True}, "`view` does not go with `full`"),
        ({"view": "Hot Leads", "via": "coql"}, "Records API only"),
        ({"view": "Hot Leads", "via": "bulk"}, "Records API only"),
    ],
)
def test_what_does_not_go_with_a_view_is_refused(org: Org, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        org[1].pull("Leads", **wrong)


def test_a_large_view_comes_whole_and_tab_offers_its_name() -> None:
    with world(rows=1500) as (_, zoho), open_shell() as shell:
        use_session(zoho)
        shell.run("%load_ext zoho_magic")
        whole = shell.run('%zoho_pull Leads --view "All Leads"')
        assert set(whole["id"]) == set(zoho.pull("Leads", via="coql")["id"])
        assert len(shell.run('%zoho_pull Leads --view "Hot Leads" --limit 3')) == 3
        shell.run('%zoho_pull Leads --view "Hot Leads" --explain')
        assert offer("%zoho_pull Leads --view ", "").words == ['"All Leads"', '"My Leads"', '"Hot Leads"']
        assert offer('%zoho_pull Leads --view "Hot L', "") == (['Leads"'], "L")


def test_two_dictionaries_are_compared_field_by_field(org: Org, tmp_path: Path) -> None:
    _, zoho = org
    old = zoho.schema("Deals", "Accounts")
    old.to_parquet(tmp_path / "old.parquet")
    assert zoho.compare_schema(pd.read_parquet(tmp_path / "old.parquet"), old).empty
    new = old[~((old["module"] == "Accounts") & (old["field"] == "Website"))].reset_index(drop=True)
    place = new.index[(new["module"] == "Deals") & (new["field"] == "Stage")][0]
    new.at[place, "choices"] = [*new.at[place, "choices"], "Paused"]
    new.loc[place, "length"] = pd.NA
    extra = new.iloc[[place]].assign(field="Brand_New")
    found = zoho.compare_schema(old, pd.concat([new, extra], ignore_index=True))
    said = [tuple(row) for row in found[["module", "field", "change", "property"]].to_numpy()]
    assert ("Accounts", "Website", "removed", None) in said
    assert ("Deals", "Brand_New", "added", None) in said
    row = found[(found["field"] == "Stage") & (found["property"] == "choices")].iloc[0]
    assert (row["change"], row["new"]) == ("changed", [*row["old"], "Paused"])
    assert {each[1] for each in said} == {"Website", "Brand_New", "Stage"}
    with pytest.raises(QueryError, match="`new` has no column field"):
        zoho.compare_schema(old, old[["module"]])
    with pytest.raises(QueryError, match="`old` has a field twice"):
        zoho.compare_schema(pd.concat([old, old]), old)


def test_the_dictionary_is_written_as_excel(org: Org, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    _, zoho = org
    found = zoho.schema("Deals")
    found.to_excel(tmp_path / "dictionary.xlsx", index=False)
    back = pd.read_excel(tmp_path / "dictionary.xlsx")
    assert list(back["field"]) == list(found["field"])
