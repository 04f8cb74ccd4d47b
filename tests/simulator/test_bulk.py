"""The simulator's bulk read jobs, over real HTTP."""

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
from zoho_magic.simulator.options import Options

READ = "/crm/bulk/v8/read"


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=900, seed=5, options=Options(job_seconds=0, bulk_downloads_per_minute=1000)) as running:
        yield running


def create(zoho: Client, query: dict[str, Any], **more: Any) -> Any:
    return zoho.call("POST", READ, json={"query": query, **more})


def started(zoho: Client, query: dict[str, Any]) -> str:
    answer = create(zoho, query)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["info"] == {}
    assert body["data"][0]["code"] == "ADDED_SUCCESSFULLY"
    return str(body["data"][0]["details"]["id"])


def status(zoho: Client, job: str) -> dict[str, Any]:
    [body] = zoho.call("GET", f"{READ}/{job}").json()["data"]
    return body


def finished(zoho: Client, query: dict[str, Any]) -> dict[str, Any]:
    job = started(zoho, query)
    deadline = time.monotonic() + 20
    while (body := status(zoho, job))["state"] not in ("COMPLETED", "FAILURE"):
        assert time.monotonic() < deadline
    return body


def table(zoho: Client, query: dict[str, Any]) -> tuple[list[str], list[dict[str, str]]]:
    body = finished(zoho, query)
    text = unzipped(zoho, body)
    lines = csv.DictReader(io.StringIO(text, newline=""))
    return list(lines.fieldnames or ()), list(lines)


def unzipped(zoho: Client, body: dict[str, Any]) -> str:
    file = zoho.call("GET", body["result"]["download_url"])
    assert file.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.namelist() == [f"{body['id']}.csv"]
        assert archive.testzip() is None
        return archive.read(archive.namelist()[0]).decode("utf-8")


def test_states_pass_with_the_clock(sim: Simulator, zoho: Client, options: Options) -> None:
    options.job_seconds = 100
    job = started(zoho, {"module": {"api_name": "Tasks"}, "fields": ["Subject"]})
    states = []
    for _ in range(5):
        body = status(zoho, job)
        states.append(body["state"])
        assert ("result" in body) == (body["state"] == "COMPLETED")
        sim.clock.advance(25)
    assert states == ["ADDED", "QUEUED", "IN PROGRESS", "IN PROGRESS", "COMPLETED"]


def test_jobs_run_one_after_the_other(sim: Simulator, zoho: Client, options: Options) -> None:
    options.job_seconds = 100
    first, second = (started(zoho, {"module": {"api_name": "Deals"}}) for _ in range(2))
    sim.clock.advance(101)
    assert (status(zoho, first)["state"], status(zoho, second)["state"]) == ("COMPLETED", "ADDED")
    sim.clock.advance(100)
    assert status(zoho, second)["state"] == "COMPLETED"


def test_a_job_can_fail(zoho: Client, options: Options) -> None:
    options.fail_next_jobs = 1
    body = finished(zoho, {"module": {"api_name": "Deals"}})
    assert body["state"] == "FAILURE"
    assert set(body["result"]["error_message"]) == {"status", "code", "message", "details"}
    assert finished(zoho, {"module": {"api_name": "Deals"}})["state"] == "COMPLETED"


def test_the_csv(sim: Simulator, zoho: Client) -> None:
    fields = ["Last_Name", "Owner", "Owner.last_name", "Account_Name", "Account_Name.Account_Name", "Languages", "Tag",
              "Email_Opt_Out", "Created_Time", "Date_of_Birth"]  # fmt: skip
    header, rows = table(zoho, {"module": {"api_name": "Contacts"}, "fields": fields})
    assert header == ["Id", *fields]
    records = sim.crm.rows("Contacts")
    assert [row["Id"] for row in rows] == [record["id"] for record in records]
    for row, record in zip(rows, records, strict=True):
        account = record["Account_Name"] or {"name": "", "id": ""}
        assert (row["Account_Name"], row["Account_Name.Account_Name"]) == (account["id"], account["name"])
        assert row["Owner"] == record["Owner"]["id"]
        assert row["Email_Opt_Out"] == str(record["Email_Opt_Out"]).lower()
        assert row["Created_Time"] == record["Created_Time"]
        assert row["Date_of_Birth"] == (record["Date_of_Birth"] or "")
        assert row["Languages"] == ";".join(record["Languages"] or [])
        assert row["Tag"] == ",".join(tag["name"] for tag in record["Tag"])


