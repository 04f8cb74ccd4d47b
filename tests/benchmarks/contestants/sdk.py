# ruff: noqa: E402  # the clock starts before the imports
"""Zoho's official SDK: `python sdk.py records|coql|bulk|bulk-csv URL FIELDS [LIMIT]`, in a folder of its own.

The SDK has no reader for the CSV of a bulk read: `bulk` hands it to `pandas.read_csv`, `bulk-csv` to `csv.DictReader`.
"""

import time

began = time.perf_counter()

import csv
import io
import json
import os
import sys
import zipfile

import pandas as pd
from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import BodyWrapper as JobBody
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import BulkReadOperations, Query
from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper as QueryBody
from zohocrmsdk.src.com.zoho.crm.api.coql import CoqlOperations
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
from zohocrmsdk.src.com.zoho.crm.api.record import GetRecordsParam, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

route, url, fields = sys.argv[1:4]
limit = int(sys.argv[4]) if len(sys.argv) > 4 else None


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


def records():
    """Every page, by its token."""
    rows, page_token = [], None
    while True:
        params = ParameterMap()
        params.add(GetRecordsParam.fields, fields)
        params.add(GetRecordsParam.per_page, limit or 200)
        if page_token:
            params.add(GetRecordsParam.page_token, page_token)
        page = RecordOperations("Leads").get_records(params, HeaderMap()).get_object()
        rows += [row.get_key_values() for row in page.get_data()]
        page_token = page.get_info().get_next_page_token()
        if not page.get_info().get_more_records() or limit:
            return frame_of(rows)


def coql():
    """Every window of 2,000."""
    rows, more = [], True
    while more:
        body = QueryBody()
        window = f"limit {limit or 2000} offset {len(rows)}"
        body.set_select_query(f"select id, {fields} from Leads where Converted__s = false order by id desc {window}")
        page = CoqlOperations().get_records(body).get_object()
        rows += [row.get_key_values() for row in page.get_data()]
        more = page.get_info().get_more_records() and not limit
    return frame_of(rows)


def frame_of(rows):
    """The owner is an object of the SDK (in COQL a dict); people want its name."""
    for row in rows:
        owner = row["Owner"]
        row["Owner"] = owner["name"] if isinstance(owner, dict) else owner.get_name()
    return pd.DataFrame(rows)


def bulk():
    """One job, its file, pandas."""
    with opened(downloaded()) as file:
        return pd.read_csv(file)


def bulk_csv():
    """One job, its file, the csv module."""
    with opened(downloaded()) as file:
        return pd.DataFrame(list(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))))


def opened(archive):
    """The only file in the archive."""
    found = zipfile.ZipFile(archive)
    return found.open(found.namelist()[0])


def downloaded():
    """The result of a job, saved as Zoho's sample saves it."""
    module, query, body = MinifiedModule(), Query(), JobBody()
    module.set_api_name("Leads")
    query.set_module(module)
    query.set_fields(["id", *fields.split(",")])
    body.set_query(query)
    jobs = BulkReadOperations()
    job = int(jobs.create_bulk_read_job(body).get_object().get_data()[0].get_details()["id"])
    while jobs.get_bulk_read_job_details(job).get_object().get_data()[0].get_state().get_value() != "COMPLETED":
        time.sleep(1)
    stream = jobs.download_result(job).get_object().get_file()
    with open("result.zip", "wb") as file:  # noqa: PTH123
        for chunk in stream.get_stream():
            file.write(chunk)
    return "result.zip"


called = time.perf_counter()
connect()
frame = {"records": records, "coql": coql, "bulk": bulk, "bulk-csv": bulk_csv}[route]()
ended = time.perf_counter()
size = int(frame.memory_usage(deep=True).sum())
print(json.dumps({"rows": len(frame), "before": called - began, "call": ended - called, "bytes": size}))
