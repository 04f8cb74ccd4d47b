"""/search and /actions/count, what an org is made of, custom views by id, and addresses that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=400, seed=5) as running:
        yield running


def found(zoho: Client, module: str, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in range(1, 11):
        answer = zoho.get(f"/{module}/search", page=page, **params)
        if answer.status_code == 204:
            return rows
        body = answer.json()
        rows += body["data"]
        assert body["info"]["count"] == len(body["data"])
        if not body["info"]["more_records"]:
            return rows
    raise AssertionError("no last page")


CRITERIA = [
    ("(Company:starts_with:b)", lambda row: row["Company"].lower().startswith("b")),
    ("(Lead_Score:greater_equal:80)", lambda row: row["Lead_Score"] >= 80),
    ("(Lead_Score:between:10,20)", lambda row: 10 <= row["Lead_Score"] <= 20),
    ("(Lead_Source:in:Partner,Chat)", lambda row: row["Lead_Source"] in ("Partner", "Chat")),
    ("(Email_Opt_Out:equals:true)", lambda row: row["Email_Opt_Out"]),
    ("((Lead_Score:greater_than:50)and(Lead_Source:equals:Chat))",
     lambda row: row["Lead_Score"] > 50 and row["Lead_Source"] == "Chat"),
    ("(((Lead_Score:less_than:9)or(Rating:equals:Active))and(Company:not_equal:NaN))",
     lambda row: (row["Lead_Score"] < 9 or row["Rating"] == "Active") and row["Company"] != "NaN"),
    ("(Created_Time:greater_than:2026-03-01T00:00:00+05:30)", lambda row: row["Created_Time"] > "2026-02-28T10:30:00"),
    ("(Company:equals:Commas\\, Quotes & Sons; \"Ltd\")", lambda row: row["Company"].startswith("Commas, Quotes")),
    ("(Lead_Source:equals:X \\(Twitter\\))", lambda row: row["Lead_Source"] == "X (Twitter)"),
]  # fmt: skip


@pytest.mark.parametrize(("criteria", "fits"), CRITERIA, ids=range(len(CRITERIA)))
def test_search_and_count_by_criteria(sim: Simulator, zoho: Client, criteria: str, fits: Any) -> None:
    leads = [row for row in sim.crm.rows("Leads") if not row["Converted__s"]]
    expected = {row["id"] for row in leads if fits(row)}
    assert expected
    assert {row["id"] for row in found(zoho, "Leads", criteria=criteria, fields="Company")} == expected
    assert zoho.get("/Leads/actions/count", criteria=criteria).json() == {"count": len(expected)}


def test_search_by_email_phone_and_word(sim: Simulator, zoho: Client) -> None:
    contact = next(row for row in sim.crm.rows("Contacts") if row["Email"] and row["Phone"])
    for params in ({"email": contact["Email"]}, {"phone": contact["Phone"]}, {"word": contact["Last_Name"]}):
        rows = found(zoho, "Contacts", **params)
        assert contact["id"] in {row["id"] for row in rows}
        assert zoho.get("/Contacts/actions/count", **params).json() == {"count": len(rows)}
    first = {"criteria": "(Last_Name:equals:nobody)", "email": contact["Email"]}
    assert zoho.get("/Contacts/search", **first).status_code == 204  # of several parameters criteria counts


def test_search_shows_converted_leads_when_asked(sim: Simulator, zoho: Client) -> None:
    everyone = "(id:greater_than:1)"
    leads = sim.crm.rows("Leads")
    amounts = {"false": 0, "true": 0}
    for row in leads:
        amounts[str(row["Converted__s"]).lower()] += 1
    for converted, amount in (*amounts.items(), ("both", len(leads))):
        params = {"criteria": everyone, "converted": converted}
        assert len(found(zoho, "Leads", fields="Email", **params)) == amount
        assert zoho.get("/Leads/actions/count", **params).json() == {"count": amount}


def test_what_search_refuses(sim: Simulator, zoho: Client) -> None:
    wrong = {
        "Last_Name": "INVALID_QUERY",
        "(Last_Name:starts_with:A": "INVALID_QUERY",
        "(Last_Name:like:A)": "INVALID_QUERY",
        "(Nope:equals:A)": "INVALID_QUERY",
        "((Last_Name:equals:A)xor(Last_Name:equals:B))": "INVALID_QUERY",
        "(Lead_Score:equals:many)": "INVALID_QUERY",
        "(Lead_Score:between:1)": "INVALID_QUERY",
        "(" + "and".join(["(Last_Name:equals:A)"] * 16) + ")": "LIMIT_EXCEEDED",
    }
    for criteria, code in wrong.items():
        assert error(zoho.get("/Leads/search", criteria=criteria))[:2] == (400, code), criteria
    missing = error(zoho.get("/Leads/search"))
    assert missing == (400, "EXPECTED_PARAM_MISSING", {"param_names": ["criteria", "email", "phone", "word"]})
    assert error(zoho.get("/Leads/search", word="a"))[1] == "INVALID_DATA"
    assert error(zoho.get("/Leads/search", phone="12"))[1] == "INVALID_DATA"
    assert error(zoho.get("/Leads/search", word="an", page=11))[1] == "LIMIT_REACHED"
    with Client(sim, "ZohoCRM.modules.ALL") as other:
        assert error(other.get("/Leads/search", word="an"))[:2] == (401, "OAUTH_SCOPE_MISMATCH")


def test_two_filters_of_a_count_are_ambiguous(sim: Simulator, zoho: Client) -> None:
    view = str(sim.crm.schema["Leads"].id + 50_002)
    for params in ({"cvid": view, "word": "an"}, {"email": "a@b.example", "phone": "1234"}):
        for method in ("GET", "POST"):
            answer = zoho.call(method, "/crm/v8/Leads/actions/count", params=params)
            details = {"ambiguity_due_to": [{"param_name": name} for name in params]}
            assert error(answer) == (400, "AMBIGUITY_DURING_PROCESSING", details)
            assert answer.json()["message"].startswith("Please use either Cvid or Search Params.")
    hot = sum(row["Lead_Score"] >= 80 and not row["Converted__s"] for row in sim.crm.rows("Leads"))
    assert zoho.call("POST", "/crm/v8/Leads/actions/count", params={"cvid": view}).json() == {"count": hot}


def test_search_may_lag(sim: Simulator, zoho: Client, options: Options) -> None:
    options.search_lag = 30
    row = {"Last_Name": "Freshly Written"}
    zoho.call("POST", "/crm/v8/Leads", json={"data": [row]})
    assert zoho.get("/Leads/search", word="Freshly Written").status_code == 204
    sim.clock.advance(31)
    [lead] = found(zoho, "Leads", word="Freshly Written")
    assert lead["Last_Name"] == "Freshly Written"
    assert zoho.coql("select id from Leads where Last_Name = 'Freshly Written'").status_code == 200


@pytest.mark.parametrize(
    ("path", "key"),
    [("/settings/roles", "roles"), ("/settings/profiles", "profiles"), ("/settings/territories", "territories"),
     ("/org/currencies", "currencies")],
)  # fmt: skip
def test_structure_of_the_org(zoho: Client, path: str, key: str) -> None:
    entries = zoho.get(path).json()[key]
    assert len({each["id"] for each in entries}) == len(entries) >= 3
    for each in entries:
        assert zoho.get(f"{path}/{each['id']}").json() == {key: [each]}
    assert zoho.get(f"{path}/1").status_code == 204
    if key == "currencies":
        assert all(each["modified_time"] for each in entries)


def test_roles_and_profiles_are_those_of_the_users(zoho: Client) -> None:
    users = zoho.get("/users", type="AllUsers").json()["users"]
    for key in ("role", "profile"):
        known = {each["id"]: each["name"] for each in zoho.get(f"/settings/{key}s").json()[f"{key}s"]}
        assert all(known[user[key]["id"]] == user[key]["name"] for user in users)


def test_a_custom_view_says_its_criteria(zoho: Client) -> None:
    views = zoho.get("/settings/custom_views", module="Leads").json()["custom_views"]
    hot = next(view for view in views if view["name"] == "Hot Leads")
    [whole] = zoho.get(f"/settings/custom_views/{hot['id']}", module="Leads").json()["custom_views"]
    assert whole["criteria"]["comparator"] == "greater_equal"
    assert whole["criteria"]["field"]["api_name"] == "Lead_Score"
    assert whole["fields"]
    assert error(zoho.get("/settings/custom_views/1", module="Leads"))[1] == "INVALID_DATA"


def test_multi_record_updates_and_upserts_heed_if_unmodified_since(sim: Simulator, zoho: Client) -> None:
    leads = [row for row in sim.crm.rows("Leads") if row["Email"] and not row["Converted__s"]][:3]
    rows = [{"id": row["id"], "Last_Name": row["Last_Name"], "City": "Bonn"} for row in leads]
    latest = max(leads, key=lambda row: row["Modified_Time"])
    before, after = {"If-Unmodified-Since": "2020-01-01T00:00:00Z"}, {"If-Unmodified-Since": latest["Modified_Time"]}
    upsert = {"data": [{"Email": row["Email"], "Last_Name": "x"} for row in leads], "duplicate_check_fields": ["Email"]}
    for method, path, body in (("PUT", "Leads", {"data": rows}), ("POST", "Leads/upsert", upsert)):
        answer = zoho.call(method, f"/crm/v8/{path}", json=body, headers=before)
        assert error(answer)[:2] == (412, "ALREADY_MODIFIED")
        assert error(answer)[2]["id"] in {row["id"] for row in leads}
    assert {row["City"] for row in sim.crm.rows("Leads") if row["id"] in {r["id"] for r in leads}} != {"Bonn"}
    assert zoho.call("PUT", "/crm/v8/Leads", json={"data": rows}, headers=after).status_code == 200
    new = {"data": [{"Email": "new@since.example", "Last_Name": "x"}]}
    assert zoho.call("POST", "/crm/v8/Leads/upsert", json=new, headers=before).status_code == 200
    wrong = zoho.call("PUT", "/crm/v8/Leads", json={"data": rows}, headers={"If-Unmodified-Since": "yesterday"})
    assert error(wrong)[1] == "PATTERN_NOT_MATCHED"


def test_duplicates_may_be_in_another_module(sim: Simulator, zoho: Client, options: Options) -> None:
    leads = {row["Email"] for row in sim.crm.rows("Leads")}
    contact = next(row for row in sim.crm.rows("Contacts") if row["Email"] and row["Email"] not in leads)
    row = {"Last_Name": "Twice", "Email": contact["Email"]}
    options.duplicates_across_modules = True
    [refused] = zoho.call("POST", "/crm/v8/Leads", json={"data": [row]}).json()["data"]
    assert refused["code"] == "DUPLICATE_DATA"
    duplicate = refused["details"]["duplicate_record"]
    assert (duplicate["module"]["api_name"], duplicate["id"]) == ("Contacts", contact["id"])
    options.duplicates_across_modules = False
    assert zoho.call("POST", "/crm/v8/Leads", json={"data": [row]}).status_code == 201


def test_duplicate_check_fields_must_be_unique(zoho: Client) -> None:
    body = {"data": [{"Last_Name": "x"}], "duplicate_check_fields": ["Email", "Company"]}
    details = {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields[1]"}
    assert error(zoho.call("POST", "/crm/v8/Leads/upsert", json=body)) == (400, "INVALID_DATA", details)


def test_addresses_that_are_left_out(zoho: Client) -> None:
    for path in ("/Leads/actions/mass_update", "/settings/wizards", "/Leads/1/actions/blueprint", "/Leads/timeline"):
        assert error(zoho.get(path))[:2] == (404, "INVALID_URL_PATTERN"), path
