"""Whether a value that is written is the value that the CRM holds already."""

from __future__ import annotations

from typing import Any

import pytest

from zoho_magic.crm.metadata import Field
from zoho_magic.crm.write.comparison import has_same_value

TAG = Field("Tag", data_type="text", json_type="jsonarray")
MANY = Field("M", data_type="multiselectpicklist", json_type="jsonarray")
RATING = Field("R", data_type="picklist", picklist_values=("a1", "b1"), picklist_labels=("A", "B"))


def field(kind: str) -> Field:
    return Field("X", data_type=kind)


@pytest.mark.parametrize(
    ("new", "old", "kind", "same"),
    [
        ([{"name": "b"}, {"name": "a"}], [{"name": "a", "id": "1"}, {"name": "b", "id": "2"}], TAG, True),
        ([{"name": "a"}], [{"name": "a"}, {"name": "b"}], TAG, False),
        (["b", "a"], ["a", "b"], MANY, True),
        ([], None, MANY, True),
        (None, "", field("text"), True),
        ("a ", "a", field("text"), False),
        ("A", "a", field("text"), False),
        (5, 5.0, field("currency"), True),
        ("5", 5, field("bigint"), True),
        (False, None, field("boolean"), False),
        (True, True, field("boolean"), True),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z", field("datetime"), True),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:01Z", field("datetime"), False),
        ({"id": "5"}, {"id": "5", "name": "Li"}, field("lookup"), True),
        ({"id": "5"}, None, field("lookup"), False),
        ("A", "a1", RATING, True),
        ("B", "a1", RATING, False),
        ("-None-", None, RATING, True),
    ],
)  # fmt: skip
def test_same_values(new: Any, old: Any, kind: Field, same: bool) -> None:
    assert has_same_value(new, old, kind) is same
