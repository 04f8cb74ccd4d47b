"""Records that come and go while they are read: those that stay throughout come exactly once, or an error says so.

Windows, pages and how far they reach are made small on both sides, so that few records need many calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.pull_env import hurried, ids, put, world
from zoho_magic.crm import limits
from zoho_magic.errors import QueryError, TransportError
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator
from zoho_magic.simulator.crm import records as their_records

their_coql = import_module("zoho_magic.simulator.crm.coql.sql_compiler")
World = tuple[Simulator, ZohoSession]
FIRST, STEP = 554023000000001000, 10
ANY_ORDER = settings(
    max_examples=40, suppress_health_check=list(HealthCheck), derandomize=True, phases=(Phase.explicit, Phase.generate)
)


@pytest.fixture(scope="module")
def small() -> Iterator[World]:
    """10 rows a page and window, 100 rows in reach of page numbers and offsets, 150 of page tokens."""
    with pytest.MonkeyPatch.context() as patch, world() as found:
        hurried(patch)
        for module, names in {
            limits: {
                "COQL_ROWS_PER_CALL": 10,
                "COQL_MAX_OFFSET": 100,
                "RECORDS_PER_PAGE": 10,
                "RECORDS_MAX_ROWS": 150,
            },
            their_coql: {"MOST_ROWS": 10, "REACH": 100},
            their_records: {"PAGE_ROWS": 10, "FIRST_ROWS": 100, "MOST_ROWS": 150},
        }.items():
            for name, value in names.items():
                patch.setattr(module, name, value)
        yield found


def fill(sim: Simulator, rows: int) -> list[str]:
    """So many leads, their ids newest first; the score runs against the id, with ties."""
    sim.traffic.clear()
    put(sim, "Leads", [lead(FIRST + STEP * n, n) for n in range(rows)])
    return ids(sim)


def lead(key: int, n: int) -> dict[str, Any]:
    """One row for the table."""
    score = (7 * n) % 50
    return {"id": key, "Last_Name": f"Lead {n}", "Lead_Score": score, "Converted__s": 0, "Modified_Time": 1_700_000_000}


@pytest.fixture
def after(small: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[int, list[Callable[[], None]]]], None]:
    """Do things after the n-th call that reads records, before its answer leaves."""
    return lambda plans: _after(small[0], monkeypatch, plans)


def _after(sim: Simulator, patch: pytest.MonkeyPatch, plans: dict[int, list[Callable[[], None]]]) -> None:
    record, seen = sim.traffic.__class__.record, [0]

    def noted(environ: dict[str, Any], *rest: Any) -> None:
        record(sim.traffic, environ, *rest)
        if environ["PATH_INFO"] in ("/crm/v8/coql", "/crm/v8/Leads"):
            seen[0] += 1
            for act in plans.get(seen[0], ()):
                act()

    patch.setattr(sim.traffic, "record", noted)


def delete(sim: Simulator, *keys: str) -> Callable[[], None]:
    return lambda: [sim.crm.store.write("DELETE FROM Leads WHERE id = ?", (int(key),)) for key in keys] and None


def insert(sim: Simulator, *keys: int) -> Callable[[], None]:
    return lambda: put(sim, "Leads", [lead(key, key % 1000) for key in keys], replace=False)


NEW = range(FIRST + STEP * 10_000, FIRST + STEP * 10_100, STEP)


# What no change disturbs


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 19, 20, 99, 100, 101, 118, 140])
@pytest.mark.parametrize("via", ["records", "coql"])
def test_any_number_of_rows_comes_complete(small: World, rows: int, via: Any) -> None:
    sim, zoho = small
    known = fill(sim, rows)
    assert list(zoho.pull("Leads", fields=["Last_Name"], via=via)["id"]) == known


@pytest.mark.parametrize("rows", [101, 230, 250])
def test_coql_reaches_beyond_offsets_by_the_last_id(small: World, rows: int) -> None:
    sim, zoho = small
    known = fill(sim, rows)
    assert list(zoho.pull("Leads", fields=["Last_Name"], via="coql")["id"]) == known
    assert list(zoho.coql("select Last_Name from Leads")["id"]) == known[::-1]
    assert list(zoho.coql("select Last_Name from Leads offset 30")["id"]) == known[::-1][30:]
    assert list(zoho.coql("select id from Leads order by id desc limit 123")["id"]) == known[:123]


@pytest.mark.parametrize("limit", [1, 9, 10, 11, 20, 21, 99, 100, 101, 119, 120, 150, 400])
@pytest.mark.parametrize("via", ["records", "coql", "bulk", "auto"])
def test_a_limit_brings_the_newest(small: World, limit: int, via: Any) -> None:
    sim, zoho = small
    known = fill(sim, 120)
    assert list(zoho.pull("Leads", fields=["Last_Name"], limit=limit, via=via)["id"]) == known[:limit]


def test_records_end_where_zohos_list_ends(small: World) -> None:
    sim, zoho = small
    known = fill(sim, 150)
    assert list(zoho.pull("Leads", fields=["Last_Name"], via="records")["id"]) == known
    known = fill(sim, 151)
    assert list(zoho.pull("Leads", fields=["Last_Name"], via="records", limit=150)["id"]) == known[:150]
    for limit in (None, 151):
        with pytest.raises(QueryError, match="ends at 150 rows"):
            zoho.pull("Leads", fields=["Last_Name"], via="records", limit=limit)


@pytest.mark.parametrize("order", ["Lead_Score", "Lead_Score desc, Last_Name", "Last_Name desc"])
def test_an_order_of_ones_own(small: World, order: str) -> None:
    sim, zoho = small
    fill(sim, 97)
    found = zoho.pull("Leads", fields=["Last_Name", "Lead_Score"], order_by=order)
    names = [part.split()[0] for part in order.split(",")]
    rising = ["desc" not in part for part in order.split(",")]
    expected = found.assign(key=found["id"].astype("int64")).sort_values([*names, "key"], ascending=[*rising, True])
    assert list(found["id"]) == list(expected["id"])
    assert set(found["id"]) == set(ids(sim))


def test_an_order_of_ones_own_ends_with_the_offsets(small: World) -> None:
    sim, zoho = small
    fill(sim, 100)
    assert len(zoho.pull("Leads", fields=["Last_Name"], order_by="Lead_Score")) == 100
    fill(sim, 101)
    for limit in (None, 101):
        with pytest.raises(QueryError, match="at most 100 rows"):
            zoho.pull("Leads", fields=["Last_Name"], order_by="Lead_Score", limit=limit)
    assert len(zoho.pull("Leads", fields=["Last_Name"], order_by="Lead_Score", limit=100)) == 100
    with pytest.raises(QueryError, match="at most 100 rows"):
        zoho.coql("select id from Leads offset 100")


# What changes


@pytest.mark.parametrize(("rows", "call", "gone"), [(60, 3, 3), (28, 3, 15), (28, 2, 9), (60, 4, 20)])
def test_rows_that_move_up_into_a_read_window_are_fetched(
    small: World, monkeypatch: pytest.MonkeyPatch, after: Any, rows: int, call: int, gone: int
) -> None:
    """Behind a gap, or behind a last window that is empty by then."""
    sim, zoho = small
    monkeypatch.setattr(zoho, "_max_concurrency", lambda: 1)
    known = fill(sim, rows)
    after({call: [delete(sim, *known[:gone])]})  # the count, then window by window
    found = zoho.pull("Leads", fields=["Last_Name"], via="coql")
    assert set(known[gone:]) <= set(found["id"])
    assert found["id"].is_unique


def test_a_new_record_does_not_hide_that_one_has_gone(
    small: World, monkeypatch: pytest.MonkeyPatch, after: Any
) -> None:
    sim, zoho = small
    monkeypatch.setattr(zoho, "_max_concurrency", lambda: 1)
    known = fill(sim, 60)
    oldest, newest = known[-1], known[0]
    after({4: [delete(sim, oldest, newest)], 5: [insert(sim, *NEW[:1])]})  # the count, the last page, then page by page
    found = zoho.pull("Leads", fields=["Last_Name"], via="records")
    assert set(known) - {oldest, newest} <= set(found["id"])


def test_an_order_of_ones_own_is_read_again_when_its_last_window_is_empty(
    small: World, monkeypatch: pytest.MonkeyPatch, after: Any
) -> None:
    sim, zoho = small
    monkeypatch.setattr(zoho, "_max_concurrency", lambda: 1)
    known = fill(sim, 28)
    after({3: [delete(sim, *known[-15:])]})  # the first window, the count, the second window
    found = zoho.coql("select Last_Name from Leads order by Created_Time asc")
    assert list(found["id"]) == known[:-15][::-1]


def test_a_limit_is_filled_when_new_rows_push_others_down(small: World, after: Any) -> None:
    sim, zoho = small
    known = fill(sim, 60)
    after({2: [insert(sim, *NEW[:5])]})
    found = zoho.pull("Leads", fields=["Last_Name"], via="coql", limit=45)
    assert len(found) == 45
    assert set(known[:40]) <= set(found["id"])


DELETED = st.integers(0, 139).map(lambda n: ("delete", n))
INSERTED = st.sampled_from(NEW).map(lambda n: ("insert", n))
CHANGES = st.dictionaries(st.integers(1, 16), st.lists(DELETED | INSERTED, max_size=6), max_size=8)


@given(
    rows=st.integers(0, 140),
    changes=CHANGES,
    width=st.sampled_from([1, 2, 10]),
    via=st.sampled_from(["coql", "records"]),
)
@ANY_ORDER
def test_what_stays_throughout_comes_once(small: World, rows: int, changes: Any, width: int, via: Any) -> None:
    sim, zoho = small
    known = fill(sim, rows)
    found, seen = _pulled(sim, zoho, known, changes, width, lambda: zoho.pull("Leads", fields=["Last_Name"], via=via))
    got = [int(key) for key in found["id"]]
    assert got == sorted(set(got), reverse=True)
    _assert_complete(found["id"], known, seen)


@given(rows=st.integers(0, 100), changes=CHANGES, width=st.sampled_from([1, 2, 10]), text=st.sampled_from([
    "select Last_Name from Leads", "select Last_Name from Leads order by Lead_Score desc",
    "select Last_Name from Leads where Lead_Score >= 0 order by Last_Name asc",
]))  # fmt: skip
@ANY_ORDER
def test_a_query_brings_what_stays_or_says_that_it_moves(
    small: World, rows: int, changes: Any, width: int, text: str
) -> None:
    sim, zoho = small
    known = fill(sim, rows)
    problem = None
    try:
        found, seen = _pulled(sim, zoho, known, changes, width, lambda: zoho.coql(text))
    except (TransportError, QueryError) as error:
        problem = error
    if problem is not None:
        assert "kept changing places" in str(problem) or "at most 100 rows" in str(problem)
        return
    assert found["id"].is_unique
    _assert_complete(found["id"], known, seen)


def _pulled(sim: Simulator, zoho: ZohoSession, known: list[str], changes: Any, width: int, pull: Any) -> Any:
    gone: set[str] = set()
    plans = {}
    for call, steps in changes.items():
        deleted = [known[n] for kind, n in steps if kind == "delete" and n < len(known)]
        added = [n for kind, n in dict.fromkeys(steps) if kind == "insert"]
        plans[call] = [delete(sim, *deleted), lambda added=added: put_new(sim, added)]
        gone.update(deleted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoho, "_max_concurrency", lambda: width)
        _after(sim, patch, plans)
        return pull(), {"gone": gone}


def put_new(sim: Simulator, keys: list[int]) -> None:
    there = set(ids(sim))
    put(sim, "Leads", [lead(key, key % 1000) for key in keys if str(key) not in there], replace=False)


def _assert_complete(found: Any, known: list[str], seen: dict[str, set[str]]) -> None:
    assert set(known) - seen["gone"] <= set(found)
    assert set(found) <= {*known, *map(str, NEW)}
