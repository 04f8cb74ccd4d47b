"""COQL is completed to what Zoho insists on, and never means anything else afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.pull_env import TEXT, asked, world
from zoho_magic.crm import limits
from zoho_magic.crm.coql.query import UnparsedQuery
from zoho_magic.crm.read import coql
from zoho_magic.errors import QueryError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

World = tuple[Simulator, ZohoSession]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def org() -> Iterator[World]:
    """The demo org with some 200 deals."""
    with world(rows=600) as found:
        yield found


@pytest.fixture
def rows(org: World) -> list[Row]:
    return org[0].crm.rows("Deals")


# Meaning

Leaf = tuple[str, Callable[[Row], bool]]
LEAVES: list[Leaf] = [
    ("Amount > 50000", lambda row: row["Amount"] is not None and row["Amount"] > 50000),
    ("Amount <= 1e5", lambda row: row["Amount"] is not None and row["Amount"] <= 1e5),
    ("Amount between 1000 and 90000", lambda row: row["Amount"] is not None and 1000 <= row["Amount"] <= 90000),
    ("not Amount between 1000 and 90000", lambda row: row["Amount"] is not None and not 1000 <= row["Amount"] <= 90000),
    ("Stage = 'Closed Won'", lambda row: row["Stage"] == "Closed Won"),
    ("Stage <> 'Closed Won'", lambda row: row["Stage"] != "Closed Won"),
    ("Stage in ('Closed Won', 'Qualification')", lambda row: row["Stage"] in ("Closed Won", "Qualification")),
    ("Stage NOT IN ('Closed Won', 'Closed Lost')", lambda row: row["Stage"] not in ("Closed Won", "Closed Lost")),
    ("not Stage in ('Closed Won')", lambda row: row["Stage"] != "Closed Won"),
    ("Next_Step is null", lambda row: row["Next_Step"] is None),
    ("not Next_Step IS NULL", lambda row: row["Next_Step"] is not None),
    ("Deal_Name like '%solar%'", lambda row: "solar" in row["Deal_Name"].lower()),
    ("Deal_Name not like '%GmbH%'", lambda row: "gmbh" not in row["Deal_Name"].lower()),
    ("Deal_Name != 'and or (not'", lambda row: row["Deal_Name"] != "and or (not"),
    ("Closing_Date >= '2026-06-01'", lambda row: (row["Closing_Date"] or "") >= "2026-06-01"),
    ("Probability = 100", lambda row: row["Probability"] == 100),
    ("Exchange_Rate != -1.5", lambda row: row["Exchange_Rate"] is not None),
]
Tree = tuple[str, Callable[[Row], bool], str]


def _both(word: str, parts: list[Tree], bracket: bool) -> Tree:
    join = all if word == "and" else any
    # Inside an "and" an "or" needs its brackets; everything else means the same without.
    texts = [f"({text})" if word == "and" and kind == "or" else text for text, _, kind in parts]
    text = f" {word} ".join(texts)
    return (f"({text})", lambda row: join(fits(row) for _, fits, _ in parts), "leaf") if bracket else (
        text, lambda row: join(fits(row) for _, fits, _ in parts), word)  # fmt: skip


CONDITIONS = st.recursive(
    st.sampled_from(LEAVES).map(lambda leaf: (*leaf, "leaf")),
    lambda inner: st.builds(
        _both, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4), st.booleans()
    ),
    max_leaves=9,
)


@given(tree=CONDITIONS, shout=st.booleans())
@settings(
    max_examples=120, suppress_health_check=list(HealthCheck), derandomize=True, phases=(Phase.explicit, Phase.generate)
)
def test_completion_never_changes_what_a_condition_means(org: World, rows: list[Row], tree: Tree, shout: bool) -> None:
    text, fits, _ = tree
    text = text.replace(" and ", "\n  AND ").replace(" or ", "\tOr ") if shout else text
    found = org[1].coql(f"select Stage from Deals where {text}")
    assert set(found["id"]) == {row["id"] for row in rows if fits(row)}
    assert found.attrs["warnings"] == []


@pytest.mark.parametrize(("text", "fits"), LEAVES)
def test_each_condition_alone(org: World, rows: list[Row], text: str, fits: Callable[[Row], bool]) -> None:
    assert set(org[1].coql(f"select Stage from Deals where {text}")["id"]) == {row["id"] for row in rows if fits(row)}


# Completion


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("select Stage from Deals", "select Stage from Deals where id is not null limit 2000"),
        ("SELECT  Stage\nFROM Deals ;", "SELECT  Stage\nFROM Deals where id is not null limit 2000 "),
        ("select id from Deals limit 7", "select id from Deals where id is not null limit 7"),
        ("select id from Deals limit 7 offset 3", "select id from Deals where id is not null limit 7 offset 3"),
        ("select id from Deals limit 3, 7", "select id from Deals where id is not null limit 3, 7"),
        (
            "select Stage, count(id) from Deals group by Stage",
            "select Stage, COUNT(id) as agg1 from Deals where id is not null group by Stage limit 2000",
        ),
        (
            "select Owner, Owner.id, Owner.last_name from Deals limit 1",
            "select Owner, Owner.id, Owner.last_name from Deals where id is not null limit 1",
        ),
        (
            "select Stage as s from Deals where Amount > 5 or Stage is null or Amount < 2 order by Stage limit 3",
            "select Stage as s from Deals where (Amount > 5 or Stage is null) or Amount < 2 order by Stage limit 3",
        ),
    ],
)
def test_what_is_sent(org: World, query: str, sent: str) -> None:
    found = org[1].coql(query)
    assert found.attrs["query"] == sent
    assert found.attrs["warnings"] == []


def test_rows_come_in_zohos_order_and_number(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = org
    monkeypatch.setattr(limits, "COQL_ROWS_PER_CALL", 50)
    oldest = [row["id"] for row in sim.crm.rows("Deals")]
    assert len(oldest) == 210
    assert list(zoho.coql("select Stage from Deals")["id"]) == oldest
    assert list(zoho.coql("select Stage from Deals limit 120")["id"]) == oldest[:120]
    assert list(zoho.coql("select Stage from Deals limit 60 offset 100")["id"]) == oldest[100:160]
    assert list(zoho.coql("select Stage from Deals limit 100, 60")["id"]) == oldest[100:160]
    assert list(zoho.coql("select Stage from Deals offset 205")["id"]) == oldest[205:]
    assert list(zoho.coql("select Stage from Deals order by id desc limit 60")["id"]) == oldest[:-61:-1]


def test_star_is_every_field_that_can_be_selected(org: World) -> None:
    _, zoho = org
    found, pulled = zoho.coql("select * from Projects limit 3"), zoho.pull("Projects", via="coql", limit=3)
    assert list(found.columns) == list(pulled.columns)
    assert found.dtypes.to_dict() == pulled.dtypes.to_dict()


def test_joins_by_lookups_are_typed(org: World) -> None:
    sim, zoho = org
    found = zoho.coql(
        "select Deal_Name, Account_Name.Annual_Revenue, Account_Name.Parent_Account, Account_Name.Owner,"
        " Owner.last_name, Contact_Name.Account_Name.Industry from Deals where Account_Name.Industry is not null"
    )
    assert list(found.columns) == [
        "id", "Deal_Name", "Account_Name.Annual_Revenue", "Account_Name.Parent_Account",
        "Account_Name.Parent_Account.id", "Account_Name.Owner", "Account_Name.Owner.id", "Account_Name.Owner.email",
        "Owner.last_name", "Contact_Name.Account_Name.Industry",
    ]  # fmt: skip
    assert found.dtypes["Account_Name.Annual_Revenue"] == "Float64"
    accounts = {row["id"]: row for row in sim.crm.rows("Accounts")}
    deals = {row["id"]: row for row in sim.crm.rows("Deals")}
    assert len(found) > 10
    for row in found.to_dict("records"):
        account = accounts[deals[row["id"]]["Account_Name"]["id"]]
        assert row["Account_Name.Owner"] == account["Owner"]["name"]
        assert row["Account_Name.Owner.email"] == account["Owner"]["email"]
        revenue = row["Account_Name.Annual_Revenue"]
        assert (None if pd.isna(revenue) else revenue) == account["Annual_Revenue"]


def test_explicit_joins_are_typed_and_paged(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = org
    monkeypatch.setattr(limits, "COQL_ROWS_PER_CALL", 30)
    query = (
        "select pl.Item, pl.Quantity, pr.Name, pr.Budget as money from Project_Lines as pl"
        " left join Projects as pr on pl.Parent_Id = pr.id where pl.Quantity > 0"
    )
    found = zoho.coql(query)
    expected = [row for row in sim.crm.rows("Project_Lines") if (row["Quantity"] or 0) > 0]
    assert list(found.columns) == ["pl.Item", "pl.Quantity", "pr.Name", "money"]
    assert [str(kind) for kind in found.dtypes] == [TEXT, "Int64", TEXT, "Float64"]
    assert list(found["pl.Item"]) == [row["Item"] for row in expected]
    assert len(expected) > 30


def test_records_of_several_modules(org: World) -> None:
    sim, zoho = org
    found = zoho.coql("select Subject, What_Id, What_Id->Deals.Amount from Tasks where What_Id->Deals.Amount > 0")
    deals = {row["id"]: row for row in sim.crm.rows("Deals")}
    assert len(found) > 5
    assert list(found["What_Id->Deals.Amount"]) == [deals[key]["Amount"] for key in found["What_Id.id"]]
    assert found.dtypes["What_Id->Deals.Amount"] == "Float64"


def test_aggregates(org: World, rows: list[Row]) -> None:
    found = org[1].coql(
        "select Stage, sum(Amount), Max(Closing_Date), COUNT(id), AVG(Probability) as mean from Deals"
        " group by Stage order by Stage"
    )
    assert list(found.columns) == ["Stage", "SUM(Amount)", "MAX(Closing_Date)", "COUNT(id)", "mean"]
    assert [str(kind) for kind in found.dtypes] == [TEXT, "Float64", "datetime64[us]", "Int64", "Float64"]
    stages = sorted({row["Stage"] for row in rows}, key=str.lower)
    assert list(found["Stage"]) == stages
    assert list(found["COUNT(id)"]) == [sum(row["Stage"] == stage for row in rows) for stage in stages]
    assert found["SUM(Amount)"].sum() == pytest.approx(sum(row["Amount"] or 0 for row in rows))


def test_more_groups_than_a_window(org: World, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COQL_ROWS_PER_CALL", 20)
    found = org[1].coql("select Account_Name, COUNT(id) from Deals group by Account_Name")
    accounts = {row["Account_Name"]["id"] for row in rows if row["Account_Name"]}
    assert set(found["Account_Name.id"].dropna()) == accounts
    assert found["Account_Name.id"].is_unique
    assert found["COUNT(id)"].sum() == len(rows)
    assert len(accounts) > 20


def test_grouping_by_people_names_them(org: World) -> None:
    found = org[1].coql("select Owner, COUNT(id) as deals from Deals group by Owner")
    assert found["Owner"].str.contains(" ").all()
    assert found["Owner.email"].notna().all()


def test_sub_queries(org: World, rows: list[Row]) -> None:
    found = org[1].coql(
        "select Deal_Name from Deals where Account_Name in (select id from Accounts where Industry = 'Utilities')"
    )
    utilities = {row["id"] for row in org[0].crm.rows("Accounts") if row["Industry"] == "Utilities"}
    expected = {row["id"] for row in rows if row["Account_Name"] and row["Account_Name"]["id"] in utilities}
    assert set(found["id"]) == expected != set()


def test_a_custom_view(org: World) -> None:
    _, zoho = org
    views = zoho.request("GET", "/crm/v8/settings/custom_views", params={"module": "Deals"}).json()["custom_views"]
    sizes = {len(zoho.coql(f"select Stage from Deals#{view['id']}")) for view in views}
    assert max(sizes) == 210
    assert len(sizes) > 1


# Zoho's own spellings


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An org that takes columns and aggregates only as Zoho's pages spell them."""
    monkeypatch.setattr(coql, "_reserved_words", set())
    options = {"coql_reserved_words": "many", "coql_unquoted_arrow": False, "coql_aggregate_needs_alias": True}
    with world(rows=200, **options) as found:
        yield found


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("select 'Company', \"Email\" from Leads", "select Company, Email from Leads"),
        ("select Company from Leads where 'Company' like \"%a%\" order by 'Company' desc",
         "select Company from Leads where Company like '%a%' order by Company desc"),
        ("select !Leads.Company from Leads where !Leads.Email != 'x'", "select Company from Leads where Email != 'x'"),
        ("select Company from Leads where Lead_Source = Partner",
         "select Company from Leads where Lead_Source = 'Partner'"),
        ("select Company from Leads where not Lead_Source in ('Partner') and Email<>'x'",
         "select Company from Leads where Lead_Source not in ('Partner') and Email != 'x'"),
        ("select COUNT('id'), 'Lead_Source' from Leads group by \"Lead_Source\"",
         "select COUNT(id), Lead_Source from Leads group by Lead_Source"),
    ],
)  # fmt: skip
def test_spellings_of_one_query(strict: World, written: str, plain: str) -> None:
    found, expected = strict[1].coql(written), strict[1].coql(plain)
    pd.testing.assert_frame_equal(found, expected)
    assert len(found) > 3
    assert found.iloc[:, -1].notna().any()
    assert found.attrs["query"].startswith(written.split(" from ")[0].replace("COUNT('id')", "COUNT('id') as agg1"))


