"""Cells of every kind of frame as Zoho's JSON, and frames of every kind as rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from zoho_magic.crm.metadata import Field
from zoho_magic.crm.write.cell_encoders import InvalidCellError, encode, record_id
from zoho_magic.crm.write.input_table import is_empty, table_of
from zoho_magic.errors import PushError

ID = "554023000000527002"
BERLIN = timezone(timedelta(hours=2))
LONG_AGO = timezone(timedelta(minutes=53, seconds=28))  # Berlin before 1893


def field(kind: str, **more: Any) -> Field:
    return Field("X", data_type=kind, **more)


FITS: list[tuple[str, Any, Any]] = [
    ("text", "Ä \U0001f600", "Ä \U0001f600"),
    ("text", 5, "5"),
    ("text", 4915112345678.0, "4915112345678"),
    ("text", 2.5, "2.5"),
    ("text", Decimal("2.50"), "2.50"),
    ("text", date(2026, 1, 31), "2026-01-31"),
    ("text", "", None),
    ("picklist", "-None-", "-None-"),
    ("phone", np.int64(49), "49"),
    ("bigint", np.int64(900000000000000001), "900000000000000001"),
    ("bigint", " -17 ", "-17"),
    ("long", 12.0, "12"),
    ("integer", 5.0, 5),
    ("integer", "5.0", 5),
    ("integer", np.float64(7), 7),
    ("integer", 10**400, 10**400),
    ("currency", Decimal("12.25"), 12.25),
    ("double", "1e3", 1000.0),
    ("percent", np.float32(0.5), 0.5),
    ("double", 3, 3),
    ("boolean", np.bool_(True), True),
    ("boolean", 0.0, False),
    ("boolean", "TRUE", True),
    ("date", pd.Timestamp("2026-01-31 23:00", tz="Asia/Tokyo"), "2026-01-31"),
    ("date", date(2026, 1, 31), "2026-01-31"),
    ("date", "2026-01-31T10:00:00+05:30", "2026-01-31"),
    ("date", np.datetime64("2026-01-31"), "2026-01-31"),
    ("date", pd.Period("2026-01-31", "D"), "2026-01-31"),
    ("datetime", datetime(2026, 1, 31, 8, tzinfo=BERLIN), "2026-01-31T08:00:00+02:00"),
    ("datetime", pd.Timestamp("2026-01-31 08:00:00.123456789", tz="Europe/Berlin"), "2026-01-31T08:00:00+01:00"),
    ("datetime", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00+00:00"),
    ("datetime", datetime(1890, 1, 1, tzinfo=LONG_AGO), "1889-12-31T23:06:32+00:00"),
    ("multiselectpicklist", ["A", "B; C"], ["A", "B; C"]),
    ("multiselectpicklist", "A; B;", ["A", "B"]),
    ("multiselectpicklist", np.array(["A", None, float("nan")], dtype=object), ["A"]),
    ("multiselectpicklist", ("A",), ["A"]),
    ("multiselectpicklist", pl.Series(["A", "B"]), ["A", "B"]),
    ("multiselectpicklist", "['VIP', 'Hot']", ["VIP", "Hot"]),
    ("multiselectpicklist", '["a"]', ["a"]),
    ("multiselectpicklist", "[]", []),
    ("multiselectpicklist", "['a', None]", ["a"]),
    ("currency", np.float32(1.1), 1.1),
    ("text", np.float32(1.1), "1.1"),
    ("currency", Decimal("1234567890.125"), 1234567890.125),
    ("integer", "9007199254740993", 9007199254740993),
    ("lookup", int(ID), {"id": ID}),
    ("lookup", {"id": ID, "name": "Li"}, {"id": ID}),
    ("multi_module_lookup", ID, {"id": ID}),
    ("ownerlookup", np.int64(ID), {"id": ID}),
    ("layout", ID, {"id": ID}),
]


@pytest.mark.parametrize(("kind", "value", "expected"), FITS, ids=[f"{kind} {value!r}"[:60] for kind, value, _ in FITS])
def test_a_value_becomes_what_zoho_takes(kind: str, value: Any, expected: Any) -> None:
    found = encode(value, field(kind))
    assert (found, type(found)) == (expected, type(expected))


UNFIT: list[tuple[str, Any, str]] = [
    ("text", True, "text"),
    ("text", b"raw", "text"),
    ("text", float("inf"), "float"),
    ("text", 2.0**60, "lost its last digits"),
    ("text", "half \ud83d", "surrogates"),
    ("text", "a\0b", "NUL"),
    ("bigint", 9e17, "lost its last digits"),
    ("bigint", "12a", "whole number"),
    ("bigint", "²", "whole number"),
    ("integer", 2.5, "whole number"),
    ("integer", True, "a number"),
    ("integer", "many", "a number"),
    ("integer", "inf", "finite"),
    ("currency", [1], "a number"),
    ("currency", "1" * 5000, "finite"),
    ("currency", 10**400, "a number"),
    ("boolean", "perhaps", "true or false"),
    ("boolean", 2, "true or false"),
    ("date", "31.01.2026", "2026-01-31"),
    ("date", "2026-01-31 and so on", "2026-01-31"),
    ("date", 20260131, "2026-01-31"),
    ("datetime", "2026-01-31T08:00:00", "time zone"),
    ("datetime", "yesterday", "a datetime, 2026"),
    ("datetime", date(2026, 1, 31), "time zone"),
    ("datetime", np.datetime64("2026-01-31T08:00"), "time zone"),
    ("multiselectpicklist", 5, "list of choices"),
    ("multiselectpicklist", {"a": 1}, "list of choices"),
    ("multiselectpicklist", ["\udc00"], "surrogates"),
    ("multiselectpicklist", "['A' 'B']", "saved as text"),
    ("multiselectpicklist", "['A'\n 'B']", "saved as text"),
    ("multiselectpicklist", "[A, B]", "saved as text"),
    ("multiselectpicklist", [{"a": 1}], "each one text"),
    ("multiselectpicklist", [True], "each one text"),
    ("currency", Decimal("12345678901234567.89"), "would be rounded to"),
    ("currency", "12345678901234567.89", "would be rounded to"),
    ("currency", np.timedelta64(1, "h"), "a number"),
    ("integer", pd.Timedelta("1h"), "a number"),
    ("text", np.timedelta64(1, "ns"), "text"),
    ("lookup", "Acme", "record id"),
    ("lookup", float(ID), "lost its last digits"),
    ("lookup", "\u0665\u0665", "record id"),
    ("lookup", None, "record id"),
]


@pytest.mark.parametrize(
    ("kind", "value", "expected"), UNFIT, ids=[f"{kind} {value!r}"[:60] for kind, value, _ in UNFIT]
)
def test_a_value_that_no_value_of_the_field_can_be(kind: str, value: Any, expected: str) -> None:
    with pytest.raises(InvalidCellError, match=expected):
        encode(value, field(kind))


def test_tags_are_objects_though_their_type_says_text() -> None:
    tags = field("text", json_type="jsonarray")
    for value in (
        ["hot", "2026"],
        "hot,2026",
        "hot; 2026",
        "['hot', '2026']",
        '["hot", "2026"]',
        [{"name": "hot"}, 2026],
    ):
        assert encode(value, tags) == [{"name": "hot"}, {"name": "2026"}]
    assert encode(["hot, really"], tags) == [{"name": "hot, really"}]
    assert encode("[]", tags) == []


def test_a_choice_with_a_separator_or_brackets_is_one_choice() -> None:
    choices = field("multiselectpicklist", picklist_values=("R&D; x", "[none]"))
    assert [encode(text, choices) for text in ("R&D; x", "[none]", "a;b")] == [["R&D; x"], ["[none]"], ["a", "b"]]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"A": np.array([1.1, np.nan], dtype="float32")}),
        pd.DataFrame({"A": pd.array([1.1, None], dtype="Float32")}),
        pl.DataFrame({"A": [1.1, None]}, schema={"A": pl.Float32}),
        pa.table({"A": pa.array([1.1, None], pa.float32())}),
        pa.RecordBatch.from_pydict({"A": pa.array([1.1, None], pa.float32())}),
        [{"A": np.float32(1.1)}, {}],
    ],
)
def test_a_short_float_is_the_shortest_decimal(frame: Any) -> None:
    first, second = table_of(frame).columns["A"]
    assert (encode(first, field("currency")), is_empty(second)) == (1.1, True)


SUBFORM = field("subform", json_type="jsonarray")


@pytest.mark.parametrize(
    "value",
    [
        [{"Item": "Panel", "Quantity": 2}],
        [{"Item": "Panel", "Quantity": np.int64(2)}],
        np.array([{"Item": "Panel", "Quantity": 2}]),
        '[{"Item": "Panel", "Quantity": 2}]',
        "[{'Item': 'Panel', 'Quantity': 2}]",
    ],
)
def test_subforms_pass_as_lists_or_as_json_text(value: Any) -> None:
    assert encode(value, SUBFORM) == [{"Item": "Panel", "Quantity": 2}]


@pytest.mark.parametrize(
    "value", [[{"Quantity": float("nan")}], [{"On": date(2026, 1, 1)}], [{"Item": "\ud800"}], "[", "5", {1, 2}]
)
def test_a_subform_that_json_cannot_say_is_refused_before_it_costs_its_whole_call(value: Any) -> None:
    with pytest.raises(InvalidCellError):
        encode(value, SUBFORM)


def test_ids_are_text_whatever_they_came_as() -> None:
    assert {record_id(value) for value in (ID, int(ID), np.int64(ID), np.uint64(ID), Decimal(ID), f" {ID} ")} == {ID}
    for wrong in (float(ID), np.float64(ID), f"{ID}.0", "5.54E+17", "-5", "", True, "abc", None, []):
        with pytest.raises(InvalidCellError):
            record_id(wrong)


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), np.nan, np.float32("nan"), pd.NaT, pd.NA, np.datetime64("NaT", "ns"), Decimal("NaN")],
)
def test_nothing_is_empty(value: Any) -> None:
    assert is_empty(value)


@pytest.mark.parametrize(
    "value", ["", " ", 0, False, [], {}, np.array([]), np.array([np.nan, 1]), Decimal("sNaN"), object(), [None]]
)
def test_something_is_not(value: Any) -> None:
    assert not is_empty(value)


# Frames


ROWS = [{"Last_Name": "Li", "No_of_Employees": 5}, {"Last_Name": "Poe", "No_of_Employees": None}]


@pytest.mark.parametrize(
    "frame",
    [
        ROWS,
        tuple(ROWS),
        pd.DataFrame(ROWS).astype({"No_of_Employees": "Int64"}),
        pl.DataFrame(ROWS),
        pa.Table.from_pylist(ROWS),
        pa.RecordBatch.from_pylist(ROWS),
        [{"Last_Name": "Li", "No_of_Employees": 5}, {"Last_Name": "Poe"}],
    ],
    ids=["dicts", "tuple", "pandas", "polars", "arrow", "batch", "ragged"],
)
def test_every_kind_of_frame_is_the_same_table(frame: Any) -> None:
    table = table_of(frame)
    assert list(table.columns) == ["Last_Name", "No_of_Employees"]
    assert table.columns["Last_Name"] == ["Li", "Poe"]
    assert table.columns["No_of_Employees"][0] == 5
    assert is_empty(table.columns["No_of_Employees"][1])
    assert list(table.index) == [0, 1]


@pytest.mark.parametrize("frame", [5, "text", "", {"a": [1]}, pd.Series([1]), pl.LazyFrame({"a": [1]}), [1], object()])
def test_anything_else_is_refused_by_name(frame: Any) -> None:
    with pytest.raises(PushError, match=type(frame).__name__):
        table_of(frame)


def test_a_column_that_stands_twice_is_refused() -> None:
    twice = pd.DataFrame([[1, 2]], columns=["A", "A"])
    for frame in (twice, pa.Table.from_arrays([[1], [2]], names=["A", "A"])):
        with pytest.raises(PushError, match="A stands twice"):
            table_of(frame)


@pytest.mark.parametrize(
    "frame", [[], pd.DataFrame(), pl.DataFrame(), pa.table({}), pa.table({"A": pa.array([], "int8")})]
)
def test_nothing_is_a_table_without_rows(frame: Any) -> None:
    assert len(table_of(frame)) == 0
