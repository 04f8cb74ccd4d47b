"""Bulk read: filters in its own language, its CSV in every spelling Zoho may have, jobs of several pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.pull_env import as_bulk_tells, hurried, same, world
from zoho_magic.crm.read.bulk_criteria import to_bulk_criteria
from zoho_magic.errors import QueryError, TransportError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Options, Simulator

World = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module")
def _org() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, world(rows=120) as found:
        hurried(patch)
        yield found


@pytest.fixture
def org(_org: World) -> World:
    """The demo org; options as documented, jobs done at once."""
    sim, _ = _org
    sim.traffic.clear()
    easy = {"job_seconds": 0.0, "bulk_downloads_per_minute": 10**6, "credit_limit": 10**9}
    vars(sim.options).update({**vars(Options()), **easy})
    return _org


def one(name: str, comparator: str, value: Any) -> dict[str, Any]:
    return {"field": {"api_name": name}, "comparator": comparator, "value": value}


def group(word: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"group_operator": word, "group": list(parts)}


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("a = 'x'", one("a", "equal", "x")),
        ("a != 5", one("a", "not_equal", "5")),
        ("a > -1.5", one("a", "greater_than", "-1.5")),
        ("a >= 1e5", one("a", "greater_equal", "1e5")),
        ("a < '2026-01-01'", one("a", "less_than", "2026-01-01")),
        ("a <= 0", one("a", "less_equal", "0")),
        ("a = true", one("a", "equal", True)),
        ("a is null", one("a", "equal", "${EMPTY}")),
        ("a is not null", one("a", "not_equal", "${EMPTY}")),
        ("a in (1, 'b')", one("a", "in", ["1", "b"])),
        ("a not in (1)", one("a", "not_in", ["1"])),
        ("a like '%x%'", one("a", "contains", "x")),
        ("a like 'x%'", one("a", "starts_with", "x")),
        ("a like '%x'", one("a", "ends_with", "x")),
        ("a like 'x'", one("a", "equal", "x")),
        ("a not like '%x%'", one("a", "not_contains", "x")),
        ("a not like 'x'", one("a", "not_equal", "x")),
        ("not a > 5", one("a", "less_equal", "5")),
        ("a = 'O''Hara'", one("a", "equal", "O'Hara")),
        ("Values = 'x'", one("Values", "equal", "x")),
        ("a between 1 and 5", group("and", one("a", "greater_equal", "1"), one("a", "less_equal", "5"))),
        ("a not between 1 and 5", group("or", one("a", "less_than", "1"), one("a", "greater_than", "5"))),
        ("not a between 1 and 5", group("or", one("a", "less_than", "1"), one("a", "greater_than", "5"))),
        (
            "a = 1 and (b = 2 or c = 3)",
            group("and", one("a", "equal", "1"), group("or", one("b", "equal", "2"), one("c", "equal", "3"))),
        ),
    ],
)
def test_a_filter_in_bulk_reads_words(where: str, said: dict[str, Any]) -> None:
    assert to_bulk_criteria(where) == said


@pytest.mark.parametrize(
    "where",
    [
        "a.b = 1",
        "a like 'x%y'",
        "a like '%'",
        "a not like 'x%'",
        "a not like '%x'",
        "not (a = 1 and b = 2)",
        "a = null",
        "a = $x",
        "a in (select id from B)",
        "What_Id->Leads.a = 1",
    ],
)
def test_what_bulk_read_cannot_say(where: str) -> None:
    with pytest.raises(QueryError, match="Bulk read cannot say") as caught:
        to_bulk_criteria(where)
    assert "--via coql" in caught.value.hint


@pytest.mark.parametrize("where", ["a", "a = 1 +", "a = -b", "a = 1 order by b"])
def test_what_is_no_filter(where: str) -> None:
    with pytest.raises(QueryError, match=r"Unexpected|ends too early"):
        to_bulk_criteria(where)


@pytest.mark.parametrize(
    "options", [{"bulk_bom": True}, {"bulk_separator": ","}, {"bulk_separator": ";"}, {"bulk_page_rows": 7}]
)
def test_every_spelling_of_the_csv(org: World, options: dict[str, Any]) -> None:
    sim, zoho = org
    vars(sim.options).update(options)
    same(as_bulk_tells(zoho.pull("Leads", via="coql")), zoho.pull("Leads", via="bulk"))


def test_pages_are_jobs(org: World) -> None:
    sim, zoho = org
    sim.options.bulk_page_rows = 50
    found = zoho.pull("Leads", fields=["Company"], via="bulk")
    assert sim.traffic.count("POST", "/crm/bulk/v8/read") == 3 == -(-len(found) // 50)
    assert found.attrs["credits"] == 151  # three jobs and a count to compare with
    assert len(zoho.pull("Leads", fields=["Company"], via="bulk", limit=60)) == 60


def test_a_job_that_takes_its_time(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = org
    sim.options.job_seconds = 3.6
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        sim.clock.advance(0.9)

    monkeypatch.setattr("zoho_magic.crm.read.bulk_read.time.sleep", sleep)
    assert len(zoho.pull("Leads", fields=["Company"], via="bulk")) > 90
    assert 2 <= len(pauses) <= 6
    assert pauses == sorted(pauses)


def test_a_job_that_never_ends(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = org
    sim.options.job_seconds = 1e6
    monkeypatch.setattr("zoho_magic.http.backoff.JOB_SECONDS", 0.05)
    with pytest.raises(TransportError, match="did not end in time"):
        zoho.pull("Leads", fields=["Company"], via="bulk")
    sim.clock.advance(2e6)


def test_ten_downloads_a_minute(org: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, zoho = org
    sim.clock.advance(61)
    sim.options.bulk_page_rows, sim.options.bulk_downloads_per_minute = 10, 10
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        sim.clock.advance(61 if seconds >= 0.01 else 0)

    monkeypatch.setattr("zoho_magic.crm.read.bulk_read.time.sleep", sleep)
    found = zoho.pull("Leads", fields=["Company"], via="bulk")
    assert list(found["id"]) == list(zoho.pull("Leads", fields=["Company"], via="coql")["id"])
    assert sim.traffic.count(status=429) > 0
    assert waited