def test_all_exportable_fields_without_a_list(sim: Simulator, zoho: Client) -> None:
    header, rows = table(zoho, {"module": {"api_name": "Leads"}})
    leads = sim.crm.schema["Leads"]
    assert header == ["Id", *(each.name for each in leads.fields if each.name not in ("id", "Site_Plans"))]
    records = {record["id"]: record for record in sim.crm.rows("Leads")}
    assert len(rows) == sum(not record["Converted__s"] for record in records.values())
    for row in rows:
        record = records[row["Id"]]
        assert row["Description"] == (record["Description"] or "")
        assert row["Last_Name"] == record["Last_Name"]
        assert (float(row["Calibration"]) if row["Calibration"] else None) == record["Calibration"]
        assert "e" not in row["Calibration"]


def test_subform_and_linking_modules_can_be_exported(sim: Simulator, zoho: Client) -> None:
    _, lines = table(zoho, {"module": {"api_name": "Project_Lines"}, "fields": ["Item", "Parent_Id", "Line_Total"]})
    assert len(lines) == sim.crm.count("Project_Lines")
    _, links = table(
        zoho, {"module": {"api_name": "Projects_X_Contacts"}, "fields": ["Projects.Name", "Contacts.Full_Name"]}
    )
    assert len(links) == sim.crm.count("Projects_X_Contacts")
    assert all(row["Projects.Name"] for row in links)


def test_pages_by_token_and_by_number(sim: Simulator, zoho: Client, options: Options) -> None:
    options.bulk_page_rows = 300
    query = {"module": {"api_name": "Leads"}, "fields": ["Email"]}
    body = finished(zoho, query)
    seen, pages = [], []
    while True:
        seen += [line.split(",")[0] for line in unzipped(zoho, body).splitlines()[1:]]
        pages.append(body["result"]["page"])
        assert body["result"]["per_page"] == 300
        if not body["result"]["more_records"]:
            break
        body = finished(zoho, {"page_token": body["result"]["next_page_token"]})
    assert body["result"]["next_page_token"] is None
    assert len(set(seen)) == len(seen) == zoho.get("/Leads/actions/count").json()["count"]
    assert pages == [1, 2, 3]
    second = finished(zoho, {**query, "page": 2})
    assert [line.split(",")[0] for line in unzipped(zoho, second).splitlines()[1:]] == seen[300:600]


def test_page_tokens_expire(sim: Simulator, options: Options) -> None:
    options.bulk_page_rows = 300
    with Client(sim) as zoho:
        token = finished(zoho, {"module": {"api_name": "Leads"}, "fields": ["Email"]})["result"]["next_page_token"]
    sim.clock.advance(86_500)
    with Client(sim) as zoho:
        assert error(create(zoho, {"page_token": token}))[1] == "EXPIRED_VALUE"
        assert error(create(zoho, {"page_token": "x"}))[:2] == (400, "INVALID_REQUEST")


@pytest.fixture(autouse=True)
def fresh_token(sim: Simulator, zoho: Client) -> None:
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {sim.access_token()}"  # tests move the clock by days


def one(name: str, comparator: str, value: Any) -> dict[str, Any]:
    return {"field": {"api_name": name}, "comparator": comparator, "value": value}


