"""An index of a dozen lines on a simulated market: what a test of a whole run needs, in a fraction of a second."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from mag7cli.lake.layout import Lake
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.vendors.sandbox.blueprint import from_tables
from mag7cli.vendors.sandbox.market import Market

KEY = "MARK-2f9c81d07ab34e65-KEY"
"""A key that is found again wherever it leaks to."""

NOW = "2025-01-02T08:00:00-05:00"
LIST_OF = date(2024, 6, 3)

# The Mag 7, Alphabet's other class, a share class that the issuer spells without its dot, and a split in the range.
TICKERS = (*MAGNIFICENT_7, "GOOG", "JPM", "BRKB", "XOM", "CMG")

# What only remembers what else is in the lake: file times differ from run to run, and it can be deleted.
MEMORIES = frozenset(
    {
        "raw/reference/collected.json",
        "raw/reference/runs.jsonl",
        "processed/_manifest.json",
        "state/daily_returns.json",
        "state/fund_weights.json",
        "state/loaded.json",
        "state/passed_dates.json",
    }
)
TEMPORARY = ".mag7-tmp-"


@cache
def market() -> Market:
    """The market that the tests of whole runs share: these lines of the bundled one, and nothing else."""
    return market_from(date(2024, 1, 2), date(2024, 12, 31))


@cache
def market_from(start: date, end: date = date(2021, 12, 31)) -> Market:
    """The same of other days."""
    whole = from_tables()
    kept = {"BRK.B" if ticker == "BRKB" else ticker for ticker in TICKERS}
    blueprint = replace(
        whole,
        securities=tuple(line for line in whole.securities if line.ticker in kept),
        splits=tuple(split for split in whole.splits if split.symbol in kept),
        events=tuple(event for event in whole.events if event.ticker in kept),
        others=(),
    )
    return Market(start=start, end=end, blueprint=blueprint)


def document(day: date, *, failed: int = 0, partial: str | None = None) -> dict[str, Any]:
    """A document with nothing in it but what it says of its completeness."""
    metrics = {"total_mag7_market_cap": 1.0, "sp500_total_market_cap": 3.0, "mag7_pct_of_sp500": 33.3,
               "mag7_companies_count": 7}  # fmt: skip
    return {
        "trading_date": day.isoformat(),
        "data_collection_time": "2025-01-02T08:00:00-05:00",
        "companies": {},
        "rankings": {"by_market_cap": []},
        "concentration_metrics": None if partial else metrics,
        "sp500_details": {
            "total_market_cap": 1.0,
            "processed_count": 1,
            "failed_count": failed,
            "failed_tickers": [{"ticker": "XOM", "reason": "broken"}] * failed,
        },
        "partial": partial,
    }


def keep(lake: Lake, content: dict[str, Any]) -> None:
    """Put a document into a lake."""
    day = date.fromisoformat(content["trading_date"])
    lake.store.write(lake.document_key(day), orjson.dumps(content))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of runs that each wait for a disk take minutes."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="mag7-test-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def holdings_file(as_of: date = LIST_OF, tickers: Sequence[str] = TICKERS) -> bytes:
    """A list as the issuer writes it."""
    rows = [f'"{ticker}","{ticker} CO","Sector","Equity","1000","{9 - n / 4:.2f}","10","100"'
            for n, ticker in enumerate(tickers)]  # fmt: skip
    head = [
        "iShares Core S&P 500 ETF",
        f'Fund Holdings as of,"{as_of:%b %d, %Y}"',
        "",
        "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Quantity,Price",
    ]
    return "\n".join([*head, *rows, ""]).encode()


def new_lake(root: Path, lists: Mapping[date, Sequence[str]] | None = None) -> Lake:
    """A lake that has nothing but its lists of the index."""
    lake = Lake.at(str(root))
    for as_of, tickers in (lists or {LIST_OF: TICKERS}).items():
        lake.write_holdings(as_of, holdings_file(as_of, tickers))
    return lake


def warm_up(folder: Path, *words: str) -> tuple[str, ...]:
    """A command for a process to warm up with: it runs in a lake of its own in this folder."""
    new_lake(folder / "warm-up")
    return *words, "--lake", str(folder / "warm-up")


def tree(root: Path) -> dict[str, bytes]:
    """Every file that is no memory, by its path, temporary files included."""
    return {name: path.read_bytes() for name, path in _files(root) if name not in MEMORIES}


def leftovers(root: Path) -> list[str]:
    """The temporary files and locks that runs have left."""
    return [name for name, _ in _files(root) if TEMPORARY in name or name.endswith(".lock")]


def _files(root: Path) -> Iterable[tuple[str, Path]]:
    return sorted((str(path.relative_to(root)), path) for path in root.rglob("*") if path.is_file())


def environment(home: Path, url: str, **more: str) -> dict[str, str]:
    """A clean environment in which mag7 asks a simulated vendor without waiting."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "POLYGON_API_KEY": KEY,
        "POLYGON_BASE_URL": url,
        "MAG7_NOW": NOW,
        "MAG7_PLAN": "advanced",
        "MAG7_RATE": "unlimited",
        "MAG7_WORKERS": "4",
        **more,
    }
