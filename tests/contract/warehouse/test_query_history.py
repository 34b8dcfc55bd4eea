"""What the engines remember of their queries."""

import pytest
from tests.simulators.athena import AthenaSimulator
from tests.simulators.cloud import Cloud
from tests.simulators.redshift_data import RedshiftSimulator

from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import Lake
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.query_history import history


def test_athena_tells_runtime_queueing_and_bytes_of_the_workgroup(cloud: Cloud, athena: AthenaSimulator) -> None:
    engine = AthenaEngine(workgroup="mag7", sleep=lambda _: None)
    assert history(engine).values == ()
    engine.query("SELECT 1 AS n")

    (row,) = history(engine).records()

    assert (row["statement"], row["status"]) == ("SELECT 1 AS n", "SUCCEEDED")
    assert (row["runtime_ms"], row["queueing_ms"], row["scanned_bytes"]) == (1_200, 200, 0)


def test_redshift_tells_them_from_its_own_views(cloud: Cloud, redshift: RedshiftSimulator) -> None:
    redshift.states = ()
    redshift.duckdb.cursor().execute(
        "INSERT INTO sys_query_history VALUES (7, '2026-11-27 03:00:00', 'success ', 1500000, 200000, 'SELECT', "
        "'SELECT 1'); INSERT INTO sys_query_detail VALUES (7, 'scan', 1000), (7, 'scan', 24), (7, 'sort', 5)"
    )

    (row,) = history(RedshiftEngine(Warehouse(workgroup="market-analysis"))).records()

    assert (row["runtime_ms"], row["queueing_ms"], row["scanned_bytes"]) == (1500, 200, 1024)


def test_duckdb_has_none(tmp_path) -> None:
    with pytest.raises(UsageError, match="keeps no history"):
        history(DuckDbEngine.over_lake(Lake.at(str(tmp_path))))
