"""The options for what Zoho's documents leave open, and the behaviour that sets the least kind of each."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.__main__ import main
from zoho_magic.simulator.options import Options

REYES = "554023000000251081"  # a user who is disabled


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=300, seed=3, options=Options(job_seconds=0)) as running:
        yield running


def test_every_option_says_what_it_does() -> None:
    rows = Options.rows()
    assert {name for name, *_ in rows} == set(vars(Options()))
    assert [name for name, *_, doc in rows if len(doc) < 10] == []
    assert all(isinstance(worst, type(default)) for _, default, worst, _ in rows if None not in (default, worst))


def test_worst_sets_the_least_kind_value_and_leaves_what_was_given() -> None:
    worst = Simulator(rows=10, behaviour="worst", options=Options(coql_page_rows=7, job_seconds=0.5)).options
    for name, default, value, _ in Options.rows():
        if name not in ("coql_page_rows", "job_seconds"):
            assert getattr(worst, name) == (default if value is None else value), name
    assert (worst.coql_page_rows, worst.job_seconds) == (7, 0.5)
    assert Simulator(rows=10).options == Options()
    with pytest.raises(ValueError, match="behaviour: one of documented, worst"):
        Simulator(rows=10, behaviour="kind")


def test_command_line_knows_the_behaviours(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--behaviour", "kind"])
    assert "documented" in capsys.readouterr().err


def test_parameters_may_have_a_longest_length(zoho: Client, options: Options) -> None:
    ids = ",".join(str(10**17 + n) for n in range(60))
    assert zoho.get("/Leads", fields="Email", ids=ids).status_code == 204
    options.parameter_length = 1024
    assert error(zoho.get("/Leads", fields="Email", ids=ids)) == (
        400,
        "INVALID_DATA",
        {"param_name": "ids", "maximum_length": 1024},
    )
    fields = ",".join(f"Field_of_a_Long_Name_{n}" for n in range(50))
    assert error(zoho.get("/Leads", fields=fields))[2]["param_name"] == "fields"
    assert error(zoho.call("DELETE", "/crm/v8/Leads", params={"ids": ids}))[2]["param_name"] == "ids"


def test_page_tokens_may_go_on_with_other_fields(zoho: Client, options: Options) -> None:
    options.page_token_bound_to_fields = False
    first = zoho.get("/Leads", fields="Email", per_page=50).json()
    params = {"per_page": 50, "page_token": first["info"]["next_page_token"]}
    second = zoho.get("/Leads", fields="Phone", **params).json()["data"]
    assert [set(row) for row in second] == [{"Phone", "id"}] * 50
    assert not {row["id"] for row in second} & {row["id"] for row in first["data"]}
    assert [set(row) for row in zoho.get("/Leads", fields="Email", **params).json()["data"]] == [{"Email", "id"}] * 50


def test_users_may_be_forbidden_or_nameless(zoho: Client, options: Options) -> None:
    options.inactive_user_names_null = True
    users = {user["id"]: user for user in zoho.get("/users", type="AllUsers").json()["users"]}
    assert {key for key, user in users.items() if user["full_name"] is None} == {
        key for key, user in users.items() if user["status"] != "active"
    }
    rows = zoho.get("/Deals", fields="Owner").json()["data"]
    owners = {row["Owner"]["id"]: row["Owner"] for row in rows}
    assert owners[REYES] == {"name": None, "id": REYES, "email": users[REYES]["email"]}
    options.users_forbidden = True
    for answer in (zoho.get("/users", type="CurrentUser"), zoho.get(f"/users/{REYES}")):
        assert error(answer)[:2] == (403, "NO_PERMISSION")


def test_labels_of_picklists_may_differ_and_either_can_be_written(zoho: Client, options: Options) -> None:
    options.picklist_display_differs = True
    fields = {each["api_name"]: each for each in zoho.get("/settings/fields", module="Leads").json()["fields"]}
    choices = {each["actual_value"]: each["display_value"] for each in fields["Lead_Source"]["pick_list_values"]}
    assert choices["Chat"] == "Chat (label)"
    rows = [{"Last_Name": "Label", "Lead_Source": source} for source in ("Chat", "Chat (label)", "Chats")]
    results = zoho.call("POST", "/crm/v8/Leads", json={"data": rows}).json()["data"]
    assert [each["code"] for each in results] == ["SUCCESS", "SUCCESS", "INVALID_DATA"]
    ids = ",".join(each["details"]["id"] for each in results[:2])
    stored = zoho.get("/Leads", fields="Lead_Source", ids=ids).json()["data"]
    assert {row["Lead_Source"] for row in stored} == {"Chat"}


def test_locked_records(sim: Simulator, zoho: Client, options: Options) -> None:
    [lead, other] = [row for row in sim.crm.rows("Leads") if not row["Converted__s"] and row["Email"]][:2]
    options.locked_records = (lead["id"],)
    rows = [{"id": lead["id"], "City": "Bonn"}, {"id": other["id"], "City": "Bonn"}]
    results = zoho.call("PUT", "/crm/v8/Leads", json={"data": rows}).json()["data"]
    assert [each["code"] for each in results] == ["RECORD_LOCKED", "SUCCESS"]
    assert results[0]["details"]["action"] == "zia_vision_processing"
    upsert = {"data": [{"Last_Name": "x", "Email": lead["Email"]}], "duplicate_check_fields": ["Email"]}
    assert zoho.call("POST", "/crm/v8/Leads/upsert", json=upsert).json()["data"][0]["code"] == "RECORD_LOCKED"
    gone = zoho.call("DELETE", "/crm/v8/Leads", params={"ids": lead["id"]}).json()["data"][0]
    assert gone["code"] == "RECORD_LOCKED"
    options.locked_records = ()
    assert zoho.call("PUT", "/crm/v8/Leads", json={"data": rows}).status_code == 200


def bulk(zoho: Client, **query: Any) -> tuple[dict[str, Any], Any]:
    """A finished bulk read job's result block, and the answer to its download."""
    made = zoho.call("POST", "/crm/bulk/v8/read", json={"query": {"module": {"api_name": "Deals"}, **query}})
    path = f"/crm/bulk/v8/read/{made.json()['data'][0]['details']['id']}"
    while (job := zoho.call("GET", path).json()["data"][0])["state"] != "COMPLETED":
        pass
    return job["result"], zoho.call("GET", f"{path}/result")