def test_paths_and_aliases_in_quotes(strict: World) -> None:
    sim, zoho = strict
    found = zoho.coql("select 'What_Id->Deals.Amount' as 'the amount', What_Id->Deals.Stage, Subject as 's' from Tasks")
    assert [*found.columns] == ["id", "the amount", "What_Id->Deals.Stage", "s"]
    assert found.dtypes["the amount"] == "Float64"
    tasks, deals = ({row["id"]: row for row in sim.crm.rows(module)} for module in ("Tasks", "Deals"))
    of = [deals.get((tasks[key]["What_Id"] or {}).get("id")) for key in found["id"]]
    assert [*found["the amount"].dropna()] == [deal["Amount"] for deal in of if deal and deal["Amount"] is not None]
    assert [*found["What_Id->Deals.Stage"].dropna()] == [deal["Stage"] for deal in of if deal]
    assert len(found["What_Id->Deals.Stage"].dropna()) > 3


def test_users(strict: World) -> None:
    _, zoho = strict
    found = zoho.coql("select first_name, Users.last_name from users where last_name is not null")
    assert [*found.columns] == ["id", "first_name", "Users.last_name"]
    assert {*found["Users.last_name"]} >= {"Boyle"}


def test_aggregates_keep_their_names(strict: World) -> None:
    found = strict[1].coql(
        "select sum(Amount), COUNT(id), MAX(Closing_Date) as latest, Stage from Deals group by Stage"
    )
    assert [*found.columns] == ["SUM(Amount)", "COUNT(id)", "latest", "Stage"]
    assert found["COUNT(id)"].sum() == len(strict[0].crm.rows("Deals"))
    assert [str(kind) for kind in found.dtypes] == ["Float64", "Int64", "datetime64[us]", TEXT]


