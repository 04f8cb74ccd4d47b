"""The simulator's writes, over real HTTP: records, upserts, deletions and bulk write jobs."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.crm.org import Crm
from zoho_magic.simulator.options import Options

LEADS, TASKS, PROJECTS = "/crm/v8/Leads", "/crm/v8/Tasks", "/crm/v8/Projects"
WRITE, UPLOAD = "/crm/bulk/v8/write", "/crm/v8/upload"


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=300, seed=9, options=Options(job_seconds=0, credit_limit=10_000_000)) as running:
        yield running


def post(zoho: Client, *rows: Any, path: str = LEADS, **body: Any) -> tuple[int, list[dict[str, Any]]]:
    answer = zoho.call("POST", path, json={"data": list(rows), **body})
    return answer.status_code, answer.json().get("data")


def stored(crm: Crm, module: str, key: str) -> dict[str, Any]:
    return next(row for row in crm.rows(module) if row["id"] == key)


def test_insert_round_trips_every_field_type(sim: Simulator, zoho: Client) -> None:
    contact = sim.crm.rows("Contacts")[0]
    row = {
        "Last_Name": "Ünal \"Q\", 'x'; ,\n新", "Email": "unal@example.com", "Phone": "+49 30 1", "Website": "https://x.y",
        "Description": "line\nline", "Lead_Source": "Partner", "No_of_Employees": 999999999, "Annual_Revenue": 0.1,
        "Discount_Expected": 12.5, "Calibration": 1.7976931348623157e308, "Tax_Number": "999999999999999999",
        "Email_Opt_Out": True, "Date_of_Birth": "1889-04-20", "Contract_End": "9999-12-31",
        "Products_Interested": ["Storage, residential", "R&D; prototypes"], "Tag": [{"name": "vip"}, {"name": "a,b"}],
        "Referred_By": {"id": contact["id"]}, "Owner": {"id": "554023000000237011"},
        "Account_Manager": {"id": "554023000000239021"},
    }  # fmt: skip
    status, [result] = post(zoho, {**row, "Next_Follow_Up": "2300-03-29T02:30:00+05:30"})
    assert (status, result["code"], result["message"]) == (201, "SUCCESS", "record added")
    assert set(result["details"]) == {
        "id", "Created_Time", "Created_By", "Modified_Time", "Modified_By", "$approval_state",
    }  # fmt: skip
    [back] = zoho.get(f"/Leads/{result['details']['id']}").json()["data"]
    for name in set(row) - {"Tag", "Referred_By", "Owner", "Account_Manager"}:
        assert back[name] == row[name], name
    assert [tag["name"] for tag in back["Tag"]] == ["vip", "a,b"]
    assert back["Referred_By"] == {"name": contact["Full_Name"], "id": contact["id"]}
    assert (back["Owner"]["id"], back["Account_Manager"]["id"]) == ("554023000000237011", "554023000000239021")
    assert back["Next_Follow_Up"] == "2300-03-28T14:00:00-07:00"
    assert back["Reference_Number"] == "NB-000301"
    assert back["Created_By"]["name"] == "Patricia Boyle"
    assert back["Converted__s"] is False


@pytest.mark.parametrize(
    ("cells", "code", "details"),
    [
        ({"Last_Name": None}, "MANDATORY_NOT_FOUND", {"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"}),
        (
            {"Company": "x" * 201},
            "INVALID_DATA",
            {"maximum_length": 200, "api_name": "Company", "json_path": "$.data[1].Company"},
        ),
        (
            {"Lead_Score": "9"},
            "INVALID_DATA",
            {"expected_data_type": "integer", "api_name": "Lead_Score", "json_path": "$.data[1].Lead_Score"},
        ),
        (
            {"Lead_Score": 10**9},
            "INVALID_DATA",
            {"maximum_length": 9, "api_name": "Lead_Score", "json_path": "$.data[1].Lead_Score"},
        ),
        (
            {"Lead_Score": True},
            "INVALID_DATA",
            {"expected_data_type": "integer", "api_name": "Lead_Score", "json_path": "$.data[1].Lead_Score"},
        ),
        (
            {"Tax_Number": 10**18},
            "INVALID_DATA",
            {"maximum_length": 18, "api_name": "Tax_Number", "json_path": "$.data[1].Tax_Number"},
        ),
        (
            {"Budget": "9"},
            "INVALID_DATA",
            {"expected_data_type": "double", "api_name": "Budget", "json_path": "$.data[1].Budget"},
        ),
        (
            {"Email": "nope"},
            "INVALID_DATA",
            {"expected_data_type": "email", "api_name": "Email", "json_path": "$.data[1].Email"},
        ),
        (
            {"Lead_Source": "Nope"},
            "INVALID_DATA",
            {"expected_data_type": "picklist", "api_name": "Lead_Source", "json_path": "$.data[1].Lead_Source"},
        ),
        (
            {"Email_Opt_Out": "yes"},
            "INVALID_DATA",
            {"expected_data_type": "boolean", "api_name": "Email_Opt_Out", "json_path": "$.data[1].Email_Opt_Out"},
        ),
        (
            {"Date_of_Birth": "2026-02-30"},
            "INVALID_DATA",
            {"expected_data_type": "date", "api_name": "Date_of_Birth", "json_path": "$.data[1].Date_of_Birth"},
        ),
        (
            {"Next_Follow_Up": "2026-02-03T10:00:00.5+00:00"},
            "INVALID_DATA",
            {"expected_data_type": "datetime", "api_name": "Next_Follow_Up", "json_path": "$.data[1].Next_Follow_Up"},
        ),
        (
            {"Products_Interested": "Monitoring"},
            "INVALID_DATA",
            {
                "expected_data_type": "jsonarray",
                "api_name": "Products_Interested",
                "json_path": "$.data[1].Products_Interested",
            },
        ),
        (
            {"Referred_By": "1"},
            "INVALID_DATA",
            {"expected_data_type": "jsonobject", "api_name": "Referred_By", "json_path": "$.data[1].Referred_By"},
        ),
        (
            {"Referred_By": {"id": "1"}},
            "INVALID_DATA",
            {"api_name": "id", "json_path": "$.data[1].Referred_By.id", "parent_api_name": "Referred_By"},
        ),
        (
            {"Owner": {"id": "554023000000251081"}},
            "INVALID_DATA",
            {"api_name": "id", "json_path": "$.data[1].Owner.id", "parent_api_name": "Owner"},
        ),
    ],
)
def test_row_errors_have_a_json_path_and_do_not_stop_other_rows(
    sim: Simulator, zoho: Client, cells: dict[str, Any], code: str, details: dict[str, Any]
) -> None:
    before = sim.crm.count("Leads")
    status, results = post(zoho, {"Last_Name": "good"}, {"Last_Name": "bad", **cells}, {"Last_Name": "good"})
    assert status == 207
    assert [each["status"] for each in results] == ["success", "error", "success"]
    assert (results[1]["code"], results[1]["details"]) == (code, details)
    assert sim.crm.count("Leads") == before + 2


def test_duplicates_of_unique_fields(sim: Simulator, zoho: Client) -> None:
    status, results = post(
        zoho, {"Last_Name": "a", "Email": "one@example.com"}, {"Last_Name": "b", "Email": "ONE@example.com"}
    )
    assert status == 207
    details = results[1]["details"]
    assert results[1]["code"] == "DUPLICATE_DATA"
    assert details["id"] == details["duplicate_record"]["id"] == results[0]["details"]["id"]
    assert details["duplicate_record"]["module"]["api_name"] == "Leads"
    assert (details["json_path"], details["more_records"]) == ("$.data[1].Email", False)


def test_several_errors_in_a_row(zoho: Client, options: Options) -> None:
    row = {"Email": "x", "Lead_Score": "y"}
    status, [result] = post(zoho, row)
    assert status == 400
    assert result["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    assert {each["code"] for each in result["details"]["errors"]} == {"MANDATORY_NOT_FOUND", "INVALID_DATA"}
    options.multiple_errors = False
    assert post(zoho, row)[1][0]["code"] == "MANDATORY_NOT_FOUND"


def test_statuses_of_mixed_and_failed_calls_are_options(zoho: Client, options: Options) -> None:
    options.mixed_write_status, options.failed_write_status = 202, 202
    assert post(zoho, {"Last_Name": "a"}, {})[0] == 202
    assert post(zoho, {})[0] == 202


def test_bodies_that_are_refused_whole(zoho: Client) -> None:
    rows = [{"Last_Name": "a"}] * 101
    assert error(zoho.call("POST", LEADS, json={"data": rows})) == (
        400, "LIMIT_EXCEEDED", {"maximum_length": 100, "api_name": "data", "json_path": "$.data"},
    )  # fmt: skip
    assert error(zoho.call("POST", LEADS, json={}))[1] == "MANDATORY_NOT_FOUND"
    assert error(zoho.call("POST", LEADS, json={"data": []}))[1] == "INVALID_DATA"
    assert error(zoho.call("POST", LEADS, data="x"))[1] == "INVALID_DATA"
    assert error(zoho.call("POST", "/crm/v8/Nope", json={"data": rows}))[1] == "INVALID_MODULE"
    assert error(zoho.call("POST", LEADS, json={"data": rows[:1], "trigger": ["everything"]}))[1] == "INVALID_DATA"
    assert post(zoho, "not a row")[1][0]["details"] == {"expected_data_type": "jsonobject", "json_path": "$.data[0]"}


def test_read_only_fields_and_formulas_are_left_alone(zoho: Client) -> None:
    _, [result] = post(
        zoho,
        {
            "Last_Name": "a",
            "Budget": 1000,
            "Lead_Score": 50,
            "Weighted_Budget": 1,
            "Created_Time": "2001-01-01T00:00:00+00:00",
        },
    )
    [lead] = zoho.get(f"/Leads/{result['details']['id']}").json()["data"]
    assert lead["Weighted_Budget"] == 500
    assert not lead["Created_Time"].startswith("2001")


def test_update(sim: Simulator, zoho: Client) -> None:
    _, [added] = post(zoho, {"Last_Name": "before", "Company": "kept", "Phone": "1"})
    key = added["details"]["id"]
    sim.clock.advance(60)
    rows = [
        {"id": key, "Last_Name": "after", "Phone": None},
        {"id": "12"},
        {"Last_Name": "x"},
        {"id": key, "Last_Name": ""},
    ]
    answer = zoho.call("PUT", LEADS, json={"data": rows})
    assert answer.status_code == 207
    codes = [(each["code"], each["details"].get("json_path")) for each in answer.json()["data"]]
    assert codes == [
        ("SUCCESS", None),
        ("INVALID_DATA", "$.data[1].id"),
        ("MANDATORY_NOT_FOUND", "$.data[2].id"),
        ("MANDATORY_NOT_FOUND", "$.data[3].Last_Name"),
    ]
    lead = stored(sim.crm, "Leads", key)
    assert (lead["Last_Name"], lead["Company"], lead["Phone"]) == ("after", "kept", None)
    assert lead["Modified_Time"] > lead["Created_Time"]
    assert zoho.call("PUT", f"{LEADS}/{key}", json={"data": [{"Company": "one"}]}).status_code == 200
    assert stored(sim.crm, "Leads", key)["Company"] == "one"
    assert zoho.get("/Leads", {"If-Modified-Since": lead["Modified_Time"]}, fields="Company").json()["data"]


def test_appending_to_a_multi_select(sim: Simulator, zoho: Client) -> None:
    _, [added] = post(zoho, {"Last_Name": "a", "Products_Interested": ["Monitoring"]})
    key = added["details"]["id"]
    change = {"Products_Interested": ["Inverters", "Monitoring"], "$append_values": {"Products_Interested": True}}
    assert zoho.call("PUT", f"{LEADS}/{key}", json={"data": [change]}).status_code == 200
    assert stored(sim.crm, "Leads", key)["Products_Interested"] == ["Monitoring", "Inverters"]
    del change["$append_values"]
    zoho.call("PUT", f"{LEADS}/{key}", json={"data": [change]})
    assert stored(sim.crm, "Leads", key)["Products_Interested"] == ["Inverters", "Monitoring"]


def test_if_unmodified_since(zoho: Client) -> None:
    _, [added] = post(zoho, {"Last_Name": "a"})
    url, body = f"{LEADS}/{added['details']['id']}", {"data": [{"Company": "b"}]}
    old = zoho.call("PUT", url, json=body, headers={"If-Unmodified-Since": "2020-01-01T00:00:00+00:00"})
    assert error(old)[:2] == (412, "ALREADY_MODIFIED")
    fresh = {"If-Unmodified-Since": added["details"]["Modified_Time"]}
    assert zoho.call("PUT", url, json=body, headers=fresh).status_code == 200


def test_converted_leads_are_not_updated(sim: Simulator, zoho: Client, options: Options) -> None:
    lead = next(row for row in sim.crm.rows("Leads") if row["Converted__s"])
    body = {"data": [{"id": lead["id"], "Company": "x"}]}
    assert zoho.call("PUT", LEADS, json=body).json()["data"][0]["code"] == "CONVERTED_RECORD"
    options.converted_writable = True
    assert zoho.call("PUT", LEADS, json=body).status_code == 200


def test_upsert_matches_in_order(sim: Simulator, zoho: Client) -> None:
    before = sim.crm.count("Leads")
    status, results = post(
        zoho,
        {"Last_Name": "new", "Email": "upsert@example.com"},
        {"Last_Name": "again", "Email": "upsert@example.com"},
        {"Last_Name": "no address"},
        {"Email": "nobody@example.com"},
        path=f"{LEADS}/upsert",
        duplicate_check_fields=["Email"],
    )
    assert status == 207
    assert [(each.get("action"), each.get("duplicate_field"), each["message"]) for each in results] == [
        ("insert", None, "record added"),
        ("update", "Email", "record updated"),
        ("insert", None, "record added"),
        (None, None, "required field not found"),
    ]
    assert results[0]["details"]["id"] == results[1]["details"]["id"]
    assert stored(sim.crm, "Leads", results[0]["details"]["id"])["Last_Name"] == "again"
    assert sim.crm.count("Leads") == before + 2
    bad = zoho.call("POST", f"{LEADS}/upsert", json={"data": [{}], "duplicate_check_fields": ["City"]})
    assert error(bad)[2] == {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields[0]"}


def test_upsert_defaults_to_the_modules_field(sim: Simulator, zoho: Client) -> None:
    name = sim.crm.rows("Accounts")[0]["Account_Name"]
    _, [result] = post(zoho, {"Account_Name": name, "Phone": "42"}, path="/crm/v8/Accounts/upsert")
    assert (result["action"], result["duplicate_field"]) == ("update", "Account_Name")
    assert sim.crm.rows("Accounts")[0]["Phone"] == "42"


def test_deleting_fills_the_recycle_bin(sim: Simulator, zoho: Client) -> None:
    keys = [each["details"]["id"] for each in post(zoho, {"Last_Name": "a"}, {"Last_Name": "b"})[1]]
    answer = zoho.call("DELETE", LEADS, params={"ids": f"{keys[0]},1", "wf_trigger": "true"})
    assert answer.status_code == 207
    assert [(each["code"], each["message"]) for each in answer.json()["data"]] == [
        ("SUCCESS", "record deleted"),
        ("INVALID_DATA", "record not deleted"),
    ]
    assert zoho.call("DELETE", f"{LEADS}/{keys[1]}").status_code == 200
    assert zoho.get(f"/Leads/{keys[0]}").status_code == 204
    listed = zoho.get("/Leads/deleted", type="recycle").json()["data"]
    assert {each["id"] for each in listed} >= set(keys)
    assert error(zoho.call("DELETE", LEADS))[1:] == ("REQUIRED_PARAM_MISSING", {"param_name": "ids"})
    assert error(zoho.call("DELETE", LEADS, params={"ids": ",".join(["1"] * 101)}))[1] == "LIMIT_EXCEEDED"


def test_subforms_links_and_rollups(sim: Simulator, zoho: Client) -> None:
    contact = sim.crm.rows("Contacts")[0]["id"]
    lines = [{"Item": "a", "Quantity": 2, "Unit_Price": 3.5}, {"Item": "b", "Quantity": 1, "Unit_Price": 10}]
    _, [added] = post(zoho, {"Name": "P", "Line_Items": lines, "Team": [{"Contacts": {"id": contact}}]}, path=PROJECTS)
    key = added["details"]["id"]
    [project] = zoho.get(f"/Projects/{key}").json()["data"]
    assert [line["Line_Total"] for line in project["Line_Items"]] == [7, 10]
    assert (project["Lines_Total"], project["Team"][0]["Contacts"]["id"]) == (17, contact)
    first, second = (line["id"] for line in project["Line_Items"])
    change = {"Line_Items": [{"id": first, "Quantity": 4}, {"id": second, "_delete": None}]}
    zoho.call("PUT", f"{PROJECTS}/{key}", json={"data": [change]})
    [project] = zoho.get(f"/Projects/{key}").json()["data"]
    assert ([line["id"] for line in project["Line_Items"]], project["Lines_Total"]) == ([first], 14)
    _, [bad] = post(zoho, {"Name": "Q", "Line_Items": [lines[0], {**lines[1], "Quantity": "x"}]}, path=PROJECTS)
    assert bad["details"]["json_path"] == "$.data[0].Line_Items[1].Quantity"
    zoho.call("DELETE", f"{PROJECTS}/{key}")
    assert not [line for line in sim.crm.rows("Project_Lines") if line["Parent_Id"]["id"] == key]


def test_a_deal_changes_its_accounts_rollup(sim: Simulator, zoho: Client) -> None:
    _, [added] = post(zoho, {"Account_Name": "Rolled up"}, path="/crm/v8/Accounts")
    account = added["details"]["id"]
    deal = {"Deal_Name": "d", "Stage": "Closed Won", "Amount": 500, "Account_Name": {"id": account}}
    _, [added] = post(zoho, deal, path="/crm/v8/Deals")
    assert stored(sim.crm, "Accounts", account)["Won_Amount"] == 500
    assert stored(sim.crm, "Deals", added["details"]["id"])["Probability"] == 100
    zoho.call("DELETE", f"/crm/v8/Deals/{added['details']['id']}")
    assert not stored(sim.crm, "Accounts", account)["Won_Amount"]


def test_what_id_needs_its_module(sim: Simulator, zoho: Client) -> None:
    lead = sim.crm.rows("Leads")[0]["id"]
    task = {"Subject": "s", "What_Id": {"id": lead}}
    status, results = post(zoho, {**task, "$se_module": "Leads"}, task, path=TASKS)
    assert (status, results[1]["code"]) == (207, "DEPENDENT_FIELD_MISSING")
    assert stored(sim.crm, "Tasks", results[0]["details"]["id"])["What_Id"]["id"] == lead


def test_triggers_credits_and_scopes(sim: Simulator, zoho: Client) -> None:
    sim.crm.triggered.clear()
    post(zoho, {"Last_Name": "silent"}, trigger=[])
    post(zoho, {"Last_Name": "loud"})
    post(zoho, {"Last_Name": "some"}, trigger=["workflow"])
    assert [len(triggers) for _, _, triggers in sim.crm.triggered] == [0, 5, 1]
    for rows, credits in ((1, 1), (10, 1), (11, 2), (100, 10)):
        post(zoho, *[{"Last_Name": "c"}] * rows)
        assert sim.traffic.calls[-1].credits == credits
    with Client(sim, "ZohoCRM.modules.leads.READ,ZohoCRM.modules.leads.CREATE") as other:
        assert post(other, {"Last_Name": "a"})[0] == 201
        assert error(other.call("PUT", LEADS, json={"data": [{}]}))[:2] == (401, "OAUTH_SCOPE_MISMATCH")
        assert error(other.call("DELETE", LEADS, params={"ids": "1"}))[1] == "OAUTH_SCOPE_MISMATCH"
    with Client(sim, "ZohoCRM.modules.leads.WRITE") as other:
        assert other.call("DELETE", LEADS, params={"ids": "1"}).json()["data"][0]["code"] == "INVALID_DATA"


def test_upserts_stay_quick(zoho: Client) -> None:
    rows = [{"Last_Name": "q", "Email": f"quick{number}@example.com"} for number in range(100)]
    start = time.perf_counter()
    for _ in range(2):
        assert post(zoho, *rows, path=f"{LEADS}/upsert")[0] == 200
    assert time.perf_counter() - start < 1.0


# -- bulk write


def packed(*lines: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("rows.csv", "\n".join(lines) + "\n")
    return file.getvalue()


def send(zoho: Client, data: bytes, **headers: str) -> Any:
    named = {"feature": "bulk-write", "X-CRM-ORG": zoho.sim.options.org_id, **headers}
    return zoho.call("POST", UPLOAD, files={"file": ("rows.zip", data)}, headers={k: v for k, v in named.items() if v})


def uploaded(zoho: Client, *lines: str) -> str:
    answer = send(zoho, packed(*lines))
    assert (answer.status_code, answer.json()["code"]) == (200, "FILE_UPLOAD_SUCCESS")
    return str(answer.json()["details"]["file_id"])


def bulk(zoho: Client, operation: str, file_id: str, module: str = "Leads", **more: Any) -> Any:
    outer = {key: more.pop(key) for key in ("ignore_empty",) if key in more}
    resource = {"type": "data", "module": {"api_name": module}, "file_id": file_id, **more}
    return zoho.call("POST", WRITE, json={"operation": operation, **outer, "resource": [resource]})


def done(zoho: Client, answer: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    assert answer.status_code == 201, answer.text
    job = answer.json()["details"]["id"]
    deadline = time.monotonic() + 20
    while (body := zoho.call("GET", f"{WRITE}/{job}").json())["status"] not in ("COMPLETED", "SKIPPED", "FAILED"):
        assert time.monotonic() < deadline
    file = zoho.call("GET", body["result"]["download_url"])
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        [name] = archive.namelist()
        return body, list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def test_bulk_insert_reports_every_row_in_order(sim: Simulator, zoho: Client) -> None:
    file = uploaded(
        zoho, "Last_Name,Email,Lead_Score,Date_of_Birth", "Ann,ann@bulk.example,7,02/03/1980", ",b@bulk.example,x,",
        "Cid,ann@bulk.example,,",
    )  # fmt: skip
    mapping = [
        {"api_name": name, "index": place}
        for place, name in enumerate(("Last_Name", "Email", "Lead_Score", "Date_of_Birth"))
    ]
    before = sim.crm.count("Leads")
    body, rows = done(zoho, bulk(zoho, "insert", file, field_mappings=mapping, ignore_empty=True))
    assert body["resource"][0]["file"] == {
        "status": "COMPLETED", "name": "rows.csv", "added_count": 1, "skipped_count": 2, "updated_count": 0,
        "total_count": 3,
    }  # fmt: skip
    assert list(rows[0]) == ["Last_Name", "Email", "Lead_Score", "STATUS", "RECORD_ID", "ERRORS"]
    assert [(row["Last_Name"], row["STATUS"], row["ERRORS"]) for row in rows] == [
        ("Ann", "ADDED", ""),
        ("", "SKIPPED", "MANDATORY_NOT_FOUND-Last_Name:INVALID_DATA-Lead_Score"),
        ("Cid", "SKIPPED", "DUPLICATE_DATA-Email"),
    ]
    lead = stored(sim.crm, "Leads", rows[0]["RECORD_ID"])
    assert (lead["Lead_Score"], lead["Date_of_Birth"]) == (7, "1980-02-03")
    assert sim.crm.count("Leads") == before + 1
    assert sim.traffic.count(path=WRITE, method="POST") == 1
    assert next(call.credits for call in sim.traffic.calls if call.path == WRITE) == 500


def test_bulk_upsert_by_header_with_lookups_and_formats(sim: Simulator, zoho: Client) -> None:
    account = sim.crm.rows("Accounts")[3]
    file = uploaded(
        zoho, "Email;Last_Name;Owner.email;Created", "x@bulk.example;X;anais.lefevre@example.com;2026-03-04 05:06"
    )
    mappings = [
        {"api_name": "Email", "index": 0}, {"api_name": "Last_Name", "index": 1},
        {"api_name": "Owner", "index": 2, "find_by": "email"},
        {"api_name": "Next_Follow_Up", "index": 3, "format": "yyyy-MM-dd HH:mm"},
    ]  # fmt: skip
    _, [row] = done(zoho, bulk(zoho, "upsert", file, find_by="Email", field_mappings=mappings))
    lead = stored(sim.crm, "Leads", row["RECORD_ID"])
    assert (row["STATUS"], lead["Owner"]["name"]) == ("ADDED", "Anaïs Lefèvre")
    assert lead["Next_Follow_Up"] == "2026-03-04T05:06:00-08:00"
    _, [row] = done(zoho, bulk(zoho, "upsert", file, find_by="Email", field_mappings=mappings))
    assert row["STATUS"] == "UPDATED"
    file = uploaded(zoho, "Last_Name,Account_Name.Account_Name", f'Y,"{account["Account_Name"]}"')
    _, [row] = done(zoho, bulk(zoho, "insert", file, module="Contacts"))
    assert stored(sim.crm, "Contacts", row["RECORD_ID"])["Account_Name"]["id"] == account["id"]


def test_bulk_update_clears_empty_cells_unless_told(sim: Simulator, zoho: Client) -> None:
    _, [added] = post(zoho, {"Last_Name": "a", "Company": "kept", "Phone": "1"})
    key = added["details"]["id"]
    file = uploaded(zoho, "id,Company,Phone", f"{key},,2", "1,x,3")
    _, rows = done(zoho, bulk(zoho, "update", file, find_by="id", ignore_empty=True))
    assert [(row["STATUS"], row["ERRORS"]) for row in rows] == [("UPDATED", ""), ("SKIPPED", "INVALID_DATA-id")]
    assert stored(sim.crm, "Leads", key)["Company"] == "kept"
    done(zoho, bulk(zoho, "update", file, find_by="id"))
    assert stored(sim.crm, "Leads", key)["Company"] is None


def test_bulk_write_states(sim: Simulator, zoho: Client, options: Options) -> None:
    options.job_seconds = 100
    file = uploaded(zoho, "Last_Name", "a")
    job = bulk(zoho, "insert", file).json()["details"]["id"]
    states = []
    for _ in range(4):
        body = zoho.call("GET", f"{WRITE}/{job}").json()
        states.append(body["status"])
        assert ("result" in body) == (body["status"] == "COMPLETED")
        sim.clock.advance(45)
    assert states == ["ADDED", "IN PROGRESS", "IN PROGRESS", "COMPLETED"]
    options.bulk_absolute_url = True
    assert zoho.call("GET", f"{WRITE}/{job}").json()["result"]["download_url"].startswith(sim.url)
    options.job_seconds, options.fail_next_jobs = 0, 1
    failed = bulk(zoho, "insert", file).json()["details"]["id"]
    assert zoho.call("GET", f"{WRITE}/{failed}").json()["status"] == "FAILED"


def test_upload_refusals(zoho: Client) -> None:
    data = packed("Last_Name", "a")
    assert error(send(zoho, data, **{"X-CRM-ORG": ""}))[:2] == (400, "MANDATORY_NOT_FOUND")
    assert send(zoho, data, **{"X-CRM-ORG": "1"}).json()["message"] == "Invalid data - x-crm-org"
    assert error(send(zoho, data, feature="x"))[1] == "NOT_SUPPORTED_FEATURE"
    assert error(send(zoho, b"no zip"))[1] == "INVALID_FILE_FORMAT"
    assert error(send(zoho, bytes(25 * 1024 * 1024 + 1)))[:2] == (413, "FILE_TOO_LARGE")


def test_bulk_write_refusals(zoho: Client) -> None:
    file = uploaded(zoho, "Last_Name,Email", "a,b")
    assert error(bulk(zoho, "insert", "1"))[1] == "INVALID_FILE_ID"
    assert bulk(zoho, "insert", file, module="asdf").json()["message"] == "Requested module 'asdf' is not available."
    wrong = bulk(zoho, "insert", file, field_mappings=[{"api_name": "ast_Name", "index": 0}])
    assert (wrong.json()["code"], wrong.json()["message"]) == (
        "INVALID_FIELD",
        "invalid mapping. invalid api_name ast_Name.",
    )
    assert (
        error(bulk(zoho, "insert", file, field_mappings=[{"api_name": "Email", "index": 1}]))[1]
        == "MANDATORY_FIELDS_NOT_MAPPED"
    )
    assert error(bulk(zoho, "insert", file, field_mappings=[{"api_name": "Last_Name"}]))[1] == "COLUMN_INDEX_NOT_FOUND"
    assert error(bulk(zoho, "upsert", file))[1] == "MISSING_REQUIRED_KEY"
    assert error(zoho.call("POST", WRITE, json={"resource": []}))[1] == "MISSING_REQUIRED_KEY"
    assert error(zoho.call("GET", f"{WRITE}/1"))[:2] == (404, "RESOURCE_NOT_FOUND")
