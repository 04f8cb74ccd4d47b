# ruff: noqa: E402  # the clock starts before the imports
"""Zoho's official SDK: `python push_sdk.py records URL ROWS`, in a folder of its own."""

import time

began = time.perf_counter()

import json
import os
import sys

from push_rows import frame
from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper, Record, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

leads, url = frame(int(sys.argv[3])), sys.argv[2]


def connect():
    """As Zoho's own sample does."""
    here = DataCenter.Environment(url, url + "/oauth/v2/token", url)
    token = OAuthToken(
        os.environ["ZOHO_CLIENT_ID"],
        os.environ["ZOHO_CLIENT_SECRET"],
        refresh_token=os.environ["ZOHO_REFRESH_TOKEN"],
    )
    log = Logger.get_instance(Logger.Levels.ERROR, "sdk.log")
    Initializer.initialize(here, token, FileStore("tokens.csv"), SDKConfig(), ".", log)


def record(row):
    """A record of the SDK."""
    made = Record()
    for name, value in row.items():
        made.add_key_value(name, value)
    return made


called = time.perf_counter()
connect()
rows, done = leads.to_dict("records"), 0
for start in range(0, len(rows), 100):
    body = BodyWrapper()
    body.set_data([record(row) for row in rows[start : start + 100]])
    body.set_duplicate_check_fields(["Email"])
    answer = RecordOperations("Leads").upsert_records(body, HeaderMap()).get_object()
    done += sum(result.get_status().get_value() == "success" for result in answer.get_data())
ended = time.perf_counter()
print(json.dumps({"rows": done, "before": called - began, "call": ended - called}))
