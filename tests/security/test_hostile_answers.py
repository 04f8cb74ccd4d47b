"""Attack: answers that no Zoho sends. Whatever comes is an error with a next step, within bounds, nothing raw.

Who answers may be a proxy, a captive portal, a test server, or somebody in between.
"""

from __future__ import annotations

import io
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.support.pull_env import hurried, world
from tests.support.recording_server import Listener
from zoho_magic import QueryError, TransportError, ZohoError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Fault, Simulator

World = tuple[Simulator, ZohoSession]
DEEP = b"[" * 100_000 + b"]" * 100_000
CSV = "Id,Last_Name\n1,x\n"
RESULT, JOB = r"/crm/bulk/v8/read/\d+/result", r"/crm/bulk/v8/read/\d+$"


@pytest.fixture(scope="module")
def started() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, world(40) as found:
        hurried(patch)
        yield found


@pytest.fixture
def org(started: World) -> World:
    simulator, zoho = started
    simulator.faults.clear()
    simulator.clock.advance(700)  # ten token requests in ten minutes are all there are
    zoho.metadata.refresh()
    zoho.pull("Leads", limit=1)
    return started


def _zip(*names: str, text: str = CSV) -> bytearray:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text)
    return bytearray(packed.getvalue())


def _changed(local: int, central: int, value: int) -> bytes:
    """A zip with a byte changed in both of its headers."""
    packed = _zip("a.csv")
    packed[local] = packed[packed.index(b"PK\x01\x02") + central] = value
    return bytes(packed)


def _corrupt() -> bytes:
    packed = _zip("a.csv", text=CSV * 1000)
    packed[40] ^= 0xFF
    packed[41] ^= 0xFF
    return bytes(packed)


