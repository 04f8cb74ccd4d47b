"""`$name` is bound as one literal, whatever stands in it, or refused."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pull_env import put, world
from zoho_magic.crm.coql.parameters import bind, literal
from zoho_magic.errors import QueryError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

lexer = import_module("zoho_magic.simulator.crm.coql.lexer")
EVIL = "' or id is not null or Last_Name = '"


class Colour(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Won", "'Won'"), ("O'Hara", "'O''Hara'"), ("", "''"), ("'", "''''"), ("\\'", "'\\'''"), ("a\nb", "'a\nb'"),
        ("$x", "'$x'"), (Colour.RED, "'red'"), (np.str_("it's"), "'it''s'"),
        (5, "5"), (-5, "-5"), (0, "0"), (10**18 + 1, "1000000000000000001"), (np.int64(7), "7"), (True, "true"),
        (np.bool_(False), "false"),
        (2.5, "2.5"), (1e-7, "0.0000001"), (1e22, "10000000000000000000000"), (-0.1, "-0.1"), (np.float32(0.5), "0.5"),
        (Decimal("1.10"), "1.10"), (Decimal("1E+3"), "1000"), (Fraction(1, 4), "0.25"), (np.array(5), "5"),
        (date(2026, 1, 31), "'2026-01-31'"),
        (datetime(2026, 1, 31, 8, tzinfo=timezone.utc), "'2026-01-31T08:00:00+00:00'"),
        (datetime(2026, 1, 31, 8, 0, 0, 999_999, tzinfo=timezone.utc), "'2026-01-31T08:00:00+00:00'"),
        (datetime(2026, 3, 29, 3, tzinfo=ZoneInfo("Europe/Berlin")), "'2026-03-29T01:00:00+00:00'"),
        (datetime(1890, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), "'1889-12-31T23:06:32+00:00'"),
        (pd.Timestamp("2026-01-31T08:00:00.123456789+05:30"), "'2026-01-31T02:30:00+00:00'"),
        (["a", "b'c"], "('a', 'b''c')"), ((1, 2.5), "(1, 2.5)"), (pd.Series(["x"]), "('x')"),
        (np.array([1, 2]), "(1, 2)"),
        ({"only"}, "('only')"), (pd.Index(["a"]), "('a')"), ((n for n in [1, 2]), "(1, 2)"), ({"a": 1}.keys(), "('a')"),
    ],
)  # fmt: skip
def test_every_kind_of_value(value: Any, text: str) -> None:
    assert literal(value) == text
    assert bind("x = $v", {"v": text}) == "x = '" + text.replace("'", "''") + "'"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "NoneType"), (pd.NA, "NAType"), (float("nan"), "nan"), (float("inf"), "inf"), (Decimal("NaN"), "NaN"),
        (np.float64("nan"), "nan"), (pd.NaT, "NaT"), ([pd.NaT], "NaT"), (np.datetime64("NaT", "ns"), "NoneType"),
        (datetime(2026, 1, 31), "without a time zone"), (pd.Timestamp("2026-01-31"), "without a time zone"),
        (np.datetime64("2026-01-31T00:00:00", "ns"), "without a time zone"), (time(8), "time"),
        (timedelta(1), "timedelta"),
        (b"bytes", "bytes"), ({"a": 1}, "dict"), (object(), "object"), (1j, "complex"), ([[1], [2]], "list"),
        ([None], "NoneType"), ([], "0 values"),
        (pd.DataFrame({"a": [1]}), "DataFrame"),
    ],
)  # fmt: skip
def test_what_has_no_literal_is_refused_by_name(value: Any, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        bind("x = $odd", {"odd": value})
    assert "$odd" in str(caught.value.args[0])
    assert told in str(caught.value.args[0])
    assert caught.value.hint


def test_names() -> None:
    given_ = {"a": 1, "ab": 2, "_x9": 3}
    assert bind("a = $a and b = $ab or c in ($_x9,$a)", given_) == "a = 1 and b = 2 or c in (3,1)"
    assert bind("a = '$other' and b = 'it''s $5'", given_) == "a = '$other' and b = 'it''s $5'"
    with pytest.raises(QueryError, match=r"\$a stands inside quotes"):
        bind("a = '$a'", given_)
    assert bind("costs $5 and $ alone", given_) == "costs $5 and $ alone"
    with pytest.raises(QueryError, match=r"uses \$nobody, which is not defined"):
        bind("a = $nobody", given_)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@settings(derandomize=True, max_examples=300)
def test_a_text_is_always_one_token(text: str) -> None:
    found = lexer.tokens(bind("Last_Name = $x", {"x": text}))
    assert [(token.kind, token.text) for token in found] == [
        ("name", "Last_Name"), ("sign", "="), ("string", text), ("end", ""),
    ]  # fmt: skip


PIECES = st.sampled_from(["'", "''", "a", " = ", "$x", "$x ", " and ", "(", "\\", "'b'"])


@given(
    pieces=st.lists(PIECES, max_size=12), value=st.sampled_from([EVIL, "'", "''", "' --or", "x' or 'a' = 'a", "'or'"])
)
@settings(derandomize=True, max_examples=500)
def test_no_query_however_broken_lets_a_value_out_of_its_quotes(pieces: list[str], value: str) -> None:
    try:
        bound = bind("".join(pieces), {"x": value, "xa": value})
    except QueryError:  # a quote is not closed
        return
    outside = lexer.PATTERN.sub(lambda match: " " if match.lastgroup == "string" else match.group(), bound)
    assert "or" not in outside
    assert "'" not in outside


@pytest.fixture(scope="module")
def org() -> Iterator[tuple[Simulator, ZohoSession]]:
    with world() as found:
        names = ["O'Hara", EVIL, "", "a;b", "100%", "\\", "line\nbreak", "李", "--", "$x", '"']
        rows = [{"id": 10**18 + n, "Last_Name": name, "Converted__s": 0} for n, name in enumerate(names)]
        put(found[0], "Leads", rows)
        yield found


def test_a_value_finds_itself_and_nothing_else(org: tuple[Simulator, ZohoSession]) -> None:
    sim, zoho = org
    for row in sim.crm.rows("Leads"):
        for query in ("select Last_Name from Leads where Last_Name = $x", "select id from Leads where Last_Name in $x"):
            value: Any = row["Last_Name"] if "=" in query else [row["Last_Name"], "nobody"]
            assert list(zoho.coql(query, params={"x": value})["id"]) == [row["id"]]


def test_a_value_in_the_place_of_a_name_is_no_name(org: tuple[Simulator, ZohoSession]) -> None:
    _, zoho = org
    with pytest.raises(QueryError):  # in select and order by a quoted word is a column, as Zoho documents it
        zoho.coql("select id from $x", params={"x": "Leads"})
