"""The local warehouse: however often it is loaded, and wherever a load dies, it is the lake or what it was."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from tests.simulators import raw_documents
from tests.simulators.cloud import Cloud
from tests.simulators.raw_documents import document

from mag7cli.core.errors import EngineError, UsageError
from mag7cli.lake.layout import WAREHOUSE, Lake
from mag7cli.tables.schema import TABLES, VIEWS
from mag7cli.tables.transform import transform
from mag7cli.warehouse import duckdb_load, loaded_files
from mag7cli.warehouse.engines.duckdb import DuckDbEngine, literal
from mag7cli.warehouse.lake_checks import check_lake

DAYS = raw_documents.days(3, date(2024, 6, 5))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    place = Lake.at(str(tmp_path / "it's a lake"))
    raw_documents.fill(place, DAYS)
    transform(place)
    return place


def path_of(lake: Lake) -> Path:
    assert lake.store.local_root is not None
    return lake.store.local_root / WAREHOUSE


def contents(engine: DuckDbEngine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table and view; sums of floats are the same but for their last digits."""
    names = [*(table.qualified_name for table in TABLES), *(view.qualified_name for view in VIEWS)]
    found = {name: sorted(map(_rounded, engine.query(f"SELECT * FROM {name}").values), key=repr) for name in names}
    engine.close()
    return found


def _rounded(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row)


def in_lake(lake: Lake) -> dict[str, list[tuple[object, ...]]]:
    return contents(DuckDbEngine.over_lake(lake))


def in_warehouse(lake: Lake) -> dict[str, list[tuple[object, ...]]]:
    return contents(DuckDbEngine.over_warehouse(path_of(lake)))


def test_loaded_three_times_the_warehouse_is_the_lake(lake: Lake) -> None:
    results = [duckdb_load.load(lake) for _ in range(3)]

    assert in_warehouse(lake) == in_lake(lake)
    assert [len(result.replaced) for result in results] == [len(TABLES), 0, 0]
    assert results[2].rows["daily_summary"] == len(DAYS)


def test_a_folder_that_duckdb_cannot_log_in_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    lake = Lake.at(str(tmp_path / "why?" / "lake"))
    lake.write_document(DAYS[0], document(DAYS[0]))
    transform(lake)

    with pytest.raises(EngineError, match=r"below a folder with a \? in its name"):
        duckdb_load.load(lake)
    assert not path_of(lake).exists()


def test_a_collected_again_date_replaces_its_rows(lake: Lake) -> None:
    duckdb_load.load(lake)
    lake.write_document(DAYS[1], document(DAYS[1], scale=1.01))
    transform(lake)
    assert not duckdb_load.is_current(lake)

    result = duckdb_load.load(lake)

    assert "concentration_metrics" in result.replaced
    assert "stock_splits" in result.unchanged
    assert in_warehouse(lake) == in_lake(lake)
    assert duckdb_load.is_current(lake)


def test_a_load_touches_no_row_of_a_date_that_has_not_changed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb_load.load(lake)
    lake.write_document(DAYS[-1], document(DAYS[-1], scale=1.01))
    transform(lake)
    statements: list[str] = []
    execute = DuckDbEngine.execute
    monkeypatch.setattr(DuckDbEngine, "execute", lambda self, sql: (statements.extend(sql), execute(self, sql)))

    duckdb_load.load(lake)

    of_rows = [sql for sql in statements if "market_data." in sql and not sql.startswith("CREATE")]
    assert of_rows
    assert all(sql.endswith(f"WHERE trading_date IN (DATE '{DAYS[-1]}')") for sql in of_rows)
    assert in_warehouse(lake) == in_lake(lake)


def test_what_the_checks_read_of_a_file_the_load_does_not_read_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    duckdb_load.load(lake)
    check_lake(lake)
    lake.write_document(DAYS[-1], document(DAYS[-1], scale=1.01))
    transform(lake)
    read: list[str] = []
    statements: list[str] = []
    date_rows, run = DuckDbEngine._date_rows, DuckDbEngine._run

    def noted_rows(self: DuckDbEngine, *given):
        read.append(given[-1])
        return date_rows(self, *given)

    def noted(self: DuckDbEngine, sql: str, *given, **named):
        statements.append(sql)
        return run(self, sql, *given, **named)

    monkeypatch.setattr(DuckDbEngine, "_date_rows", noted_rows)
    monkeypatch.setattr(DuckDbEngine, "_run", noted)

    check_lake(lake)
    duckdb_load.load(lake)

    files = [source for source in read if source.startswith("read_parquet")]
    assert len(files) == len(set(files)) == len(list(lake.store.list("analytics/")))
    assert not [sql for sql in statements if sql.startswith("DESCRIBE")], "no table lacks a column"
    assert in_warehouse(lake) == in_lake(lake)


