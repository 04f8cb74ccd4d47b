"""The simulator's JSON against Zoho's own OpenAPI files, where they lie beside the project.

The files are not part of the project: ZOHO_OAS names their folder, else `../shared/zoho/oas` is looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.crm_client import Client
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options

FOLDER = Path(os.environ.get("ZOHO_OAS") or Path(__file__).parents[3] / "shared" / "zoho" / "oas")
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"Zoho's OpenAPI files are not in {FOLDER}")

KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
# What Zoho's files say and its own documentation or SDK contradicts.
CONTRADICTED = {
    "time_zone",  # an object in users.json, a string in every sample
    "type",  # of an org: capitalised in org.json, lower case in samples
    "modified_by",
    "External",
    "file_id",  # an int64 in bulk_write.json, quoted in samples
}


@pytest.fixture(scope="module")
def zoho() -> Iterator[Client]:
    with Simulator(rows=60, options=Options(job_seconds=0)) as sim, Client(sim) as client:
        yield client


def schema(file: str, name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{file}.json").read_text())["components"]["schemas"][name]


def differences(value: dict[str, Any], described: dict[str, Any]) -> list[str]:
    """Where a JSON object has another type than the file says, or a value that is not in an enumeration."""
    found = []
    for key, part in described.get("properties", {}).items():
        if key not in value or key in CONTRADICTED or value[key] is None:
            continue
        kind = KINDS.get(part.get("type", ""), object)
        if not isinstance(value[key], kind) or (kind is int and isinstance(value[key], bool)):
            found.append(f"{key}: {value[key]!r} is no {part['type']}")
        elif "enum" in part and value[key] not in part["enum"]:
            found.append(f"{key}: {value[key]!r} is none of {part['enum']}")
    return found


def test_org(zoho: Client) -> None:
    [org] = zoho.get("/org").json()["org"]
    described = schema("org", "Org")
    assert differences(org, described) == []
    assert set(described["required"]) <= set(org)
    licence = schema("org", "License_Details")
    assert differences(org["license_details"], licence) == []
    assert set(licence["required"]) <= set(org["license_details"])


def test_users(zoho: Client) -> None:
    body = zoho.get("/users", type="AllUsers").json()
    described = schema("users", "users")
    for key in ("date_format", "number_separator", "time_format"):  # the file lists only some of what exists
        described["properties"].pop(key)
    assert [differences(user, described) for user in body["users"]] == [[]] * 11
    assert differences(body["info"], schema("users", "info")) == []


def test_modules_and_fields(zoho: Client) -> None:
    described = schema("modules", "modules")
    described["properties"]["generated_type"].pop("enum")  # the file has no subform; real orgs do
    modules = zoho.get("/settings/modules").json()["modules"]
    assert [differences(module, described) for module in modules] == [[]] * len(modules)
    parts = {
        "pick_list_values": "pick_list_values", "lookup": "lookup", "multi_module_lookup": "multi_module_lookup",
        "subform": "subform", "operation_type": "operation_type", "view_type": "view_type", "formula": "formula",
        "currency": "currency", "auto_number": "auto_number", "multiselectlookup": "multiselectlookup",
        "rollup_summary": "Rollup_Summary",
    }  # fmt: skip
    for module in (each["api_name"] for each in modules if each["api_supported"]):
        for field in zoho.get("/settings/fields", module=module).json()["fields"]:
            assert differences(field, schema("fields", "fields")) == [], field["api_name"]
            for key, name in parts.items():
                for part in field[key] if isinstance(field[key], list) else [field[key]]:
                    if part:
                        assert differences(part, schema("fields", name)) == []
                        missing = set(schema("fields", name)["required"]) - set(part)
                        assert missing <= {"related_list"}, (field["api_name"], key, missing)


def test_records_and_errors(zoho: Client) -> None:
    info = zoho.get("/Leads", fields="Email").json()["info"]
    assert differences(info, schema("record", "Info")) == []
    assert set(info) == set(schema("record", "Info")["properties"])
    [gone, *_] = zoho.get("/Leads/deleted").json()["data"]
    assert differences(gone, schema("record", "Deleted_Record")) == []
    codes = schema("record", "API_Exception")["properties"]["code"]["enum"]
    row = zoho.call("POST", "/crm/v8/Leads", json={"data": [{"Last_Name": 1}]}).json()["data"][0]
    assert row["code"] in codes
    success = zoho.call("POST", "/crm/v8/Leads/upsert", json={"data": [{"Last_Name": "a"}]}).json()["data"][0]
    assert differences({k: v for k, v in success.items() if v is not None}, schema("record", "Success_Response")) == []


def test_coql_errors(zoho: Client) -> None:
    for query, name in (
        ("select Email from Leads", "Syntax_Exception"),
        ("select Nope from Leads where id is not null", "Invalid_Query_Exception"),
        ("select Email, Email from Leads where id is not null", "Duplicate_Data_Exception"),
        ("select Email as a, Phone as a from Leads where id is not null", "Duplicate_Alias_Exception"),
        ("select Email from Leads where id is not null limit 3000", "Limit_Exceeded_Exception"),
    ):
        body = zoho.coql(query).json()
        assert differences(body, schema("coql", name)) == []
        assert set(body) == set(schema("coql", name)["required"])


def test_bulk_read(zoho: Client) -> None:
    query = {"query": {"module": {"api_name": "Leads"}, "fields": ["Email"]}}
    created = zoho.call("POST", "/crm/bulk/v8/read", json=query).json()["data"][0]
    assert differences(created, schema("bulk_read", "Success_Response")) == []
    job = zoho.call("GET", f"/crm/bulk/v8/read/{created['details']['id']}").json()["data"][0]
    described = schema("bulk_read", "Job_Detail")
    while job["state"] != "COMPLETED":
        job = zoho.call("GET", f"/crm/bulk/v8/read/{job['id']}").json()["data"][0]
    assert differences(job, described) == []
    assert set(described["required"]) == set(job)
    assert set(schema("bulk_read", "Result")["required"]) == set(job["result"])
    refused = zoho.call("POST", "/crm/bulk/v8/read", json={"query": {**query["query"], "fields": ["Nope"]}}).json()
    assert refused["code"] in schema("bulk_read", "Bulk_Read_API_Exception")["properties"]["code"]["enum"]


def test_counts_and_search(zoho: Client) -> None:
    ambiguous = zoho.get("/Leads/actions/count", word="an", email="a@b.example").json()
    described = schema("record_count", "Ambiguity_API_Exception")
    assert differences(ambiguous, described) == []
    assert set(ambiguous) == set(described["required"])
    unknown = zoho.get("/Nope/actions/count").json()
    assert differences(unknown, schema("record_count", "Invalid_Module_API_Exception")) == []
    codes = schema("record", "API_Exception")["properties"]["code"]["enum"]
    for params in ({"criteria": "(Nope:equals:1)"}, {"word": "an", "page": 99}):
        assert zoho.get("/Leads/search", **params).json()["code"] in codes


def test_related_records(zoho: Client) -> None:
    [deal, *_] = zoho.sim.crm.rows("Deals")
    body = zoho.get(f"/Deals/{deal['id']}/Stage_History", fields="Stage,Modified_By").json()
    assert differences(body["info"], schema("record", "Info")) == []
    assert differences(body["data"][0], schema("record", "Record")) == []