NOTHING = {"criteria": {"field": {"api_name": "Deal_Name"}, "comparator": "equal", "value": "no such deal"}}


@pytest.mark.parametrize(
    ("kind", "url", "status"),
    [("header", True, 200), ("no_url", False, 204), ("204", True, 204), ("empty_file", True, 200)],
)
def test_bulk_jobs_without_rows(zoho: Client, options: Options, kind: str, url: bool, status: int) -> None:
    options.bulk_empty_result = kind
    result, download = bulk(zoho, fields=["Deal_Name"], **NOTHING)
    assert (result["count"], "download_url" in result, download.status_code) == (0, url, status)
    if kind == "header":
        with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
            assert archive.read(archive.namelist()[0]) == b"Id,Deal_Name\n"
    else:
        assert download.content == b""


def test_bulk_may_lose_rows_without_a_parent(sim: Simulator, zoho: Client, options: Options) -> None:
    deals = sim.crm.rows("Deals")
    fields = ["Deal_Name", "Contact_Name.Last_Name"]
    assert bulk(zoho, fields=fields)[0]["count"] == len(deals)
    options.bulk_drops_null_parents = True
    assert bulk(zoho, fields=fields)[0]["count"] == sum(row["Contact_Name"] is not None for row in deals) < len(deals)
    assert bulk(zoho, fields=["Deal_Name", "Contact_Name"])[0]["count"] == len(deals)


def test_a_dead_token_may_have_another_code(sim: Simulator, options: Options) -> None:
    options.invalid_token_code = "INVALID_OAUTHTOKEN"
    with Client(sim) as dead:
        sim.accounts.tokens.revoke_access_token(dead.http.headers["Authorization"].split()[1])
        assert error(dead.get("/org"))[:2] == (401, "INVALID_OAUTHTOKEN")
        assert error(dead.call("GET", "/oauth/user/info"))[:2] == (401, "INVALID_OAUTHTOKEN")


def test_business_hours(zoho: Client) -> None:
    assert zoho.get("/settings/business_hours").json()["business_hours"]["daily_timing"] == ["09:00", "17:30"]


def test_modules_that_coql_or_bulk_refuse(zoho: Client, options: Options) -> None:
    options.coql_refused_modules, options.bulk_refused_modules = ("Tasks",), ("Deals",)
    options.bulk_module_error = "JOB_NOT_SUPPORTED"
    assert error(zoho.coql("select id from Tasks where id is not null"))[1] == "INVALID_MODULE"
    assert zoho.coql("select id from Deals where id is not null").status_code == 200
    refused = zoho.call("POST", "/crm/bulk/v8/read", json={"query": {"module": {"api_name": "Deals"}}})
    assert error(refused)[:2] == (400, "JOB_NOT_SUPPORTED")


@pytest.mark.parametrize(("accepts", "codes"), [
    ("both", ["SUCCESS", "SUCCESS", "INVALID_DATA"]), ("display", ["SUCCESS", "INVALID_DATA", "INVALID_DATA"]),
    ("actual", ["INVALID_DATA", "SUCCESS", "INVALID_DATA"]),
])  # fmt: skip
def test_which_picklist_values_can_be_written(zoho: Client, options: Options, accepts: str, codes: list[str]) -> None:
    options.picklist_accepts = accepts
    rows = [{"Product_Name": "x", "Product_Category": value} for value in ("Hardware", "hw", "Software1")]
    answer = zoho.call("POST", "/crm/v8/Products", json={"data": rows}).json()["data"]
    assert [each["code"] for each in answer] == codes
    same = [{"Product_Name": "x", "Manufacturer": "Northbeam"}, {"Product_Name": "x", "Manufacturer": "-None-"}]
    assert zoho.call("POST", "/crm/v8/Products", json={"data": same}).status_code == 201


def test_the_csv_of_an_upload_may_be_limited_too(zoho: Client, options: Options) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "Last_Name\n" + "x" * (26 * 1024 * 1024))
    headers = {"feature": "bulk-write", "X-CRM-ORG": options.org_id}

    def upload() -> int:
        return zoho.call(
            "POST", "/crm/v8/upload", files={"file": ("a.zip", packed.getvalue())}, headers=headers
        ).status_code

    assert upload() == 200
    options.upload_limits_csv = True
    assert upload() == 413
