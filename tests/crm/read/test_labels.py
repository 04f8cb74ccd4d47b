"""Labels of picklists and categories in the CRM's order, by every API."""

from __future__ import annotations

import pytest

from tests.support.ipython_shell import open_shell
from tests.support.pull_env import ROUTES, world
from zoho_magic.crm.metadata import Field
from zoho_magic.crm.read.arrow import from_rows
from zoho_magic.crm.read.labels import to_categories, to_labels
from zoho_magic.errors import QueryError
from zoho_magic.session_registry import use_session


def test_labels_and_ordered_categories_by_every_api_and_by_magic() -> None:
    with world(rows=60, picklist_display_differs=True) as (sim, zoho), open_shell() as shell:
        use_session(zoho)
        stages = sim.crm.schema["Deals"]["Stage"].values
        plain = zoho.pull("Deals", fields=["Stage"], via="records")
        for via in ROUTES:
            found = zoho.pull("Deals", fields=["Stage"], via=via, labels=True, categories=True)
            assert list(found["Stage"].cat.categories) == [f"{stage} (label)" for stage in stages]
            assert found["Stage"].cat.ordered
            assert list(found["Stage"].astype(object)) == [f"{stage} (label)" for stage in plain["Stage"]]
        by_id = zoho.pull("Deals", ids=plain["id"][:2], fields=["Stage"], labels=True)
        assert list(by_id["Stage"]) == [f"{stage} (label)" for stage in plain["Stage"][:2]]
        values = zoho.pull("Deals", fields=["Stage"], categories=True)["Stage"]
        assert tuple(values.cat.categories) == stages
        shell.run("%load_ext zoho_magic")
        assert shell.run("%zoho_pull Deals --fields Stage --labels")["Stage"].str.endswith("(label)").all()
        assert "--to goes with none" in shell.failed("%zoho_pull Deals --labels --to deals.csv")
        with pytest.raises(QueryError, match="categories"):
            zoho.pull("Deals", frame="arrow", categories=True)
        with pytest.raises(QueryError, match="`categories` does not go with `home_currency`"):
            zoho.pull("Deals", home_currency=True, categories=True)
        with pytest.raises(QueryError, match="`labels` does not go with `expand`"):
            zoho.pull("Deals", expand="Products", labels=True)
        with pytest.raises(QueryError, match="labels"):
            zoho.pull("Deals", frame="duckdb", labels=True)


def test_a_value_without_a_label_stays_and_is_named() -> None:
    fields = (
        Field("id"),
        Field("Stage", data_type="picklist", picklist_values=("a", "b", "c"), picklist_labels=("A", "B", "A")),
        Field("Tags", data_type="multiselectpicklist", picklist_values=("x",), picklist_labels=("X",)),
    )
    stages = ("a", "c", "gone", None)
    table, _ = from_rows([{"id": str(n), "Stage": s, "Tags": ["x", "y"]} for n, s in enumerate(stages)], fields)
    found, doubts = to_labels(table, fields)
    assert found.column("Stage").to_pylist() == ["A", "A", "gone", None]
    assert found.column("Tags").to_pylist() == [["X", "y"]] * 4
    assert doubts == [
        "Stage: Zoho has no label for 'gone'; the values stay.",
        "Stage: several values have the label 'A'.",
        "Tags: Zoho has no label for 'y'; the values stay.",
    ]
    frame = table.to_pandas()
    frame.attrs["warnings"] = []
    assert list(to_categories(frame, fields, labels=False)["Stage"].dropna()) == ["a", "c", "gone"]
    assert "'gone' is not among the choices" in frame.attrs["warnings"][0]
