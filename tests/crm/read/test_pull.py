"""`session.pull` and `session.plan`: what is asked, what it costs, what comes, and what is refused beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

from tests.support.pull_env import ROUTES, TEXT, asked, connect, hurried, ids, put, same, world
from zoho_magic.crm.read import planner
from zoho_magic.errors import ApiError, AuthError, QueryError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Options, Simulator

World = tuple[Simulator, ZohoSession]
LISTS, QUERIES, JOBS, META = "/crm/v8/Leads", "/crm/v8/coql", "/crm/bulk/v8/read", "/crm/v8/settings"
READ_ALL = "ZohoCRM.modules.READ,ZohoCRM.settings.READ,ZohoCRM.users.READ,ZohoCRM.org.READ"


@pytest.fixture(scope="module")
def _org() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, world(rows=700) as found:
        hurried(patch)
        for module in ("Leads", "Deals", "Tasks"):  # modules, fields and users are asked for once
            found[1].pull(module, via="coql", limit=5)
        yield found


@pytest.fixture
def org(_org: World) -> World:
    """The demo org with some 600 leads; what it was asked before is forgotten."""
    sim, _ = _org
    sim.faults.clear()
    sim.traffic.clear()
    easy = {"job_seconds": 0.0, "bulk_downloads_per_minute": 10**6, "credit_limit": 10**9}
    vars(sim.options).update({**vars(Options()), **easy})
    return _org


# What comes


def test_attributes_tell_where_a_frame_comes_from(org: World) -> None:
    sim, zoho = org
    for via in ROUTES:
        sim.traffic.clear()
        found = zoho.pull("Leads", fields=["Company"], via=via)  # type: ignore[call-overload]
        attrs = found.attrs
        assert (attrs["module"], attrs["api"]) == ("Leads", via)
        assert attrs["calls"] == len(sim.traffic.calls)
        assert attrs["credits"] == sum(call.credits for call in sim.traffic.calls if "/read/" not in call.path)
        assert "Leads" in attrs["query"]
        assert datetime.fromisoformat(attrs["pulled_at"]).tzinfo is not None
        assert "converted='both'" in attrs["warnings"][0]
        json.dumps(attrs)


def test_a_lookup_gives_name_and_id_and_a_user_an_address(org: World) -> None:
    sim, zoho = org
    stored = {row["id"]: row for row in sim.crm.rows("Deals")}
    for via in ROUTES:
        found = zoho.pull("Deals", fields=["Account_Name", "Owner", "Second_Seller"], via=via)  # type: ignore[call-overload]
        assert list(found.columns) == ["id", "Account_Name", "Account_Name.id", "Owner", "Owner.id", "Owner.email",
                                       "Second_Seller", "Second_Seller.id", "Second_Seller.email"]  # fmt: skip
        for row in found.to_dict("records"):
            owner, account = stored[row["id"]]["Owner"], stored[row["id"]]["Account_Name"]
            assert (row["Owner"], row["Owner.id"], row["Owner.email"]) == (owner["name"], owner["id"], owner["email"])
            assert account is None or (row["Account_Name"], row["Account_Name.id"]) == (account["name"], account["id"])
        assert found["Second_Seller"].isna().any()


def test_every_field_in_an_order_of_ones_own(org: World) -> None:
    _, zoho = org
    companies = zoho.pull("Leads", order_by="Company").Company.dropna()
    assert companies.tolist() == sorted(companies, key=str.casefold) or companies.is_monotonic_increasing
    assert len(companies) > 400


def test_kinds_of_frame(org: World) -> None:
    _, zoho = org
    fields = ["Last_Name", "Lead_Score", "Budget", "Is_Hot", "Date_of_Birth", "Created_Time", "Products_Interested"]
    table = zoho.pull("Leads", fields=fields, frame="arrow", limit=50)
    assert isinstance(table, pa.Table)
    assert json.loads(table.schema.metadata[b"zoho_magic"])["api"] == "records"
    moment, text = pa.timestamp("us", tz="UTC"), pa.string()
    assert table.schema.types == [
        text,
        text,
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.timestamp("us"),
        moment,
        pa.list_(text),
    ]
    frame = zoho.pull("Leads", fields=fields, limit=50)
    assert [str(kind) for kind in frame.dtypes] == [
        TEXT, TEXT, "Int64", "Float64", "boolean", "datetime64[us]", "datetime64[us, UTC]", "object",
    ]  # fmt: skip
    assert frame["Products_Interested"].to_list() == table["Products_Interested"].to_pylist()
    with pytest.warns(UserWarning, match="Converted records are not included"):  # polars has no place for it
        fast = zoho.pull("Leads", fields=fields, frame="polars", limit=50)
    assert isinstance(fast, polars.DataFrame)
    assert fast["id"].to_list() == frame["id"].to_list()
    with pytest.raises(QueryError, match="no frame 'excel'"):
        zoho.pull("Leads", frame="excel")  # type: ignore[arg-type]


def test_more_than_fifty_fields_are_joined_row_by_row(org: World) -> None:
    sim, zoho = org
    found = zoho.pull("Leads", via="records")
    assert sim.traffic.count(path=LISTS) == 2 * (3 + 1)
    stored = {row["id"]: row for row in sim.crm.rows("Leads")}
    for row in found.to_dict("records"):
        assert row["Company"] == stored[row["id"]]["Company"]
        assert row["Legacy_Code"] == stored[row["id"]]["Legacy_Code"] or pd.isna(row["Legacy_Code"])
    assert "Site_Plans" in found.attrs["warnings"][0]


def test_a_subforms_module(org: World) -> None:
    sim, zoho = org
    found = zoho.pull("Project_Lines")
    assert set(found["id"]) == set(ids(sim, "Project_Lines"))
    assert found["Parent_Id"].notna().all()


@pytest.mark.parametrize("via", ROUTES)
@pytest.mark.parametrize("converted", [True, False, "both"])
def test_converted(org: World, via: Any, converted: Any) -> None:
    sim, zoho = org
    where = {True: "Converted__s = 1", False: "Converted__s = 0", "both": "1"}[converted]
    found = zoho.pull("Leads", fields=["Converted__s"], via=via, converted=converted)
    assert set(found["id"]) == set(ids(sim, where=where))
    assert len(found) > 0
    assert any("Converted records" in text for text in found.attrs["warnings"]) == (converted is False)


@pytest.mark.parametrize("via", ["coql", "bulk"])
def test_a_filter_that_says_it_itself_is_not_contradicted(org: World, via: Any) -> None:
    sim, zoho = org
    found = zoho.pull("Leads", fields=["Company"], where="Converted__s = true", via=via)
    assert set(found["id"]) == set(ids(sim, where="Converted__s = 1")) != set()
    assert found.attrs["warnings"] == []


@pytest.mark.parametrize("via", ROUTES)
@pytest.mark.parametrize(
    "say",
    [
        lambda when: when,
        lambda when: when.isoformat(),
        lambda when: when.astimezone(timezone(timedelta(hours=5.5))),
        lambda when: when.astimezone().replace(tzinfo=None),
    ],
)
def test_since_is_inclusive_and_takes_any_moment(org: World, via: Any, say: Any) -> None:
    sim, zoho = org
    times = sorted(moment for (moment,) in sim.crm.store.read("SELECT Modified_Time FROM Leads WHERE Converted__s = 0"))
    since = datetime.fromtimestamp(times[-40], timezone.utc)
    found = zoho.pull("Leads", fields=["Modified_Time"], since=say(since), via=via)
    assert set(found["id"]) == set(ids(sim, where=f"Converted__s = 0 AND Modified_Time >= {times[-40]}"))
    assert len(found) >= 40


def test_since_a_day(org: World) -> None:
    _, zoho = org
    begin = datetime(2026, 5, 1).astimezone()
    for since in (date(2026, 5, 1), "2026-05-01"):
        found = zoho.pull("Leads", fields=["Modified_Time"], since=since)
        assert (found["Modified_Time"] >= begin).all()
        assert len(found) > 0


@pytest.mark.parametrize("via", ROUTES)
@pytest.mark.parametrize("status", [204, 304])
def test_nothing_new(org: World, via: Any, status: int) -> None:
    sim, zoho = org
    sim.options.not_modified_status = status
    found = zoho.pull("Leads", fields=["Company", "Lead_Score"], since="2100-01-01", via=via)
    assert len(found) == 0
    assert [str(kind) for kind in found.dtypes] == [TEXT, TEXT, "Int64"]


# What it costs


@pytest.mark.parametrize(
    ("ask", "calls"),
    [
        ({"limit": 1, "fields": ["Company"]}, {LISTS: 1}),
        ({"limit": 200, "fields": ["Company"]}, {LISTS: 1}),
        ({"limit": 201, "fields": ["Company"]}, {QUERIES: 1}),
        ({"limit": 10}, {QUERIES: 1}),
        ({"limit": 10, "where": "Lead_Score > 5"}, {QUERIES: 1}),
        ({"limit": 10, "order_by": "Company", "fields": ["Company", "City"]}, {QUERIES: 1}),
        ({"limit": 1, "via": "records"}, {LISTS: 2}),  # 69 fields take two calls
        ({"limit": 399, "via": "records", "fields": ["Company"]}, {LISTS: 2}),
        ({"limit": 2000, "via": "coql"}, {QUERIES: 1}),
        (
            {"fields": ["Company"], "via": "records"},
            {QUERIES: 1, LISTS: 4},
        ),  # a count, three pages, one looked at again
        ({"via": "coql"}, {QUERIES: 2}),
        ({}, {QUERIES: 2}),
        ({"via": "bulk"}, {QUERIES: 1, JOBS: 3}),
    ],
)
def test_no_more_calls_than_needed(org: World, ask: dict[str, Any], calls: dict[str, int]) -> None:
    sim, zoho = org
    found = zoho.pull("Leads", **ask)
    assert {path: sim.traffic.count(path=path) for path in calls} == calls
    assert len(sim.traffic.calls) == sum(calls.values()) == found.attrs["calls"]


def test_a_limit_of_two_windows_needs_two_calls(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = org
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_ROWS_PER_CALL", 100)
    by_id, in_order = {100: 1, 101: 2, 200: 2, 300: 1 + 4, 550: 1 + 6}, {100: 1, 101: 2, 199: 2, 300: 1 + 4}
    for order, expected in ((None, by_id), ("Company", in_order)):
        for limit, calls in expected.items():  # from three windows on they are counted first, and overlap by one row
            sim.traffic.clear()
            assert len(zoho.pull("Leads", fields=["Company"], limit=limit, order_by=order, via="coql")) == limit
            assert asked(sim) == calls, (limit, order)


def test_a_count_that_is_wrong_costs_calls_and_no_rows(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, _ = org
    known = ids(sim, where="Converted__s = 0")
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_ROWS_PER_CALL", 100)
    for told in (0, 1, 150, 5000):
        body = {"data": [{"COUNT(id)": told}], "info": {"count": 1, "more_records": False}}
        for via in ("coql", "records"):
            zoho = connect(sim)  # without memory of a count it asks for one before the rows
            sim.faults.add(Fault(path=QUERIES, status=200, body=body))
            assert list(zoho.pull("Leads", fields=["Company"], via=via)["id"]) == known  # type: ignore[call-overload]


def test_a_plan_spends_one_count_at_most(org: World) -> None:
    sim, zoho = org
    assert zoho.plan("Leads", limit=10).credits == 1
    assert sim.traffic.calls == []
    shown = zoho.plan("Leads")
    assert [(call.path, call.credits) for call in sim.traffic.calls] == [(QUERIES, 1)]
    assert (shown.api, shown.rows, shown.calls, shown.credits) == (
        "coql",
        len(ids(sim, where="Converted__s = 0")),
        1,
        2,
    )
    assert f"about {shown.rows}" in str(shown)


def test_a_plan_keeps_its_word(org: World) -> None:
    sim, zoho = org
    for via in ("coql", "records"):
        for fields in (["Company"], None):
            told = zoho.plan("Leads", via=via, fields=fields)  # type: ignore[arg-type]
            sim.traffic.clear()
            zoho.pull("Leads", via=via, fields=fields)  # type: ignore[call-overload]
            spent = sum(call.credits for call in sim.traffic.calls)
            assert (told.calls, told.credits) == (len(sim.traffic.calls) - 1, spent - 1)


# Which route


def _reading(zoho: ZohoSession, **asked_for: Any) -> Any:
    from zoho_magic.crm.read.pull import build_record_query

    return build_record_query(zoho.metadata, asked_for.pop("module", "Deals"), **asked_for)[0]


@pytest.mark.parametrize(
    ("ask", "rows", "allowed", "route", "calls", "credits"),
    [
        ({"fields": ["Amount"]}, 200, "records coql bulk", "records", 1, 1),
        ({"fields": ["Amount"]}, 201, "records coql bulk", "coql", 1, 2),
        ({}, 33_000, "records coql bulk", "coql", 17, 51),
        ({}, 33_001, "records coql bulk", "coql", 17, 51),
        ({}, 1_000_000, "records coql bulk", "bulk", 25, 250),
        ({"limit": 40_000}, 1_000_000, "records coql bulk", "coql", 21, 61),
        ({"limit": 100_000}, 3_000_000, "records coql bulk", "coql", 51, 151),
        ({"limit": 190_000}, 200_000, "records coql bulk", "bulk", 5, 50),
        ({}, 10**9, "records coql bulk", "bulk", 25_000, 250_000),
        ({"limit": 50}, 1_000_000, "records coql bulk", "records", 1, 1),
        ({"limit": 2000}, None, "records coql bulk", "coql", 1, 3),
        ({"where": "Amount > 5"}, 100, "records coql bulk", "coql", 1, 1),
        ({"where": "Amount > 5"}, 90_000, "records coql bulk", "coql", 46, 136),  # amounts are in several currencies
        ({"where": "Stage = 'x'"}, 100_001, "records coql bulk", "bulk", 5, 50),
        ({"where": "Account_Name.Industry = 'x'"}, 90_000, "records coql bulk", "coql", 46, 136),
        ({"order_by": "Amount"}, 90_000, "records coql bulk", "coql", 46, 136),
        ({"module": "Tasks"}, 100_001, "records coql bulk", "coql", 52, 152),  # bulk read has no names for What_Id
        ({"module": "Tasks", "fields": ["Subject"]}, 100_001, "records coql bulk", "bulk", 5, 50),
        ({}, 90_000, "records coql", "coql", 46, 136),
        ({}, 90_000, "records", "records", 451, 451),
        ({}, 500, "records bulk", "records", 4, 4),
        ({"where": "Stage = 'x'"}, 500, "records bulk", "bulk", 5, 50),
        ({}, None, "records", "records", None, None),
        ({}, 300_000, "records coql", "coql", 153, 453),
    ],
)  # fmt: skip
def test_the_planner(
    org: World, ask: Any, rows: int | None, allowed: str, route: str, calls: Any, credits: Any
) -> None:
    found = planner.plan(_reading(org[1], **ask), "auto", allowed.split(), rows, 10)
    assert (found.api, found.calls, found.credits) == (route, calls, credits)
    best = planner.plan(_reading(org[1], **ask), "auto", tuple(ROUTES), rows, 10).api
    assert any(f"it would use {best}" in note for note in found.notes) == (route != best)
    assert (found.seconds is None) == (calls is None)


def test_the_planner_minds_the_credits_left(org: World) -> None:
    _, zoho = org
    assert planner.plan(_reading(zoho), "auto", tuple(ROUTES), 40_000, 10, None).notes == ()
    tight = planner.plan(_reading(zoho), "auto", tuple(ROUTES), 40_000, 10, 49)
    assert tight.api == "coql"
    assert tight.notes == ("It needs about 61 API credits, and 49 are left today.",)
    assert planner.plan(_reading(zoho), "auto", tuple(ROUTES), 40_000, 10, 55).api == "bulk"
    shown = str(planner.plan(_reading(zoho), "auto", tuple(ROUTES), 40_000, 10))
    assert "With bulk:    5 calls, 50 API credits, 5 s to 5 min" in shown
    assert "With records: " in shown
    short = planner.plan(_reading(zoho, limit=3000), "auto", tuple(ROUTES), None, 10)
    assert short.details["Rows"] == "at most 3,000"
    reading = _reading(zoho, fields=["Amount"])
    saving = planner.plan(reading, "auto", tuple(ROUTES), 20_000, 10, 29)
    assert (saving.api, saving.credits) == ("coql", 31)
    assert "29 are left" in saving.notes[0]
    cheaper = planner.plan(_reading(zoho, module="Tasks"), "auto", tuple(ROUTES), 90_000, 10, 100)
    assert (cheaper.api, cheaper.credits, cheaper.notes) == ("bulk", 50, ())
    assert cheaper.reason == "coql would need more than the 100 API credits left today"


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ({"via": "route"}, "Unknown value for `via`: 'route'"),
        ({"via": "records", "where": "Amount > 5"}, "neither `where` nor `order_by`"),
        ({"via": "records", "order_by": "Amount"}, "neither `where` nor `order_by`"),
        ({"via": "bulk", "order_by": "Amount"}, "Bulk read does not support `order_by`"),
        ({"via": "bulk", "where": "Amount > 5"}, "compares Amount in the home currency"),
        ({"via": "bulk", "where": "Account_Name.Industry = 'x'"}, "cannot say \"Account_Name.Industry = 'x'\""),
        ({"via": "bulk", "where": "Deal_Name like 'a%b'"}, "cannot say \"Deal_Name like 'a%b'\""),
        ({"via": "bulk", "where": "Deal_Name not like 'a%'"}, "cannot say \"Deal_Name not like 'a%'\""),
        ({"via": "bulk", "where": "Account_Name in (select id from Accounts)"}, "cannot say"),
        ({"via": "bulk", "where": "not (Stage = 'x' and Stage = 'y')"}, "cannot say"),
        ({"via": "bulk", "where": "Stge = Closed"}, "no field 'Stge'"),
        ({"via": "bulk", "where": "Stage = $stage"}, "not bound"),
    ],
)
def test_what_a_route_cannot_do_is_told_before_it_costs(org: World, ask: Any, told: str) -> None:
    sim, zoho = org
    with pytest.raises(QueryError) as caught:
        zoho.pull("Deals", **ask)
    assert told in str(caught.value.args[0])
    assert sim.traffic.count(path=JOBS) + sim.traffic.count(path="/crm/v8/Deals") == 0


def test_scopes_that_are_missing_leave_the_other_routes(org: World) -> None:
    sim, _ = org
    known = ids(sim, where="Converted__s = 0")
    for more, route, hint in [
        ("", "records", "ZohoCRM.coql.READ"), (",ZohoSearch.securesearch.READ", "records", "ZohoCRM.coql.READ"),
        (",ZohoCRM.bulk.READ", "bulk", "ZohoCRM.coql.READ"), (",ZohoCRM.coql.READ", "coql", ""),
    ]:  # fmt: skip
        zoho = connect(sim, READ_ALL + more)
        found = zoho.pull("Leads", fields=["Company"])
        assert (found.attrs["api"], list(found["id"])) == (route, known)
        assert any(hint in text for text in found.attrs["warnings"]) if hint else True
        zoho.close()


def test_nobody_may_be_named(org: World) -> None:
    sim, _ = org
    zoho = connect(sim, READ_ALL.replace("ZohoCRM.users.READ", "ZohoCRM.coql.READ"))
    found = zoho.pull("Deals", fields=["Owner"], via="coql")
    assert "ZohoCRM.users.READ" in found.attrs["warnings"][-1]
    assert found["Owner.id"].notna().all()
    zoho.close()


def test_a_route_that_is_asked_for_and_closed_names_the_scope(org: World) -> None:
    sim, _ = org
    zoho = connect(sim, READ_ALL)
    for via, scope in (("coql", "ZohoCRM.coql.READ"), ("bulk", "ZohoCRM.bulk.READ")):
        with pytest.raises(AuthError) as caught:
            zoho.pull("Leads", via=via)  # type: ignore[call-overload]
        assert scope in caught.value.hint
    zoho.close()


@pytest.mark.parametrize("code", ["FIELD_IN_CRITERIA_NOT_SUPPORTED", "MODULE_NOT_SUPPORTED"])
def test_a_route_that_turns_out_closed_is_left(org: World, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    sim, zoho = org
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_MAX_OFFSET", 10)
    body = {"code": code, "details": {}, "message": "no", "status": "error"}
    sim.faults.add(Fault(path=JOBS, method="POST", status=400, body=body, times=9))
    found = zoho.pull("Leads", fields=["Company"], where="Company != 'x'")
    assert found.attrs["api"] == "coql"
    assert any(code in warning for warning in found.attrs["warnings"])
    assert len(found) > 500
    with pytest.raises((QueryError, ApiError)) as caught:
        zoho.pull("Leads", fields=["Company"], where="Company != 'x'", via="bulk")
    assert caught.value.code == code


def test_amounts_are_compared_as_coql_does(org: World) -> None:
    sim, zoho = org
    found = zoho.pull("Deals", fields=["Amount"], where="Amount > 50000")
    assert found.attrs["api"] == "coql"
    assert set(found["id"]) == {row["id"] for row in sim.crm.rows("Deals") if (row["Amount"] or 0) > 50000}


# What is refused beforehand


@pytest.mark.parametrize(
    ("module", "ask", "told"),
    [
        ("Leadz", {}, "no module 'Leadz'. Did you mean Leads?"),
        ("leads", {}, "no module 'leads'. Did you mean Leads?"),
        ("Home", {}, "no module 'Home'."),
        ("Leads", {"fields": ["Last Name"]}, "no field 'Last Name'. Did you mean Last_Name?"),
        ("Leads", {"fields": ["Title"]}, "no field 'Title'. Did you mean Designation?"),
        ("Leads", {"fields": ["Company", "Xyzzy"]}, "no field 'Xyzzy'."),
        ("Leads", {"where": "Compny = 'x'"}, "no field 'Compny'. Did you mean Company?"),
        ("Leads", {"where": "Referred_By.Titel = 'x'"}, "Contacts has no field 'Titel'. Did you mean Title?"),
        ("Leads", {"where": "Company = 'x' and"}, "is not a COQL condition"),
        ("Leads", {"where": "Company = 'x' order by id"}, "is not a COQL condition"),
        ("Leads", {"where": "Company = 'x"}, "is not a COQL condition"),
        ("Leads", {"order_by": "Compny"}, "no field 'Compny'. Did you mean Company?"),
        ("Leads", {"order_by": "Company down"}, "Unexpected 'down' at line 1, column 9"),
        ("Leads", {"limit": 0}, "whole number from 1"),
        ("Leads", {"limit": -5}, "whole number from 1"),
        ("Leads", {"since": pd.NaT}, "since=NaT is not a date"),
        ("Leads", {"since": np.datetime64("NaT", "s")}, "is not a date"),
        ("Leads", {"since": ""}, "since='' is not a date"),
        ("Leads", {"since": 5}, "since=5 is not a date"),
        ("Leads", {"since": float("nan")}, "since=nan is not a date"),
        ("Leads", {"since": "2026-02-30"}, "since='2026-02-30' is not a date"),
        ("Leads", {"since": "yesterday"}, "since='yesterday' is not a date"),
        ("Leads", {"converted": "some"}, "true, false or both"),
        ("Deals", {"converted": True}, "Deals has no converted records"),
    ],
)
def test_mistakes_cost_nothing_and_name_the_nearest(org: World, module: str, ask: Any, told: str) -> None:
    sim, zoho = org
    zoho.metadata.fields("Contacts")
    for method in (zoho.pull, zoho.plan):
        sim.traffic.clear()
        with pytest.raises(QueryError) as caught:
            method(module, **ask)
        assert told in str(caught.value.args[0])
        assert "\n" not in str(caught.value.args[0])
        assert caught.value.hint
        # Before an unknown name is refused, metadata is asked for again: once, and nothing else is.
        assert [call.path.startswith(META) for call in sim.traffic.calls] == [True] * _is_about_a_name(told)


def _is_about_a_name(told: str) -> bool:
    return "no module" in told or "no field" in told


def test_modules_with_counts(org: World) -> None:
    sim, zoho = org
    counted = zoho.modules(count=True)
    converted = len(ids(sim, "Leads", "Converted__s = 1"))
    assert counted.attrs["warnings"] == [
        f"{converted} converted Leads are not counted; pull('Leads', converted='both') reads them too."
    ]
    found = counted.set_index("module")["records"]
    for name, rows in found.items():
        where = "Converted__s = 0" if name == "Leads" else "1"
        assert rows == len(ids(sim, str(name), where))
    assert found.dtype == "Int64"
    assert "Home" not in found.index


def test_fields_are_described(org: World) -> None:
    _, zoho = org
    found = zoho.fields("Deals").set_index("field")
    assert found.index[0] == "id"
    assert found.loc["Owner", "columns"] == ", ".join(f"{name} {TEXT}" for name in ("Owner", "Owner.id", "Owner.email"))
    assert found.loc["Expected_Revenue", "type"] == "currency"
    assert "Closed Won" in found.loc["Stage", "choices"]
    assert found.loc["Account_Name", "target"] == "Accounts"
    with pytest.raises(QueryError, match="Did you mean Deals"):
        zoho.fields("Deal")


def test_metadata_is_asked_once_and_again_on_demand(org: World) -> None:
    sim, zoho = org
    zoho.pull("Deals", limit=1), zoho.fields("Deals"), zoho.modules(), zoho.coql("select Amount from Deals limit 1")
    assert sim.traffic.count(path=META) == 0
    zoho.fields("Deals", refresh=True)
    zoho.modules()
    assert sim.traffic.count(path=META) == 2


def test_an_order_of_ones_own_beyond_the_offsets_is_refused_after_the_count(
    org: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, zoho = org
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_MAX_OFFSET", 300)
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_ROWS_PER_CALL", 100)
    with pytest.raises(QueryError, match="at most 300 rows"):
        zoho.pull("Leads", fields=["Company"], order_by="Company")
    assert asked(sim) == 1
    assert zoho.plan("Leads", order_by="Company", limit=200).rows == 200


def test_a_module_zoho_tells_nothing_about(org: World) -> None:
    sim, _ = org
    zoho = connect(sim)
    sim.faults.add(Fault(path="/crm/v8/settings/fields", status=204, body=b""))
    assert list(zoho.fields("Tasks")["field"]) == ["id"]
    assert len(zoho.fields("Tasks")) > 1  # an answer without fields is not kept
    sim.faults.add(Fault(path="/crm/v8/settings/fields", status=204, body=b"", times=5))
    with pytest.raises(QueryError, match="Zoho describes no fields of Calls"):
        zoho.pull("Calls")
    for via in ("records", "coql"):
        named = zoho.pull("Calls", fields=["Subject"], via=via)  # type: ignore[call-overload]
        assert named["Subject"].notna().any()
    zoho.close()


def test_a_field_that_was_renamed_meanwhile_is_found(org: World) -> None:
    sim, zoho = org
    zoho.pull("Calls", limit=1)
    answer = zoho.request("GET", "/crm/v8/settings/fields", params={"module": "Calls"}).json()
    for field in answer["fields"]:
        field["api_name"] = {"Subject": "New_Subject"}.get(field["api_name"], field["api_name"])
    sim.faults.add(Fault(path="/crm/v8/settings/fields", status=200, body=answer))
    assert [field.name for field in zoho.metadata.get_fields("Calls", ["New_Subject"])] == ["New_Subject"]
    zoho.metadata.refresh()


def test_two_pulls_at_once_are_the_same_as_one_after_the_other(org: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    sim, _ = org
    zoho = connect(sim)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda via: zoho.pull("Leads", fields=["Company", "Owner"], via=via), ROUTES * 3))
    for other in found[1:]:
        same(found[0], other) if other.attrs["api"] != "bulk" else None
        assert list(other["id"]) == list(found[0]["id"])
    assert sim.traffic.count(path="/oauth/v2/token") == 1
    zoho.close()


def test_since_where_nothing_tells_when(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, zoho = org
    known = {name: field for name, field in zoho.metadata.fields("Deals").items() if name != "Modified_Time"}
    monkeypatch.setattr(zoho.metadata, "fields", lambda _: known)
    with pytest.raises(QueryError, match="does not tell when"):
        zoho.pull("Deals", since="2026-01-01")


def test_writes_between_pulls_are_seen(org: World) -> None:
    sim, zoho = org
    before = zoho.pull("Leads", fields=["Company"], via="coql")
    put(sim, "Leads", [{"id": 6 * 10**18, "Company": "New", "Converted__s": 0}], replace=False)
    after = zoho.pull("Leads", fields=["Company"], via="coql")
    sim.crm.store.write("DELETE FROM Leads WHERE id = ?", (6 * 10**18,))
    assert list(after["id"]) == [str(6 * 10**18), *before["id"]]


@pytest.mark.parametrize(
    ("query", "rows", "calls", "credits"),
    [
        ("select Company from Leads", "every", 1, 2),
        ("select Company from Leads limit 5", 5, 1, 1),
        ("select COUNT(id) from Leads", 1, 1, 1),
        ("select Lead_Status, COUNT(id) from Leads group by Lead_Status", None, None, None),
        ("select Deal_Name from Deals where Account_Name in (select id from Accounts) limit 9", 9, 2, 2),
    ],
)
def test_a_query_is_explained_for_one_count_at_most(
    org: World, query: str, rows: Any, calls: Any, credits: Any
) -> None:
    sim, zoho = org
    for module in ("Accounts", "Deals", "Leads"):
        zoho.metadata.fields(module)
    sim.traffic.clear()
    found = zoho.coql(query, explain=True)
    assert len(sim.traffic.calls) <= 1
    rows = len(ids(sim, where="Converted__s = 0")) if rows == "every" else rows
    assert (found.api, found.rows, found.calls, found.credits) == ("coql", rows, calls, credits)
    if "Leads" in query:
        assert "Converted Leads are not included" in str(found)
    if rows is not None:
        spent = zoho.coql(query).attrs
        assert (spent["calls"], spent["credits"]) >= (calls, credits)


def test_a_count_costs_one_credit(org: World) -> None:
    assert org[1].coql("select COUNT(id) from Leads").attrs["credits"] == 1


def test_refused_columns_are_found_with_one_window_and_asked_for_once(
    org: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, zoho = org
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_ROWS_PER_CALL", 100)
    zoho.metadata.refresh()
    refused = ("Company", "City", "Website", "Fax", "Street")
    for name in refused:
        body = {"code": "INVALID_QUERY", "details": {"column_name": name}, "message": "unsupported column"}
        sim.faults.add(Fault(path=QUERIES, method="POST", status=400, body=body, after=1 if name == "Company" else 0))
    fields = ["Last_Name", *refused]
    rows = len(ids(sim, where="Converted__s = 0"))
    first = zoho.pull("Leads", fields=fields, via="coql")
    assert (len(first), first["Company"].notna().any()) == (rows, True)
    assert asked(sim) <= 1 + len(refused) + -(-rows // 99)  # a count, five refusals, and windows
    sim.traffic.clear()
    again = zoho.pull("Leads", fields=fields, via="coql")
    assert asked(sim) <= 1 + -(-rows // 99)
    assert list(again["Company"].dropna()) == list(first["Company"].dropna())
    zoho.metadata.refresh()


@pytest.mark.parametrize("module", ["Projects", "Leads"])
def test_without_coql_and_a_count_one_page_of_records_decides(org: World, module: str) -> None:
    sim, _ = org
    zoho = connect(sim, f"{READ_ALL},ZohoCRM.bulk.READ")
    zoho.metadata.fields(module)
    sim.traffic.clear()
    plan = zoho.plan(module, fields=["Created_Time"])
    small = len(ids(sim, module)) <= 200
    assert (plan.api, plan.rows is not None) == ("records" if small else "bulk", small)
    assert sum(call.path == f"/crm/v8/{module}" for call in sim.traffic.calls) == 1
    zoho.close()
