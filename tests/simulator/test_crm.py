"""The simulator's org, metadata and records list, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import requests

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.crm import records
from zoho_magic.simulator.crm.org import Crm
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=2300, seed=7) as running:
        yield running


def test_org_says_edition_and_zgid(sim: Simulator, zoho: Client) -> None:
    [org] = zoho.get("/org").json()["org"]
    assert org["zgid"] == sim.options.org_id
    assert org["license_details"]["paid_type"] == "enterprise"
    assert org["iso_code"] == "USD"


def test_current_user_and_the_other_types(zoho: Client) -> None:
    [me] = zoho.get("/users", type="CurrentUser").json()["users"]
    assert (me["full_name"], me["time_zone"], me["zuid"]) == ("Patricia Boyle", "America/Los_Angeles", "700200300")
    assert me["offset"] in (-25_200_000, -28_800_000)
    counts = {
        kind: zoho.get("/users", type=kind).json()["info"]["count"]
        for kind in ("AllUsers", "ActiveUsers", "DeactiveUsers", "DeletedUsers", "AdminUsers")
    }
    assert counts == {"AllUsers": 11, "ActiveUsers": 9, "DeactiveUsers": 1, "DeletedUsers": 1, "AdminUsers": 2}
    page = zoho.get("/users", type="AllUsers", per_page=10, page=2).json()
    assert page["info"] == {"per_page": 10, "count": 1, "page": 2, "more_records": False}
    assert zoho.get("/users", page=5).status_code == 204
    assert error(zoho.get("/users", type="Nobody"))[:2] == (400, "INVALID_DATA")


def test_modules_and_fields_cover_every_type(zoho: Client) -> None:
    modules = {each["api_name"]: each for each in zoho.get("/settings/modules").json()["modules"]}
    names = ("Leads", "Projects", "Project_Lines", "Projects_X_Contacts")
    assert [modules[name]["generated_type"] for name in names] == ["default", "custom", "subform", "linking"]
    assert not modules["Home"]["api_supported"]
    pairs = set()
    for name, module in modules.items():
        if module["api_supported"]:
            fields = zoho.get("/settings/fields", module=name).json()["fields"]
            pairs |= {(each["data_type"], each["json_type"]) for each in fields}
            assert len({each["id"] for each in fields}) == len(fields)
    kinds = {kind for kind, _ in pairs}
    assert kinds >= {
        "text", "email", "phone", "website", "textarea", "picklist", "multiselectpicklist", "integer", "bigint",
        "double", "currency", "percent", "boolean", "date", "datetime", "lookup", "ownerlookup", "userlookup",
        "multi_module_lookup", "formula", "rollup_summary", "autonumber", "subform", "multiselectlookup", "fileupload",
    }  # fmt: skip
    assert pairs >= {
        ("text", "jsonarray"),
        ("formula", "boolean"),
        ("formula", "string"),
        ("rollup_summary", "integer"),
    }
    assert len(zoho.get("/settings/fields", module="Leads").json()["fields"]) > 50


def test_field_metadata_of_lookups_and_picklists(zoho: Client) -> None:
    leads = {each["api_name"]: each for each in zoho.get("/settings/fields", module="Leads").json()["fields"]}
    assert leads["Referred_By"]["lookup"]["module"]["api_name"] == "Contacts"
    assert leads["Lead_Source"]["pick_list_values"][0]["display_value"] == "-None-"
    assert leads["Is_Hot"]["formula"]["return_type"] == "boolean"
    assert (leads["id"]["data_type"], leads["id"]["json_type"]) == ("bigint", "string")
    projects = {each["api_name"]: each for each in zoho.get("/settings/fields", module="Projects").json()["fields"]}
    assert projects["Line_Items"]["subform"]["module"] == "Project_Lines"
    assert projects["Team"]["multiselectlookup"]["linking_module"]["api_name"] == "Projects_X_Contacts"
    assert error(zoho.get("/settings/fields"))[1:] == ("REQUIRED_PARAM_MISSING", {"param_name": "module"})
    assert zoho.get("/settings/fields", module="Visits").status_code == 204


def test_page_tokens_cover_every_row_once(sim: Simulator, zoho: Client) -> None:
    seen, params = [], {"fields": "Last_Name,Email", "converted": "both"}
    while True:
        body = zoho.get("/Leads", **params).json()
        seen += [row["id"] for row in body["data"]]
        info = body["info"]
        if not info["more_records"]:
            break
        params["page_token"] = info["next_page_token"]
    assert info["next_page_token"] is None
    assert info["page_token_expiry"] is None
    assert len(seen) == len(set(seen)) == sim.crm.count("Leads") == 2300
    assert seen == sorted(seen, key=int, reverse=True)
    assert {len(each) for each in seen} == {18}


def test_info_block(zoho: Client) -> None:
    info = zoho.get("/Leads", fields="Email", per_page=5, page=2).json()["info"]
    assert info["page_token_expiry"][-6:] in ("-07:00", "-08:00")
    for secret in ("next_page_token", "previous_page_token", "page_token_expiry"):
        assert info.pop(secret)
    assert info == {
        "call": False, "per_page": 5, "count": 5, "sort_by": "id", "page": 2, "sort_order": "desc", "email": False,
        "more_records": True,
    }  # fmt: skip


def test_previous_token_goes_back(zoho: Client) -> None:
    first = zoho.get("/Deals", fields="Deal_Name", per_page=3).json()
    second = zoho.get("/Deals", fields="Deal_Name", per_page=3, page_token=first["info"]["next_page_token"]).json()
    back = zoho.get("/Deals", fields="Deal_Name", per_page=3, page_token=second["info"]["previous_page_token"]).json()
    assert back["data"] == first["data"] != second["data"]


def test_converted_leads_are_hidden_unless_asked_for(zoho: Client) -> None:
    counts = {}
    for converted in (None, "false", "true", "both"):
        amount = 0
        for page in range(1, 11):
            answer = zoho.get("/Leads", fields="Converted__s", converted=converted, page=page)
            rows = answer.json()["data"] if answer.status_code == 200 else []
            assert converted == "both" or all(row["Converted__s"] is (converted == "true") for row in rows)
            amount += len(rows)
        counts[converted] = amount
    assert counts[None] == counts["false"] > counts["true"] > 0
    assert counts["both"] == 2000


def test_sorting_and_ids(zoho: Client) -> None:
    rows = zoho.get("/Deals", fields="Modified_Time", sort_by="Modified_Time", sort_order="asc").json()["data"]
    moments = [datetime.fromisoformat(row["Modified_Time"]) for row in rows]
    assert moments == sorted(moments)
    chosen = [row["id"] for row in rows[:3]]
    listed = zoho.get("/Deals", fields="Deal_Name", ids=",".join(chosen)).json()["data"]
    assert sorted(row["id"] for row in listed) == sorted(chosen)
    assert error(zoho.get("/Deals", fields="id", sort_by="Amount"))[2] == {"param_name": "sort_by"}


def test_custom_views(zoho: Client) -> None:
    views = {each["name"]: each for each in zoho.get("/settings/custom_views", module="Deals").json()["custom_views"]}
    rows = zoho.get("/Deals", fields="Stage", cvid=views["Open Deals"]["id"]).json()["data"]
    assert rows
    assert not [row for row in rows if row["Stage"].startswith("Closed")]
    assert zoho.sim.traffic.calls[-1].credits == 3
    assert error(zoho.get("/Deals", fields="Stage", cvid="1")) == (400, "INVALID_DATA", {"param_name": "cvid"})


@pytest.mark.parametrize(
    ("path", "params", "code", "details"),
    [
        ("/Leads", {}, "REQUIRED_PARAM_MISSING", {"param_name": "fields"}),
        ("/Nope", {"fields": "id"}, "INVALID_MODULE", {"resource_path_index": 0}),
        ("/Home", {"fields": "id"}, "NOT_SUPPORTED", {"resource_path_index": 0}),
        ("/Leads", {"fields": ",".join(map(str, range(51)))}, "LIMIT_EXCEEDED", {"limit": 50, "param_name": "fields"}),
        ("/Leads", {"fields": "Email", "page": 11}, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", {"limit": 2000}),
        ("/Leads", {"fields": "Email", "page": "x"}, "PATTERN_NOT_MATCHED", {"param_name": "page"}),
        ("/Leads", {"fields": "Email", "page_token": "x"}, "TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"}),
        (
            "/Leads",
            {"fields": "Email", "page_token": "x", "page": 2},
            "AMBIGUITY_DURING_PROCESSING",
            {"ambiguity_due_to": [{"param_name": "page"}, {"param_name": "page_token"}]},
        ),
    ],
)
def test_list_errors(zoho: Client, path: str, params: dict, code: str, details: dict) -> None:
    assert error(zoho.get(path, **params)) == (400, code, details)


def test_page_tokens_are_bound_and_expire(sim: Simulator, zoho: Client, options: Options) -> None:
    token = zoho.get("/Leads", fields="Email").json()["info"]["next_page_token"]
    assert zoho.get("/Leads", fields="Email", page_token=token).status_code == 200
    assert error(zoho.get("/Leads", fields="Phone", page_token=token))[1] == "TOKEN_BOUND_DATA_MISMATCH"
    assert error(zoho.get("/Deals", fields="Email", page_token=token))[1] == "TOKEN_BOUND_DATA_MISMATCH"
    options.zuid = "700200301"
    with Client(sim) as other:
        assert error(other.get("/Leads", fields="Email", page_token=token))[1] == "TOKEN_BOUND_DATA_MISMATCH"
    sim.clock.advance(86_401)
    with Client(sim) as later:
        options.zuid = "700200300"
    with Client(sim) as later:
        assert error(later.get("/Leads", fields="Email", page_token=token))[1] == "EXPIRED_VALUE"
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {sim.access_token()}"


def test_tokens_end_at_their_limit(zoho: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert records.MOST_ROWS == 100_000
    monkeypatch.setattr(records, "MOST_ROWS", 400)
    params, statuses = {"fields": "Email"}, []
    for _ in range(3):
        answer = zoho.get("/Leads", **params)
        statuses.append(answer.status_code)
        params["page_token"] = answer.json().get("info", {}).get("next_page_token")
    assert statuses == [200, 200, 400]
    assert error(answer) == (400, "PAGINATION_LIMIT_EXCEEDED", {"param_name": "page_token"})


def test_rows_added_during_a_pull_cause_no_duplicates(sim: Simulator, zoho: Client) -> None:
    first = zoho.get("/Tasks", fields="Subject", per_page=100).json()
    tasks = sim.crm.schema["Tasks"]
    sim.crm.store.write('INSERT INTO "Tasks" (id, Subject) VALUES (?, ?)', (sim.crm.store.new_id(tasks), "new"))
    token = first["info"]["next_page_token"]
    second = zoho.get("/Tasks", fields="Subject", per_page=100, page_token=token).json()
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}


def test_if_modified_since(zoho: Client, options: Options) -> None:
    newest = zoho.get("/Deals", fields="Modified_Time", sort_by="Modified_Time").json()["data"][0]["Modified_Time"]
    found = zoho.get("/Deals", {"If-Modified-Since": newest}, fields="Modified_Time").json()["data"]
    assert [row["Modified_Time"] for row in found] == [newest]  # inclusive
    later = {"If-Modified-Since": "2100-01-01T00:00:00+00:00"}
    assert zoho.get("/Deals", later, fields="Modified_Time").status_code == 304
    options.not_modified_status = 204
    assert zoho.get("/Deals", later, fields="Modified_Time").status_code == 204
    assert error(zoho.get("/Deals", {"If-Modified-Since": "yesterday"}, fields="id"))[1] == "PATTERN_NOT_MATCHED"


def test_values_by_type(zoho: Client) -> None:
    fields = "Last_Name,Owner,Tag,Products_Interested,Is_Hot,Tax_Number,Lead_Score,Calibration,Referred_By,Created_Time"
    rows = [row for page in range(1, 11) for row in zoho.get("/Leads", fields=fields, page=page).json()["data"]]
    kinds = {name: {type(row[name]) for row in rows} - {type(None)} for name in fields.split(",")}
    assert kinds == {
        "Last_Name": {str}, "Owner": {dict}, "Tag": {list}, "Products_Interested": {list}, "Is_Hot": {bool},
        "Tax_Number": {str}, "Lead_Score": {int}, "Calibration": {float, int}, "Referred_By": {dict},
        "Created_Time": {str},
    }  # fmt: skip
    assert {tuple(row["Owner"]) for row in rows} == {("name", "id", "email")}
    assert any(not row["Last_Name"].isascii() for row in rows)


def test_one_record_has_everything(sim: Simulator, zoho: Client) -> None:
    [known] = sim.crm.store.read('SELECT Parent_Id FROM "Project_Lines" LIMIT 1')
    [record] = zoho.get(f"/Projects/{known[0]}").json()["data"]
    assert record["Line_Items"][0]["Parent_Id"]["id"] == record["id"]
    assert len(record["id"]) == 19
    assert {"Name", "Team", "Tag", "$approval_state", "$currency_symbol"} <= set(record)
    total = sum(line["Line_Total"] for line in record["Line_Items"])
    assert record["Lines_Total"] == pytest.approx(total)
    listed = zoho.get("/Projects", fields="Name,Line_Items,Team,Permit").json()["data"][0]
    assert set(listed) == {"Name", "Permit", "id"}  # lists show no subforms and no multi-select lookups


def test_unknown_record(zoho: Client, options: Options) -> None:
    assert zoho.get("/Leads/554023000000000001").status_code == 204
    options.unknown_record_status = 404
    assert error(zoho.get("/Leads/554023000000000001"))[:2] == (404, "INVALID_DATA")
    assert error(zoho.get("/Leads/12ab"))[:2] == (400, "INVALID_DATA")
    for path in ("/Leads/abc", "/Leads/1/actions/blueprint", "/Leads/actions/nothing", "/Leads/timelines"):
        assert error(zoho.get(path))[:2] == (404, "INVALID_URL_PATTERN")


def test_what_id_names_its_module(zoho: Client) -> None:
    rows = zoho.get("/Tasks", fields="What_Id,$se_module").json()["data"]
    assert {row["$se_module"] for row in rows} >= {"Accounts", "Deals", "Leads"}
    row = next(row for row in rows if row["$se_module"] == "Deals")
    [deal] = zoho.get(f"/Deals/{row['What_Id']['id']}").json()["data"]
    assert deal["Deal_Name"] == row["What_Id"]["name"]


def test_datetimes_use_the_callers_time_zone(sim: Simulator, options: Options) -> None:
    seen = {}
    for zuid in ("700200300", "700200305"):  # Los Angeles, Berlin
        options.zuid = zuid
        with Client(sim) as zoho:
            rows = zoho.get("/Leads", fields="Last_Name,Next_Follow_Up", sort_order="asc", per_page=20).json()["data"]
            seen[zuid] = {row["Last_Name"]: row["Next_Follow_Up"] for row in rows}
    here, berlin = seen.values()
    assert (berlin["Früh"], berlin["Spät"]) == ("2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00")
    assert (berlin["Herbst"], berlin["Winter"]) == ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00")
    assert berlin["Far"] == "2300-01-01T13:00:00+01:00"
    assert here["Früh"] == "2026-03-28T17:59:59-07:00"
    for name in ("Früh", "Winter", "Far", "Early"):
        assert datetime.fromisoformat(here[name]) == datetime.fromisoformat(berlin[name])


def test_scopes_limit_endpoints(sim: Simulator) -> None:
    with Client(sim, "ZohoCRM.modules.leads.READ") as zoho:
        assert zoho.get("/Leads", fields="id").status_code == 200
        for path, params in (
            ("/Deals", {"fields": "id"}),
            ("/org", {}),
            ("/users", {}),
            ("/settings/fields", {"module": "Leads"}),
        ):
            assert error(zoho.get(path, **params)) == (401, "OAUTH_SCOPE_MISMATCH", {})
    with Client(sim, "ZohoCRM.modules.custom.READ,ZohoCRM.settings.ALL") as zoho:
        assert zoho.get("/Projects", fields="Name").status_code == 200
        assert zoho.get("/settings/fields", module="Leads").status_code == 200


def test_wrong_paths_and_methods(zoho: Client) -> None:
    assert error(zoho.get("/a/b/c/d"))[:2] == (404, "INVALID_URL_PATTERN")
    for method, path in (("PATCH", "/org"), ("DELETE", "/users"), ("PUT", "/coql"), ("PATCH", "/Leads")):
        assert error(zoho.call(method, f"/crm/v8{path}"))[:2] == (400, "INVALID_REQUEST_METHOD")
    assert error(zoho.get("/settings/nothing"))[:2] == (404, "INVALID_URL_PATTERN")


def test_credits_run_out_and_come_back(options: Options) -> None:
    with Simulator(rows=10, options=Options(credit_limit=10)) as sim, Client(sim) as zoho:
        headers = [zoho.get("/org").headers.get("X-API-CREDITS-REMAINING") for _ in range(7)]
        assert headers == [None, None, None, None, None, "4", "3"]
        assert zoho.get("/Leads", fields="id", cvid=str(sim.crm.schema["Leads"].id + 50_000)).status_code == 200
        refused = zoho.get("/org")
        assert error(refused)[:2] == (429, "TOO_MANY_REQUESTS")
        assert "Retry-After" not in refused.headers
        sim.options.retry_after = 60
        assert zoho.get("/org").headers["Retry-After"] == "60"
        sim.clock.advance(86_401)
        with Client(sim) as tomorrow:
            assert tomorrow.get("/org").status_code == 200


def test_concurrency_by_edition_and_sub_concurrency(sim: Simulator, zoho: Client, options: Options) -> None:
    options.working_time = 0.4

    def burst(amount: int, **params: str) -> int:
        barrier = threading.Barrier(amount)

        def one(_: int) -> int:
            with requests.Session() as http:
                barrier.wait()
                where, asked = f"{sim.url}/crm/v8/Leads", {"fields": "id", **params}
                return http.get(where, params=asked, headers=zoho.http.headers, timeout=30).status_code

        with ThreadPoolExecutor(amount) as pool:
            return list(pool.map(one, range(amount))).count(429)

    assert burst(20) == 0
    assert burst(12, sort_by="id") == 2
    options.edition = "free"
    assert burst(7) == 2


def test_the_same_seed_gives_the_same_rows() -> None:
    first, second, other = Crm(rows=60, seed=3), Crm(rows=60, seed=3), Crm(rows=60, seed=4)
    for name in ("Leads", "Deals", "Projects"):
        assert first.rows(name) == second.rows(name) != other.rows(name)
    for each in (first, second, other):
        each.close()


def test_demo_sellers_differ_in_win_rate_and_deal_size(sim: Simulator) -> None:
    won = dict(
        sim.crm.store.read(
            "SELECT Owner, avg(Stage = 'Closed Won') FROM Deals WHERE Stage LIKE 'Closed%' GROUP BY Owner"
        )
    )
    assert max(won.values()) - min(won.values()) > 0.15
    leads = sim.crm.rows("Leads")
    empty = {name for name in leads[0] if all(row[name] is None for row in leads)}
    assert {"Legacy_Code", "Headcount_Forecast"} <= empty
    assert len({row["Currency"] for row in leads}) > 2
    assert len({row["Email"] for row in leads}) == len(leads)
