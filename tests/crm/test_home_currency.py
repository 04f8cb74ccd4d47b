"""Amounts in the home currency, from Python and by magic."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.support.ipython_shell import open_shell
from tests.support.pull_env import ROUTES, world
from zoho_magic import QueryError
from zoho_magic.crm.read import home_currency
from zoho_magic.session import ZohoSession
from zoho_magic.session_registry import use_session


def _blank_one_rate(zoho: ZohoSession, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a deal that arrives without a rate."""
    chosen, pull = str(zoho.pull("Deals", fields=["Stage"])["id"][3]), zoho._crm.pull

    def without(module: str, **asked: object) -> object:
        rows = pull(module, **asked)  # type: ignore[arg-type]
        place = rows.column_names.index("Exchange_Rate")
        rates = [
            None if key == chosen else rate
            for key, rate in zip(rows["id"].to_pylist(), rows["Exchange_Rate"].to_pylist(), strict=True)
        ]
        return rows.set_column(place, rows.schema.field(place), [rates])

    whole = home_currency.pull_with_home_currency
    monkeypatch.setattr(home_currency, "pull_with_home_currency", lambda _, *rest: whole(
        lambda module, **asked: without(module, frame="arrow", **asked), *rest))  # fmt: skip
    return chosen


@pytest.mark.parametrize("via", ROUTES)
def test_an_amount_is_divided_by_the_rate_of_its_record(via: str) -> None:
    with world(rows=40) as (_, zoho):
        plain = zoho.pull("Deals", fields=["Amount", "Exchange_Rate"])
        found = zoho.pull("Deals", fields=["Amount"], home_currency=True, via=via)
        assert set(plain["Exchange_Rate"]) > {1.0}
        expected = (plain["Amount"] / plain["Exchange_Rate"]).rename("Amount_home")
        pd.testing.assert_series_equal(found["Amount_home"], expected)
        pd.testing.assert_series_equal(found["Amount"], plain["Amount"])
        (note,) = [each for each in found.attrs["warnings"] if "Amount_home" in each]
        assert "Exchange_Rate" in note
        assert found.attrs["pulled_at"][:10] in note


def test_a_record_without_a_rate_is_null_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with world(rows=10) as (_, zoho):
        lone = _blank_one_rate(zoho, monkeypatch)
        found = zoho.pull("Deals", home_currency=True).set_index("id")
        assert list(found["Amount_home"].isna()) == list(found["Amount"].isna() | (found.index == lone))
        assert any("1 records have no Exchange_Rate" in each and lone in each for each in found.attrs["warnings"])


def test_what_cannot_be_converted_is_said_and_the_magic_does_as_the_method() -> None:
    with world(rows=10) as (_, zoho), open_shell() as shell:
        with pytest.raises(QueryError, match="Records of Project_Lines have no Exchange_Rate"):
            zoho.pull("Project_Lines", home_currency=True)
        with pytest.raises(QueryError, match=r"takes neither .*home_currency"):
            zoho.pull("Deals", home_currency=True, frame="duckdb")
        none = zoho.pull("Deals", fields=["Stage"], home_currency=True)
        assert any("None of these fields is an amount" in each for each in none.attrs["warnings"])
        both = zoho.pull("Projects", expand="Line_Items", home_currency=True)
        pd.testing.assert_series_equal(both["Budget_home"], both["Budget"] / both["Exchange_Rate"], check_names=False)
        use_session(zoho)
        shell.run("%load_ext zoho_magic")
        found = shell.run("%zoho_pull Deals --fields Amount --home-currency")
        pd.testing.assert_frame_equal(found, zoho.pull("Deals", fields=["Amount"], home_currency=True))
        assert "--home-currency does not go with --to" in shell.failed("%zoho_pull Deals --home-currency --to x.csv")