@pytest.mark.parametrize(
    ("criteria", "fits"),
    [
        (one("Stage", "equal", "Closed Won"), lambda row: row["Stage"] == "Closed Won"),
        (
            one("Stage", "not_in", ["Closed Won", "Closed Lost"]),
            lambda row: row["Stage"] not in ("Closed Won", "Closed Lost"),
        ),
        (one("Deal_Name", "contains", "storage"), lambda row: "storage" in row["Deal_Name"].lower()),
        (one("Deal_Name", "not_contains", "storage"), lambda row: "storage" not in row["Deal_Name"].lower()),
        (one("Deal_Name", "starts_with", "Bright"), lambda row: row["Deal_Name"].startswith("Bright")),
        (one("Deal_Name", "ends_with", "7"), lambda row: row["Deal_Name"].endswith("7")),
        (one("Probability", "greater_equal", 60), lambda row: row["Probability"] >= 60),
        (
            one("Closing_Date", "between", ["2026-01-01", "2026-03-31"]),
            lambda row: "2026-01-01" <= row["Closing_Date"] <= "2026-03-31",
        ),
        (one("Amount", "equal", "${EMPTY}"), lambda row: row["Amount"] is None),
        (one("Next_Step", "not_equal", "${EMPTY}"), lambda row: row["Next_Step"] is not None),
        (one("Owner", "in", ["554023000000237011"]), lambda row: row["Owner"]["id"] == "554023000000237011"),
        (one("Amount", "greater_than", 40000), lambda row: (row["Amount"] or 0) / row["Exchange_Rate"] > 40000),
        (
            {
                "group_operator": "or",
                "group": [
                    one("Stage", "equal", "Qualification"),
                    {
                        "group_operator": "and",
                        "group": [one("Probability", "equal", 100), one("Type", "equal", "New Business")],
                    },
                ],
            },
            lambda row: (
                row["Stage"] == "Qualification" or (row["Probability"] == 100 and row["Type"] == "New Business")
            ),
        ),
    ],
)
def test_criteria(sim: Simulator, zoho: Client, criteria: dict[str, Any], fits: Any) -> None:
    expected = [row["id"] for row in sim.crm.rows("Deals") if fits(row)]
    _, rows = table(zoho, {"module": {"api_name": "Deals"}, "fields": ["Stage"], "criteria": criteria})
    assert [row["Id"] for row in rows] == expected
    assert expected


@pytest.mark.parametrize(
    ("change", "code", "details"),
    [
        ({"module": {"api_name": "Nope"}}, "MODULE_NOT_AVAILABLE", {"module": "Nope"}),
        ({"module": {"api_name": "Home"}}, "MODULE_NOT_SUPPORTED", {"module": "Home"}),
        ({"module": "Leads"}, "INVALID_REQUEST", {"api_name": "module"}),
        ({"fields": ["Site_Plans"]}, "FIELD_NOT_SUPPORTED", {"api_name": "Site_Plans", "module": "Leads"}),
        ({"fields": ["Nope"]}, "FIELD_NOT_AVAILABLE", {"api_name": "Nope", "module": "Leads"}),
        ({"page": 501}, "PAGE_RANGE_EXCEEDED", {"max_limit": 500}),
        ({"cvid": "1"}, "CVID_NOT_SUPPORTED", {"api_name": "cvid"}),
        ({"criteria": one("Nope", "equal", 1)}, "FIELD_IN_CRITERIA_NOT_AVAILABLE", {"api_name": "Nope"}),
        ({"criteria": one("Tag", "equal", "vip")}, "FIELD_IN_CRITERIA_NOT_SUPPORTED", {"api_name": "Tag"}),
        (
            {"criteria": one("Is_Hot", "contains", "x")},
            "FIELD_AND_COMPARATOR_IN_CRITERIA_NOT_COMPATIBLE",
            {"comparator": "contains", "api_name": "Is_Hot", "supported": ["equal"]},
        ),
        (
            {"criteria": one("Created_Time", "between", "2026-01-01T00:00:00Z")},
            "COMPARATOR_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
            {"comparator": "between"},
        ),
        (
            {"criteria": one("Lead_Score", "equal", "many")},
            "FIELD_AND_VALUE_IN_CRITERIA_NOT_COMPATIBLE",
            {"api_name": "Lead_Score"},
        ),
        (
            {"criteria": {"group_operator": "and", "group": [one("Email", "equal", "a")] * 26}},
            "CRITERIA_LIMIT_EXCEEDED",
            {"max_limit": 25},
        ),
        ({"criteria": {"group_operator": "xor", "group": []}}, "GROUP_OPERATOR_NOT_SUPPORTED", {}),
        ({"criteria": {**one("Email", "equal", "a"), "group": []}}, "AMBIGUOUS_CRITERIA", {}),
        ({"criteria": {}, "fields": ["Nope"]}, "FIELD_NOT_AVAILABLE", {"api_name": "Nope", "module": "Leads"}),
    ],
)
def test_refusals(zoho: Client, change: dict[str, Any], code: str, details: dict[str, Any]) -> None:
    assert error(create(zoho, {"module": {"api_name": "Leads"}, **change})) == (400, code, details)


