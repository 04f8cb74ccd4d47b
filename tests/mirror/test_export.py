"""`export`: every format holds what a pull holds, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.dataset as pa_dataset
import pyarrow.parquet as pq
import pytest

from tests.support.login_env import free_port
from tests.support.pull_env import MANY, asked, put, world
from zoho_magic.crm.read import arrow, memory
from zoho_magic.errors import ConfigurationError, MissingDependency, QueryError
from zoho_magic.mirror import optional, writers
from zoho_magic.mirror.export import WRITERS
from zoho_magic.mirror.target import SUFFIXES, parse_target
from zoho_magic.session import ZohoSession
from zoho_magic.simulator import Simulator

duckdb = pytest.importorskip("duckdb")
ASKED = {"converted": "both", "via": "bulk"}


@pytest.fixture(scope="module")
def org() -> Iterator[tuple[Simulator, ZohoSession]]:
    with world(rows=150, bulk_page_rows=60) as pair:
        yield pair


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "GROUP_ROWS", 32)
    monkeypatch.setattr(arrow, "CSV_BLOCK_BYTES", (4096,))


def _duckdb(place: str) -> pa.Table:
    path, _, table = place.removeprefix("duckdb:///").partition("::")
    with duckdb.connect(path) as database:
        return database.sql(f'SELECT * FROM "{table}"').to_arrow_table()


def _delta(place: str) -> pa.Table:
    return pa.table(pytest.importorskip("deltalake").DeltaTable(place).to_pyarrow_table())


READERS = {
    "leads.parquet": pq.read_table,
    "leads.arrow": lambda place: pa.ipc.open_file(place).read_all(),
    "leads/": lambda place: pa_dataset.dataset(place.rstrip("/")).to_table(),
    "crm.duckdb::leads": _duckdb,
    "duckdb:///crm.db::leads": _duckdb,
    "leads.delta": lambda place: pytest.importorskip("deltalake").DeltaTable(place).to_pyarrow_table(),
}


@pytest.mark.parametrize("to", READERS)
def test_every_typed_format_holds_every_row_and_type(to: str, org: tuple[Simulator, ZohoSession]) -> None:
    sim, zoho = org
    expected = zoho.pull("Leads", **ASKED, frame="arrow")
    report = zoho.export("Leads", to=to, **ASKED, rows_per_file=50)
    rows = READERS[to](to)
    by_id = rows.take(pa.compute.sort_indices(rows, [("id", "descending")]))
    assert by_id.select(expected.schema.names).cast(expected.schema).to_pylist() == expected.to_pylist()
    assert to == "leads.delta" or rows.column("id").to_pylist() == sorted(rows.column("id").to_pylist(), key=int)
    assert (report.rows, report.path, report.module, report.api) == (sim.crm.count("Leads"), to, "Leads", "bulk")
    assert (report.bytes > 1000, report.seconds > 0) == (True, True)
    assert report.credits // 50 == len(range(0, len(rows), 60))  # the rows are counted once, for a credit
    if to == "leads/":
        assert sorted(p.name for p in Path(to).iterdir()) == ["_SUCCESS", *(f"part-{n:05}.parquet" for n in range(3))]
    assert zoho.export("Leads", to=to, fields=["Last_Name"], limit=3).rows == 3  # what was there is replaced
    assert len(READERS[to](to)) == 3


def test_parquet_has_large_row_groups_and_zstd(org: tuple[Simulator, ZohoSession]) -> None:
    org[1].export("Leads", to="leads.parquet", **ASKED)
    found = pq.ParquetFile("leads.parquet").metadata
    assert [found.row_group(n).num_rows for n in range(found.num_row_groups - 1)] == [32] * (found.num_row_groups - 1)
    assert found.row_group(0).column(0).compression == "ZSTD"


ODD = [
    {"id": 1, "Last_Name": '=HYPERLINK("x")', "Description": 'a,\r\n"b"', "Owner": 554023000000235011},
    {"id": 2, "Last_Name": "+49 30", "Description": "", "Interests": f"Solar{MANY}Wind", "Modified_Time": 86_400},
    {"id": 3, "Last_Name": "bell\x07", "Description": "x" * 40_000, "Date_of_Birth": "1880-02-01"},
]


def test_csv_keeps_every_cell_and_safe_csv_keeps_text_from_running(org: tuple[Simulator, ZohoSession]) -> None:
    with world(rows=20) as (sim, zoho):
        field = next(f.name for f in zoho.metadata.fields("Leads").values() if f.data_type == "multiselectpicklist")
        rows = [{(field if k == "Interests" else k): v for k, v in row.items()} | {"Converted__s": 0} for row in ODD]
        put(sim, "Leads", rows)
        chosen = {"fields": ["Last_Name", "Description", field, "Modified_Time", "Date_of_Birth"], "via": "coql"}
        report = zoho.export("Leads", to="leads.csv", **chosen, converted="both")
        assert any("safe_csv=True" in text for text in report.warnings)
        text = pa_csv.ConvertOptions(column_types=dict.fromkeys(["id", "Last_Name", field], pa.string()))
        parse = pa_csv.ParseOptions(newlines_in_values=True)
        found = pa_csv.read_csv("leads.csv", convert_options=text, parse_options=parse).to_pylist()
        assert [row["Last_Name"] for row in found] == ['=HYPERLINK("x")', "+49 30", "bell\x07"]
        assert (found[0]["Description"], len(found[2]["Description"])) == ('a,\r\n"b"', 40_000)
        assert json.loads(found[1][field]) == ["Solar", "Wind"]
        raw = Path("leads.csv").read_text(encoding="utf-8")
        assert "1970-01-02T00:00:00Z" in raw
        assert ',"1880-02-01"' in raw
        assert not zoho.export("Leads", to="safe.csv", **chosen, converted="both", safe_csv=True).warnings
        safe = pa_csv.read_csv("safe.csv", convert_options=text, parse_options=parse).to_pylist()
        assert [row["Last_Name"] for row in safe] == ['\'=HYPERLINK("x")', "'+49 30", "bell\x07"]

        openpyxl = pytest.importorskip("openpyxl")
        report = zoho.export("Leads", to="leads.xlsx", **chosen, converted="both")
        assert {
            "Excel has no time zones: moments are UTC.",
            "1 cells lost control characters, which Excel refuses.",
        } < {*report.warnings}
        assert any("cut to the 32,767" in text for text in report.warnings)
        sheet = openpyxl.load_workbook("leads.xlsx").active
        head, *cells = sheet.iter_rows(values_only=True)
        first, second, third = (dict(zip(head, row, strict=True)) for row in cells)
        assert (first["id"], first["Last_Name"], sheet["B2"].data_type) == ("1", '=HYPERLINK("x")', "s")
        assert second["Modified_Time"] == pd.Timestamp("1970-01-02")
        assert (third["Last_Name"], third["Date_of_Birth"][:10]) == ("bell", "1880-02-01")


def test_excel_refuses_what_a_sheet_cannot_hold(
    org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openpyxl")
    monkeypatch.setattr(writers, "EXCEL_MAX_ROWS", 100)
    for via in ("auto", "bulk"):
        with pytest.raises(QueryError, match="An Excel sheet holds 100 rows"):
            org[1].export("Leads", to="leads.xlsx", via=via)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize(
    "to", ["leads.parquet", "leads.csv", "leads.xlsx", "leads/", "crm.duckdb::leads", "leads.delta"]
)
def test_an_interrupted_export_leaves_what_was_there(
    to: str, error: type[BaseException], org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, zoho = org
    parse_rows = arrow.iter_csv

    def breaking(*asked_for: Any) -> Iterator[pa.Table]:
        for number, rows in enumerate(parse_rows(*asked_for)):
            if number == 4:
                raise error
            yield rows

    for before in (0, 1):
        with monkeypatch.context() as patch:
            patch.setattr(arrow, "iter_csv", breaking)
            state = _files()
            with pytest.raises((error, Exception)) as caught:  # deltalake wraps what a reader raises
                zoho.export("Leads", to=to, **ASKED)
            assert to == "leads.delta" or caught.type is error
            assert _files() == state
        if not before:
            zoho.export("Leads", to=to, **ASKED)


def _files() -> dict[str, bytes]:
    tables = {p.name for p in Path().rglob("*.duckdb")}
    found = {str(p): p.read_bytes() for p in Path().rglob("*") if p.is_file() and ".delta" not in str(p)}
    for name in tables:
        with duckdb.connect(name) as database:
            found[name] = str(database.execute("SELECT count(*), sum(hash(t)) FROM leads t").fetchall()).encode()
    return found | {str(p): b"" for p in Path().rglob("*.delta/_delta_log/*")}


def test_memory_and_s3_addresses(org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    _check_remote(org[1], "memory://bucket", fsspec.filesystem("memory"))


def test_s3(org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server")
    port = free_port()
    s3 = server.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    s3.start()
    try:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import fsspec

        fs = fsspec.filesystem("s3", skip_instance_cache=True)
        fs.mkdir("bucket")
        _check_remote(org[1], "s3://bucket", fs)
    finally:
        s3.stop()


def _check_remote(zoho: ZohoSession, base: str, fs: Any) -> None:
    report = zoho.export("Leads", to=f"{base}/leads.parquet", **ASKED)
    with fs.open(f"{base}/leads.parquet") as file:
        assert len(pq.read_table(file)) == report.rows
    assert fs.info(f"{base}/leads.parquet")["size"] == report.bytes
    for rows_per_file in (50, 100):
        zoho.export("Leads", to=f"{base}/leads/", **ASKED, rows_per_file=rows_per_file)
        fs.invalidate_cache()
        parts = [name for name in fs.find(f"{base}/leads") if name.endswith(".parquet")]
        assert sum(len(pq.read_table(fs.open(name))) for name in parts) == report.rows
        assert len(parts) == -(-report.rows // rows_per_file)
        assert fs.exists(f"{base}/leads/_SUCCESS")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("leads", "does not say which format"),
        ("leads.json", "does not say which format"),
        ("nowhere/leads.parquet", "the folder nowhere does not exist"),
        ("", "which format"),
        ("s3://bucket/crm.duckdb::leads", "local file"),
        ("data/", "holds notes.txt, which no export wrote"),
    ],
)
def test_a_target_that_cannot_be_written_is_refused_before_a_call(
    to: str, problem: str, org: tuple[Simulator, ZohoSession]
) -> None:
    Path("data").mkdir()
    Path("data/notes.txt").write_text("mine")
    sim, zoho = org
    before = asked(sim, "/crm/bulk/v8/read")
    with pytest.raises(ConfigurationError, match=problem):
        zoho.export("Leads", to=to, **ASKED)
    assert asked(sim, "/crm/bulk/v8/read") == before
    assert Path("data/notes.txt").read_text() == "mine"


def test_a_missing_package_is_named_with_its_extra(
    org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(optional, "import_module", missing)
    for to, extra in (("a.xlsx", "xlsx"), ("a.duckdb::a", "sync"), ("a.delta", "delta"), ("s3://b/a.csv", "remote")):
        with pytest.raises(MissingDependency) as caught:
            org[1].export("Leads", to=to)
        assert f'%pip install "zoho_magic[{extra}]"' in caught.value.hint


def test_every_suffix_has_a_writer() -> None:
    assert {*SUFFIXES.values()} | {"folder"} == set(WRITERS)
    assert parse_target("duckdb:////tmp/crm.db::leads").place == "/tmp/crm.db"
    assert parse_target("duckdb:///crm.db").table == ""


def test_a_frame_that_does_not_fit_is_refused_with_the_export_that_would_work(
    org: tuple[Simulator, ZohoSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, zoho = org
    monkeypatch.setattr(memory, "available_bytes", lambda: 10_000)
    org[0].options.coql_page_rows = 30
    with pytest.raises(QueryError, match=r"rows of Leads need some .* GB of memory") as caught:
        zoho.pull("Leads", via="coql")
    assert 'zoho.export("Leads", to="Leads.parquet")' in caught.value.hint
    assert len(zoho.pull("Leads", via="coql", check_memory=False)) > 100
    assert len(zoho.pull("Leads", limit=1)) == 1
    assert zoho.export("Leads", to="leads.parquet").rows > 100


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    files = {"max": "1000", "current": "900", "stat": "anon 700\ninactive_file 200\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in files]
    assert memory._container(*paths, "inactive_file") == 300
    (tmp_path / "max").write_text("max")
    assert memory._container(*paths, "inactive_file") is None
    assert memory.available_bytes() is None or memory.available_bytes() > 1_000_000


def test_more_than_half_of_the_days_credits_asks(org: tuple[Simulator, ZohoSession]) -> None:
    with world(rows=40, edition="free") as (_, zoho):
        heard: list[Any] = []
        zoho.export("Leads", to="a.csv", confirm=lambda plan: bool(heard.append(plan)))
        assert heard == []
        zoho._credits_left = 1
        with pytest.raises(QueryError, match=r"Stopped before \d+ API credits were spent"):
            zoho.export("Leads", to="b.csv", confirm=lambda plan: bool(heard.append(plan)))
        assert (heard[0].credits, Path("b.csv").exists()) == (1, False)
        assert zoho.export("Leads", to="b.csv", confirm=lambda _: True).rows