def test_files_that_were_made_again_with_the_same_rows_change_nothing(lake: Lake) -> None:
    duckdb_load.load(lake)
    transform(lake, force=True)
    assert not duckdb_load.is_current(lake)

    assert duckdb_load.load(lake).replaced == ()
    assert duckdb_load.is_current(lake)


def test_whether_the_warehouse_is_current_is_known_without_an_engine(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = duckdb_load.load(lake)
    monkeypatch.delattr(DuckDbEngine, "over_warehouse")

    assert duckdb_load.is_current(lake)
    assert duckdb_load.load(lake).rows == first.rows


def test_a_warehouse_that_somebody_else_wrote_to_is_looked_into(lake: Lake) -> None:
    duckdb_load.load(lake)
    with duckdb.connect(str(path_of(lake))) as connection:
        connection.execute("DROP TABLE market_data.daily_trading CASCADE")
        connection.execute("DELETE FROM mag7_internal.loads WHERE table_name = 'daily_trading'")
    assert not duckdb_load.is_current(lake)

    duckdb_load.load(lake)

    assert in_warehouse(lake) == in_lake(lake)


def test_a_warehouse_with_statements_that_a_dead_process_left_is_looked_into(lake: Lake) -> None:
    duckdb_load.load(lake)
    dies = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('DELETE FROM market_data.daily_trading'); "
        "c.execute('DELETE FROM mag7_internal.loads'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", dies, str(path_of(lake))], check=True)
    assert not duckdb_load.is_current(lake)

    duckdb_load.load(lake)

    assert in_warehouse(lake) == in_lake(lake)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"warehouse": 1}'])
def test_a_damaged_record_of_the_load_decides_nothing(lake: Lake, damage: bytes) -> None:
    duckdb_load.load(lake)
    lake.store.write(loaded_files.KEY, damage)

    assert duckdb_load.is_current(lake)
    assert duckdb_load.load(lake).replaced == ()
    assert loaded_files.read(lake)


def test_a_row_in_the_file_of_another_year_goes_when_the_file_is_mended(lake: Lake) -> None:
    stray = "SELECT * REPLACE (DATE '2023-05-05' AS trading_date) FROM"
    path = Path(lake.store.uri(lake.flat_key("daily_trading", DAYS[0].year)))
    sound = path.read_bytes()
    with duckdb.connect() as engine:
        file, new = literal(str(path)), literal(f"{path}.new")
        engine.execute(f"COPY (FROM {file} UNION ALL {stray} {file}) TO {new} (FORMAT parquet)")
    Path(f"{path}.new").replace(path)
    duckdb_load.load(lake)
    assert in_warehouse(lake) == in_lake(lake)

    path.write_bytes(sound)
    duckdb_load.load(lake)

    assert in_warehouse(lake) == in_lake(lake)


def test_a_warehouse_of_an_older_version_is_loaded_anew(lake: Lake) -> None:
    duckdb_load.load(lake)
    with duckdb.connect(str(path_of(lake))) as connection:
        connection.execute("DELETE FROM mag7_internal.loads WHERE table_name LIKE 'analytics/%'")
        connection.execute("UPDATE mag7_internal.loads SET fingerprint = 'of another form'")
    assert not duckdb_load.is_current(lake)

    assert len(duckdb_load.load(lake).replaced) == len(TABLES)
    assert in_warehouse(lake) == in_lake(lake)


def test_a_table_that_has_no_files_any_more_is_emptied(lake: Lake) -> None:
    duckdb_load.load(lake)
    for day in DAYS:
        lake.store.delete(lake.document_key(day))
    transform(lake)

    duckdb_load.load(lake)

    assert set(map(len, in_warehouse(lake).values())) == {0}


def test_the_dry_run_is_the_sql_that_makes_the_warehouse(lake: Lake) -> None:
    with duckdb.connect(str(path_of(lake))) as connection:
        for statement in duckdb_load.statements(lake):
            connection.execute(statement)

    assert in_warehouse(lake) == in_lake(lake)
    assert duckdb_load.load(lake).replaced == ()