def test_reserved_words_are_quoted_after_one_refusal_each(strict: World) -> None:
    sim, zoho = strict
    query = "select Stage, Type, Owner from Deals where Stage != 'x' order by Stage"
    plain = zoho.coql(query)
    sim.traffic.clear()
    again = zoho.coql(query)
    assert sim.traffic.count(path="/crm/v8/coql") == 1
    assert again.attrs["query"] == (
        "select 'Stage', 'Type', 'Owner' from Deals where 'Stage' != 'x' order by 'Stage' limit 2000"
    )
    sim.options.coql_reserved_words = "documented"
    sim.traffic.clear()
    pd.testing.assert_frame_equal(plain, again)
    pulled = zoho.pull("Deals", fields=["Stage", "Type"], where="Type is not null", order_by="Stage", via="coql")
    assert len(pulled) == len(plain.dropna(subset=["Type"])) > 3
    assert sim.traffic.count(path="/crm/v8/coql", status=400) == 0


@pytest.mark.parametrize("comment", ["-- all of them", "# all of them", "/* all */"])
def test_comments_are_refused_before_a_call(strict: World, comment: str) -> None:
    sim, zoho = strict
    sim.traffic.clear()
    with pytest.raises(QueryError, match=r"COQL has no comments, but one stands at line 2, column 1") as caught:
        zoho.coql(f"select Company from Leads\n{comment}\nlimit 5")
    assert "Delete it" in caught.value.hint
    assert asked(sim) == 0


