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


def test_it_exchanges_a_grant_code_and_reads_leads(zoho: Simulator, tmp_path: Path) -> None:
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
def test_it_refreshes_a_token_about_to_expire(zoho: Simulator, tmp_path: Path, legacy: bool) -> None:
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


def test_it_starts_from_a_refresh_token_and_revokes_it(zoho: Simulator, tmp_path: Path) -> None:
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


def test_it_says_invalid_code_for_a_code_used_before(zoho: Simulator, tmp_path: Path) -> None:
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


def test_it_understands_the_apis_errors(zoho: Simulator, tmp_path: Path) -> None:
    script = """
        connect(grant_token=zoho["grant_code"])
        error = leads().get_object()
        print(json.dumps([type(error).__name__, error.get_code().get_value(), error.get_details()]))
        """
    assert run(zoho, tmp_path, script) == ["APIException", "REQUIRED_PARAM_MISSING", {"param_name": "fields"}]