FILES: dict[str, Callable[[], bytes]] = {
    "empty zip": lambda: bytes(_zip()),
    "two entries": lambda: bytes(_zip("a.csv", "b.csv")),
    "encrypted": lambda: _changed(6, 8, 1),
    "unknown compression": lambda: _changed(8, 10, 99),
    "wrong CRC": lambda: _changed(14, 16, 0),
    "broken deflate": _corrupt,
    "no id column": lambda: bytes(_zip("a.csv", text="Last_Name\nx\n")),
    "a page": lambda: b"<html>",
    "nothing": lambda: b"",
    "a bomb": lambda: bytes(_zip("a.csv", text=CSV * 5_000_000)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_bulk_file_is_an_error_and_never_unpacked_beyond_its_rows(org: World, name: str) -> None:
    simulator, zoho = org
    simulator.faults.add(Fault(RESULT, status=200, body=FILES[name](), times=99))
    begun = time.monotonic()
    with pytest.raises(ZohoError) as failed:
        zoho.pull("Leads", fields=["Last_Name"], via="bulk")
    assert failed.value.hint
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "result",
    [
        {}, {"result": None}, {"result": []}, {"result": {"count": "many", "download_url": "/x"}},
        {"result": {"count": 3, "download_url": 5}}, {"result": {"count": -1}},
        {"result": {"count": 1, "page": "x", "more_records": True, "download_url": "/x"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_hostile_bulk_job_is_an_error(org: World, result: dict[str, Any]) -> None:
    simulator, zoho = org
    simulator.faults.add(
        Fault(JOB, status=200, body={"data": [{"id": "1", "state": "COMPLETED", **result}]}, times=10**6)
    )
    with pytest.raises(ZohoError) as failed:
        zoho.pull("Leads", fields=["Last_Name"], via="bulk")
    assert failed.value.hint


@pytest.mark.parametrize("via", ["records", "coql"])
@pytest.mark.parametrize(
    "body",
    [
        DEEP, b'{"data":' + b"9" * 10_000 + b"}", b"[]", b'"x"', b'{"data":"x"}', b'{"data":[null]}', b'{"data":[',
        b'{"data":[{"id":"1","Last_Name":"x"}],"info":5}', b'{"data":[{"id":"abc","Last_Name":"x"}]}',
        b'{"data":[{"id":"99999999999999999999","Last_Name":"x"}]}', b'{"data":[{"id":{},"Last_Name":"x"}]}',
        b'{"data":[{"Last_Name":"x"}]}',
    ],
    ids=lambda body: body[:40].decode() + str(len(body)),
)  # fmt: skip
def test_hostile_records_are_an_error_never_a_row_of_nulls(org: World, via: Any, body: bytes) -> None:
    simulator, zoho = org
    path = "/crm/v8/Leads" if via == "records" else "/crm/v8/coql"
    simulator.faults.add(Fault(path, status=200, body=body, times=10**6))
    with pytest.raises(ZohoError) as failed:
        zoho.pull("Leads", fields=["Last_Name"], via=via)
    assert failed.value.hint


SHAPES = [
    DEEP, b"[]", b"5", b'{"org":5,"users":5}', b'{"org":[5],"users":[5]}', b'{"org":{},"users":{"id":1}}',
    b'{"org":[{"license_details":5}],"users":[{"id":[]}]}',
    b'{"org":[{"company_name":{}}],"users":[{"full_name":[1]}]}',
]  # fmt: skip


@pytest.mark.parametrize("body", SHAPES, ids=lambda body: body[:40].decode())
def test_status_always_returns_and_rows_come_whatever_org_and_users_say(org: World, body: bytes) -> None:
    simulator, zoho = org
    zoho._account_cache = ((), zoho._account_cache[1])
    for path in ("/crm/v8/org", "/crm/v8/users"):
        simulator.faults.add(Fault(path, status=200, body=body, times=10**6))
    assert zoho.status().connected
    assert len(zoho.pull("Leads", fields=["Owner"], via="coql")) > 20


@pytest.mark.parametrize(
    "body",
    [
        DEEP, b'{"modules":5,"fields":5}', b'{"modules":[5],"fields":[5]}', b'{"modules":[{}],"fields":[{}]}',
        b'{"modules":[{"api_name":null}],"fields":[{"api_name":null}]}',
    ],
    ids=lambda body: body[:40].decode(),
)  # fmt: skip
def test_hostile_metadata_is_an_error(org: World, body: bytes) -> None:
    simulator, zoho = org
    zoho.metadata.refresh()
    simulator.faults.add(Fault("/crm/v8/settings/", status=200, body=body, times=10**6))
    with pytest.raises(ZohoError):
        zoho.fields("Leads")
    simulator.faults.clear()
    zoho.metadata.refresh()


def test_one_odd_field_does_not_close_its_module(org: World) -> None:
    simulator, zoho = org
    zoho.modules()
    zoho.metadata._fields.clear()
    odd = [
        {"api_name": "Last_Name", "data_type": "text", "length": "32,000"},
        {"api_name": "B", "data_type": 5, "pick_list_values": 5},
        {"data_type": "text"},
    ]
    simulator.faults.add(Fault("/crm/v8/settings/fields", status=200, body={"fields": odd}))
    assert {"Last_Name", "B"} <= set(zoho.fields("Leads")["field"])
    zoho.metadata.refresh()


@pytest.mark.parametrize("value", ["\u00b2", "-5", "x", "9" * 50, "", "0x10", "1_000"])
def test_hostile_headers_are_ignored(org: World, value: str) -> None:
    simulator, zoho = org
    encoded = value.encode().decode("latin-1")
    headers = {"X-API-CREDITS-REMAINING": encoded, "Retry-After": encoded}
    simulator.faults.add(Fault("/crm/v8/org", status=429, headers=headers))
    assert zoho.request("GET", "/crm/v8/org").status_code == 200


@pytest.mark.parametrize("details", [5, [], "x", {"permissions": 5}, {"permissions": [{}]}, None])
def test_a_hostile_refusal_is_an_error(org: World, details: Any) -> None:
    simulator, zoho = org
    body = {"code": "NO_PERMISSION", "details": details, "message": {"a": 1}}
    simulator.faults.add(Fault("/crm/v8/org", status=403, body=body))
    with pytest.raises(ZohoError):
        zoho.request("GET", "/crm/v8/org")


@pytest.mark.parametrize("body", [DEEP, b"[]", b"5", b'{"access_token":5}', b'{"access_token":{}}', b"\xff\xfe"])
def test_a_hostile_token_answer_is_an_error(org: World, body: bytes) -> None:
    simulator, zoho = org
    simulator.faults.add(Fault("/oauth/v2/token", status=200, body=body))
    with pytest.raises(ZohoError) as failed:
        zoho.refresh()
    assert failed.value.hint


@pytest.mark.parametrize(
    "value", [Decimal("sNaN"), Decimal("Infinity"), 10**5000, float("nan"), float("-inf")], ids=type
)
def test_a_number_that_cannot_be_written_is_a_query_error(org: World, value: Any) -> None:
    with pytest.raises(QueryError):
        org[1].pull("Leads", where="Annual_Revenue > $v", params={"v": value})


@pytest.mark.parametrize(
    "where",
    ["(" * 600 + "Last_Name = 'a'" + ")" * 600, " and ".join(["Last_Name = 'a'"] * 1500), "not " * 600 + "a = 1"],
    ids=["deep", "long", "not"],
)
def test_a_deep_or_long_filter_is_a_query_error(org: World, where: str) -> None:
    with pytest.raises(QueryError):
        org[1].pull("Leads", where=where)


# Bounds


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _endless(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")


def _gzip_bomb(connection: socket.socket) -> None:
    import gzip

    packed = gzip.compress(b"0" * (64 << 20))
    connection.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def _dripping_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def _dripping_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def _long_line(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")


def _many_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_endless, "larger than 8 MiB"), (_gzip_bomb, "larger than 8 MiB"), (_dripping_body, "in time"),
        (_dripping_header, "in time"), (_long_line, "broke"), (_many_headers, "broke"),
    ],
)  # fmt: skip
def test_an_answer_without_end_is_cut_off_and_says_so(
    org: World, monkeypatch: pytest.MonkeyPatch, answer: Callable[[socket.socket], None], said: str
) -> None:
    simulator, zoho = org
    monkeypatch.setattr("zoho_magic.http.adapters.MAX_ANSWER_SECONDS", 0.5)
    with Listener(answer) as server:
        credentials = zoho.credentials.replace(api_url=server.url)
        with ZohoSession(credentials, clock=simulator.clock.time, max_response_bytes=8 << 20) as other:
            assert other.token
            begun = time.monotonic()
            with pytest.raises(TransportError, match=said):
                other.request("GET", "/crm/v8/org", retry=False)
            assert time.monotonic() - begun < 4
