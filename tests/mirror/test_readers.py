"""Other engines over a landed copy, `scan`, and `compare`."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.pull_env import asked, world
from zoho_magic.errors import ConfigurationError, MissingDependency, QueryError
from zoho_magic.mirror import optional
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

pl = pytest.importorskip("polars")
Pair = tuple[Simulator, ZohoSession]


@pytest.fixture(scope="module")
def org() -> Iterator[Pair]:
    with world(rows=120) as pair:
        yield pair


def _total(frame: Any, kind: str) -> tuple[int, float]:
    if kind == "dask":
        return len(frame), float(frame["Annual_Revenue"].sum().compute())
    if kind == "duckdb":
        return frame.aggregate("count(*), sum(Annual_Revenue)").fetchall()[0]
    return frame.select(pl.len(), pl.col("Annual_Revenue").sum()).collect().row(0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dask", "ignore:The inplace keyword")  # dask's own affair
@pytest.mark.parametrize("kind", ["dask", "duckdb", "polars-lazy"])
def test_an_engine_reads_the_landed_copy_without_zoho_and_without_a_secret(kind: str, org: Pair) -> None:
    pytest.importorskip("dask.dataframe" if kind == "dask" else kind.partition("-")[0])
    sim, zoho = org
    fresh = zoho.pull("Leads", fields=["Annual_Revenue"])
    frame = zoho.pull("Leads", fields=["Annual_Revenue"], frame=kind)
    calls = sim.traffic.count()
    for _ in range(2):
        rows, total = _total(frame, kind)
        assert (rows, round(total)) == (len(fresh), round(fresh["Annual_Revenue"].sum()))
    assert sim.traffic.count() == calls
    if kind == "dask":
        graph = pickle.dumps(frame)
        for secret in (sim.client_secret, zoho.credentials.refresh_token.reveal(), zoho.token.reveal()):
            assert secret.encode() not in graph
    [landed] = [path for path in (Path.home() / ".cache").rglob("*.parquet")]
    assert oct(landed.parent.stat().st_mode)[-3:] == "700"


def test_a_landed_copy_is_read_again_if_it_is_young_enough(org: Pair) -> None:
    sim, zoho = org
    chosen: dict[str, Any] = {"fields": ["Last_Name"], "frame": "polars-lazy", "to": "leads.parquet"}
    zoho.pull("Leads", **chosen)
    os.utime("leads.parquet", (0, datetime.now().timestamp() - 100))
    before = asked(sim)
    with pytest.warns(UserWarning, match="landed 10. seconds ago"):
        assert len(zoho.pull("Leads", **chosen, max_age=1000).collect()) > 50
    assert asked(sim) == before
    zoho.pull("Leads", **chosen, max_age=50)
    assert asked(sim) > before
    with pytest.raises(QueryError, match="There is no frame 'spark'"):
        zoho.pull("Leads", frame="spark")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="takes neither ids nor full"):
        zoho.pull("Leads", frame="dask", ids=["1"])
    with pytest.raises(QueryError, match="takes no `to`"):
        zoho.pull("Leads", to="leads.parquet")
    with pytest.raises(ConfigurationError, match="cannot be read as dask"):
        zoho.pull("Leads", frame="dask", to="leads.csv")


def test_a_missing_engine_is_named_before_anything_is_landed(org: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(optional, "import_module", missing)
    for kind, extra in (("dask", "dask"), ("duckdb", "sync"), ("polars-lazy", "polars")):
        with pytest.raises(MissingDependency) as caught:
            org[1].pull("Leads", frame=kind)
        assert f"zoho_magic[{extra}]" in caught.value.hint
    with pytest.raises(MissingDependency):
        org[1].scan("Leads")


def test_an_older_polars_is_refused_for_scan(org: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl, "__version__", "1.20.0")
    with pytest.raises(MissingDependency, match=r"scan needs polars 1\.35"):
        org[1].scan("Leads")


# scan

MOMENT = datetime(2026, 1, 1, tzinfo=timezone.utc)
LEAVES = [
    pl.col("Lead_Status") == "Contacted",
    pl.col("Annual_Revenue") > 500_000,
    pl.col("Lead_Score") <= 50,
    pl.col("Lead_Score") == 30,
    pl.col("Modified_Time") >= MOMENT,
    pl.col("Date_of_Birth") < datetime(1980, 1, 1),
    pl.col("Email").is_not_null(),
    pl.col("Email").is_null(),
    pl.col("Lead_Score").is_null(),
    pl.col("Is_Hot"),
    pl.col("Owner").str.contains("o"),
    pl.col("Owner") == "Patricia Boyle",
    pl.col("Last_Name") > "M",
    pl.col("Company") != "Nobody",
    pl.col("Lead_Status").is_in(["Contacted", "Lost Lead"]),
    pl.col("Last_Name") == "O'Brien",
    pl.col("Lead_Source") == "cold call",
]


@pytest.fixture(scope="module")
def leads(org: Pair) -> Any:
    return pl.from_arrow(org[1].pull("Leads", frame="arrow")).reverse()


TREES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=4,
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(predicate=TREES, rows=st.one_of(st.none(), st.integers(0, 9)))
def test_a_scan_equals_a_local_filter(predicate: Any, rows: int | None, org: Pair, leads: Any) -> None:
    columns = ["id", "Last_Name", "Owner.email"]
    found, expected = org[1].scan("Leads").filter(predicate), leads.lazy().filter(predicate)
    if rows is not None:
        found, expected = found.head(rows), expected.head(rows)
    assert found.select(columns).collect().equals(expected.select(columns).collect())


def test_a_scan_asks_for_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    with world(rows=400, coql_page_rows=20) as (sim, zoho):
        zoho.pull("Leads", limit=1)
        queries: list[str] = []
        send = zoho.request

        def listening(method: str, path: str, **more: Any) -> Any:
            queries.append(str(more.get("json", {}).get("select_query", "")))
            return send(method, path, **more)

        monkeypatch.setattr(zoho._crm, "request", listening)
        whole = sim.traffic.count()
        zoho.scan("Leads").collect()
        whole = sim.traffic.count() - whole
        lazy = zoho.scan("Leads").filter(
            (pl.col("Lead_Status") == "Contacted") & (pl.col("Annual_Revenue") > 900_000) & (pl.col("Company") != "x")
        )
        queries.clear()
        narrow = sim.traffic.count()
        lazy.select("id", "Last_Name").collect()
        assert sim.traffic.count() - narrow <= whole / 4
        text = next(query for query in queries if "Last_Name" in query)
        for part in ("Lead_Status = 'Contacted'", "Annual_Revenue > 900000"):
            assert part in text
        assert "!=" not in text
        assert len(text.partition(" from ")[0].split(",")) == 5
        queries.clear()
        assert len(zoho.scan("Leads").head(7).collect()) == 7
        assert any("limit 7" in query.lower() for query in queries)


def test_what_zoho_does_not_filter_on_is_filtered_here(monkeypatch: pytest.MonkeyPatch, org: Pair) -> None:
    batches = org[1].batches

    def refusing(*args: Any, where: Any = None, **more: Any) -> Any:
        if where:
            raise QueryError("no such filter", code="INVALID_QUERY")
        return batches(*args, **more)

    monkeypatch.setattr(org[1], "batches", refusing)
    lazy = org[1].scan("Leads").filter(pl.col("Lead_Score") > 50)
    assert lazy.collect()["Lead_Score"].min() > 50


# compare


@pytest.mark.filterwarnings("ignore::UserWarning")  # notes of a pull: a polars frame has no place for them
@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "copies"])
def test_compare_finds_what_was_added_removed_and_changed(kind: str) -> None:
    pytest.importorskip("duckdb")
    with world(rows=30) as (sim, zoho):
        places = ("old.parquet", "crm.duckdb::new")

        def state(number: int) -> Any:
            if kind == "copies":
                zoho.sync("Leads", to=places[number])
                return places[number]
            return zoho.pull("Leads", frame=kind)

        old = state(0)
        keys = [row["id"] for row in sim.crm.rows("Leads") if not row["Converted__s"]]
        rows = [{"id": keys[0], "Company": "Other", "Email": None}, {"id": keys[1], "Tag": [{"name": "vip"}]}]
        assert zoho.request("PUT", "/crm/v8/Leads", json={"data": rows}).status_code == 200
        assert zoho.request("POST", "/crm/v8/Leads", json={"data": [{"Last_Name": "Fresh"}]}).status_code == 201
        assert zoho.request("DELETE", "/crm/v8/Leads", params={"ids": keys[2]}).status_code == 200
        found = zoho.compare(old, state(1), module="Leads")
        assert found.added["Last_Name"].tolist() == ["Fresh"]
        assert found.removed["id"].tolist() == [keys[2]]
        changed = {(row.id, row.field): row.new for row in found.changed.itertuples()}
        assert changed[keys[0], "Company"] == "Other"
        assert changed[keys[1], "Tag"] == ["vip"]
        assert {key for key, _ in changed} == {keys[0], keys[1]}
        assert "Modified_Time" not in found.updates
        assert "Changed:" in repr(found)
        report = zoho.push("Leads", found.updates, "update", clear_empty=True, dry_run=True)
        assert not len(report.failed), report.failed
        same = zoho.compare(old, old)
        assert (len(same.added), len(same.removed), len(same.changed), len(same.updates)) == (0, 0, 0, 0)


def test_compare_needs_ids() -> None:
    with world(rows=5) as (_, zoho):
        for frame, problem in (
            (pd.DataFrame({"a": [1]}), "needs a column id"),
            (pd.DataFrame({"id": ["1", "1"]}), "stands twice"),
        ):
            with pytest.raises(QueryError, match=problem):
                zoho.compare(frame, frame)


def test_a_landed_copy_depends_on_the_bound_filter_and_on_no_other_variable(org: Pair) -> None:
    sim, zoho = org
    chosen: dict[str, Any] = {
        "frame": "polars-lazy",
        "fields": ["Company"],
        "where": "Company != $name",
        "max_age": 1000,
    }
    zoho.pull("Leads", **chosen, params={"name": "Nobody", "other": 1})
    sim.traffic.clear()
    with pytest.warns(UserWarning, match="was landed"):
        zoho.pull("Leads", **chosen, params={"name": "Nobody", "other": 2})
    assert not [call for call in sim.traffic.calls if "coql" in call.path]
    zoho.pull("Leads", **chosen, params={"name": "Somebody", "other": 2})
    assert [call for call in sim.traffic.calls if "coql" in call.path]
