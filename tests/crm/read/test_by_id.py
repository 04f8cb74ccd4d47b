"""`pull(ids=...)` and `pull(full=True)`: every record that was named, in its order, and what is not there is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.pull_env import asked, connect, hurried, world
from zoho_magic.errors import QueryError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

Pair = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module", params=["documented", "worst"])
def org(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pytest.MonkeyPatch.context() as patch, world(400) as found:
        hurried(patch)
        patch.setattr("zoho_magic.crm.read.coql._reserved_words", set())
        found[0].options.apply(request.param)
        found[0].options.job_seconds = 0.0
        yield found


def _ids(sim: Simulator, module: str = "Leads") -> list[str]:
    return [row["id"] for row in sim.crm.rows(module)]


@pytest.mark.parametrize("via", ["auto", "records", "coql"])
def test_rows_come_in_the_order_of_the_ids_and_converted_leads_too(org: Pair, via: Any) -> None:
    sim, zoho = org
    ids = sorted(_ids(sim), key=lambda key: key[::-1])
    if via == "coql" and not sim.options.coql_knows_converted:
        return  # the refusal of Converted__s is Zoho's answer to a route that was asked for
    frame = zoho.pull("Leads", fields=["Last_Name", "Owner", "Referred_By"], ids=[*ids, ids[0]], via=via)
    assert list(frame["id"]) == ids
    names = {row["id"]: row["Last_Name"] for row in sim.crm.rows("Leads")}
    assert list(frame["Last_Name"]) == [names[key] for key in ids]
    assert not any(" ids " in text for text in frame.attrs["warnings"])


@pytest.mark.parametrize("kind", [list, tuple, pd.Series, np.array, iter])
def test_ids_of_any_kind_and_length(org: Pair, kind: Any) -> None:
    sim, zoho = org
    known = _ids(sim, "Contacts")
    unknown = [str(554023000009000000 + number) for number in range(3_000)]
    frame = zoho.pull("Contacts", fields=["Last_Name"], ids=kind([*unknown, *known]))
    assert list(frame["id"]) == known
    [warning] = [text for text in frame.attrs["warnings"] if " ids " in text]
    assert f"3,000 of {3_000 + len(known):,} ids do not exist" in warning
    assert unknown[0] in warning


def test_a_plan_says_what_ids_cost(org: Pair) -> None:
    sim, zoho = org
    ids = _ids(sim, "Contacts")[:250]
    before = len(sim.traffic.calls)
    plan = zoho.plan("Contacts", ids=ids, fields=["Last_Name"])
    assert (plan.api, plan.rows, plan.calls, plan.credits) == ("coql", len(ids), 1, 1 if len(ids) <= 200 else 2)
    full = zoho.plan("Contacts", ids=ids, full=True)
    assert (full.api, full.calls, full.credits) == ("records", len(ids), len(ids))
    assert len(sim.traffic.calls) == before


def test_where_narrows_ids(org: Pair) -> None:
    sim, zoho = org
    ids = _ids(sim, "Deals")
    frame = zoho.pull("Deals", fields=["Stage"], ids=ids, where="Stage = $stage", params={"stage": "Closed Won"})
    assert set(frame["Stage"]) == {"Closed Won"}
    assert any("do not exist or do not match" in text for text in frame.attrs["warnings"])


def test_complete_records_have_what_lists_do_not_carry(org: Pair) -> None:
    sim, zoho = org
    ids = _ids(sim, "Projects")[:5]
    before = asked(sim, f"/crm/v8/Projects/{ids[0]}")
    frame = zoho.pull("Projects", ids=ids, full=True)
    assert list(frame["id"]) == ids
    assert asked(sim, f"/crm/v8/Projects/{ids[0]}") == before + 1
    lines = sum(len(pd.io.json.ujson_loads(text)) for text in frame["Line_Items"].dropna())
    stored = [row for row in sim.crm.rows("Project_Lines") if row["Parent_Id"] and row["Parent_Id"]["id"] in ids]
    assert lines == len(stored) > 0
    assert not any("empty here" in text for text in frame.attrs["warnings"])
    every = zoho.pull("Projects", full=True, fields=["Name", "Line_Items"], where="Name is not null")
    assert set(every["id"]) == set(_ids(sim, "Projects"))
    assert zoho.pull("Tasks", full=True, limit=20)["What_Id.module"].notna().any()


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ({"ids": ["12a"]}, "'12a', which is not a record id"),
        ({"ids": [1.5e17]}, "not a record id"),
        ({"ids": [None]}, "not a record id"),
        ({"ids": 3.0}, "not a list of record ids"),
        ({"ids": ["1"], "order_by": "Last_Name"}, "neither `order_by` nor `limit`"),
        ({"ids": ["1"], "limit": 3}, "neither `order_by` nor `limit`"),
        ({"ids": ["1"], "via": "bulk"}, "via='bulk' does not read records by id"),
        ({"full": True, "via": "coql"}, "via='coql' does not read complete records"),
    ],
)
def test_what_cannot_be_is_refused_before_a_call(org: Pair, ask: Any, told: str) -> None:
    sim, zoho = org
    zoho.metadata.fields("Contacts")
    before = len(sim.traffic.calls)
    with pytest.raises(QueryError) as caught:
        zoho.pull("Contacts", **ask)
    assert told in str(caught.value)
    assert len(sim.traffic.calls) == before


def test_no_ids_are_no_rows(org: Pair) -> None:
    frame = org[1].pull("Contacts", fields=["Last_Name"], ids=[])
    assert (len(frame), list(frame.columns)) == (0, ["id", "Last_Name"])


def test_without_the_scope_of_coql_the_records_api_reads_ids(org: Pair) -> None:
    sim, _ = org
    zoho = connect(sim, "ZohoCRM.modules.READ,ZohoCRM.settings.READ,ZohoCRM.users.READ,ZohoCRM.org.READ")
    ids = _ids(sim, "Leads")[:120]
    frame = zoho.pull("Leads", ids=ids)
    assert (list(frame["id"]), frame.attrs["api"]) == (ids, "records")
    zoho.close()
