"""Zoho's official Python SDK, unchanged, as a client of the simulator.

The SDK keeps global state, so each conversation runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoho_magic.simulator import Simulator

pytest.importorskip("zohocrmsdk")

OPENING = """
import json, logging, sys

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.record import GetRecordsParam, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

zoho = json.load(sys.stdin)
here = DataCenter.Environment(zoho["url"], zoho["url"] + "/oauth/v2/token", zoho["url"])

def connect(**grant):
    token = OAuthToken(zoho["client_id"], zoho["client_secret"], **grant)
    log = Logger.get_instance(Logger.Levels.INFO, "sdk.log")
    Initializer.initialize(here, token, FileStore("tokens.csv"), SDKConfig(), ".", log)
    return token

def leads(**asked):
    params = ParameterMap()
    for name, value in asked.items():
        params.add(getattr(GetRecordsParam, name), value)
    return RecordOperations("Leads").get_records(params, HeaderMap())
"""


@pytest.fixture
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=30) as simulator:
        yield simulator


def run(zoho: Simulator, folder: Path, script: str) -> Any:
    """What the script prints as JSON, its files kept in `folder`."""
    done = subprocess.run(
        [sys.executable, "-c", OPENING + textwrap.dedent(script)],
        input=json.dumps(zoho.connection()),
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sdk_exchanges_a_grant_code_and_reads_leads(zoho: Simulator, tmp_path: Path) -> None:
    told = run(
        zoho,
        tmp_path,
        """
        token = connect(grant_token=zoho["grant_code"])
        found = leads(fields="Last_Name,Email,Owner,Created_Time", per_page=10)
        wrapper = found.get_object()
        print(json.dumps({
            "status": found.get_status_code(),
            "user": token.get_user_signature().get_name(),
            "more": wrapper.get_info().get_more_records(),
            "rows": [
                [str(row.get_id()), row.get_key_value("Last_Name"), row.get_key_value("Created_Time").isoformat()]
                for row in wrapper.get_data()
            ],
        }))
        """,
    )
    stored = {row["id"]: row for row in zoho.crm.rows("Leads")}
    assert (told["status"], told["more"], len(told["rows"])) == (200, True, 10)
    assert told["user"] == f"{zoho.options.email}:{zoho.options.org_id}"
    for identifier, last_name, _ in told["rows"]:
        assert stored[identifier]["Last_Name"] == last_name
    assert zoho.traffic.count(grant_type="authorization_code") == 1
    assert zoho.traffic.count(grant_type="refresh_token") == 0


@pytest.mark.parametrize("legacy", [False, True])
def test_sdk_refreshes_an_expiring_token(zoho: Simulator, tmp_path: Path, legacy: bool) -> None:
    # The SDK refreshes when five seconds are left: four is always too little, a whole hour never.
    zoho.options.token_lifetime = 4
    zoho.options.legacy_expiry = legacy
    script = """
        connect(grant_token=zoho["grant_code"])
        print(json.dumps(leads(fields="Last_Name,Email").get_status_code()))
        """
    assert run(zoho, tmp_path, script) == 200
    assert zoho.traffic.count(grant_type="authorization_code") == 1
    assert zoho.traffic.count(grant_type="refresh_token") >= 1
    assert zoho.traffic.count(path="/oauth", status=400) == 0


def test_sdk_starts_from_a_refresh_token_and_revokes_it(zoho: Simulator, tmp_path: Path) -> None:
    zoho.options.legacy_expiry = True
    script = """
        token = connect(refresh_token=zoho["refresh_token"])
        status = leads(fields="Last_Name,Email").get_status_code()
        gone = OAuthToken.revoke_refresh_token(token.get_refresh_token(), here.accounts_url + "/revoke")
        print(json.dumps([status, gone]))
        """
    assert run(zoho, tmp_path, script) == [200, True]
    assert zoho.traffic.count(grant_type="refresh_token") == 1
    assert zoho.traffic.count("POST", "/oauth/v2/token/revoke", 200) == 1


def test_sdk_reports_invalid_code_for_a_used_code(zoho: Simulator, tmp_path: Path) -> None:
    script = """
        from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
        connect(grant_token=zoho["grant_code"])
        import os
        os.remove("tokens.csv")
        try:
            connect(grant_token=zoho["grant_code"])
        except SDKException as error:
            print(json.dumps([error.code, error.error_message]))
        """
    assert run(zoho, tmp_path, script) == ["INVALID TOKEN ERROR", "invalid_code"]


def test_sdk_parses_api_errors(zoho: Simulator, tmp_path: Path) -> None:
    script = """
        connect(grant_token=zoho["grant_code"])
        error = leads().get_object()
        print(json.dumps([type(error).__name__, error.get_code().get_value(), error.get_details()]))
        """
    assert run(zoho, tmp_path, script) == ["APIException", "REQUIRED_PARAM_MISSING", {"param_name": "fields"}]


def test_sdk_reads_roles_profiles_territories_currencies_views_lists_tags(zoho: Simulator, tmp_path: Path) -> None:
    told = run(
        zoho,
        tmp_path,
        """
        from zohocrmsdk.src.com.zoho.crm.api.currencies import CurrenciesOperations
        from zohocrmsdk.src.com.zoho.crm.api.custom_views import CustomViewsOperations, GetCustomViewsParam
        from zohocrmsdk.src.com.zoho.crm.api.profiles import ProfilesOperations
        from zohocrmsdk.src.com.zoho.crm.api.related_lists import GetRelatedListsParam, RelatedListsOperations
        from zohocrmsdk.src.com.zoho.crm.api.roles import RolesOperations
        from zohocrmsdk.src.com.zoho.crm.api.tags import GetTagsParam, TagsOperations
        from zohocrmsdk.src.com.zoho.crm.api.territories import TerritoriesOperations

        connect(grant_token=zoho["grant_code"])

        def of_leads(param):
            params = ParameterMap()
            params.add(param, "Leads")
            return params

        def names(response, getter):
            return [each.get_name() for each in getattr(response.get_object(), getter)()]

        roles = RolesOperations()
        print(json.dumps({
            "roles": names(roles.get_roles(), "get_roles"),
            "profiles": names(ProfilesOperations().get_profiles(ParameterMap()), "get_profiles"),
            "territories": names(TerritoriesOperations().get_territories(ParameterMap()), "get_territories"),
            "rates": [
                [each.get_iso_code(), each.get_exchange_rate(), each.get_modified_time() is not None]
                for each in CurrenciesOperations().get_currencies().get_object().get_currencies()
            ],
            "views": names(
                CustomViewsOperations().get_custom_views(of_leads(GetCustomViewsParam.module)), "get_custom_views"
            ),
            "lists": [
                each.get_api_name()
                for each in RelatedListsOperations(None)
                .get_related_lists(of_leads(GetRelatedListsParam.module)).get_object().get_related_lists()
            ],
            "tags": names(TagsOperations().get_tags(of_leads(GetTagsParam.module)), "get_tags"),
        }))
        """,
    )
    assert (told["roles"], told["profiles"][:2]) == (["CEO", "Sales", "Service"], ["Administrator", "Standard"])
    assert told["territories"] == ["Global", "Americas", "EMEA", "APAC"]
    assert told["rates"][1] == ["EUR", "0.920000000", True]
    assert "Hot Leads" in told["views"]
    assert {"Notes", "Attachments", "Calls"} <= set(told["lists"])
    assert set(told["tags"]) == {tag["name"] for row in zoho.crm.rows("Leads") for tag in row["Tag"]}


def test_sdk_searches_counts_and_reads_related_records_attachments_tags(zoho: Simulator, tmp_path: Path) -> None:
    deal = zoho.crm.rows("Deals")[0]
    script = """
        from zohocrmsdk.src.com.zoho.crm.api.attachments import AttachmentsOperations, GetAttachmentsParam
        from zohocrmsdk.src.com.zoho.crm.api.record import SearchRecordsParam
        from zohocrmsdk.src.com.zoho.crm.api.related_records import GetRelatedRecordsParam, RelatedRecordsOperations
        from zohocrmsdk.src.com.zoho.crm.api.tags import NewTagRequestWrapper, Tag, TagsOperations

        connect(grant_token=zoho["grant_code"])
        deal = DEAL
        records = RecordOperations("Deals")

        def fields(param, names):
            params = ParameterMap()
            params.add(param, names)
            return params

        asked = ParameterMap()
        asked.add(SearchRecordsParam.criteria, "(Stage:starts_with:Closed)")
        found = records.search_records(asked, HeaderMap()).get_object()
        history = RelatedRecordsOperations("Stage_History", "Deals").get_related_records(
            deal, fields(GetRelatedRecordsParam.fields, "Stage,Moved_To__s"), HeaderMap()
        ).get_object()
        files = AttachmentsOperations()
        listed = files.get_attachments(deal, "Deals", fields(GetAttachmentsParam.fields, "File_Name,Size")).get_object()
        first = listed.get_data()[0]
        stream = files.get_attachment(first.get_id(), deal, "Deals").get_object().get_file()
        tag = Tag()
        tag.set_name("by sdk")
        body = NewTagRequestWrapper()
        body.set_tags([tag])
        tagged = TagsOperations().add_tags("Deals", deal, body, ParameterMap()).get_object().get_data()[0]
        print(json.dumps({
            "stages": sorted({row.get_key_value("Stage").get_value() for row in found.get_data()}),
            "count": records.record_count(ParameterMap()).get_object().get_count(),
            "history": [row.get_key_value("Stage") for row in history.get_data()],
            "files": [[each.get_file_name(), each.get_size()] for each in listed.get_data()],
            "bytes": len(b"".join(stream.get_stream())),
            "tagged": tagged.get_code().get_value(),
        }, default=lambda value: value.get_value()))
        """
    told = run(zoho, tmp_path, script.replace("DEAL", deal["id"], 1))
    assert told["stages"] == sorted({row["Stage"] for row in zoho.crm.rows("Deals") if "Closed" in row["Stage"]})
    assert int(told["count"]) == zoho.crm.count("Deals")
    rows = [row for row in zoho.crm.rows("DealHistory") if row["Potential_Name"]]
    history = [row["Stage"] for row in rows if row["Potential_Name"]["id"] == deal["id"]]
    assert sorted(told["history"]) == sorted(history)
    assert told["files"][0] == ["empty.csv", "0"]
    assert told["bytes"] == 0
    assert told["tagged"] == "SUCCESS"
    assert "by sdk" in {tag["name"] for tag in zoho.crm.rows("Deals")[0]["Tag"]}
