"""Every module by every API, both characters of the simulator: the frame is what the org holds, or it says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.pull_env import as_bulk_tells, hurried, world
from zoho_magic.errors import QueryError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

Pair = tuple[Simulator, ZohoSession]
MODULES = (
    "Leads", "Accounts", "Contacts", "Deals", "Tasks", "Events", "Calls", "Products", "Quotes", "Quoted_Items", "Notes",
    "DealHistory", "Projects", "Project_Lines", "Projects_X_Contacts",
)  # fmt: skip


@pytest.fixture(scope="module", params=["documented", "worst"])
def org(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pytest.MonkeyPatch.context() as patch, world(130) as found:
        hurried(patch)
        patch.setattr("zoho_magic.crm.read.coql._reserved_words", set())
        sim = found[0]
        sim.options.apply(request.param)
        sim.options.job_seconds = sim.options.search_lag = 0.0
        yield found


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("via", ["auto", "coql", "bulk"])
def test_the_frame_is_what_the_org_holds_or_a_warning_names_the_difference(org: Pair, module: str, via: Any) -> None:
    sim, zoho = org
    expected = zoho.pull(module, via="records")
    held = [row["id"] for row in sim.crm.rows(module) if not row.get("Converted__s")]
    assert sorted(expected["id"]) == sorted(held)
    try:
        frame = zoho.pull(module, via=via)
    except QueryError:
        assert via != "auto"  # an API that was asked for does not serve the module, and says so
        return
    warnings = " ".join(frame.attrs["warnings"])
    missing = len(held) - len(frame)
    assert missing == 0 or f"{missing} are missing" in warnings
    told = as_bulk_tells(expected) if via == "bulk" else expected
    told = told[told["id"].isin(frame["id"])].reset_index(drop=True)
    for name in told.columns:
        _assert_same_or_named(told, frame, name, warnings)


def _assert_same_or_named(told: pd.DataFrame, frame: pd.DataFrame, name: str, warnings: str) -> None:
    assert frame[name].dtype == told[name].dtype
    base = name.removesuffix(".module").removesuffix(".email").removesuffix(".id")
    named = base in warnings or ("Names of users are incomplete" in warnings and f"{base}.email" in frame)
    same = [_plain(one) == _plain(other) for one, other in zip(told[name], frame[name], strict=True)]
    assert all(same) or named, (name, told[name][same.index(False)], frame[name][same.index(False)])


def _plain(value: Any) -> Any:
    return value if isinstance(value, list) else None if pd.isna(value) else value
