"""The demo org's modules beyond sales: activities, notes, stage history, products, quotes, and their odd fields."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest

from tests.support.crm_client import Client, error
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=400, seed=5, options=Options(job_seconds=0, bulk_downloads_per_minute=1000)) as running:
        yield running


def bulk_rows(zoho: Client, module: str) -> list[dict[str, str]]:
    made = zoho.call("POST", "/crm/bulk/v8/read", json={"query": {"module": {"api_name": module}}})
    path = f"/crm/bulk/v8/read/{made.json()['data'][0]['details']['id']}"
    while zoho.call("GET", path).json()["data"][0]["state"] != "COMPLETED":
        pass
    with zipfile.ZipFile(io.BytesIO(zoho.call("GET", f"{path}/result").content)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_modules_of_a_real_org(zoho: Client) -> None:
    modules = {each["api_name"]: each for each in zoho.get("/settings/modules").json()["modules"]}
    history = modules["DealHistory"]
    assert (history["generated_type"], history["parent_module"]["api_name"]) == ("field_tracker", "Deals")
    assert (history["api_supported"], history["viewable"], history["creatable"]) == (True, True, False)
    assert modules["Quoted_Items"]["generated_type"] == "subform"
    fields = {each["api_name"]: each for each in zoho.get("/settings/fields", module="Products").json()["fields"]}
    assert {"Order", "External"} <= set(fields)
    labels = {each["actual_value"]: each["display_value"] for each in fields["Product_Category"]["pick_list_values"]}
    assert labels == {"-None-": "-None-", "hw": "Hardware", "svc": "Services", "sw": "Software"}
    stage = next(f for f in zoho.get("/settings/fields", module="Deals").json()["fields"] if f["api_name"] == "Stage")
    assert stage["history_tracking"]["module"]["api_name"] == "DealHistory"


def test_records_coql_and_bulk_agree_on_every_module(sim: Simulator, zoho: Client) -> None:
    for module in sim.crm.schema.rows():
        names = [each.name for each in module.fields if each.kind not in ("subform", "multiselectlookup", "fileupload")]
        listed, offset = [], ""
        while True:
            page = zoho.get(f"/{module.name}", fields="id", **({"page_token": offset} if offset else {})).json()
            listed += [row["id"] for row in page["data"]]
            offset = page["info"]["next_page_token"]
            if not offset:
                break
        quoted = ", ".join(f"'{each.name}'" for each in module.fields if each.name in names and each.coql)
        rows = zoho.rows(f"select {quoted} from {module.name} where id is not null limit 2000")
        assert {row["id"] for row in rows} == set(listed), module.name
        if module.bulk:
            assert {row["Id"] for row in bulk_rows(zoho, module.name)} == set(listed), module.name


def test_stage_history_tells_the_way_of_every_deal(sim: Simulator) -> None:
    deals = {row["id"]: row for row in sim.crm.rows("Deals")}
    rows = [row for row in sim.crm.rows("DealHistory") if row["Potential_Name"]]
    assert len(rows) < sim.crm.count("DealHistory")  # some are of deals that are gone
    rows.sort(key=lambda row: (row["Potential_Name"]["id"], row["id"]))
    whole = 0
    for key, periods in groupby(rows, key=lambda row: row["Potential_Name"]["id"]):
        steps = list(periods)
        ends = [step["Moved_To__s"] for step in steps]
        if ends[:-1] == [step["Stage"] for step in steps[1:]] and ends[-1] is None:
            whole += 1
            assert steps[-1]["Stage"] == deals[key]["Stage"]
            assert all(step["Stage_Duration_Calendar_Days"] >= 0 for step in steps[:-1])
    assert whole > 0.7 * len(deals)


def test_a_new_stage_becomes_history(sim: Simulator, zoho: Client) -> None:
    row = {"Deal_Name": "Tracked", "Stage": "Qualification", "Amount": 1000}
    key = zoho.call("POST", "/crm/v8/Deals", json={"data": [row]}).json()["data"][0]["details"]["id"]
    sim.clock.advance(3 * 86_400)
    with Client(sim) as later:  # the first token has expired by now
        for change in ({"Stage": "Closed Won"}, {"Stage": "Closed Won"}, {"Amount": 2000}):
            later.call("PUT", f"/crm/v8/Deals/{key}", json={"data": [change]})
        query = "select Stage, Moved_To__s, Stage_Duration_Calendar_Days, Amount from DealHistory where Potential_Name"
        rows = later.rows(f"{query} = '{key}'")
        assert [(r["Stage"], r["Moved_To__s"], r["Stage_Duration_Calendar_Days"], r["Amount"]) for r in rows] == [
            ("Qualification", "Closed Won", 3, 1000),
            ("Closed Won", None, None, 1000),
        ]
        assert error(later.call("POST", "/crm/v8/DealHistory", json={"data": [{}]}))[1] == "NOT_SUPPORTED"
    zoho.http.headers["Authorization"] = f"Zoho-oauthtoken {sim.access_token()}"


def test_bulk_may_lose_the_history_of_lost_deals(sim: Simulator, zoho: Client) -> None:
    rows = sim.crm.rows("DealHistory")
    sim.options.bulk_drops_null_parents = True
    try:
        assert len(bulk_rows(zoho, "DealHistory")) == sum(row["Potential_Name"] is not None for row in rows) < len(rows)
    finally:
        sim.options.bulk_drops_null_parents = False


def test_columns_that_coql_or_bulk_refuse(zoho: Client) -> None:
    refused = zoho.coql("select CTI_Entry from Calls where id is not null")
    assert error(refused)[1:] == ("INVALID_QUERY", {"column_name": "CTI_Entry"})
    for name in ("Order", "External"):
        assert error(zoho.coql(f"select {name} from Products where id is not null"))[2]["near"] == name
    rows = zoho.rows("select 'Order', \"External\" from Products where 'Order' > 20 limit 3")
    assert [list(row) for row in rows] == [["Order", "External", "id"]] * 3
    notes = zoho.call("POST", "/crm/bulk/v8/read", json={"query": {"module": {"api_name": "Notes"}}})
    assert error(notes)[1] == "MODULE_NOT_SUPPORTED"


def test_recurring_events(sim: Simulator, zoho: Client) -> None:
    events = [row for row in sim.crm.rows("Events") if row["Recurring_Activity"]]
    assert events[0]["Recurring_Activity"].keys() == {"RRULE"}
    texts = {row["Id"]: row["Recurring_Activity"] for row in bulk_rows(zoho, "Events")}
    assert [texts[row["id"]] for row in events] == [row["Recurring_Activity"]["RRULE"] for row in events]


def test_quotes_have_items_and_totals(sim: Simulator, zoho: Client) -> None:
    items: dict[str, list[dict[str, Any]]] = {}
    for item in sim.crm.rows("Quoted_Items"):
        items.setdefault(item["Parent_Id"]["id"], []).append(item)
    for quote in sim.crm.rows("Quotes"):
        lines = items.get(quote["id"], [])
        assert (quote["Sub_Total"] or 0) == pytest.approx(sum(line["Net_Total"] for line in lines))
    [whole] = zoho.get(f"/Quotes/{next(iter(items))}").json()["data"]
    assert [line["id"] for line in whole["Quoted_Items"]] == [line["id"] for line in items[whole["id"]]]
    product = sim.crm.rows("Products")[0]
    line = {"Product_Name": {"id": product["id"]}, "Quantity": 3, "List_Price": 10, "Discount": 4}
    made = {"Subject": "By API", "Quoted_Items": [line], "Adjustment": -1}
    key = zoho.call("POST", "/crm/v8/Quotes", json={"data": [made]}).json()["data"][0]["details"]["id"]
    [quote] = zoho.get(f"/Quotes/{key}").json()["data"]
    assert (quote["Sub_Total"], quote["Grand_Total"]) == (26, 25)
    assert quote["Quoted_Items"][0]["Sequence_Number"] == 1


def test_notes_name_the_module_of_their_parent(sim: Simulator, zoho: Client) -> None:
    rows = zoho.get("/Notes", fields="Note_Title,Note_Content,Parent_Id,$se_module").json()["data"]
    for row in rows[:20]:
        found = zoho.get(f"/{row['$se_module']}", fields="id", converted="both", ids=row["Parent_Id"]["id"])
        if row["$se_module"] != "Leads":
            found = zoho.get(f"/{row['$se_module']}", fields="id", ids=row["Parent_Id"]["id"])
        assert found.status_code == 200
    lead = sim.crm.rows("Leads")[0]
    note = {"Note_Content": "x", "Parent_Id": {"module": {"api_name": "Leads"}, "id": lead["id"]}}
    key = zoho.call("POST", "/crm/v8/Notes", json={"data": [note]}).json()["data"][0]["details"]["id"]
    [made] = zoho.get(f"/Notes/{key}").json()["data"]
    assert (made["$se_module"], made["Parent_Id"]["id"]) == ("Leads", lead["id"])


def test_labels_are_taken_for_values(zoho: Client) -> None:
    rows = [{"Product_Name": name, "Product_Category": name} for name in ("Hardware", "hw", "Hard")]
    answer = zoho.call("POST", "/crm/v8/Products", json={"data": rows}).json()["data"]
    assert [each["code"] for each in answer] == ["SUCCESS", "SUCCESS", "INVALID_DATA"]
    ids = ",".join(each["details"]["id"] for each in answer[:2])
    stored = zoho.get("/Products", fields="Product_Category", ids=ids).json()["data"]
    assert [row["Product_Category"] for row in stored] == ["hw", "hw"]