@pytest.mark.parametrize("query", ["select $x from Leads", "select id from $x", "select id from Leads where $x = 1"])
def test_a_parameter_is_never_a_name(strict: World, query: str) -> None:
    with pytest.raises(QueryError, match="where no parameter may stand"):
        strict[1].coql(query, params={"x": "Company"})


# What is not understood


def test_a_form_that_is_not_understood_is_sent_as_written(org: World) -> None:
    _, zoho = org
    query = "select Stage from Deals where Stage is not null limit 5 for update"
    with pytest.raises(QueryError, match=r"cannot parse the COQL query \(unexpected token, line: 1, .*near: for\)"):
        zoho.coql(query)


def test_what_is_not_understood_says_so(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, zoho = org
    problem = QueryError("Unexpected 'x'.", hint="Write y.")
    monkeypatch.setattr("zoho_magic.crm.read.coql_statement.parse_query", lambda text: UnparsedQuery(text, problem))
    found = zoho.coql("select Stage from Deals where Stage is not null limit 5")
    (warning,) = found.attrs["warnings"]
    assert "sent as written" in warning
    assert "Unexpected 'x'. Write y." in warning
    assert len(found) == 5
    assert found.attrs["query"] == "select Stage from Deals where Stage is not null limit 5"
    with pytest.raises(QueryError, match="more rows than it sends at once") as caught:
        zoho.coql("select Stage from Deals where Deal_Name != 'limit 5'")
    assert "limit 2000" in caught.value.hint
    assert zoho.coql("select Stage from Deals where Stage = 'nothing'").empty


# What is wrong is told before a call is spent


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select Amont from Deals", "Deals has no field 'Amont'. Did you mean Amount?"),
        ("select Amount from Deal", "no module 'Deal'. Did you mean Deals?"),
        ("select Amount from Deals where Stge = 'x'", "'Stge'. Did you mean Stage?"),
        ("select Amount from Deals order by Amont", "'Amont'. Did you mean Amount?"),
        ("select COUNT(id) from Deals group by Stagee", "'Stagee'. Did you mean Stage?"),
        ("select SUM(Amont) from Deals", "'Amont'. Did you mean Amount?"),
        ("select Account_Name.Industri from Deals", "Accounts has no field 'Industri'. Did you mean Industry?"),
        ("select Amount from Deals where Acount_Name.Industry = 'x'", "'Acount_Name'. Did you mean Account_Name?"),
        ("select What_Id->Deal.Amount from Tasks", "no module 'Deal'. Did you mean Deals?"),
        ("select What_Id->Deals.Amont from Tasks", "Deals has no field 'Amont'."),
        ("select Amount from Deals where Account_Name in (select id from Acounts)", "module 'Acounts'"),
        ("select Amount from Deals where Account_Name in (select id from Accounts where Industy = 'x')", "'Industy'"),
        ("select d.Amont from Deals as d left join Accounts as a on d.Account_Name = a.id", "'Amont'"),
        ("select a.Industri from Deals as d left join Accounts as a on d.Account_Name = a.id", "'Industri'"),
        ("select d.Amount from Deals as d left join Acounts as a on d.Account_Name = a.id", "'Acounts'"),
        ("select Amount from Deals where Amount = $missing", "$missing, which is not defined"),
        ("select Amount from Deals where Stage = 'O'Hara'", "A quote is not closed"),
    ],
)  # fmt: skip
def test_unknown_names_cost_nothing(org: World, query: str, told: str) -> None:
    sim, zoho = org
    sim.traffic.clear()
    with pytest.raises(QueryError) as caught:
        zoho.coql(query)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value.args[0])
    assert asked(sim) == 0


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select Amount from Deals where Amount like 'x%'", "Amount"),
        ("select Amount from Deals where Amount > 'abc'", "Amount"),
        ("select Stage, Amount as Stage from Deals", "Stage"),
        ("select Amount from Deals where (Amount", "near"),
    ],
)
def test_what_only_zoho_knows_is_told_in_its_words(org: World, query: str, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        org[1].coql(query)
    assert told in str(caught.value.args[0])
    assert caught.value.hint
