"""Three routes, one frame: whatever the rows, fields, filter and limit, records, COQL and bulk read bring the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.pull_env import MANY, ROUTES, as_bulk_tells, put, same, world
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
World = tuple[Simulator, ZohoSession]
QUICK = settings(
    max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True, phases=(Phase.explicit, Phase.generate)
)


@pytest.fixture(scope="module")
def leads() -> Iterator[World]:
    """A Zoho whose leads a test may replace."""
    with world(rows=30) as found:
        yield found


@pytest.fixture(scope="module")
def demo() -> Iterator[World]:
    """A Zoho with its demo rows, which nobody changes."""
    with world(rows=430) as found:
        yield found


# Rows

NASTY = st.sampled_from(
    ["", " ", "O'Brien \"Obi\"", "a,b;c", "one\ntwo", "one\r\ntwo", "\t", "NaN", "null", "None", "true", "007", "1e5",
     "=1+1", "李 小龙", "👩‍🚀", "e\u0301", "\u202eright", "%_\\", "''",
     '""', ",", ";", "-", "0", "<b>", "$name", "--", "/*"]
)  # fmt: skip
PLAIN = st.characters(exclude_categories=["Cs", "Cc"])
TEXT = st.one_of(st.none(), NASTY, st.text(PLAIN, max_size=30))
NUMBERS = st.one_of(
    st.none(),
    st.sampled_from(
        [0.0, -0.0, 0.1, 1e15, 1e16, 2.0**53 + 2, 1.7976931348623157e308, 5e-324, -2.2250738585072014e-308]
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)
DAYS = st.one_of(
    st.none(),
    st.sampled_from(["0001-01-01", "1582-10-15", "1969-12-31", "2262-04-12", "9999-12-31"]),
    st.dates().map(date.isoformat),
)
MOMENTS = st.one_of(
    st.none(),
    st.datetimes(datetime(1850, 1, 1), datetime(9990, 1, 1)).map(
        lambda moment: (moment.replace(tzinfo=timezone.utc) - EPOCH) // timedelta(seconds=1)
    ),
    # Around the ends of summer time in New York, Berlin and Los Angeles
    st.integers(-7200, 7200).flatmap(
        lambda s: st.sampled_from([1774746000, 1792890000, 1793520000, 1772964000]).map(s.__add__)
    ),
)
PRODUCTS = ("Rooftop PV", "Storage, residential", "R&D; prototypes", "Storage, commercial", "EV charging")
CHOICES = st.lists(st.sampled_from(PRODUCTS), unique=True, max_size=4).map(lambda found: MANY.join(found) or None)
TAGS = st.lists(st.sampled_from(["vip", "öko-bonus", "a;b", "x,y", "two words"]), unique=True, max_size=3)

ROWS = st.fixed_dictionaries(
    {
        "Last_Name": TEXT,
        "Description": TEXT,
        "Company": TEXT,
        "Lead_Score": st.one_of(st.none(), st.integers(-(10**9) + 1, 10**9 - 1)),
        "Calibration": NUMBERS,
        "Budget": NUMBERS.map(lambda number: number if number is None or abs(number) < 1e300 else 1.5),
        "Date_of_Birth": DAYS,
        "Next_Follow_Up": MOMENTS,
        "Consent_Given": st.sampled_from([None, 0, 1]),
        "Products_Interested": CHOICES,
        "Tag": TAGS.map(lambda found: MANY.join(found) or None),
        "Tax_Number": st.one_of(st.none(), st.integers(-(10**18) + 1, 10**18 - 1)),
        "Converted__s": st.sampled_from([0, 0, 0, 1]),
        "Owner": st.sampled_from(["first user", "last user"]),
        "Referred_By": st.sampled_from([None, "a contact"]),
    }
)
IDS = st.one_of(st.integers(10**17, 10**18 - 1), st.integers(10**18, 2**63 - 1))


def _as_stored(sim: Simulator, key: int, row: dict[str, Any]) -> dict[str, Any]:
    users, contact = sorted(sim.crm.users), int(sim.crm.rows("Contacts")[0]["id"])
    references = {"first user": users[0], "last user": users[-1], "a contact": contact, None: None}
    named = {name: references[row[name]] for name in ("Owner", "Referred_By")}
    return {"id": key, **row, **named, "Created_Time": 1_700_000_000, "Modified_Time": 1_700_000_000}


@given(rows=st.lists(st.tuples(IDS, ROWS), max_size=8, unique_by=lambda pair: pair[0]))
@QUICK
def test_any_value_is_the_same_on_every_route(leads: World, rows: list[tuple[int, dict[str, Any]]]) -> None:
    sim, zoho = leads
    put(sim, "Leads", [_as_stored(sim, key, row) for key, row in rows])
    fields = [*rows[0][1]] if rows else ["Last_Name", "Owner", "Tag", "Next_Follow_Up"]
    records, coql, bulk = (zoho.pull("Leads", fields=fields, converted="both", via=via) for via in ROUTES)
    same(records, coql)
    same(as_bulk_tells(records), bulk)
    assert list(records["id"]) == [str(key) for key, _ in sorted(rows, reverse=True)]
    for key, row in rows:
        _assert_is(records[records["id"] == str(key)].iloc[0], row)


def _assert_is(found: pd.Series[Any], row: dict[str, Any]) -> None:
    """What was put in comes out: not only the same by every route, but the value itself."""
    for name in ("Last_Name", "Description", "Lead_Score", "Calibration", "Budget"):
        assert (None if pd.isna(found[name]) else found[name]) == row[name], name
    assert (None if pd.isna(found["Tax_Number"]) else int(found["Tax_Number"])) == row["Tax_Number"]
    assert (None if pd.isna(found["Date_of_Birth"]) else str(found["Date_of_Birth"].date())) == row["Date_of_Birth"]
    moment = found["Next_Follow_Up"]
    assert (None if pd.isna(moment) else (moment.to_pydatetime() - EPOCH) // timedelta(seconds=1)) == row[
        "Next_Follow_Up"
    ]
    for name in ("Products_Interested", "Tag"):
        assert found[name] == (row[name].split(MANY) if row[name] else None)


# Modules, fields, filters, limits

MODULES = ("Leads", "Accounts", "Contacts", "Deals", "Tasks", "Projects", "Project_Lines", "Projects_X_Contacts")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_the_same_on_every_route(demo: World, module: str) -> None:
    _, zoho = demo
    records, coql, bulk = (zoho.pull(module, via=via) for via in ROUTES)
    assert len(records) > 10
    same(records, coql)
    if "What_Id" in records:
        assert any("What_Id" in warning for warning in bulk.attrs["warnings"])
        for name in ("What_Id", "What_Id.module"):
            assert records[name].notna().any()
            assert bulk[name].isna().all()
            bulk[name] = records[name]
    same(as_bulk_tells(records), bulk)


FILTERS = {
    "Leads": [
        "Lead_Score >= 50", "Lead_Score between 10 and 60", "Lead_Score not between 10 and 60", "Rating is null",
        "Lead_Source in ('Partner', 'Chat')", "Lead_Source not in ('Partner', 'Chat')", "Company like '%a%'",
        "Company not like '%a%'", "Company like 'B%'", "Company like '%H'", "Date_of_Birth < '1980-01-01'",
        "Created_Time >= '2026-03-01T00:00:00+05:30'", "Consent_Given = true", "Products_Interested = 'EV charging'",
        "Calibration != 0.1", "not Lead_Score > 20", "not Rating is null", "Referred_By is not null",
    ],
    "Deals": ["Stage = 'Closed Won'", "Probability <= 40", "Closing_Date is not null", "Discount > 5"],
}  # fmt: skip


def _trees(leaves: list[str]) -> st.SearchStrategy[str]:
    both = st.sampled_from(["and", "or"])
    return st.recursive(
        st.sampled_from([leaf for leaf in leaves if not leaf.startswith("not")]),
        lambda inner: st.tuples(inner, both, inner).map(lambda parts: f"({' '.join(parts)})"),
        max_leaves=5,
    )


@given(data=st.data())
@QUICK
def test_fields_filters_and_limits_are_the_same_on_every_route(demo: World, data: st.DataObject) -> None:
    _, zoho = demo
    module = data.draw(st.sampled_from([*FILTERS]))
    names = [name for name in zoho.metadata.fields(module) if name not in ("id", "Site_Plans")]
    asked = {
        "fields": data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=6)),
        "where": data.draw(st.none() | _trees(FILTERS[module])),
        "limit": data.draw(st.none() | st.integers(1, 450)),
        "converted": data.draw(st.sampled_from([False, True, "both"])) if module == "Leads" else False,
    }
    coql, bulk = (zoho.pull(module, via=via, **asked) for via in ("coql", "bulk"))
    same(as_bulk_tells(coql), bulk)
    if asked["where"] is None:
        same(zoho.pull(module, via="records", **asked), coql)


@pytest.mark.parametrize("where", [leaf for leaf in FILTERS["Leads"] if not leaf.startswith("not")])
def test_each_filter_selects_some(demo: World, where: str) -> None:
    _, zoho = demo
    coql, bulk = (zoho.pull("Leads", fields=["Company"], where=where, via=via) for via in ("coql", "bulk"))
    assert 0 < len(coql) < len(zoho.pull("Leads", fields=["Company"]))
    same(as_bulk_tells(coql), bulk)


@pytest.mark.parametrize("via", ROUTES)
def test_nothing_found_has_all_columns_and_dtypes(leads: World, via: Any) -> None:
    sim, zoho = leads
    put(sim, "Leads", [])
    found = zoho.pull("Leads", via=via)
    sim.crm.store.version += 1
    put(sim, "Leads", [{"id": 10**18, "Last_Name": "x", "Converted__s": 0, "Products_Interested": PRODUCTS[0]}])
    full = zoho.pull("Leads", via=via)
    assert len(found) == 0
    assert len(full) == 1
    assert found.dtypes.to_dict() == full.dtypes.to_dict()
