"""From Zoho's values to a typed table, value by value; whole pulls are in test_routes."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoho_magic.crm.metadata import RECORD_ID, Field
from zoho_magic.crm.read import arrow as frames
from zoho_magic.errors import ApiError, TransportError


def read(field: Field, *values: Any) -> pa.Table:
    """The columns of one field, from JSON."""
    rows = [{"id": str(n), field.name: value} for n, value in enumerate(values)]
    return frames.from_json(json.dumps({"data": rows, "info": {}}).encode(), [RECORD_ID, field]).rows.drop_columns(
        ["id"]
    )


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("text", ["a", "", None, 5, True, {"a": 1}, [1]], ["a", "", None, "5", "true", '{"a": 1}', "[1]"]),
        ("integer", [1, None, 0, -9, "7", 3.0, "", "4.0"], [1, None, 0, -9, 7, 3, None, 4]),
        ("double", [1, 2.5, None, "3.5", "", -0.0, 1e308], [1.0, 2.5, None, 3.5, None, -0.0, 1e308]),
        ("boolean", [True, False, None, "true", ""], [True, False, None, True, None]),
        ("bigint", ["1234567890123456789", 1234567890123456789, None], ["1234567890123456789"] * 2 + [None]),
        ("picklist", ["-None-", "x", None], ["-None-", "x", None]),
        ("multiselectpicklist", [["a", "b"], [], None, "c", [1]], [["a", "b"], None, None, ["c"], ["1"]]),
        ("something_new", [{"a": 1}, "x", None, 5], ['{"a": 1}', "x", None, "5"]),
    ],
)
def test_a_value_that_is_not_what_metadata_says_is_converted(kind: str, values: list[Any], expected: list[Any]) -> None:
    assert read(Field("F", data_type=kind), *values)["F"].to_pylist() == expected
    for value, want in zip(values, expected, strict=True):
        assert read(Field("F", data_type=kind), value)["F"].to_pylist() == [want]


def test_lookups_and_users() -> None:
    found = read(
        Field("F", data_type="ownerlookup"), {"name": "Ann", "id": "1", "email": "a@b.c"}, {"id": "2"}, None, "3"
    )
    assert found.to_pydict() == {
        "F": ["Ann", None, None, None], "F.id": ["1", "2", None, "3"], "F.email": ["a@b.c", None, None, None],
    }  # fmt: skip
    assert read(Field("F", data_type="lookup"), {"name": 5, "id": 6}).to_pydict() == {"F": ["5"], "F.id": ["6"]}


def test_tags_are_told_by_their_json_type() -> None:
    tag = Field("Tag", data_type="text", json_type="jsonarray")
    found = read(tag, [{"name": "a,b", "id": "1", "color_code": "#fff"}, {"name": "c"}], [], None)
    assert found["Tag"].to_pylist() == [["a,b", "c"], None, None]
    assert read(tag, ["plain"])["Tag"].to_pylist() == [["plain"]]


@pytest.mark.parametrize(
    ("kind", "returns", "type_"),
    [("formula", "currency", "double"), ("formula", "boolean", "bool"), ("formula", "date", "timestamp[us]"),
     ("formula", "string", "string"), ("rollup_summary", "integer", "int64"),
     ("formula", "datetime", "timestamp[us, tz=UTC]")],
)  # fmt: skip
def test_a_formula_is_what_it_returns(kind: str, returns: str, type_: str) -> None:
    assert str(frames.arrow_schema([Field("F", data_type=kind, return_type=returns)]).types[0]) == type_


@pytest.mark.parametrize(
    ("kind", "value"),
    [("date", "31.01.2026"), ("date", "2026-02-30"), ("datetime", "noon"), ("integer", "many"), ("integer", 10**30),
     ("double", "x"), ("boolean", "perhaps"), ("date", 5)],
)  # fmt: skip
def test_a_value_of_no_use_is_null_and_a_warning_names_field_value_and_record(kind: str, value: Any) -> None:
    field = Field("F", data_type=kind)
    body = json.dumps({"data": [{"id": "1", "F": None}, {"id": "2", "F": value}], "info": {"more_records": False}})
    page = frames.from_json(body.encode(), [RECORD_ID, field])
    assert page.rows.column("id").to_pylist() == ["1", "2"]
    assert page.rows.column("F").to_pylist() == [None, None]
    (warning,) = page.warnings
    assert f"F should be {kind}" in warning
    assert "record 2" in warning
    assert str(value)[:60] in warning


def test_an_integer_with_a_fraction_is_not_cut() -> None:
    page = frames.from_json(
        b'{"data":[{"id":"1","F":2.5},{"id":"2","F":3}]}', [RECORD_ID, Field("F", data_type="integer")]
    )
    assert page.rows.column("F").to_pylist() == [None, 3]
    assert "2.5" in page.warnings[0]


@pytest.mark.parametrize(
    ("field", "sent", "read_as"),
    [
        (
            Field("M", data_type="multiselectpicklist", picklist_values=("Solar", "Wind")),
            "Solar;Wind",
            ["Solar", "Wind"],
        ),
        (Field("M", data_type="multiselectpicklist", picklist_values=("A;B", "C")), "A;B;C", ["A;B", "C"]),
        (Field("Tag", data_type="text", json_type="jsonarray"), "vip,new", ["vip", "new"]),
    ],
)
def test_a_list_that_comes_as_one_text_is_a_list(field: Field, sent: str, read_as: list[str]) -> None:
    body = json.dumps({"data": [{"id": "1", field.name: sent}]}).encode()
    assert frames.from_json(body, [RECORD_ID, field]).rows.column(field.name).to_pylist() == [read_as]


def test_a_field_whose_key_is_in_no_row_is_absent_and_a_null_is_not() -> None:
    body = b'{"data":[{"id":"1","A":null},{"id":"2","A":null}]}'
    assert frames.from_json(body, [RECORD_ID, Field("A"), Field("B")]).absent == {"B"}
    assert frames.from_json(b'{"data":[]}', [RECORD_ID, Field("A")]).absent == frozenset()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"<html>", b'{"data": null}', b'{"data": [5]}', b"{}", b'{"data":[]}{"data":[]}']
)
def test_what_is_not_an_answer(body: bytes) -> None:
    with pytest.raises(TransportError, match="not the JSON"):
        frames.from_json(body, [RECORD_ID])


def test_what_the_answer_lacks_is_null_and_what_it_adds_is_left() -> None:
    page = frames.from_json(b'{"data":[{"id":"1","X":[1,{}]}],"info":{"more_records":true}}', [RECORD_ID, Field("F")])
    assert page.rows.to_pydict() == {"id": ["1"], "F": [None]}
    assert (page.has_more, page.next_page_token) == (True, None)


# CSV


def from_csv(text: str, *fields: Field) -> dict[str, list[Any]]:
    return frames.from_csv(io.BytesIO(text.encode()), [RECORD_ID, *fields], {}).to_pydict()


def test_a_csv_with_and_without_a_mark_at_its_beginning() -> None:
    for mark in ("", "\ufeff"):
        assert from_csv(mark + 'Id,F\n1,"a,""b""\nc"\n2,\n', Field("F")) == {"id": ["1", "2"], "F": ['a,"b"\nc', None]}


def test_a_csv_without_rows_or_a_column() -> None:
    assert from_csv("Id\n", Field("F"), Field("N", data_type="integer")) == {"id": [], "F": [], "N": []}
    assert from_csv("Id\n1\n", Field("F")) == {"id": ["1"], "F": [None]}


def test_a_csv_that_does_not_fit() -> None:
    with pytest.raises(ApiError, match="cannot be parsed") as caught:
        from_csv("Id,N\n1,2,3\n", Field("N", data_type="integer"))
    assert 'via="coql"' in caught.value.hint
    with pytest.raises(ApiError, match="two columns named Id"):
        from_csv("Id,N,Id\n1,2,9\n2,3,9\n", Field("N", data_type="integer"))
    with pytest.raises(ApiError, match="no column of record ids"):
        from_csv("Record Id,N\n1,2\n", Field("N", data_type="integer"))


def test_one_odd_cell_of_a_csv_is_null_and_named() -> None:
    warnings: list[str] = []
    field = Field("N", data_type="integer")
    rows = frames.from_csv(io.BytesIO(b"Id,N\n1,many\n2,3\n3,2.5\n"), [RECORD_ID, field], {}, warnings)
    assert rows.column("N").to_pylist() == [None, 3, None]
    assert "record 1" in warnings[0]
    assert "many" in warnings[0]
    assert "and 1 more" in warnings[0]


def test_a_header_that_is_missing_is_named() -> None:
    warnings: list[str] = []
    rows = frames.from_csv(io.BytesIO(b"Id\n1\n"), [RECORD_ID, Field("N", data_type="integer")], {}, warnings)
    assert rows.column("N").to_pylist() == [None]
    assert "Bulk read left N out" in warnings[0]


CHOICES = ("Solar", "Solar, roof", "roof", "R&D; new", "new", "a;b,c", "")


@given(
    chosen=st.lists(st.sampled_from(CHOICES[:-1]), unique=True, max_size=5), separator=st.sampled_from([";", ",", "; "])
)
@settings(derandomize=True)
def test_choices_are_found_again_whatever_the_separator(chosen: list[str], separator: str) -> None:
    found = frames.split_choices(separator.join(chosen), CHOICES)
    assert separator.strip().join(found) == separator.strip().join(chosen)
    if separator != "," and "Solar, roof" not in chosen:  # else "Solar,roof" is as good a reading
        assert found == chosen


@pytest.mark.parametrize(
    ("text", "known", "parts"),
    [
        ("a;b", (), ["a", "b"]), ("a,b", (), ["a", "b"]), ("a,b;c", (), ["a,b", "c"]), ("", (), []), ("a", (), ["a"]),
        ("gone, one;b", ("b",), ["gone, one", "b"]), ("x, y", ("x, y",), ["x, y"]), (" a ; b ", ("a", "b"), ["a", "b"]),
    ],
)  # fmt: skip
def test_choices(text: str, known: tuple[str, ...], parts: list[str]) -> None:
    assert frames.split_choices(text, known) == parts


def test_choices_that_begin_alike_take_no_time() -> None:
    known = [";".join("a" * n) for n in range(1, 30)]
    assert frames.split_choices(";".join("a" * 300 + "b"), known)[-1] == "b"


# Order


@given(ids=st.lists(st.integers(1, 2**63 - 1), max_size=30), pieces=st.integers(1, 5))
@settings(derandomize=True)
def test_newest_first_and_each_once(ids: list[int], pieces: int) -> None:
    for order in (ids, sorted(set(ids)), sorted(set(ids), reverse=True)):
        table = pa.table({"id": pa.array(map(str, order), pa.string()), "n": pa.array(range(len(order)), pa.int64())})
        size = max(1, len(table) // pieces)
        chunked = pa.concat_tables([table[n : n + size] for n in range(0, len(table), size)] or [table])
        found = frames.sort_by_id_desc(chunked).to_pydict()
        assert found["id"] == [str(key) for key in sorted(set(order), reverse=True)]
        assert all(str(order[place]) == key for key, place in zip(found["id"], found["n"], strict=True))


def test_missing_columns_are_added_in_place() -> None:
    fields = [RECORD_ID, Field("A", data_type="integer"), Field("O", data_type="ownerlookup")]
    found = frames.with_all_columns(pa.table({"id": ["1"]}), fields)
    assert found.schema == frames.arrow_schema(fields)
    assert found.to_pylist() == [{"id": "1", "A": None, "O": None, "O.id": None, "O.email": None}]


def test_people_are_named_where_they_are_known() -> None:
    owner = Field("O", data_type="ownerlookup")
    data = pa.table({"O": ["Li", None, None], "O.id": ["1", "2", None], "O.email": ["", None, None]})
    found = frames.fill_user_names(data, [owner, Field("X")], {"2": ("Ann Bo", "ann@example.com")})
    assert found.to_pydict() == {
        "O": ["Li", "Ann Bo", None],
        "O.id": ["1", "2", None],
        "O.email": ["", "ann@example.com", None],
    }
    assert frames.fill_user_names(data, [owner], {}).to_pydict() == data.to_pydict()


@pytest.mark.parametrize("place", range(-3, 4))
def test_line_breaks_of_a_quoted_cell_survive_the_end_of_a_block(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    block = 1 << 16
    monkeypatch.setattr(frames, "CSV_BLOCK_BYTES", (block,))
    head, cell = b"Id,Text\n", "ww\r\nwww\r"
    row = b'554023000000000001,"' + cell.encode() + b'"\n'
    filler = block - len(head) - len(row) * 3 - len(b'1,""\n') + place
    body = head + b'1,"' + b"x" * filler + b'"\n' + row * 5000
    found = frames.from_csv(io.BytesIO(body), [RECORD_ID, Field("Text")], {})
    assert set(found.column("Text").to_pylist()[1:]) == {cell}
    assert len(found) == 5001


def test_a_row_that_is_wider_than_a_block() -> None:
    wide = "breit\r\n" * 500_000
    body = f'Id,Text\n1,"{wide}"\n2,"y"\n'.encode()
    found = frames.from_csv(io.BytesIO(body), [RECORD_ID, Field("Text")], {})
    assert found.column("Text").to_pylist() == [wide, "y"]


@pytest.mark.parametrize("body", [b"", b"Id,Text", b"Id,Text\n"])
def test_a_csv_without_lines_has_no_rows(body: bytes) -> None:
    found = frames.from_csv(io.BytesIO(body), [RECORD_ID, Field("Text")], {})
    assert (len(found), found.schema.names) == (0, ["id", "Text"])
