"""The simulator's COQL, over real HTTP: its grammar, its limits, its errors, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=2600, seed=11) as running:
        yield running


def test_rows_with_lookups_and_dotted_keys(sim: Simulator, zoho: Client) -> None:
    query = "select Last_Name, Account_Name, Account_Name.Industry, Owner, Owner.last_name, Owner.profile.name"
    rows = zoho.rows(f"{query} from Contacts where Account_Name is not null limit 3")
    assert [list(row) for row in rows] == [
        ["Last_Name", "Account_Name", "Account_Name.Industry", "Owner", "Owner.last_name", "Owner.profile.name", "id"]
    ] * 3
    accounts = {row["id"]: row for row in sim.crm.rows("Accounts")}
    for row in rows:
        account = accounts[row["Account_Name"]["id"]]
        assert row["Account_Name"] == {"name": account["Account_Name"], "id": account["id"]}
        assert row["Account_Name.Industry"] == account["Industry"]
        assert row["Owner"] == {"name": row["Owner.last_name"], "id": row["Owner"]["id"]}


def test_offset_pages_cover_every_row_once(sim: Simulator, zoho: Client) -> None:
    [(visible,)] = sim.crm.store.read("SELECT count(*) FROM Leads WHERE NOT Converted__s")
    seen = []
    for offset in range(0, 4000, 1000):
        answer = zoho.coql(f"select Email from Leads where id is not null order by id limit {offset}, 1000")
        if answer.status_code == 204:
            break
        body = answer.json()
        assert body["info"] == {"count": len(body["data"]), "more_records": len(seen) + 1000 < visible}
        seen += [row["id"] for row in body["data"]]
    assert len(set(seen)) == len(seen) == visible
    last = zoho.coql(f"select id from Leads where id is not null limit 1000 offset {visible - 1000}").json()
    assert last["info"] == {"count": 1000, "more_records": False}


def test_default_limit_and_order(zoho: Client) -> None:
    rows = zoho.rows("select Email from Leads where id is not null")
    assert len(rows) == 200
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    last = rows[-1]["id"]
    more = zoho.rows(f"select id from Leads where id > '{last}' order by id asc limit 5")  # keyset
    assert [row["id"] for row in more] == [
        row["id"] for row in zoho.rows("select id from Leads where id is not null limit 5 offset 200")
    ]


@pytest.mark.parametrize(("limit", "credits"), [(1, 1), (200, 1), (201, 2), (1000, 2), (1001, 3), (2000, 3)])
def test_credits(zoho: Client, limit: int, credits: int) -> None:
    zoho.rows(f"select id from Leads where id is not null limit {limit}")
    assert zoho.sim.traffic.calls[-1].credits == credits


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ("Lead_Score >= 90", lambda row: row["Lead_Score"] >= 90),
        ("Lead_Score between 10 and 12", lambda row: 10 <= row["Lead_Score"] <= 12),
        ("Lead_Score not between '10' and 90", lambda row: not 10 <= row["Lead_Score"] <= 90),
        ("Lead_Source in ('Partner', 'Chat')", lambda row: row["Lead_Source"] in ("Partner", "Chat")),
        ("Rating is null", lambda row: row["Rating"] is None),
        ("Company like 'bright%'", lambda row: row["Company"].lower().startswith("bright")),
        ("Company like '%GmbH'", lambda row: row["Company"].endswith("GmbH")),
        ("Company not like '%o%'", lambda row: "o" not in row["Company"].lower()),
        ("Email_Opt_Out = true", lambda row: row["Email_Opt_Out"]),
        ("Is_Hot = 'false'", lambda row: not row["Is_Hot"]),
        ("Date_of_Birth < '1970-01-01'", lambda row: row["Date_of_Birth"] and row["Date_of_Birth"] < "1970-01-01"),
        (
            "Created_Time >= '2026-03-01T00:00:00+05:30'",
            lambda row: (
                datetime.fromisoformat(row["Created_Time"]) >= datetime.fromisoformat("2026-03-01T00:00:00+05:30")
            ),
        ),
        ("Owner = '554023000000237011'", lambda row: row["Owner"]["id"] == "554023000000237011"),
        ("Owner.last_name = 'Boyle'", lambda row: row["Owner"]["name"].endswith("Boyle")),
        (
            "((Lead_Score > 50 and Lead_Score < 60) or Rating = 'Active')",
            lambda row: 50 < row["Lead_Score"] < 60 or row["Rating"] == "Active",
        ),
        ("Referred_By.Last_Name is not null", lambda row: row["Referred_By"]),
    ],
)
def test_operators(sim: Simulator, zoho: Client, where: str, fits: object) -> None:
    expected = {row["id"] for row in sim.crm.rows("Leads") if not row["Converted__s"] and fits(row)}
    found = zoho.rows(f"select id from Leads where {where} limit 2000")
    assert {row["id"] for row in found} == expected
    assert 0 < len(expected) < 2000


def test_several_values_are_joined_by_semicolons(sim: Simulator, zoho: Client) -> None:
    leads = [row for row in sim.crm.rows("Leads") if not row["Converted__s"]]
    value = next(row["Products_Interested"] for row in leads if len(row["Products_Interested"] or "") == 2)
    found = zoho.rows(f"select id from Leads where Products_Interested = '{';'.join(value)}' limit 2000")
    assert {row["id"] for row in found} == {row["id"] for row in leads if row["Products_Interested"] == value}


def test_ordering_by_a_lookups_field(zoho: Client) -> None:
    query = "select Owner.last_name, Owner from Deals where id is not null order by Owner.first_name desc, Amount asc"
    names = [row["Owner"]["id"] for row in zoho.rows(f"{query} limit 2000")]
    assert names[0] == "554023000000241031"  # さくら
    amounts = [row["Amount"] or 0 for row in zoho.rows(query.replace("Owner.last_name, Owner", "Amount"))]
    assert amounts[:20] == sorted(amounts[:20])


def test_quotes_are_doubled_and_percent_inside_is_literal(zoho: Client) -> None:
    [row] = zoho.rows("select Last_Name from Leads where Last_Name = 'O''Brien \"Obi\"'")
    assert row["Last_Name"] == 'O\'Brien "Obi"'
    assert zoho.coql("select id from Leads where Last_Name like 'O_Brien%'").status_code == 204


def test_case_of_text_is_an_option(zoho: Client, options: Options) -> None:
    query = "select id from Leads where Lead_Source = 'PARTNER' limit 1"
    assert zoho.coql(query).status_code == 200
    options.ignore_case = False
    assert zoho.coql(query).status_code == 204
    assert zoho.coql("select id from Leads where Company like 'BRIGHT%'").status_code == 204
    assert zoho.coql("select id from Leads where Company like 'Bright%'").status_code == 200


def test_aggregates_and_groups(sim: Simulator, zoho: Client) -> None:
    query = "select Stage, COUNT(id), SUM(Amount) as total, MAX(Closing_Date) from Deals where Amount is not null"
    rows = zoho.rows(f"{query} group by Stage order by total desc")
    assert [set(row) for row in rows] == [{"Stage", "COUNT(id)", "total", "MAX(Closing_Date)"}] * len(rows)
    totals: dict[str, float] = {}
    for deal in sim.crm.rows("Deals"):
        if deal["Amount"] is not None:
            totals[deal["Stage"]] = totals.get(deal["Stage"], 0) + deal["Amount"]
    assert [(row["Stage"], row["total"]) for row in rows] == [
        (stage, pytest.approx(total)) for stage, total in sorted(totals.items(), key=lambda each: -each[1])
    ]
    assert zoho.rows("select COUNT(id) from Leads where Last_Name = 'nobody at all'") == [{"COUNT(id)": 0}]


def test_what_id_joins_and_subforms_and_explicit_joins(zoho: Client) -> None:
    rows = zoho.rows("select 'What_Id->Deals.Stage', What_Id from Tasks where 'What_Id->Deals.Stage' = 'Closed Won'")
    assert rows
    assert {row["What_Id->Deals.Stage"] for row in rows} == {"Closed Won"}
    dotted = zoho.rows("select Item, Parent_Id.Name from Project_Lines where Parent_Id.Budget > 20000 limit 50")
    joined = zoho.rows(
        "select l.Item, p.Name from Project_Lines as l left join Projects as p on l.Parent_Id = p.id "
        "where p.Budget > 20000 limit 50"
    )
    assert [(row["Item"], row["Parent_Id.Name"]) for row in dotted] == [
        (row["l.Item"], row["p.Name"]) for row in joined
    ]


def test_subqueries_and_custom_views(sim: Simulator, zoho: Client) -> None:
    inner = "select id from Accounts where Industry = 'Retail'"
    query = f"select Account_Name.Industry from Deals where Account_Name in ({inner})"
    rows = zoho.rows(f"{query} limit 2000")
    assert {row["Account_Name.Industry"] for row in rows} == {"Retail"}
    cvid = sim.crm.schema["Deals"].id + 50_003
    open_deals = zoho.rows(f"select Stage from Deals#{cvid} where id is not null limit 2000")
    assert open_deals
    assert not [row for row in open_deals if row["Stage"].startswith("Closed")]
    assert error(zoho.coql("select id from Deals#1 where id is not null"))[1] == "INVALID_DATA"


def test_converted_leads(zoho: Client, options: Options) -> None:
    count = "select COUNT(id) from Leads where {}"
    hidden = zoho.rows(count.format("id is not null"))[0]["COUNT(id)"]
    converted = zoho.rows(count.format("Converted__s = true"))[0]["COUNT(id)"]
    options.coql_shows_converted = True
    assert zoho.rows(count.format("id is not null"))[0]["COUNT(id)"] == hidden + converted == 2600


def test_include_meta(sim: Simulator, zoho: Client) -> None:
    body = zoho.coql(
        "select Amount, Owner.email from Deals where id is not null limit 1", include_meta=["fields"]
    ).json()
    assert {key: meta["data_type"] for key, meta in body["fields"].items()} == {
        "Amount": "currency",
        "Owner.email": "text",
    }
    with Client(sim, "ZohoCRM.coql.READ,ZohoCRM.modules.ALL") as other:
        query = "select Amount from Deals where id is not null"
        assert error(other.coql(query, include_meta=["fields"]))[1] == "OAUTH_SCOPE_MISMATCH"
        assert other.coql(query).status_code == 200


def test_scopes(sim: Simulator) -> None:
    query = "select id from Deals where id is not null"
    for scopes, status in (("ZohoCRM.modules.ALL", 401), ("ZohoCRM.coql.READ", 401),
                           ("ZohoCRM.coql.READ,ZohoCRM.modules.deals.READ", 200)):  # fmt: skip
        with Client(sim, scopes) as zoho:
            assert zoho.coql(query).status_code == status


def test_owner_names_are_an_option(zoho: Client, options: Options) -> None:
    query = "select Owner from Deals where Owner = '554023000000235001' limit 1"
    shown = []
    for options.coql_owner_name in ("last", "full", "none"):
        shown.append(zoho.rows(query)[0]["Owner"].get("name"))
    assert shown == ["Boyle", "Patricia Boyle", None]


ERRORS = [
    ("select Last_Name from Leads", "SYNTAX_ERROR", {"clause": "where"}),
    ("select Last_Name where id is not null", "SYNTAX_ERROR", {"clause": "from"}),
    ("select Last_Name, from Leads where id is not null", "SYNTAX_ERROR", {"line": 1, "column": 19, "near": "from"}),
    ("select * from Leads where id is not null", "SYNTAX_ERROR", {"line": 1, "column": 8, "near": "*"}),
    (
        "select id from Leads where id is not null and Email is null\nand Phone is null",
        "SYNTAX_ERROR",
        {"line": 2, "column": 1, "near": "and"},
    ),
    ("select id from Leads where Email not = 'x'", "SYNTAX_ERROR", {"operator": "not"}),
    ("select id from Leads where Email = 'x", "SYNTAX_ERROR", {"line": 1, "column": 36, "near": "'"}),
    ("select id from Nope where id is not null", "INVALID_MODULE", {}),
    ("select id from Home where id is not null", "INVALID_MODULE", {}),
    ("select Last_Nam from Leads where id is not null", "INVALID_QUERY", {"column_name": "Last_Nam"}),
    ("select Site_Plans from Leads where id is not null", "INVALID_QUERY", {"column_name": "Site_Plans"}),
    ("select Line_Items from Projects where id is not null", "INVALID_QUERY", {"column_name": "Line_Items"}),
    ("select Last_Name from Leads where Owner.nope = 'x'", "INVALID_QUERY", {"column_name": "Owner.nope"}),
    (
        "select id from Leads where First_Name > 'a'",
        "INVALID_QUERY",
        {"column_name": "First_Name", "operator": ">", "reason": "invalid operator found"},
    ),
    (
        "select id from Leads where Referred_By like 'a%'",
        "INVALID_QUERY",
        {"column_name": "Referred_By", "operator": "like", "reason": "invalid operator found"},
    ),
    (
        "select id from Leads where Lead_Score = 'x'",
        "INVALID_QUERY",
        {"column_name": "Lead_Score", "expected_data_type": "integer"},
    ),
    (
        "select id from Leads where Created_Time > '2026-01-01'",
        "INVALID_QUERY",
        {"column_name": "Created_Time", "expected_data_type": "datetime"},
    ),
    (
        "select id from Leads where Last_Audit > '2026-13-01'",
        "INVALID_QUERY",
        {"column_name": "Last_Audit", "expected_data_type": "date"},
    ),
    ("select id from Leads where id is not null limit s", "INVALID_QUERY", {"limit": "s"}),
    ("select id from Leads where id is not null limit 0", "INVALID_DATA", {}),
    ("select id from Leads where id is not null limit 2001", "LIMIT_EXCEEDED", {"clause": "limit", "limit": 2000}),
    (
        "select id from Leads where id is not null limit 2000 offset 98001",
        "LIMIT_EXCEEDED",
        {"clause": "offset", "limit": 100000},
    ),
    ("select Last_Name, Last_Name from Leads where id is not null", "DUPLICATE_DATA", {"column_name": "Last_Name"}),
    ("select Email as a, Phone as a from Leads where id is not null", "DUPLICATE_ALIAS", {"alias": "a"}),
    (
        "select Email, COUNT(id) from Leads where id is not null",
        "INVALID_QUERY",
        {"column_name": "Email", "reason": "column is not in the group by clause"},
    ),
    (
        "select SUM(Email) from Leads where id is not null",
        "INVALID_QUERY",
        {"column_name": "Email", "reason": "SUM is not supported for email"},
    ),
    ("select id from Leads where Owner in (select id, Email from Leads where id is not null)", "SYNTAX_ERROR", {}),
]


@pytest.mark.parametrize(("query", "code", "details"), ERRORS, ids=range(len(ERRORS)))
def test_errors(zoho: Client, query: str, code: str, details: dict) -> None:
    assert error(zoho.coql(query)) == (400, code, details)


def test_limits_on_columns_values_and_criteria(zoho: Client) -> None:
    columns = ", ".join(f"Email as a{number}" for number in range(501))
    assert error(zoho.coql(f"select {columns} from Leads where id is not null"))[2] == {
        "clause": "select",
        "limit": 500,
    }
    values = ", ".join(f"'{number}'" for number in range(101))
    assert error(zoho.coql(f"select id from Leads where Email in ({values})"))[2] == {"clause": "in", "limit": 100}
    criteria = "Email = 'a'"
    for _ in range(24):
        criteria = f"({criteria} or Email = 'b')"
    assert zoho.coql(f"select id from Leads where {criteria}").status_code == 204
    assert error(zoho.coql(f"select id from Leads where ({criteria} or Email = 'b')"))[2] == {
        "clause": "where",
        "limit": 25,
    }
    groups = "Rating, Industry, Lead_Source, City, Country"
    assert (
        error(zoho.coql(f"select COUNT(id) from Leads where id is not null group by {groups}"))[1] == "LIMIT_EXCEEDED"
    )


def test_bodies(zoho: Client) -> None:
    assert error(zoho.call("POST", "/crm/v8/coql", json={}))[1:] == (
        "MANDATORY_NOT_FOUND",
        {"api_name": "select_query"},
    )
    assert error(zoho.call("POST", "/crm/v8/coql", data="nonsense"))[1] == "INVALID_DATA"
    assert zoho.coql("select id from Leads where Last_Name = 'nobody at all'").status_code == 204
    assert error(zoho.call("GET", "/crm/v8/coql"))[1] == "INVALID_REQUEST_METHOD"


def test_response_cache_is_cleared_by_a_write(
    sim: Simulator, zoho: Client, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    asked, read = [], sim.crm.store.read
    monkeypatch.setattr(sim.crm.store, "read", lambda *given: (asked.append(given), read(*given))[1])
    query = "select Email, Company from Leads where id is not null order by id limit 2000 offset 200"
    bodies = [zoho.coql(query).json() for _ in range(3)]
    assert len(asked) == 1
    assert bodies[0] == bodies[1] == bodies[2]
    sim.crm.store.write("UPDATE Leads SET Company = 'changed' WHERE id = ?", (int(bodies[0]["data"][0]["id"]),))
    assert zoho.coql(query).json()["data"][0]["Company"] == "changed"


def test_large_offsets_use_a_covering_index(sim: Simulator, zoho: Client) -> None:
    zoho.rows("select Email, Company from Leads where id is not null order by id limit 100 offset 2000")
    query = (
        "SELECT w.id FROM Leads AS w WHERE w.id IS NOT NULL AND w.Converted__s = 0 ORDER BY w.id LIMIT 101 OFFSET 2000"
    )
    [*_, last] = sim.crm.store.read(f"EXPLAIN QUERY PLAN {query}")
    assert "COVERING INDEX" in last[3]  # an offset steps over a narrow index, not over wide rows
