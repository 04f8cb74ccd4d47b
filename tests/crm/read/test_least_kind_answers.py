"""Pulls against the least kind answers Zoho is reported to give: every row comes, or a warning names what did not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.pull_env import hurried, world
from zoho_magic import QueryError
from zoho_magic.crm import limits
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

Pair = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module")
def org() -> Iterator[Pair]:
    with pytest.MonkeyPatch.context() as patch, world(300) as found:
        hurried(patch)
        yield found


@pytest.fixture
def zoho(org: Pair) -> Iterator[Pair]:
    """The same org for all; options that a test sets are as before after it."""
    before = copy.copy(vars(org[0].options))
    yield org
    for name, value in before.items():
        setattr(org[0].options, name, value)
    org[0].faults.clear()
    org[1]._crm._users = None


def _warnings(frame: Any) -> str:
    return " ".join(frame.attrs["warnings"])


@pytest.mark.parametrize("via", ["coql", "bulk"])
def test_users_that_may_not_be_listed_leave_the_rows(zoho: Pair, via: Any) -> None:
    sim, session = zoho
    sim.options.users_forbidden = True
    frame = session.pull("Leads", fields=["Last_Name", "Owner"], via=via)
    assert len(frame) > 0
    assert frame["Owner.id"].notna().all()
    assert "Names of users are incomplete" in _warnings(frame)


def test_one_list_of_users_that_fails_does_not_take_the_other_along(zoho: Pair) -> None:
    sim, session = zoho
    sim.faults.add(Fault(path="/crm/v8/users", status=500, times=4, after=0))
    frame = session.pull("Leads", fields=["Last_Name", "Owner"], via="bulk")
    assert len(frame) > 0


def test_a_column_that_coql_leaves_out_is_read_by_id(zoho: Pair) -> None:
    sim, session = zoho
    expected = session.pull("Accounts", fields=["Account_Name", "Website"], via="records")
    sim.options.coql_left_out = ("website",)
    frame = session.pull("Accounts", fields=["Account_Name", "Website"], via="coql")
    assert frame["Website"].notna().any()
    assert dict(zip(frame["id"], frame["Website"], strict=True)) == dict(
        zip(expected["id"], expected["Website"], strict=True)
    )


def test_a_column_that_comes_on_no_way_is_named(zoho: Pair) -> None:
    sim, session = zoho
    rows = [{"id": "554023000000000001", "Last_Name": "Doe"}]
    sim.faults.add(
        Fault(method="GET", path="/crm/v8/Leads", status=200, body={"data": rows, "info": {"more_records": False}})
    )
    frame = session.pull("Leads", fields=["Last_Name", "Company"], via="records", limit=5)
    assert frame["Company"].isna().all()
    assert "Company" in _warnings(frame)


@pytest.mark.parametrize("kind", ["no url", "204", "empty"])
def test_a_bulk_job_with_nothing_to_bring_is_an_empty_frame(zoho: Pair, kind: str) -> None:
    sim, session = zoho
    result = {"count": 0, "more_records": False} if kind == "no url" else {"count": 0, "download_url": None}
    job = {"data": [{"id": "1", "state": "COMPLETED", "result": result}]}
    sim.faults.add(Fault(method="GET", path=r"/crm/bulk/v8/read/\d+", status=200, body=job))
    frame = session.pull("Leads", fields=["Last_Name", "Lead_Score"], via="bulk")
    assert list(frame.columns) == ["id", "Last_Name", "Lead_Score"]
    assert len(frame) == 0
    assert str(frame["Lead_Score"].dtype) == "Int64"


@pytest.mark.parametrize("option", ["coql_multiselect_as_text", "coql_tags_as_text"])
def test_lists_that_come_as_one_text_are_lists(zoho: Pair, option: str) -> None:
    sim, session = zoho
    fields = ["Products_Interested", "Tag"]
    expected = session.pull("Leads", fields=fields, via="coql")
    setattr(sim.options, option, True)
    frame = session.pull("Leads", fields=fields, via="coql")
    assert frame["Products_Interested"].notna().any()
    for name in fields:
        # A comma inside a tag cannot be told from one between two tags.
        pairs = zip(frame[name].tolist(), expected[name].tolist(), strict=True)
        assert all(came == sent for came, sent in pairs if not sent or not any("," in tag for tag in sent))


def test_an_organisation_that_refuses_converted_is_pulled_another_way(zoho: Pair) -> None:
    sim, session = zoho
    expected = session.pull("Leads", fields=["Last_Name"], via="records")
    sim.options.coql_knows_converted = False
    frame = session.pull("Leads", fields=["Last_Name"])
    assert sorted(frame["id"]) == sorted(expected["id"])
    by_coql = session.pull("Leads", fields=["Last_Name"], via="coql")
    assert sorted(by_coql["id"]) == sorted(expected["id"])
    assert "COQL does not know Converted__s here" in _warnings(by_coql)
    with pytest.raises(QueryError, match="Converted__s"):
        session.pull("Leads", fields=["Last_Name"], via="coql", converted="both")


def test_a_count_that_is_refused_costs_no_row(zoho: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    _, session = zoho
    expected = session.pull("Leads", fields=["Last_Name"], via="records")
    monkeypatch.setattr("zoho_magic.crm.limits.COQL_ROWS_PER_CALL", 50)
    monkeypatch.setattr("zoho_magic.crm.read.coql.count", _refused)
    frame = session.pull("Leads", fields=["Last_Name"], via="coql")
    assert sorted(frame["id"]) == sorted(expected["id"])


def _refused(*_: Any) -> int:
    from zoho_magic import QueryError

    raise QueryError("select column should be given in group by clause")


def test_pages_below_the_limit_asked_for_bring_every_row(zoho: Pair) -> None:
    sim, session = zoho
    expected = session.pull("Leads", fields=["Last_Name"], via="records")
    sim.options.coql_page_rows = 40
    assert sorted(session.pull("Leads", fields=["Last_Name"], via="coql")["id"]) == sorted(expected["id"])
    names = sorted(expected["Last_Name"])
    for limit in (None, 90, 41, 40):
        ordered = session.pull("Leads", fields=["Last_Name"], order_by="Last_Name", limit=limit)
        assert list(ordered["Last_Name"]) == names[:limit]
    grouped = session.coql("select Last_Name, Company, COUNT(id) as n from Leads group by Last_Name, Company")
    assert grouped["n"].sum() == len(expected)
    assert len(session.coql("select Last_Name from Leads order by Last_Name limit 30, 100")) == 100


def test_fields_longer_than_1024_characters_go_in_several_calls(zoho: Pair) -> None:
    sim, session = zoho
    sim.options.parameter_length = 200

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "FIELDS_PARAMETER_LENGTH", 200)
        assert len(session.pull("Leads", via="records")) > 0


def test_rows_that_bulk_drops_are_read_again_or_named(zoho: Pair) -> None:
    sim, session = zoho
    expected = session.pull("Contacts", fields=["Last_Name", "Account_Name"], via="coql")
    sim.options.bulk_drops_null_parents = True
    frame = session.pull("Contacts", fields=["Last_Name", "Account_Name"], via="bulk")
    assert len(frame) == len(expected) or f"{len(expected) - len(frame)} are missing" in _warnings(frame)
    limited = session.pull("Contacts", fields=["Last_Name", "Account_Name"], via="bulk", limit=len(expected))
    assert len(limited) == len(expected) or "are missing" in _warnings(limited)


@pytest.mark.parametrize(
    "query",
    [
        "select Last_Name from Leads",
        "select Last_Name from Leads order by Last_Name desc",
        "select Last_Name from Leads where Last_Name = 'x' or Company is not null order by Company limit 400",
        "select l.Last_Name from Leads as l",
    ],
)
def test_a_query_without_converted_leads_says_which_query_brings_them(zoho: Pair, query: str) -> None:
    sim, session = zoho
    note = session.coql(query).attrs["warnings"][0]
    with_them = note.partition("with them: ")[2]
    rows = {row["id"] for row in sim.crm.rows("Leads")}
    found = session.coql(with_them)
    assert "Converted" not in _warnings(found)
    assert len(found) == min(len(rows), 400)


@pytest.mark.parametrize(
    "query",
    [
        "select COUNT(id) from Leads",
        "select Subject from Tasks where What_Id in (select id from Leads where Company = $company)",
    ],
)
def test_a_query_says_that_converted_leads_are_not_in_it(zoho: Pair, query: str) -> None:
    warnings = _warnings(zoho[1].coql(query, params={"company": "x"}))
    assert "Converted Leads are not included; with them: select " in warnings
    assert "$company" in warnings or "company" not in query


@pytest.mark.parametrize(
    "query",
    ["select Last_Name from Leads where Converted__s = true", "select Deal_Name from Deals where id is not null"],
)
def test_a_query_that_names_converted_leads_or_has_none_says_nothing(zoho: Pair, query: str) -> None:
    assert "Converted__s" not in _warnings(zoho[1].coql(query))


def test_a_column_that_a_query_does_not_get_is_named(zoho: Pair) -> None:
    sim, session = zoho
    sim.options.coql_left_out = ("website",)
    frame = session.coql("select Account_Name, Website from Accounts")
    assert frame["Website"].isna().all()
    assert "COQL left Website out" in _warnings(frame)


def test_a_sub_query_of_more_than_100_records_brings_every_row() -> None:
    with world(1200) as (_, session):
        accounts = session.pull("Accounts", fields=["Account_Name"])
        assert len(accounts) > 100
        contacts = session.pull("Contacts", fields=["Last_Name", "Account_Name"])
        query = "select Last_Name from Contacts where Account_Name in (select id from Accounts where id is not null)"
        frame = session.coql(query)
        assert sorted(frame["id"]) == sorted(contacts[contacts["Account_Name.id"].isin(accounts["id"])]["id"])
        assert "were fetched first" in _warnings(frame)
        with_account = contacts[contacts["Account_Name.id"].isin(accounts["id"])]
        by_name = session.coql(f"{query} order by Last_Name desc limit 5")
        assert list(by_name["Last_Name"]) == sorted(with_account["Last_Name"], reverse=True)[:5]
        assert session.coql(query.replace("Last_Name", "COUNT(id) as n", 1))["n"].tolist() == [len(with_account)]
        none = session.coql(query.replace(" in (", " not in ("))
        assert set(none["id"]).isdisjoint(with_account["id"])
        both = f"{query} and id in (select id from Contacts)"
        assert len(session.coql(both)) == len(with_account)
        nested = (
            "select Last_Name from Contacts where Account_Name in "
            "(select id from Accounts where id in (select Account_Name from Contacts where id is not null))"
        )
        assert len(session.coql(nested)) == len(with_account)
        where = "Account_Name in (select id from Accounts where id is not null)"
        for via in ("auto", "coql", "bulk"):
            pulled = session.pull("Contacts", fields=["Last_Name"], where=where, via=via)
            assert sorted(pulled["id"]) == sorted(with_account["id"])
            assert "were fetched first" in _warnings(pulled)
        ordered = session.pull("Contacts", fields=["Last_Name"], where=where, order_by="Last_Name", limit=150)
        assert list(ordered["Last_Name"]) == sorted(with_account["Last_Name"])[:150]
        chosen = session.pull("Contacts", fields=["Last_Name"], where=where, ids=list(contacts["id"]))
        assert set(chosen["id"]) == set(with_account["id"])
        batches = session.batches("Contacts", fields=["Last_Name"], where=where).read_all()
        assert len(batches) == len(with_account)


@pytest.mark.parametrize("query", ["select Last_Name from Contacts where id in $ids", "pull"])
def test_lists_of_any_length_are_spread(zoho: Pair, query: str) -> None:
    sim, session = zoho
    known = [row["id"] for row in sim.crm.rows("Contacts")]
    ids = [str(554023000009000000 + number) for number in range(5_000)] + known
    if query == "pull":
        frame = session.pull("Contacts", fields=["Last_Name"], where="id in $ids", params={"ids": ids})
    else:
        frame = session.coql(query, params={"ids": ids})
    assert sorted(frame["id"]) == sorted(known)
    few = [*ids[:1_000], *known]
    named = session.coql(
        "select Last_Name from Contacts where id in $ids order by Last_Name limit 7", params={"ids": few}
    )
    assert named["Last_Name"].tolist() == sorted(row["Last_Name"] for row in sim.crm.rows("Contacts"))[:7]
    others = session.coql("select id from Contacts where id not in $ids", params={"ids": few})
    assert len(others) == 0
    with pytest.raises(QueryError, match="do not fit into one query"):
        session.coql("select Last_Name from Contacts where id in $ids order by Last_Name", params={"ids": ids})


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("via", ["records", "coql"])
def test_a_lookup_into_several_modules_has_name_id_and_module(zoho: Pair, via: Any, named: bool) -> None:
    sim, session = zoho
    sim.options.polymorphic_names_in_coql = named
    stored = {row["id"]: row["What_Id"] for row in sim.crm.rows("Tasks")}
    frame = session.pull("Tasks", fields=["Subject", "What_Id"], via=via)
    found = {row["id"]: row["What_Id"] for row in frame.to_dict("records") if isinstance(row["What_Id"], str)}
    assert found == {key: value["name"] for key, value in stored.items() if value}
    assert list(frame.columns) == ["id", "Subject", "What_Id", "What_Id.id", "What_Id.module"]
    if not named or via == "records":
        assert (frame["What_Id.module"].isna() == frame["What_Id.id"].isna()).all()
    queried = session.coql("select Subject, What_Id from Tasks")
    assert queried["What_Id"].notna().sum() == len(found)
    report = session.push("Tasks", frame[frame["What_Id.module"].notna()].head(3), "update", dry_run=True)
    assert list(report["status"]) == ["valid"] * len(report)


def test_names_that_may_not_be_read_are_a_warning_and_not_a_lost_pull(zoho: Pair) -> None:
    sim, session = zoho
    refusal = {"code": "NO_PERMISSION", "details": {}, "message": "no", "status": "error"}
    for module in ("Leads", "Accounts", "Contacts", "Deals", "Products", "Quotes"):
        sim.faults.add(Fault(path=f"/crm/v8/{module}", status=403, body=refusal, times=99))
    sim.faults.add(Fault(path="/crm/v8/coql", status=403, body=refusal, after=2, times=99))
    frame = session.pull("Tasks", fields=["What_Id"], via="coql")
    assert frame["What_Id.id"].notna().any()
    assert "Names of What_Id are missing for records of " in _warnings(frame)


def test_a_page_token_that_expires_in_the_middle_begins_the_list_again(zoho: Pair) -> None:
    sim, session = zoho
    body = {
        "code": "EXPIRED_VALUE",
        "details": {"api_name": "page_token", "json_path": "$.query.page_token"},
        "message": "Page token expired",
        "status": "error",
    }
    expected = session.pull("Leads", fields=["Last_Name"], via="coql")
    sim.faults.add(Fault(method="GET", path="/crm/v8/Leads", status=400, body=body, after=1))
    frame = session.pull("Leads", fields=["Last_Name"], via="records", limit=len(expected))
    assert list(frame["id"]) == list(expected["id"])


@pytest.mark.parametrize("via", ["records", "coql", "bulk"])
def test_a_subform_that_is_named_is_named_in_a_warning_with_the_way_to_its_rows(zoho: Pair, via: Any) -> None:
    _, session = zoho
    frame = session.pull("Projects", fields=["Name", "Line_Items", "Team"], via=via)
    assert list(frame.columns) == ["id", "Name", "Line_Items", "Team"]
    assert len(frame) > 0
    assert "Line_Items (subform) is empty here" in _warnings(frame)
    assert "pull('Project_Lines')" in _warnings(frame)
    assert "Team (multiselectlookup) is empty here" in _warnings(frame)
    assert "pull('Projects_X_Contacts')" in _warnings(frame)


@pytest.mark.parametrize("via", ["records", "coql", "bulk"])
def test_deal_history_is_a_module_like_others(zoho: Pair, via: Any) -> None:
    sim, session = zoho
    assert "DealHistory" in set(session.modules()["module"])
    frame = session.pull("DealHistory", via=via)
    assert sorted(frame["id"]) == sorted(row["id"] for row in sim.crm.rows("DealHistory"))


@pytest.mark.parametrize("via", ["auto", "records", "coql", "bulk"])
def test_fields_that_metadata_does_not_list_are_read_by_the_records_api(zoho: Pair, via: Any) -> None:
    _, session = zoho
    frame = session.pull("Deals", fields=["Deal_Name", "$approval_state", "Locked__s"], via=via, limit=30)
    assert set(frame["$approval_state"]) == {"approved"}
    assert str(frame["Locked__s"].dtype) == "boolean"


@pytest.mark.parametrize("code", ["FEATURE_NOT_SUPPORTED", "NO_PERMISSION", "INVALID_URL_PATTERN", "NOT_SUPPORTED"])
def test_an_api_that_does_not_serve_an_org_leads_to_the_next(zoho: Pair, code: str) -> None:
    sim, session = zoho
    expected = session.pull("Leads", fields=["Last_Name"], via="records")
    status = {"NO_PERMISSION": 403, "INVALID_URL_PATTERN": 404}.get(code, 400)
    body = {"code": code, "details": {}, "message": "not for you", "status": "error"}
    sim.faults.add(Fault(path="/crm/v8/coql", status=status, body=body, times=99))
    frame = session.pull("Leads", fields=["Last_Name"])
    assert sorted(frame["id"]) == sorted(expected["id"])
    assert code in _warnings(frame)
    assert frame.attrs["api"] != "coql"


@pytest.mark.parametrize("count", ["-3", "1e40", "many", 9 * 10**17, None])
def test_a_count_that_is_no_number_of_records_costs_no_row(zoho: Pair, count: Any) -> None:
    sim, session = zoho
    expected = session.pull("Leads", fields=["Last_Name"], via="records")
    session._crm.row_counts.clear()  # the count is then asked for before the rows, not beside them
    sim.faults.add(Fault(path="/crm/v8/coql", status=200, body={"data": [{"n": count}], "info": {}}, times=1))
    assert len(session.pull("Leads", fields=["Last_Name"])) == len(expected)


@pytest.mark.parametrize("result", ["no_url", "204", "empty_file"])
def test_a_bulk_file_without_rows_where_records_were_counted_is_named(zoho: Pair, result: str) -> None:
    sim, session = zoho
    sim.options.bulk_empty_result = result
    nothing = session.pull("Leads", fields=["Last_Name"], where="Last_Name = 'nobody'", via="bulk")
    assert len(nothing) == 0
    assert "missing" not in _warnings(nothing)
    job = {"data": [{"id": "1", "state": "COMPLETED", "result": {"page": 1, "more_records": False, "count": 0}}]}
    sim.faults.add(Fault(method="GET", path=r"/crm/bulk/v8/read/\d+", status=200, body=job, times=9))
    frame = session.pull("Leads", fields=["Last_Name"], via="bulk")
    assert len(frame) == 0
    assert "are missing" in _warnings(frame)


@pytest.mark.parametrize("via", ["records", "coql"])
def test_a_field_that_was_renamed_while_the_session_lives_is_named_with_the_new_one(zoho: Pair, via: Any) -> None:
    _, session = zoho
    before = session.metadata.fields("Leads")
    session.metadata._fields["Leads"] = {  # what an earlier call had read
        **{name: field for name, field in before.items() if name != "Company"},
        "Firm": replace(before["Company"], name="Firm"),
    }
    frame = session.pull("Leads", fields=["Last_Name", "Firm"], via=via, limit=20)
    assert frame["Firm"].isna().all()
    assert "Zoho no longer has Firm in Leads: empty here; new there: Company." in _warnings(frame)
    assert "Company" in session.pull("Leads", via=via, limit=5)
