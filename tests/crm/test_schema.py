"""The data dictionary, the entity diagram, choices of picklists and custom views, from Python and by magic."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ipython_shell import open_shell
from tests.support.pull_env import connect, world
from zoho_magic.errors import AuthError, QueryError
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
    with open_shell() as shell:
        shell.run("%load_ext zoho_magic")
        assert len(shell.run("%zoho_choices Deals Stage")) == 9
        assert len(shell.run("%zoho_fields Leads --views")) == 3
        assert set(shell.run("%zoho_schema Deals Accounts")["module"]) == {"Deals", "Accounts"}
        assert shell.run("%zoho_schema Deals Accounts --mermaid").startswith("erDiagram")
        assert "erDiagram" in shell.shown
