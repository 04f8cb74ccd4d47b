"""Malformed requests get an answer and print nothing; other hosts' names are refused; pages say what they are."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.crm_client import Client
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.options import Options


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rows=20, options=Options(credit_limit=10**9, job_seconds=0, auto_consent="accept")) as running:
        yield running


def send(sim: Simulator, data: bytes) -> bytes:
    """The raw answer to raw bytes, after which nothing more is sent."""
    place = urlsplit(sim.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    return answer


HOST = b"Host: 127.0.0.1\r\n"
RAW = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"y" * 70_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n",
    b"GET /crm/v8/%ff%fe%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /crm/v8/Leads?fields=%ff&%00=\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://[::1/ HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET //[ HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /crm/v8/coql HTTP/1.1\r\n" + HOST + b"Content-Length: many\r\n\r\n",
    b"POST /crm/v8/coql HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\n",
    b"POST /crm/v8/coql HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999\r\n\r\n{}",
    b"POST /crm/v8/coql HTTP/1.1\r\n" + HOST + b"Content-Length: 50\r\n\r\n{",
    b"POST /crm/v8/coql HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"POST /crm/v8/coql HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
    b"POST /oauth/v2/token HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\nab",
    b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Authorization: Basic \xff\xfe\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_malformed_requests_print_nothing(sim: Simulator, capfd: pytest.CaptureFixture[str], data: bytes) -> None:
    answer = send(sim, data)
    assert b"Traceback" not in answer
    assert not answer.startswith(b"HTTP/1.1 5")
    assert capfd.readouterr() == ("", "")
    assert requests.get(sim.url, timeout=10).status_code == 200  # it still answers


BODIES: list[Any] = [
    None, [], "x", 5, {"data": None}, {"data": {}}, {"data": [None, 5, "x", [], {}]}, {"select_query": []},
    {"select_query": "select"}, {"select_query": "((((", "include_meta": 5}, {"query": None}, {"query": {"module": []}},
    {"query": {"module": {"api_name": "Leads"}, "fields": 5, "criteria": []}},
    {"query": {"module": {"api_name": "Leads"}, "fields": [[]], "page": "x", "cvid": {}}},
    {"query": {"module": {"api_name": "Leads"}, "criteria": {"field": 5, "comparator": [], "value": {}}}},
    {"query": {"page_token": {}}}, {"operation": [], "resource": 5}, {"operation": "insert", "resource": [{}]},
    {"operation": "insert", "resource": [{"type": 1, "module": [], "file_id": {}, "field_mappings": 5}]},
    {"tags": 5, "ids": 5}, {"tags": [{"name": []}], "ids": {}}, {"tags": [{"name": "a"}], "ids": [None, {}]},
    {"data": [{"Last_Name": [], "Owner": 5, "Email": {}, "Tag": "x", "id": {}, "$append_values": 5}], "trigger": {}},
    {"data": [{"id": 10**30, "Last_Name": "\ud800", "Annual_Revenue": 1e400, "Products_Interested": [[]]}]},
    {"data": [{"Last_Name": "x", "Referred_By": {"id": []}, "Date_of_Birth": 5, "Next_Follow_Up": "9999-99-99"}],
     "duplicate_check_fields": 5},
]  # fmt: skip
PARAMS = [
    {}, {"page": "0", "per_page": "x"}, {"page": "\u0663", "fields": ",,,"}, {"ids": "1,x,\u0664" * 20, "cvid": "x"},
    {"fields": "Email", "sort_by": "x", "page_token": "x", "page": "1"}, {"criteria": ")(", "converted": "x"},
    {"fields": "Email", "page": "9" * 400}, {"module": "Nope", "type": "x"},
    {"word": "", "email": "x", "fields": "$,$x"}, {"criteria": "((((((", "approved": "1"},
    {"fields": "Email", "ids": "9" * 18},
]  # fmt: skip


def test_no_route_breaks_on_odd_bodies_or_parameters(sim: Simulator, capfd: pytest.CaptureFixture[str]) -> None:
    app = sim._servers[0].app
    values = {"name": "Leads", "record_id": "554023001000007001", "related": "Notes"}
    broken = []
    with Client(sim) as zoho:
        headers = {"If-Modified-Since": "x", "If-Unmodified-Since": "\xff", "X-CRM-ORG": "x", "feature": "x"}
        for rule in app.url_map.iter_rules():
            path = rule.build({name: values.get(name, "1") for name in rule.arguments} | dict(rule.defaults or {}))[1]
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                kinds = [{"params": params} for params in PARAMS] + [
                    {"data": json.dumps(body), "headers": {"Content-Type": "application/json"}} for body in BODIES
                ]
                for asked in [*kinds, {"headers": headers}, {"data": b"\xff\xfe{"}]:
                    answer = zoho.call(method, path, **asked, allow_redirects=False)
                    if answer.status_code >= 500:
                        broken.append((method, path, asked))
    assert broken == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("host", ["zoho.example", "127.0.0.1.zoho.example", "10.0.0.1:80", ""])
def test_names_of_other_hosts_are_refused(sim: Simulator, host: str) -> None:
    answer = requests.get(f"{sim.url}/oauth/serverinfo", headers={"Host": host}, timeout=10)
    assert answer.status_code == 421
    assert "not Zoho" in answer.text


def test_this_machine_by_its_names(sim: Simulator) -> None:
    port = urlsplit(sim.url).port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", "LOCALHOST", f"[::1]:{port}"):
        assert requests.get(f"{sim.url}/oauth/serverinfo", headers={"Host": host}, timeout=10).status_code == 200


def test_every_page_says_that_this_is_no_zoho(sim: Simulator) -> None:
    sim.options.auto_consent = None
    query = {"client_id": sim.client_id, "response_type": "code", "redirect_uri": sim.redirect_uri,
             "scope": "ZohoCRM.modules.ALL"}  # fmt: skip
    for path, params in (
        ("/", {}),
        ("/oauth/v2/auth", query),
        ("/oauth/v2/auth", {}),
        ("/oauth/v3/device", {}),
        ("/oauth/v3/device", {"user_code": "x"}),
    ):
        assert "not Zoho" in requests.get(f"{sim.url}{path}", params=params, timeout=10).text, path


def test_deep_nesting_is_refused(sim: Simulator, capfd: pytest.CaptureFixture[str]) -> None:
    deep = 3_000
    criteria: dict[str, Any] = {"field": {"api_name": "Email"}, "comparator": "equal", "value": "x"}
    for _ in range(400):
        criteria = {"group_operator": "and", "group": [criteria]}
    bulk = {"query": {"module": {"api_name": "Leads"}, "criteria": criteria}}
    with Client(sim) as zoho:
        answers = [
            zoho.coql(f"select id from Leads where {'(' * deep}Email = 'x'{')' * deep}"),
            zoho.get("/Leads/search", criteria="(" * deep + "Email:equals:x" + ")" * deep),
            zoho.call("POST", "/crm/bulk/v8/read", json=bulk),
            zoho.call("POST", "/crm/v8/Leads", data="[" * 100_000, headers={"Content-Type": "application/json"}),
        ]
    assert {answer.status_code for answer in answers} <= {201, 400}
    assert answers[0].json()["code"] == "SYNTAX_ERROR"
    assert capfd.readouterr() == ("", "")
