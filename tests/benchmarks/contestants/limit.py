# ruff: noqa: E402  # the clock starts before the imports
"""The limit of a route: the same bytes, asked for in the same way, and not parsed.

`python limit.py records|coql|bulk|arrow|imports|tiny URL ROWS`: `arrow` also unzips and parses with bare pyarrow,
`imports` only loads what every frame needs, `tiny` shows how many small answers a second the server gives.
"""

import time

began = time.perf_counter()

import http.client
import json
import re
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

route, url, rows = sys.argv[1], sys.argv[2].removeprefix("http://"), int(sys.argv[3])
WIDTH = 10
mine = threading.local()


def ask(method, path, body=None):
    """The body of an answer; each thread keeps its connection."""
    if not hasattr(mine, "connection"):
        mine.connection = http.client.HTTPConnection(url)
    mine.connection.request(method, path, body, {"Authorization": "Zoho-oauthtoken x"})
    return mine.connection.getresponse().read()


def records():
    """Ten pages side by side, then the chain of tokens."""
    pages = range(1, min(10, -(-rows // 200)) + 1)
    with ThreadPoolExecutor(WIDTH) as pool:
        bodies = list(pool.map(lambda page: ask("GET", f"/crm/v8/Leads?per_page=200&page={page}"), pages))
    size = sum(map(len, bodies))
    while token := re.search(rb'"next_page_token":"(\w+)"', bodies[-1][-400:]):
        bodies[-1] = ask("GET", f"/crm/v8/Leads?per_page=200&page_token={token[1].decode()}")
        size += len(bodies[-1])
    return size


def coql():
    """Every window side by side."""
    return sum(side_by_side(lambda offset: len(window(offset)), range(0, rows, 2000)))


def window(offset):
    """2,000 leads."""
    query = f"select id from Leads where id is not null order by id desc limit 2000 offset {offset}"
    return ask("POST", "/crm/v8/coql", json.dumps({"select_query": query}))


def side_by_side(task, items):
    """All results."""
    with ThreadPoolExecutor(WIDTH) as pool:
        return list(pool.map(task, items))


def bulk():
    """The archives, one after the other, to disk."""
    size = 0
    for file in archives():
        size += file.tell()
    return size


def archives():
    """Each archive in a temporary file."""
    query = {}
    while query is not None:
        job = json.loads(ask("POST", "/crm/bulk/v8/read", json.dumps({"query": query})))["data"][0]["details"]["id"]
        result = finished(job)
        with tempfile.TemporaryFile() as file:
            download(result["download_url"], file)
            yield file
        query = {"page_token": result["next_page_token"]} if result["more_records"] else None


def finished(job):
    """The result of a job."""
    while "result" not in (told := json.loads(ask("GET", f"/crm/bulk/v8/read/{job}"))["data"][0]):
        time.sleep(0.1)
    return told["result"]


def download(path, file):
    """An archive, streamed."""
    mine.connection.request("GET", path, None, {})
    answer = mine.connection.getresponse()
    while chunk := answer.read(1 << 20):
        file.write(chunk)


def arrow():
    """Downloaded, and parsed by bare pyarrow."""
    import zipfile

    import pyarrow as pa
    from pyarrow import csv

    tables = []
    for file in archives():
        archive = zipfile.ZipFile(file)
        with archive.open(archive.namelist()[0]) as text:
            tables.append(csv.read_csv(text, parse_options=csv.ParseOptions(newlines_in_values=True)))
    return pa.concat_tables(tables).nbytes


def imports():
    """Nothing but the packages."""
    import pandas  # noqa: F401
    import pyarrow.csv
    import requests  # noqa: F401

    return pyarrow.total_allocated_bytes()


def tiny():
    """2,000 small answers."""
    return len(side_by_side(lambda _: ask("GET", "/crm/v8/users?type=none"), range(2000)))


called = time.perf_counter()
size = {"records": records, "coql": coql, "bulk": bulk, "arrow": arrow, "imports": imports, "tiny": tiny}[route]()
ended = time.perf_counter()
print(json.dumps({"rows": rows, "before": called - began, "call": ended - called, "bytes": size}))
