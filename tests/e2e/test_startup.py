"""No command waits for what it does not use: which packages each one imports, seen from outside.

Imports are most of what a short command takes: pandas alone takes longer than `mag7 dates` altogether.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.simulators.command_line import environment

from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer

# What takes longer to import than the command line itself, and what only tests and demonstrations have a use for.
HEAVY: Final = {
    *(
        "numpy",
        "pandas",
        "pyarrow",
        "duckdb",
        "boto3",
        "botocore",
        "polygon",
        "massive",
        "urllib3",
        "tenacity",
        "pydantic",
    ),
    *("pandas_market_calendars", "exchange_calendars", "vl_convert", "rich", "mag7cli.vendors.sandbox"),
}
DAYS: Final = ("--start", "2024-12-11", "--end", "2024-12-12")
_IMPORTED: Final = re.compile(r"^import time: +(?:self|\d+) .+ \| +(.+)\n", re.MULTILINE)


def imported(folder: Path, *words: str, url: str = "") -> set[str]:
    """The modules that a command imports on its way to exit code 0."""
    variables = {"POLYGON_BASE_URL": url, "POLYGON_API_KEY": DEFAULT_KEY} if url else {}
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mag7cli", *words],
        cwd=folder,
        env=environment(folder, {"MAG7_PLAN": "advanced", **variables}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, _IMPORTED.sub("", ended.stderr)
    return set(_IMPORTED.findall(ended.stderr))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SandboxServer(Market(), plan=PLANS["advanced"]) as server:
        yield server.url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lake of these commands is: each test needs those before it."""
    return tmp_path_factory.mktemp("startup")


@pytest.fixture(scope="module")
def imported_by_collect(folder: Path, url: str) -> set[str]:
    return imported(folder, "collect", *DAYS, "--rate", "unlimited", url=url)


@pytest.fixture(scope="module")
def imported_by_transform(folder: Path, imported_by_collect: set[str]) -> set[str]:
    return imported(folder, "transform")


def test_help_imports_no_command(folder: Path) -> None:
    found = imported(folder, "--help")

    assert not found & HEAVY
    assert not found & {
        "mag7cli.cli.dates",
        "mag7cli.cli.collect",
        "mag7cli.lake.layout",
        "mag7cli.collection.collector",
        "orjson",
    }


def test_the_trading_dates_are_listed_without_a_calendar_library_or_a_lake(folder: Path) -> None:
    found = imported(folder, "dates", "--last", "5")

    assert not found & HEAVY
    assert not found & {"mag7cli.lake.layout", "mag7cli.collection.collector", "orjson"}


def test_a_collection_is_planned_without_the_vendors_client(folder: Path) -> None:
    assert not imported(folder, "collect", *DAYS, "--plan-only") & HEAVY


def test_collect_needs_the_vendors_client_and_no_table_library(imported_by_collect: set[str]) -> None:
    clients = {"massive", "polygon"}  # whichever is installed

    assert len(imported_by_collect & clients) == 1
    assert imported_by_collect & HEAVY - clients == {"urllib3", "tenacity"}


def test_a_collection_with_nothing_to_do_does_not_wait_for_the_vendors_client(
    folder: Path, url: str, imported_by_collect: set[str]
) -> None:
    assert not imported(folder, "collect", *DAYS, url=url) & HEAVY


def test_transform_needs_arrow_and_no_pandas(imported_by_transform: set[str]) -> None:
    assert imported_by_transform & HEAVY == {"numpy", "pyarrow"}


@pytest.mark.usefixtures("imported_by_transform")
def test_a_transform_with_nothing_to_do_does_not_wait_for_arrow(folder: Path) -> None:
    assert not imported(folder, "transform") & HEAVY


@pytest.mark.usefixtures("imported_by_transform")
@pytest.mark.parametrize(
    "words", [("show", "--group", "top10"), ("validate",), ("load",), ("sql", "SELECT 1")], ids=lambda words: words[0]
)
def test_what_asks_by_sql_needs_the_engine_alone(folder: Path, words: tuple[str, ...]) -> None:
    assert imported(folder, *words) & HEAVY == {"duckdb"}


@pytest.mark.usefixtures("imported_by_transform")
@pytest.mark.parametrize("words", [(), ("2024-12-11",), ("--last", "2")], ids=" ".join)
def test_the_answer_is_shown_without_an_engine(folder: Path, words: tuple[str, ...]) -> None:
    found = imported(folder, "show", *words)

    assert not found & HEAVY
    # Our own modules, too: a dozen of dataclasses takes longer than the answer.
    assert (
        not found
        & {
            *("mag7cli.market.symbology", "mag7cli.market.date_quality", "mag7cli.market.index_history"),
            *("mag7cli.lake.document", "mag7cli.tables.schema", "mag7cli.vendors.base", "mag7cli.warehouse.engines"),
        }
        or "--last" in words
    )


@pytest.mark.usefixtures("imported_by_transform")
def test_a_report_is_drawn_without_pandas(folder: Path) -> None:
    pytest.importorskip("vl_convert")

    found = imported(folder, "report")

    assert found & HEAVY <= {"duckdb", "numpy", "vl_convert"}
    # There is no file of a fund in this lake, and no minute of a session.
    assert not found & {"mag7cli.portfolio.fund_file", "mag7cli.live.follow", "xml.etree.ElementTree"}


@pytest.mark.usefixtures("imported_by_collect")
@pytest.mark.parametrize(
    "words", [("status",), ("explain", "2024-12-12"), ("tickers",), ("config", "show")], ids=" ".join
)
def test_what_reads_the_lake_needs_no_package_at_all(folder: Path, words: tuple[str, ...]) -> None:
    assert not imported(folder, *words) & HEAVY
