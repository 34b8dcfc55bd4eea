"""What a sync tool, an editor, Spark or a person leaves in a lake is named, and changes no figure anywhere."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from tests.simulators import raw_documents
from tests.simulators.cloud import Cloud
from tests.simulators.filled_lake import DAYS as FILLED_DAYS
from tests.simulators.redshift_data import RedshiftSimulator

from mag7cli.analytics.lake_status import status
from mag7cli.collection.bar_files import broken_files
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import StoreError, UsageError
from mag7cli.doctor.integrity import check
from mag7cli.lake import write_record
from mag7cli.lake.layout import Lake
from mag7cli.lake.run_history import RunRecord, remember
from mag7cli.portfolio.kept_funds import kept_files
from mag7cli.tables.schema import PUBLISHED, TABLES
from mag7cli.tables.table_files import TableFiles, foreign_objects, visible_to_engines
from mag7cli.tables.transform import differences, transform
from mag7cli.warehouse import duckdb_load, glue_catalog, redshift_load
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.engines.duckdb import PARTITIONED, DuckDbEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.validate import run_checks

DAYS = raw_documents.days(3)
DAY = DAYS[0].isoformat()
FLAT = "analytics/daily_trading/2024.parquet"
PARTITION = f"processed/daily_trading/trading_date={DAY}/part-0.parquet"
DOCUMENT = f"raw/magnificent7/trading_date={DAY}/market_data.json"

# What lies there: a copy of one of our files, or these bytes.
INTRUDERS: dict[str, str | bytes] = {
    "analytics/.DS_Store": b"\0\0\0\1Bud1",
    "analytics/_SUCCESS": b"",
    "analytics/daily_trading/_SUCCESS": b"",
    "analytics/daily_trading/._2024.parquet": b"\0\5\26\7Mac OS X",
    "analytics/daily_trading/2024 (conflicted copy 2026-11-20).parquet": FLAT,
    "analytics/daily_trading/2024.parquet.bak": FLAT,
    "analytics/daily_trading/2019.parquet": FLAT,
    "analytics/daily_trading/part-00000-8d1f.snappy.parquet": FLAT,
    "analytics/holdings/2024.parquet": FLAT,
    f"processed/daily_trading/trading_date={DAY}/part-0 (1).parquet": PARTITION,
    "processed/daily_trading/trading_date=20240603/part-0.parquet": PARTITION,
    "processed/daily_trading/trading_date=2019-01-02/part-0.parquet": PARTITION,
    f"raw/magnificent7/trading_date={DAY}/market_data (1).json": DOCUMENT,
    f"raw/magnificent7/trading_date={DAY}/.market_data.json.swp": b"b0VIM",
    "raw/magnificent7/trading_date=20240603/market_data.json": DOCUMENT,
    "raw/holdings/as_of=2024-06-03/IVV_holdings (1).csv": b"Ticker\n",
    "raw/funds/fund=QQQ/as_of=2024-06-03/QQQ (conflicted copy).csv": b"Ticker\n",
    "raw/reference/bars/ticker=AAPL (1).json": b"not json",
    "raw/reference/details/._date=2024-06-03.json": b"\0\5\26\7",
    "raw/reference/splits.json~": b"{}",
}


def contents(engine: DuckDbEngine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, of both layouts."""
    schemas = {schema for (schema,) in engine.query("SELECT schema_name FROM duckdb_schemas()").values}
    names = [table.qualified_name for table in TABLES]
    names += [f"{PARTITIONED}.{table.name}" for table in TABLES if PARTITIONED in schemas]
    return {name: sorted(engine.query(f"SELECT * FROM {name}").values, key=repr) for name in names}


def read(lake: Lake) -> dict[str, list[tuple[object, ...]]]:
    with closing(DuckDbEngine.over_lake(lake, with_partitions=True)) as engine:
        return contents(engine)


def intrude(lake: Lake) -> None:
    for key, content in INTRUDERS.items():
        lake.store.write(key, lake.store.read(content) if isinstance(content, str) else content)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lakes") / "clean"
    lake = Lake.at(str(root))
    raw_documents.fill(lake, DAYS)
    transform(lake)
    return root


@pytest.fixture
def lake(clean: Path, tmp_path: Path) -> Lake:
    shutil.copytree(clean, tmp_path / "lake")
    return Lake.at(str(tmp_path / "lake"))


def test_a_lake_of_our_own_has_nothing_foreign(lake: Lake) -> None:
    assert foreign_objects(lake) == []


def test_the_history_of_its_runs_is_the_lakes_own(lake: Lake) -> None:
    remember(lake, RunRecord(started_at="2024-12-14T00:30:07+00:00", ended_at="2024-12-14T00:31:00+00:00", exit_code=0))
    assert foreign_objects(lake) == []


def test_one_listing_of_all_tables_gives_the_files_of_each(lake: Lake) -> None:
    intrude(lake)
    files = TableFiles.of(lake)

    assert files.flat_of_all() == {table.name: files.flat(table.name) for table in PUBLISHED}


def test_what_is_foreign_is_named(lake: Lake) -> None:
    intrude(lake)

    assert [info.key for info in foreign_objects(lake)] == sorted(INTRUDERS)


