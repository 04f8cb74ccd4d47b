"""COQL as Zoho's pages print it: every spelling it takes, everything it refuses, and the less kind behaviours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=400, seed=11) as running:
        yield running


SAME = [  # two spellings of one query
    ("select Last_Name from Leads where id is not null", "select 'Last_Name' from Leads where 'id' is not null"),
    ('select "Company" from Leads where "Company" = "NaN"', "select Company from Leads where Company = 'NaN'"),
    ("select Owner.role.id from Leads where id is not null", "select 'Owner.role.id' from Leads where id is not null"),
    ("select id from Leads where Lead_Source = Partner", "select id from Leads where Lead_Source = 'Partner'"),
    ("select id from Leads where Company like \"%stone%\"", "select id from Leads where Company like '%stone%'"),
    ("select id from Leads where id is not null order by 'Last_Name' desc",
     "select id from Leads where id is not null order by Last_Name desc"),
    ("select COUNT('id') as n from Leads where id is not null",
     "select COUNT(id) as n from Leads where id is not null"),
    ("select 'What_Id->Leads.Last_Name' from Tasks where 'What_Id->Leads.Last_Name' is not null",
     'select "What_Id->Leads.Last_Name" from Tasks where "What_Id->Leads.Last_Name" is not null'),
    ("select id from Leads where !Leads.Company = 'NaN'", "select id from Leads where Company = 'NaN'"),
    ("select id from Deals where Amount > 10 and (Stage = 'Closed Won' and Amount < 90000)",
     "select id from Deals where ((Amount > 10 and Stage = 'Closed Won') and Amount < 90000)"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=range(len(SAME)))
def test_spellings_of_one_query_have_one_answer(zoho: Client, one: str, other: str) -> None:
    rows = zoho.rows(one)
    assert rows
    assert rows == zoho.rows(other)


def test_quoted_aliases_may_hold_spaces_and_order_the_rows(zoho: Client) -> None:
    rows = zoho.rows(
        "select 'Account_Name' AS 'Account id', 'Account_Name.Account_Name' as 'Account Name' from Contacts "
        "where Account_Name is not null order by 'Account Name' desc limit 20"
    )
    assert [list(row) for row in rows] == [["Account id", "Account Name", "id"]] * 20
    names = [row["Account Name"] for row in rows]
    assert names == sorted(names, reverse=True)
    assert {row["Account id"]["name"] == row["Account Name"] for row in rows} == {True}


def test_key_of_a_prefixed_column(zoho: Client) -> None:
    [row] = zoho.rows("select !Leads.Owner.role.id from Leads where id is not null limit 1")
    assert set(row) == {"!Leads.Owner.role.id", "id"}


def test_users_are_a_module(sim: Simulator, zoho: Client) -> None:
    rows = zoho.rows("select first_name, 'role.name', profile.name from users where status = 'active' limit 50")
    assert {(row["id"], row["role.name"]) for row in rows} == {
        (str(user.id), user.role) for user in sim.crm.active_users()
    }


def test_roles_and_profiles_of_owners(zoho: Client) -> None:
    parts = "profile.id profile.name profile.created_by profile.modified_by profile.description profile.created_time"
    parts += " profile.modified_time role.id role.name role.reporting_to role.share_data_with_peers role.description"
    paths = [f"Owner.{part}" for part in parts.split()]
    rows = zoho.rows(f"select {', '.join(paths)} from Contacts where Last_Name is not null limit 40")
    assert [list(row) for row in rows] == [[*paths, "id"]] * 40
    assert {row["Owner.role.name"] for row in rows} == {"CEO", "Sales"}
    assert {row["Owner.role.share_data_with_peers"] for row in rows} == {True, False}


def test_module_of_a_polymorphic_lookup(sim: Simulator, zoho: Client, options: Options) -> None:
    options.polymorphic_names_in_coql = False
    rows = zoho.rows("select What_Id.module.api_name, What_Id.id, What_Id from Tasks where What_Id is not null")
    assert {row["What_Id.module.api_name"] for row in rows} == {"Accounts", "Deals", "Leads"}
    for row in rows:
        module = sim.crm.schema.minified(row["What_Id.module.api_name"])
        assert row["What_Id"] == {"module": module, "id": row["What_Id.id"]}


REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("select External from Leads where id is not null", "SYNTAX_ERROR", {"line": 1, "column": 8, "near": "External"}),
    ("select Order from Leads where id is not null", "SYNTAX_ERROR", {"line": 1, "column": 8, "near": "Order"}),
    ("select id from Leads where External = 1", "SYNTAX_ERROR", {"line": 1, "column": 28, "near": "External"}),
    ("select 'External' from Leads where id is not null", "INVALID_QUERY", {"column_name": "External"}),
    ("select count(id) from Leads where id is not null", "SYNTAX_ERROR", {"line": 1, "column": 13, "near": "("}),
    ("select id from Leads where Email = word", "SYNTAX_ERROR", {"line": 1, "column": 36, "near": "word"}),
    ("select id from Leads where id is not null order by id, id", "DUPLICATE_DATA", {"column_name": "id"}),
    ("select Email as a from Leads where id is not null order by a, Email", "DUPLICATE_DATA", {"column_name": "Email"}),
    ("select COUNT(id) as n from Leads where id is not null group by City, City", "DUPLICATE_DATA",
     {"column_name": "City"}),
    ("select COUNT(id), COUNT(id) from Leads where id is not null", "DUPLICATE_DATA", {"column_name": "COUNT(id)"}),
    ("select City as town, COUNT(id) as n from Leads where id is not null group by town", "INVALID_QUERY",
     {"column_name": "City", "reason": "column is not in the group by clause"}),
    ("select Email as '' from Leads where id is not null", "INVALID_ALIAS", {"alias": ""}),
    ("select id from Leads where Company not like 'A%'", "INVALID_QUERY",
     {"column_name": "Company", "operator": "not like", "reason": "invalid operator found"}),
    ("select id from Leads where (City = 'a' and State = 'b' and Country = 'c')", "SYNTAX_ERROR",
     {"line": 1, "column": 56, "near": "and"}),
    ("select !Deals.Amount from Leads where id is not null", "INVALID_QUERY", {"column_name": "!Deals.Amount"}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "code", "details"), REFUSED, ids=range(len(REFUSED)))
def test_what_zoho_refuses(zoho: Client, query: str, code: str, details: dict[str, Any]) -> None:
    assert error(zoho.coql(query)) == (400, code, details)


def test_sixth_base_join_is_refused(zoho: Client) -> None:
    paths = ["Owner.email", "Created_By.email", "Modified_By.email", "Account_Name.Website", "Contact_Name.Email"]
    query = "select id from Deals where {} order by {}"
    where = "Second_Seller.email is null"
    assert zoho.coql(query.format("id is not null", ", ".join(paths))).status_code == 200
    assert error(zoho.coql(query.format(where, ", ".join(paths)))) == (
        400,
        "LIMIT_EXCEEDED",
        {"clause": "join", "limit": 5},
    )
    joins = " ".join(f"left join Accounts as a{n} on d.Account_Name = a{n}.id" for n in range(6))
    assert error(zoho.coql(f"select d.Amount from Deals as d {joins} where d.id is not null"))[1] == "LIMIT_EXCEEDED"
    assert (
        zoho.coql(f"select {', '.join(paths)}, {where.split()[0]} from Deals where id is not null").status_code == 200
    )


def test_reserved_words_of_a_strict_org(zoho: Client, options: Options) -> None:
    options.coql_reserved_words = "many"
    refused = zoho.coql("select Deal_Name, Type from Deals where id is not null")
    assert error(refused) == (400, "SYNTAX_ERROR", {"line": 1, "column": 19, "near": "Type"})
    [row] = zoho.rows("select Deal_Name, 'Type' from Deals where \"Type\" is not null order by 'Type' limit 1")
    assert row["Type"] == "Existing Business"


def test_less_kind_answers(sim: Simulator, zoho: Client, options: Options) -> None:
    leads = [row for row in sim.crm.rows("Leads") if not row["Converted__s"]]
    query = (
        "select Company, Website, LinkedIn, Fax, Tag, Products_Interested from Leads where id is not null limit 2000"
    )
    options.coql_left_out = ("website", "Fax")
    options.coql_multiselect_as_text = options.coql_tags_as_text = True
    options.coql_page_rows = 30
    answer = zoho.coql(query).json()
    assert answer["info"] == {"count": 30, "more_records": True}
    assert sim.traffic.calls[-1].credits == 3
    assert [set(row) for row in answer["data"]] == [{"Company", "Tag", "Products_Interested", "id"}] * 30
    for row, lead in zip(answer["data"], leads, strict=False):
        assert row["Products_Interested"] == (";".join(lead["Products_Interested"] or ()) or None)
        assert row["Tag"] == (",".join(tag["name"] for tag in lead["Tag"]) or None)


def test_what_some_orgs_refuse(zoho: Client, options: Options) -> None:
    options.coql_knows_converted = False
    assert error(zoho.coql("select id from Leads where Converted__s = true"))[1:] == (
        "INVALID_QUERY",
        {"column_name": "Converted__s"},
    )
    options.coql_aggregate_needs_alias = True
    assert error(zoho.coql("select COUNT(id) from Leads where id is not null"))[1] == "INVALID_QUERY"
    assert zoho.rows("select COUNT(id) as n from Leads where id is not null")
    options.coql_unquoted_arrow = False
    assert error(zoho.coql("select What_Id->Deals.Stage from Tasks where id is not null"))[1:] == (
        "SYNTAX_ERROR",
        {"line": 1, "column": 15, "near": "->"},
    )


def test_a_subquery_brings_a_hundred_records(sim: Simulator, zoho: Client, options: Options) -> None:
    query = "select id from Tasks where Who_Id in (select id from Contacts where id is not null) limit 2000"
    everyone = len([row for row in sim.crm.rows("Tasks") if row["Who_Id"]])
    found = len(zoho.rows(query))
    options.coql_subquery_rows = 10_000
    assert found < len(zoho.rows(query)) == everyone


def test_inactive_users_may_have_no_names(zoho: Client, options: Options) -> None:
    gone = "554023000000251081"  # disabled
    query = f"select Owner, Owner.last_name, Owner.email from Deals where Owner = '{gone}' limit 1"
    assert zoho.rows(query)[0]["Owner"] == {"name": "Reyes", "id": gone}
    options.inactive_user_names_null = True
    [row] = zoho.rows(query)
    assert (row["Owner"], row["Owner.last_name"]) == ({"name": None, "id": gone}, None)
    assert row["Owner.email"]
