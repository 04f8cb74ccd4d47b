"""A dry run: what metadata alone says of a frame, without a call that writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.push_env import leads, world, writes
from zoho_magic.errors import PushError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module")
def opened() -> Iterator[World]:
    with world() as there:
        yield there


@pytest.fixture
def zoho(opened: World) -> Iterator[World]:
    """Whatever a test does with it, nothing may be written."""
    opened[0].traffic.clear()
    before = opened[0].crm.rows("Leads")
    yield opened
    assert not writes(opened[0])
    assert opened[0].crm.rows("Leads") == before


def dry(zoho: World, rows: Any, action: Any = "insert", **more: Any) -> pd.DataFrame:
    report = zoho[1].push("Leads", rows, action, dry_run=True, **more)
    assert list(report.columns) == ["status", "action", "id", "code", "message", "field"]
    assert report.attrs["api"] == "dry run"
    return report


def test_good_rows_are_valid(zoho: World) -> None:
    report = dry(zoho, leads(3).set_axis(list("abc")))
    assert report.counts == {"valid": 3, "failed": 0}
    assert report.raise_for_failed() is report
    assert list(report.index) == list("abc")


PROBLEMS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"Last_Name": None}, "MANDATORY_NOT_FOUND", "Last_Name", "required"),
    ({"Last_Name": ""}, "MANDATORY_NOT_FOUND", "Last_Name", "required"),
    ({"Rating": "Unheard of"}, "INVALID_DATA", "Rating", "'Unheard of' is none of the choices"),
    ({"Products_Interested": ["Inverters", "Toasters"]}, "INVALID_DATA", "Products_Interested", "'Toasters'"),
    ({"Company": "x" * 201}, "INVALID_DATA", "Company", "201 characters; at most 200"),
    ({"Lead_Score": 1234567890}, "INVALID_DATA", "Lead_Score", "10 digits; at most 9"),
    ({"Lead_Score": "many"}, "INVALID_DATA", "Lead_Score", "expected a number"),
    ({"Tax_Number": "1" * 19}, "INVALID_DATA", "Tax_Number", "19 characters; at most 18"),
    ({"Email_Opt_Out": "perhaps"}, "INVALID_DATA", "Email_Opt_Out", "expected true or false"),
    ({"Date_of_Birth": "31.12.1999"}, "INVALID_DATA", "Date_of_Birth", "expected a date"),
    ({"Next_Follow_Up": "2026-01-01T00:00"}, "INVALID_DATA", "Next_Follow_Up", "time zone"),
    ({"Referred_By": "Somebody"}, "INVALID_DATA", "Referred_By", "expected a record id"),
    ({"Owner": "nobody@example.com"}, "INVALID_DATA", "Owner", "nobody has this one"),
    ({"Company": True}, "INVALID_DATA", "Company", "expected text"),
]


@pytest.mark.parametrize(("cells", "code", "field", "message"), PROBLEMS, ids=[str(p[0])[:50] for p in PROBLEMS])
def test_each_problem_is_found_in_its_row(
    zoho: World, cells: dict[str, Any], code: str, field: str, message: str
) -> None:
    good = {"Last_Name": "Li", "Company": "x"}
    report = dry(zoho, [good, {**good, **cells}, good])
    assert list(report["status"]) == ["valid", "failed", "valid"]
    assert tuple(report.iloc[1][["code", "field"]]) == (code, field)
    assert message in report["message"].iloc[1]


@pytest.mark.parametrize(
    "cells", [{"Rating": "-None-"}, {"Phone": ""}, {"Lead_Score": 999_999_999}, {"Company": "x" * 200}]
)
def test_what_looks_odd_and_is_fine(zoho: World, cells: dict[str, Any]) -> None:
    assert dry(zoho, [{"Last_Name": "Li", **cells}]).counts == {"valid": 1, "failed": 0}


def test_duplicates_are_named_by_the_label_of_the_first(zoho: World) -> None:
    frame = pd.DataFrame(
        {"Last_Name": "x", "Email": ["a@x.com", "A@X.com", None, None, "b@x.com"]}, index=["one", "two", "c", "d", "e"]
    )
    report = dry(zoho, frame)
    assert list(report["code"]) == ["", "DUPLICATE_DATA", "", "", ""]
    assert report.loc["two", "message"] == "row one has the same value, and the field allows it once"
    by_id = dry(zoho, [{"id": "5", "Company": "x"}, {"id": 5, "Company": "y"}], "update")
    assert list(by_id["message"]) == ["", "row 0 writes the same record first; this row wins"]


def test_an_upsert_may_lack_what_only_a_new_record_needs(zoho: World) -> None:
    report = dry(zoho, [{"Email": "a@x.com", "Rating": "Active"}], "upsert", on="Email")
    assert (report["status"].iloc[0], report["message"].iloc[0]) == ("valid", "a new record would lack Last_Name")


def test_an_update_may_not_empty_what_is_required(zoho: World) -> None:
    rows = [{"id": "5", "Last_Name": None, "Company": "x"}]
    assert dry(zoho, rows, "update").counts["valid"] == 1
    assert list(dry(zoho, rows, "update", clear_empty=True)["code"]) == ["MANDATORY_NOT_FOUND"]


def test_a_deletion_needs_ids(zoho: World) -> None:
    report = dry(zoho, pd.DataFrame({"id": ["5", None, "x", "5"]}), "delete")
    assert list(report["code"]) == ["", "MANDATORY_NOT_FOUND", "INVALID_DATA", "INVALID_DATA"]
    assert report["message"].iloc[3] == "row 0 deletes the same record"


def test_unknown_and_read_only_columns(zoho: World) -> None:
    with pytest.raises(PushError, match="Did you mean Last_Name"):
        dry(zoho, [{"last name": "x"}])
    assert "Full_Name" in dry(zoho, leads(1, Full_Name="x")).attrs["warnings"][0]


def test_it_costs_metadata_at_most(zoho: World) -> None:
    dry(zoho, leads(5_000))
    assert len(zoho[0].traffic.calls) <= 4
    with pytest.raises(PushError, match="no row"):
        dry(zoho, [{"Last_Name": None}]).retry()