def test_what_is_foreign_changes_no_row_and_no_check(lake: Lake) -> None:
    rows, checks = read(lake), [check.rows for check in _checks(lake)]
    duckdb_load.load(lake)
    intrude(lake)

    assert read(lake) == rows
    assert [check.rows for check in _checks(lake)] == checks
    assert duckdb_load.is_current(lake)
    assert duckdb_load.load(lake).replaced == ()


def _checks(lake: Lake) -> list[object]:
    with closing(DuckDbEngine.over_lake(lake, with_partitions=True)) as engine:
        return list(run_checks(engine))


def test_transform_makes_nothing_of_what_is_foreign_and_removes_none_of_it(lake: Lake) -> None:
    intrude(lake)

    # The copy's files have other versions than the record says, so that all is made again; then nothing is.
    first, second = transform(lake), transform(lake)

    assert (first.written, first.removed, first.failed) == (tuple(DAYS), (), ())
    assert (second.written, second.removed, second.failed) == ((), (), ())
    assert [info.key for info in foreign_objects(lake)] == sorted(INTRUDERS)


def test_what_has_the_name_of_a_table_file_is_told_from_what_the_documents_make(lake: Lake) -> None:
    intrude(lake)

    assert {one.key: one.reason for one in differences(lake)} == {
        "analytics/daily_trading/2019.parquet": "made by no raw document",
        "processed/daily_trading/trading_date=2019-01-02/part-0.parquet": "made by no raw document",
    }


def test_nothing_foreign_is_taken_for_an_answer_a_document_or_a_holdings_file(lake: Lake) -> None:
    intrude(lake)

    assert list(broken_files(lake)) == []
    DetailsCache(lake, SystemClock()).load()
    assert list(lake.documents()) == DAYS
    assert lake.holdings_dates() == []
    assert kept_files(lake) == []
    assert status(lake, DAYS[-1]).complete == len(DAYS)


def test_a_lake_may_have_any_name(clean: Path, tmp_path: Path) -> None:
    root = tmp_path / "gl*b[1]? it's {a} lake"
    shutil.copytree(clean, root)
    (tmp_path / "globb1x its a lake" / "analytics").mkdir(parents=True)

    assert read(Lake.at(str(root))) == read(Lake.at(str(clean)))


# On S3


def test_on_s3_no_row_changes_either(cloud: Cloud) -> None:
    cloud.fill(FILLED_DAYS)
    remote = Lake(cloud.store())
    rows = read(remote)
    for key in ("_SUCCESS", "2024 (1).parquet", "2024.parquet.bak"):
        remote.store.write(f"analytics/daily_trading/{key}", remote.store.read(FLAT) if "2024" in key else b"")

    assert read(remote) == rows
    assert [info.key.rpartition("/")[2] for info in foreign_objects(remote)] == [
        "2024 (1).parquet",
        "2024.parquet.bak",
        "_SUCCESS",
    ]


def test_redshift_copies_our_files_and_no_others(cloud: Cloud, redshift: RedshiftSimulator) -> None:
    redshift.states = ()
    cloud.fill(FILLED_DAYS)
    remote = Lake.at(cloud.lake)
    engine = RedshiftEngine(Warehouse(workgroup="market-analysis"), sleep=lambda _: None)
    plain = redshift_load.load(remote, engine)
    remote.store.write("analytics/daily_trading/_SUCCESS", b"")
    remote.store.write("analytics/daily_trading/2024.parquet.bak", remote.store.read(FLAT))

    again = redshift_load.load(remote, engine)

    assert again.tables == plain.tables
    assert sum(statement.endswith("MANIFEST") for statement in again.statements) == 1
    assert list(remote.store.list("copyjobs/")) == []


def test_on_s3_too_a_lake_is_there_or_refused_and_verified(cloud: Cloud) -> None:
    with pytest.raises(UsageError, match=r"there is no lake at s3://"):
        Lake.at(f"{cloud.lake}/typo").require()

    remote = Lake(cloud.store())
    raw_documents.fill(remote, DAYS)
    transform(remote)
    write_record.complete(remote, {})
    assert check(remote.require()).is_sound

    remote.store.write(DOCUMENT, remote.store.read(DOCUMENT)[:-9])
    assert [damage.key for damage in check(remote).damages] == [DOCUMENT]


def test_athena_is_not_let_loose_on_what_it_would_read_along(cloud: Cloud) -> None:
    cloud.fill(FILLED_DAYS)
    remote = Lake.at(cloud.lake)
    remote.store.write("analytics/daily_trading/2024 (1).parquet", remote.store.read(FLAT))

    with pytest.raises(StoreError, match=r"2024 \(1\)\.parquet is not of mag7, and Athena would read it"):
        glue_catalog.sync(remote, AthenaEngine(output_location="s3://results/"))


def test_what_engines_pass_over_by_themselves_stops_nothing(lake: Lake) -> None:
    for key in ("analytics/_SUCCESS", "analytics/daily_trading/._2024.parquet", "analytics/.DS_Store"):
        lake.store.write(key, b"")

    assert len(foreign_objects(lake)) == 3
    assert visible_to_engines(foreign_objects(lake)) == []


def test_without_a_record_a_table_file_is_known_by_its_name(lake: Lake) -> None:
    lake.store.delete("processed/_manifest.json")
    lake.store.write("analytics/daily_trading/2024 (1).parquet", lake.store.read(FLAT))

    assert [info.key for info in foreign_objects(lake)] == ["analytics/daily_trading/2024 (1).parquet"]
