"""Subforms and multi-select lookups joined to their records, from Python and by magic."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from tests.support.ipython_shell import loaded_shell
from tests.support.pull_env import world
from zoho_magic import QueryError
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import use_session
from zoho_magic.simulator import Simulator

Org = tuple[Simulator, ZohoSession]
CASES = [
    ("Projects", "Line_Items", "Project_Lines", "Parent_Id.id", "Item"),
    ("Projects", "Team", "Projects_X_Contacts", "Projects.id", "Contacts.id"),
    ("Quotes", "Quoted_Items", "Quoted_Items", "Parent_Id.id", "Quantity"),
]


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    with world(rows=30) as opened:
        sim, zoho = opened
        bare = pd.DataFrame({"Name": ["No lines", "No team"]})  # the newest: the first rows of a frame
        assert zoho.push("Projects", bare, action="insert").failed.empty
        yield sim, zoho


@pytest.mark.parametrize(("module", "field", "table", "key", "column"), CASES)
@pytest.mark.parametrize("narrow", [{}, {"limit": 7}], ids=["all", "some"])
def test_each_row_stands_beside_its_record_and_no_record_is_lost(
    org: Org, module: str, field: str, table: str, key: str, column: str, narrow: dict[str, int]
) -> None:
    _, zoho = org
    records, rows = zoho.pull(module, **narrow), zoho.pull(table)
    found = zoho.pull(module, expand=field, **narrow)
    wanted = records[["id"]].merge(
        rows[[key, "id", column]], left_on="id", right_on=key, how="left", suffixes=("", "_")
    )
    got = found[["id", f"{field}.id", f"{field}.{column}"]]
    expected = wanted[["id", "id_", column]].set_axis(list(got.columns), axis=1)
    order = list(got.columns[:2])
    pd.testing.assert_frame_equal(
        got.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True), check_dtype=False
    )
    assert list(dict.fromkeys(found["id"])) == list(records["id"])
    assert found[f"{field}.{column}"].dtype == rows[column].dtype
    assert f"{field}.{key}" not in found
    assert found.attrs["credits"] > records.attrs["credits"]
    assert not any("belong to none" in warning for warning in found.attrs["warnings"])


def test_what_cannot_be_joined_is_said(org: Org) -> None:
    _, zoho = org
    with pytest.raises(QueryError, match="not a subform") as caught:
        zoho.pull("Projects", expand="Account")
    assert "Line_Items, Team" in caught.value.hint
    with pytest.raises(QueryError, match="Line_Item"):
        zoho.pull("Projects", expand="Line_Item")
    with pytest.raises(QueryError, match=r"takes neither .*expand"):
        zoho.pull("Projects", expand="Team", frame="duckdb")
    nothing = zoho.pull("Projects", expand="Team", where="Name = 'no such project'")
    assert (len(nothing), "Team.Contacts.id" in nothing) == (0, True)


def test_the_magic_joins_as_the_method(org: Org) -> None:
    _, zoho = org
    use_session(zoho)
    with loaded_shell() as shell:
        found = shell.run("%zoho_pull Projects --fields Name --expand Line_Items")
        pd.testing.assert_frame_equal(found, zoho.pull("Projects", fields=["Name"], expand="Line_Items"))
        for other in ("--explain", "--to x.parquet", "--frame duckdb"):
            assert "--expand does not go with" in shell.failed(f"%zoho_pull Projects --expand Team {other}")
        assert "--expand does not go with" not in shell.failed("%zoho_pull Projects --expand Team --deleted")