KILLED = """
import os, sys
from mag7cli.warehouse import duckdb_load, loaded_files
from mag7cli.warehouse.engines.duckdb import DuckDbEngine, literal
from mag7cli.warehouse.lake_checks import check_lake
from mag7cli.lake.layout import Lake

run, left = DuckDbEngine._run, iter(range(int(sys.argv[2])))
def run_until_killed(self, *given, **named):
    if next(left, None) is None:
        os._exit(9)
    return run(self, *given, **named)
DuckDbEngine._run = run_until_killed
duckdb_load.load(Lake.at(sys.argv[1]))
"""


@pytest.mark.parametrize("survives", [5, 8, 20, 40])
def test_killed_during_a_load_the_warehouse_is_what_it_was(lake: Lake, survives: int) -> None:
    duckdb_load.load(lake)
    before = in_warehouse(lake)
    lake.write_document(DAYS[1], document(DAYS[1], scale=1.01))
    lake.write_reference("splits.json", SPLITS)
    transform(lake)

    command = [sys.executable, "-c", KILLED, str(lake.store.local_root), str(survives)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9

    assert in_warehouse(lake) == before
    duckdb_load.load(lake)
    assert in_warehouse(lake) == in_lake(lake)


SPLITS = (
    b'{"schema_version": 1, "covers": ["2021-01-01", "2024-12-31"], "asked_on": "2024-12-31", "lines": ["NVDA"],'
    b' "rows": [{"ticker": "NVDA", "symbol": "NVDA", "execution_date": "2024-06-10", "split_from": 1, "split_to": 10}],'
    b' "refused": []}'
)


def test_a_warehouse_that_another_process_writes_to_is_told_in_one_line(lake: Lake) -> None:
    duckdb_load.load(lake)
    transform(lake, force=True)
    code = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(path_of(lake))], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(EngineError) as caught:
            duckdb_load.load(lake)
        other.kill()

    assert str(path_of(lake)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lake_on_s3_is_pointed_to_the_engines_that_load_it(cloud: Cloud) -> None:
    with pytest.raises(UsageError) as caught:
        duckdb_load.load(Lake(cloud.store()))

    assert "--engine athena" in (caught.value.hint or "")


# A DuckDB file: checksum, the letters DUCK, the number of its format. Every DuckDB since 1.0 opens format 64.
_FORMAT_AT = 12
_OLDEST_FORMAT = 64


def _format_of(path: Path) -> int:
    header = path.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    return int.from_bytes(header[_FORMAT_AT:20], "little")


def test_the_warehouse_has_the_format_that_every_duckdb_since_1_0_opens(lake: Lake) -> None:
    duckdb_load.load(lake)

    assert _format_of(path_of(lake)) == _OLDEST_FORMAT


# DuckDB 1.5.6, opening a file of DuckDB 2.0.1.
_TOO_NEW = """IO Error: Trying to read a database file with version number 69, but we can only read versions \
between 64 and 68.
The database file was created with a newer version of DuckDB."""


def test_a_warehouse_of_a_later_format_is_one_line_with_the_way_out(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise duckdb.IOException(_TOO_NEW)

    duckdb_load.load(lake)
    monkeypatch.setattr(duckdb, "connect", refuse)

    with pytest.raises(EngineError, match="version number 69") as refused:
        DuckDbEngine.over_warehouse(path_of(lake))

    assert "\n" not in str(refused.value)
    assert refused.value.hint == f"remove {path_of(lake)}; mag7 load makes it anew from the lake"


def test_what_a_load_takes_of_memory_is_bounded_however_much_is_written(tmp_path: Path) -> None:
    engine = DuckDbEngine.over_warehouse(tmp_path / "warehouse.duckdb", read_only=False)
    ((limit, threads),) = engine.query("SELECT current_setting('memory_limit'), current_setting('threads')").values
    rows = 4_000_000  # of 32 bytes, hashes all of them, so that they are more than the bound

    engine.execute(
        [f"CREATE TABLE large AS SELECT hash(i) a, hash(-i) b, hash(i * 7) c, hash(i * 9) d FROM range({rows}) r(i)"]
    )

    assert (limit, threads) == ("85.8 MiB", 1)
    assert engine.query("SELECT count(*) FROM large").values == ((rows,),)
    engine.close()
    assert (tmp_path / "warehouse.duckdb").stat().st_size > 90_000_000
