"""Amounts above $70.37 trillion, where floats have no place for every cent: the same sums in every engine."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.simulators import raw_documents
from tests.simulators.cloud import Cloud, athena_of, redshift_of

from mag7cli.lake import document as market_data
from mag7cli.lake.layout import Lake
from mag7cli.market.money import total_usd
from mag7cli.tables.transform import transform
from mag7cli.warehouse import glue_catalog, redshift_load
from mag7cli.warehouse.engines import SqlEngine
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.validate import run_checks

# By what the prices of an index of 1.1 trillion are multiplied: below the limit, above it, and to a thousand trillion.
SCALES = (1.0, 66.7, 66.9, 71.3, 888.8)
DAYS = raw_documents.days(len(SCALES), date(2026, 8, 3))
ENGINES = ("duckdb", "athena", "redshift")


@pytest.fixture(scope="module")
def documents() -> Mapping[date, Any]:
    return {day: raw_documents.document(day, scale=scale) for day, scale in zip(DAYS, SCALES, strict=True)}


@pytest.fixture(scope="module")
def engines(
    shared_cloud: Cloud, aws_glue: Any, documents: Mapping[date, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, SqlEngine]]:
    folder = tmp_path_factory.mktemp("lake")
    local, lake = Lake.at(str(folder)), Lake.at(shared_cloud.lake)
    for day, content in documents.items():
        local.write_document(day, content)
    assert not transform(local).failed
    files = (path for path in folder.rglob("*") if path.is_file())
    shared_cloud.put_quickly({f"lake/{path.relative_to(folder)}": path.read_bytes() for path in files})
    with athena_of(shared_cloud, aws_glue) as athena_simulator, redshift_of(shared_cloud) as redshift_simulator:
        athena_simulator.states, redshift_simulator.states = (), ()
        athena = AthenaEngine(output_location="s3://results/")
        redshift = RedshiftEngine(Warehouse(workgroup="market-analysis"))
        glue_catalog.sync(lake, athena)
        redshift_load.load(lake, redshift)
        over: dict[str, SqlEngine] = {"duckdb": DuckDbEngine.over_lake(lake), "athena": athena, "redshift": redshift}
        yield over
        for engine in over.values():
            engine.close()


SUMS = """\
SELECT c.trading_date, c.sp500_total_market_cap, SUM(s.market_cap) AS lines_total,
    SUM(COALESCE(s.market_cap_by_class, s.market_cap)) AS by_class_total
FROM market_data.concentration_metrics c
JOIN market_data.sp500_constituents s ON s.trading_date = c.trading_date AND s.counted
GROUP BY c.trading_date, c.sp500_total_market_cap
ORDER BY c.trading_date"""


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_adds_up_what_the_documents_say(
    engines: Mapping[str, SqlEngine], documents: Mapping[date, Any], name: str
) -> None:
    totals = {}
    for day, content in documents.items():
        counted = [row for row in content["sp500_details"]["constituents"] if row["counted"]]
        caps = total_usd(row["market_cap"] for row in counted)
        by_class = total_usd(row.get("market_cap_by_class", row["market_cap"]) for row in counted)
        totals[day] = (content["concentration_metrics"]["sp500_total_market_cap"], caps, by_class)

    summed = {day: tuple(sums) for day, *sums in engines[name].query(SUMS).values}

    assert summed == totals
    assert max(totals[DAYS[-1]]) > Decimal("0.9e15")
    assert all(isinstance(value, Decimal) for sums in summed.values() for value in sums)


@pytest.mark.parametrize("name", ENGINES)
def test_no_check_fails_on_right_amounts_however_large(engines: Mapping[str, SqlEngine], name: str) -> None:
    results = run_checks(engines[name])

    assert [result.check.name for result in results if result.is_failure] == []


def test_documents_with_float_totals_make_the_same_rows(documents: Mapping[date, Any], tmp_path: Any) -> None:
    """As 0.1.0 wrote them, above the limit too: the figures are those of the lines."""
    exact, older = Lake.at(str(tmp_path / "exact")), Lake.at(str(tmp_path / "older"))
    real = {day: content for day, content in documents.items() if content["sp500_details"]["total_market_cap"] < 10**14}
    for day, content in real.items():
        exact.write_document(day, content)
        older.write_document(day, as_floats(content))
        assert market_data.encode(as_floats(content)) != market_data.encode(content)
    assert all(content["sp500_details"]["total_market_cap"] > 2**46 for content in list(real.values())[1:])
    transform(exact)
    transform(older)

    for table in ("concentration_metrics", "sp500_constituents", "daily_summary", "company_details"):
        key = Lake.flat_key(table, 2026)
        assert older.store.read(key) == exact.store.read(key), table


def as_floats(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: as_floats(value) for key, value in content.items()}
    if isinstance(content, list):
        return [as_floats(value) for value in content]
    return float(content) if isinstance(content, Decimal) else content
