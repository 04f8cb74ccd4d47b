"""Related lists, notes, attachments and tags of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=400, seed=5) as running:
        yield running


def post(zoho: Client, path: str, **body: Any) -> list[dict[str, Any]]:
    return zoho.call("POST", f"/crm/v8{path}", json=body).json()["data"]


@pytest.mark.parametrize(
    ("module", "related", "field", "column"),
    [
        ("Accounts", "Contacts", "Account_Name", "Last_Name"),
        ("Accounts", "Deals", "Account_Name", "Deal_Name"),
        ("Accounts", "Parent_Account_Accounts", "Parent_Account", "Account_Name"),
        ("Deals", "Stage_History", "Potential_Name", "Stage"),
        ("Deals", "Tasks", "What_Id", "Subject"),
        ("Deals", "Notes", "Parent_Id", "Note_Content"),
        ("Leads", "Calls", "What_Id", "Subject"),
    ],
)
def test_related_lists_have_what_points_at_the_record(
    sim: Simulator, zoho: Client, module: str, related: str, field: str, column: str
) -> None:
    listed = {
        each["api_name"]: each for each in zoho.get("/settings/related_lists", module=module).json()["related_lists"]
    }
    child = listed[related]["module"]["api_name"]
    children: dict[str, set[str]] = {}
    for row in sim.crm.rows(child):
        if row[field]:
            children.setdefault(row[field]["id"], set()).add(row["id"])
    parents = [row["id"] for row in sim.crm.rows(module) if row["id"] in children][:5]
    assert parents
    for parent in parents:
        body = zoho.get(f"/{module}/{parent}/{related}", fields=column).json()
        assert {row["id"] for row in body["data"]} == children[parent]
        assert set(body["data"][0]) == {column, "id"}
        assert body["info"]["count"] == len(body["data"])


def test_related_lists_are_paged(sim: Simulator, zoho: Client) -> None:
    counts: dict[str, int] = {}
    for row in sim.crm.rows("Deals"):
        counts[row["Account_Name"]["id"]] = counts.get(row["Account_Name"]["id"], 0) + 1
    account = max(counts, key=counts.__getitem__)
    seen, token = [], None
    while True:
        params = {"page_token": token} if token else {}
        body = zoho.get(f"/Accounts/{account}/Deals", fields="Stage", per_page=2, **params).json()
        seen += [row["id"] for row in body["data"]]
        token = body["info"]["next_page_token"]
        if not token:
            break
    assert len(set(seen)) == len(seen) == counts[account] > 2


def test_members_of_a_multi_select_lookup_are_a_related_list(sim: Simulator, zoho: Client) -> None:
    project = sim.crm.rows("Projects_X_Contacts")[0]["Projects"]["id"]
    [whole] = zoho.get(f"/Projects/{project}").json()["data"]
    team = zoho.get(f"/Projects/{project}/Team", fields="Last_Name").json()["data"]
    assert {row["id"] for row in team} == {each["Contacts"]["id"] for each in whole["Team"]}


def test_what_related_lists_refuse(sim: Simulator, zoho: Client) -> None:
    account = sim.crm.rows("Accounts")[0]["id"]
    unknown = zoho.get(f"/Accounts/{account}/Nothing", fields="id")
    assert error(unknown)[1:] == ("INVALID_DATA", {"resource_path_index": 2})
    assert error(zoho.get(f"/Accounts/{account}/Deals"))[1] == "REQUIRED_PARAM_MISSING"
    assert zoho.get("/Accounts/554023000000000001/Deals", fields="id").status_code == 204


def test_notes_are_added_to_a_record(sim: Simulator, zoho: Client) -> None:
    lead = sim.crm.rows("Leads")[3]["id"]
    [made] = post(zoho, f"/Leads/{lead}/Notes", data=[{"Note_Title": "t", "Note_Content": "c"}])
    notes = zoho.get(f"/Leads/{lead}/Notes", fields="Note_Title,Note_Content,Parent_Id").json()["data"]
    note = next(each for each in notes if each["id"] == made["details"]["id"])
    assert (note["Note_Content"], note["Parent_Id"]["id"]) == ("c", lead)
    [refused] = post(zoho, "/Leads/1/Notes", data=[{"Note_Content": "c"}])
    assert refused["code"] == "INVALID_DATA"


def test_attachments_come_back_as_they_went(sim: Simulator, zoho: Client) -> None:
    contact = sim.crm.rows("Contacts")[0]["id"]
    path = f"/crm/v8/Contacts/{contact}/Attachments"
    assert zoho.call("GET", path, params={"fields": "File_Name"}).status_code == 204
    made = []
    for name, data in (("Vertrag ü.pdf", bytes(range(256))), ("Vertrag ü.pdf", b""), ("x.csv", b"a,b\r\n1,2\r\n")):
        answer = zoho.call("POST", path, files={"file": (name, data)})
        made.append((answer.json()["data"][0]["details"]["id"], name, data))
    listed = zoho.call("GET", path, params={"fields": "File_Name,Size,Owner,Parent_Id"}).json()
    assert [(row["id"], row["File_Name"], row["Size"]) for row in listed["data"]] == [
        (key, name, str(len(data))) for key, name, data in reversed(made)
    ]
    assert {row["Parent_Id"]["id"] for row in listed["data"]} == {contact}
    for key, name, data in made:
        file = zoho.call("GET", f"{path}/{key}")
        assert file.content == data
        assert unquote(file.headers["Content-Disposition"]).endswith(f"''{name}")
    gone = zoho.call("DELETE", path, params={"ids": f"{made[0][0]},1"}).json()["data"]
    assert [each["code"] for each in gone] == ["SUCCESS", "INVALID_DATA"]
    assert zoho.call("GET", f"{path}/{made[0][0]}").status_code == 204
    assert zoho.call("DELETE", f"{path}/{made[1][0]}").status_code == 200
    assert len(zoho.call("GET", path, params={"fields": "id"}).json()["data"]) == 1


def test_demo_attachments_have_difficult_names(sim: Simulator, zoho: Client) -> None:
    names = []
    for deal in sim.crm.rows("Deals")[:3]:
        names += [
            row["File_Name"] for row in zoho.get(f"/Deals/{deal['id']}/Attachments", fields="File_Name").json()["data"]
        ]
    assert {"../../outside.txt", "CON", "roof: plan?.png"} <= set(names)
    assert len(names) > len(set(names))
    assert error(zoho.get("/Deals/1/Attachments", fields="id"))[1] == "INVALID_DATA"


def test_tags_are_added_and_removed_beside_others(sim: Simulator, zoho: Client) -> None:
    leads = [row for row in sim.crm.rows("Leads") if row["Tag"] and not row["Converted__s"]][:2]
    ids = [row["id"] for row in leads]
    results = post(zoho, "/Leads/actions/add_tags", tags=[{"name": "new one"}], ids=[*ids, "1"])
    assert [each["code"] for each in results] == ["SUCCESS", "SUCCESS", "INVALID_DATA"]
    before = {row["id"]: [tag["name"] for tag in row["Tag"]] for row in leads}
    assert [each["details"]["tags"] for each in results[:2]] == [[*before[key], "new one"] for key in ids]
    post(zoho, "/Leads/actions/remove_tags", tags=[{"name": before[ids[0]][0]}], ids=ids)
    rows = {row["id"]: row for row in zoho.get("/Leads", fields="Tag,Modified_Time", ids=",".join(ids)).json()["data"]}
    assert [tag["name"] for tag in rows[ids[0]]["Tag"]] == [*before[ids[0]][1:], "new one"]
    assert rows[ids[0]]["Modified_Time"] > leads[0]["Modified_Time"]
    [one] = post(zoho, f"/Leads/{ids[1]}/actions/add_tags", tags=[{"name": "only"}], over_write=True)
    assert one["details"]["tags"] == ["only"]
    many = [{"name": f"tag {number}"} for number in range(11)]
    [full] = post(zoho, f"/Leads/{ids[1]}/actions/add_tags", tags=many)
    assert full["code"] == "LIMIT_EXCEEDED"


def test_the_tags_of_a_module(sim: Simulator, zoho: Client) -> None:
    names = {tag["name"] for row in sim.crm.rows("Accounts") for tag in row["Tag"]}
    body = zoho.get("/settings/tags", module="Accounts").json()
    assert {each["name"] for each in body["tags"]} == names
    assert body["info"]["count"] == len(names)
    create = {"params": {"module": "Accounts"}, "json": {"tags": [{"name": "empty"}]}}
    made = zoho.call("POST", "/crm/v8/settings/tags", **create)
    assert made.json()["tags"][0]["code"] == "SUCCESS"
    assert "empty" in {each["name"] for each in zoho.get("/settings/tags", module="Accounts").json()["tags"]}
    again = zoho.call(
        "POST", "/crm/v8/settings/tags", params={"module": "Accounts"}, json={"tags": [{"name": "empty"}]}
    )
    assert again.json()["tags"][0]["code"] == "DUPLICATE_DATA"
    refused = zoho.call("POST", "/crm/v8/Leads/actions/add_tags", json={"tags": [{"name": "x" * 26}], "ids": ["1"]})
    assert error(refused)[2]["json_path"] == "$.tags[0].name"


def test_files_of_file_upload_fields(sim: Simulator, zoho: Client) -> None:
    lead = next(row for row in sim.crm.rows("Leads") if row["Site_Plans"])
    [plan] = lead["Site_Plans"]
    file = zoho.get("/files", id=plan["File_Id__s"])
    assert len(file.content) == int(plan["Size__s"])
    assert unquote(file.headers["Content-Disposition"]).endswith(f"''{plan['File_Name__s']}")
    made = zoho.call("POST", "/crm/v8/files", files=[("file", ("ü.txt", b"one")), ("file", ("b.txt", b"two"))])
    ids = [each["details"]["id"] for each in made.json()["data"]]
    assert [zoho.get("/files", id=key).content for key in ids] == [b"one", b"two"]
    assert error(zoho.get("/files", id="nope"))[1] == "INVALID_DATA"
    assert error(zoho.get("/files"))[1] == "REQUIRED_PARAM_MISSING"
