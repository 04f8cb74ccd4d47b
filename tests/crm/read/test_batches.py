"""`batches`: the rows of a pull while they arrive, the same whichever API brought them."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest

from tests.support.pull_env import ROUTES, asked, put, settled, world
from zoho_magic.crm.read import arrow
from zoho_magic.crm.read import bulk_read as bulk
from zoho_magic.errors import QueryError, TransportError


@pytest.mark.filterwarnings("ignore:Tag came as text")
@pytest.mark.parametrize("via", ROUTES)
def test_batches_hold_what_a_pull_holds_by_ascending_id(via: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "CSV_BLOCK_BYTES", (4096,))
    with world(rows=120, bulk_page_rows=50, coql_page_rows=40) as (_, zoho):
        reader = zoho.batches("Leads", via=via, converted="both")
        assert isinstance(reader, pa.RecordBatchReader)
        note = json.loads(reader.schema.metadata[b"zoho_magic"])
        assert (note["module"], note["api"]) == ("Leads", via)
        rows = reader.read_all()
        expected = zoho.pull("Leads", via=via, converted="both", frame="arrow")
        assert rows.column("id").to_pylist() == expected.column("id").to_pylist()[::-1]
        assert rows.take(list(range(len(rows)))[::-1]).to_pylist() == expected.to_pylist()
        assert rows.schema.equals(expected.schema)


def test_batches_take_what_a_pull_takes_and_bring_it_in_the_same_order() -> None:
    asked_for = {"fields": ["Last_Name", "Owner"], "where": "Lead_Score > 10", "limit": 30}
    with world(rows=80) as (_, zoho):
        for more in ({}, {"order_by": "Last_Name desc"}, {"via": "coql"}, {"via": "bulk"}):
            found = zoho.batches("Leads", **asked_for, **more).read_all()
            assert found.to_pylist() == zoho.pull("Leads", **asked_for, **more, frame="arrow").to_pylist()
        empty = zoho.batches("Leads", where="Last_Name = 'nobody at all'").read_all()
        assert (len(empty), empty.schema) == (0, zoho.pull("Leads", limit=1, frame="arrow").schema)
        with pytest.raises(QueryError, match="no field 'Nam'"):
            zoho.batches("Leads", fields=["Nam"])


def test_the_first_rows_come_before_the_last_are_asked_for_and_closing_ends_the_calls() -> None:
    with world(rows=200, coql_page_rows=10) as (sim, zoho):
        reader = zoho.batches("Leads", via="coql")
        first = next(iter(reader))
        assert 0 < len(first) < 200
        reader.close()
        del reader
        settled()
        calls = asked(sim)
        assert calls < 20
        settled()
        assert asked(sim) == calls


def test_rows_that_end_too_early_are_an_error_and_never_a_shorter_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "CSV_BLOCK_BYTES", (2048,))
    whole = bulk.frames.iter_csv
    monkeypatch.setattr(bulk.frames, "iter_csv", lambda *a: list(whole(*a))[:-1])
    with world(rows=60) as (_, zoho), pytest.raises(TransportError, match="announced"):
        zoho.batches("Leads", via="bulk").read_all()


def test_a_value_that_is_not_of_its_type_is_named_by_a_warning_after_rows_were_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow, "CSV_BLOCK_BYTES", (512,))
    with world(rows=30) as (sim, zoho):
        last = sim.crm.store.read('SELECT max(id) FROM "Leads"')[0][0]
        put(sim, "Leads", [], replace=False)
        sim.crm.store.write('UPDATE "Leads" SET Lead_Score = ? WHERE id = ?', ("many", last))
        reader = zoho.batches("Leads", via="bulk", fields=["Last_Name", "Lead_Score"], converted="both")
        with pytest.warns(UserWarning, match=f"Lead_Score should be integer, but record {last}"):
            frame = reader.read_all().to_pandas()
    assert len(frame) == sim.crm.count("Leads")
    assert frame["Lead_Score"].isna().tolist()[-1]
    assert pd.isna(frame["Lead_Score"]).sum() < len(frame)