def test_refusals_of_the_body(zoho: Client, options: Options) -> None:
    assert zoho.call("POST", READ, data="x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert error(zoho.call("POST", READ, headers={"Content-Type": "application/json"}))[1] == "REQUEST_BODY_IS_EMPTY"
    assert error(zoho.call("POST", READ, json=[]))[1] == "REQUEST_BODY_NOT_READABLE"
    leads = {"module": {"api_name": "Leads"}}
    assert error(create(zoho, leads, callback={"url": "nowhere"}))[1] == "INVALID_CALLBACK_URL"
    assert error(create(zoho, leads, file_type="ics"))[1] == "JOB_NOT_SUPPORTED"
    options.bulk_errors_in_data = True
    [inside] = create(zoho, {"module": {"api_name": "Nope"}}).json()["data"]
    assert inside["code"] == "MODULE_NOT_AVAILABLE"


def test_unknown_early_and_expired_results(sim: Simulator, zoho: Client, options: Options) -> None:
    assert error(zoho.call("GET", f"{READ}/1"))[:2] == (404, "RESOURCE_NOT_FOUND")
    options.job_seconds = 50
    job = started(zoho, {"module": {"api_name": "Deals"}})
    assert error(zoho.call("GET", f"{READ}/{job}/result"))[:2] == (400, "RESOURCE_NOT_FOUND")
    sim.clock.advance(60)
    assert zoho.call("GET", f"{READ}/{job}/result").status_code == 200
    sim.clock.advance(86_401)
    with Client(sim) as tomorrow:
        assert error(tomorrow.call("GET", f"{READ}/{job}/result"))[:2] == (404, "RESOURCE_NOT_FOUND")


def test_ten_downloads_a_minute(sim: Simulator, zoho: Client, options: Options) -> None:
    options.bulk_downloads_per_minute = 10
    sim.clock.advance(61)
    url = finished(zoho, {"module": {"api_name": "Tasks"}, "fields": ["Subject"]})["result"]["download_url"]
    assert [zoho.call("GET", url).status_code for _ in range(11)] == [200] * 10 + [429]
    sim.clock.advance(61)
    assert zoho.call("GET", url).status_code == 200


def test_credits_and_scopes(sim: Simulator, zoho: Client) -> None:
    started(zoho, {"module": {"api_name": "Tasks"}})
    assert sim.traffic.calls[-1].credits == 50
    for scopes in ("ZohoCRM.bulk.READ", "ZohoCRM.modules.ALL"):
        with Client(sim, scopes) as other:
            assert error(create(other, {"module": {"api_name": "Tasks"}}))[1] == "OAUTH_SCOPE_MISMATCH"


def test_count(sim: Simulator, zoho: Client, options: Options) -> None:
    assert zoho.get("/Deals/actions/count").json() == {"count": sim.crm.count("Deals")}
    email = sim.crm.rows("Contacts")[0]["Email"]
    assert zoho.get("/Contacts/actions/count", email=email).json() == {"count": 1}
    assert error(zoho.get("/Contacts/actions/count", email=email, word="x"))[1] == "AMBIGUITY_DURING_PROCESSING"
    assert error(zoho.get("/Nope/actions/count"))[1:] == ("INVALID_MODULE", {"resource_path_index": 0})
    with Client(sim, "ZohoCRM.modules.ALL") as other:
        assert error(other.get("/Deals/actions/count"))[1] == "OAUTH_SCOPE_MISMATCH"
        options.count_needs_search = False
        assert other.get("/Deals/actions/count").status_code == 200


def test_deleted(zoho: Client) -> None:
    with Simulator(rows=10) as sim, Client(sim) as fresh:
        kinds = {
            kind: fresh.get("/Leads/deleted", type=kind).json()["data"] for kind in ("all", "recycle", "permanent")
        }
        assert [len(rows) for rows in kinds.values()] == [5, 3, 2]
        assert all(row["display_name"] is None and row["deleted_by"] is None for row in kinds["permanent"])
        assert sim.traffic.calls[-1].credits == 2
        assert fresh.get("/Deals/deleted").status_code == 204
        late = {"If-Modified-Since": kinds["all"][0]["deleted_time"]}
        assert len(fresh.get("/Leads/deleted", late).json()["data"]) == 1
        sim.clock.advance(86_400 * 50)
        with Client(sim) as later:
            assert len(later.get("/Leads/deleted", type="recycle").json()["data"]) == 1
