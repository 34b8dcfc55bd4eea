"""The cloud from the command line: a lake on S3, Athena and Redshift, each command as its own process."""

import json
import os
from pathlib import Path

import pytest
from tests.simulators import raw_documents
from tests.simulators.athena import AthenaSimulator
from tests.simulators.cloud import Cloud
from tests.simulators.command_line import Ended, environment, mag7
from tests.simulators.redshift_data import RedshiftSimulator

from mag7cli.lake.layout import Lake

DAYS = raw_documents.days(3)
REDSHIFT = ("--engine", "redshift", "--workgroup", "market-analysis")
ROLE = "arn:aws:iam::123456789012:role/mag7-redshift-copy"


@pytest.fixture
def lake(cloud: Cloud) -> str:
    raw_documents.fill(Lake.at(cloud.lake), DAYS)
    return cloud.lake


def run(home: Path, *words: str) -> Ended:
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return mag7(*words, cwd=home, env=environment(home, aws))


def document(ended: Ended) -> dict[str, object]:
    assert ended.code == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert isinstance(found, dict)
    return found


def test_a_lake_on_s3_is_transformed_and_shown_like_a_local_one(lake: str, tmp_path: Path) -> None:
    document(run(tmp_path, "transform", "--lake", lake, "--format", "json"))

    shown = document(run(tmp_path, "show", "--lake", lake, "--format", "json"))

    assert shown["on"] == DAYS[-1].isoformat()


def test_athena_gets_its_catalog_and_gives_the_same_answer(lake: str, athena: AthenaSimulator, tmp_path: Path) -> None:
    athena.states = ()
    run(tmp_path, "transform", "--lake", lake)
    local = document(run(tmp_path, "show", "--lake", lake, "--format", "json"))

    loaded = run(tmp_path, "load", "--engine", "athena", "--workgroup", "mag7", "--lake", lake)
    shown = document(
        run(tmp_path, "show", "--engine", "athena", "--workgroup", "mag7", "--lake", lake, "--format", "json")
    )

    assert loaded.code == 0, loaded.stderr
    assert shown["share_pct"] == local["share_pct"]


def test_redshift_loaded_twice_has_every_row_once(lake: str, redshift: RedshiftSimulator, tmp_path: Path) -> None:
    redshift.states = ()
    run(tmp_path, "transform", "--lake", lake)

    tables = [
        document(run(tmp_path, "load", *REDSHIFT, "--lake", lake, "--format", "json"))["tables"] for _ in range(2)
    ]

    assert tables[0] == tables[1]
    assert {"table": "concentration_metrics", "lake_rows": 3, "warehouse_rows": 3} in tables[1]  # type: ignore[operator]


def test_a_dry_run_prints_the_statements_and_sends_none(lake: str, redshift: RedshiftSimulator, tmp_path: Path) -> None:
    run(tmp_path, "transform", "--lake", lake)

    load = run(tmp_path, "load", *REDSHIFT, "--lake", lake, "--dry-run")
    jobs = run(tmp_path, "load", *REDSHIFT, "--lake", lake, "--dry-run", "--auto-copy", "--iam-role", ROLE)

    assert "COPY market_data.concentration_metrics" in load.stdout
    assert jobs.stdout.count("JOB CREATE") == 9


def test_a_local_lake_is_refused_by_redshift_with_the_way_out(tmp_path: Path) -> None:
    ended = run(tmp_path, "load", *REDSHIFT, "--lake", "here")

    assert ended.code == 2
    assert "Redshift loads from S3 only" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_quotient_of_decimals_on_athena_comes_with_a_warning(
    lake: str, athena: AthenaSimulator, tmp_path: Path
) -> None:
    athena.states = ()
    where = ("--engine", "athena", "--workgroup", "mag7", "--lake", lake)
    run(tmp_path, "transform", "--lake", lake)
    run(tmp_path, "load", *where)
    share = "SELECT CAST({} / sp500_total_market_cap AS DECIMAL(22,2)) AS share FROM market_data.concentration_metrics"

    decimals = run(tmp_path, "sql", share.format("total_mag7_market_cap"), *where)
    whole = run(tmp_path, "sql", 'SELECT total_mag7_market_cap AS "a/b" FROM market_data.concentration_metrics', *where)

    assert "Athena divides two decimals to their own digits" in decimals.stderr
    assert "divides" not in whole.stderr
    assert (decimals.code, whole.code) == (0, 0)
