"""The tables of a made-up market, a random walk with a fixed seed, in an in-memory DuckDB.

Independent of the collector, the sandbox and the transform, so that a fault in one of them cannot hide in a test of
what people look at.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from mag7cli.tables.schema import TABLES, VIEWS, arrow_schema, create_schema_sql, create_sql, create_view_sql
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

SEVEN = {
    "AAPL": ("Apple Inc.", "0000320193", 129.41, 16_788_096_000),
    "MSFT": ("Microsoft Corp", "0000789019", 217.69, 7_560_500_000),
    "GOOGL": ("Alphabet Inc. Class A Common Stock", "0001652044", 1_726.13, 676_600_000),
    "AMZN": ("Amazon.Com Inc", "0001018724", 3_186.63, 501_750_000),
    "NVDA": ("Nvidia Corp", "0001045810", 524.54, 619_000_000),
    "META": ("Meta Platforms, Inc. Class A Common Stock", "0001326801", 268.94, 2_848_500_000),
    "TSLA": ("Tesla, Inc. Common Stock", "0001318605", 729.77, 947_900_000),
}
"""Name, CIK, close (USD) and shares outstanding where the walk begins."""

SPLITS = {
    ("NVDA", date(2021, 7, 20)): 4,
    ("AMZN", date(2022, 6, 6)): 20,
    ("GOOGL", date(2022, 7, 18)): 20,
    ("TSLA", date(2022, 8, 25)): 3,
    ("NVDA", date(2024, 6, 10)): 10,
}
META_SINCE = date(2022, 6, 9)
FIRST = date(2021, 1, 4)
_NO_FAILURES = "No collection failures"


@dataclass
class _Company:
    close: Decimal
    shares: int
    open: Decimal = Decimal(0)

    @property
    def cap(self) -> Decimal:
        return (self.close * self.shares).quantize(Decimal("0.01"))


@dataclass
class _Tables:
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def add(self, table: str, *row: Any) -> None:
        self.rows.setdefault(table, []).append(row)


def engine(
    dates: int = 1_005,
    *,
    simulated: bool = False,
    partial: Sequence[int] = (310, 611),
    suspect: Sequence[int] = (140, 862, 863),
    seed: int = 7,
) -> DuckDbEngine:
    """The tables of `dates` weekdays from 2021-01-04; `partial` and `suspect` are positions among them."""
    tables = _market(list(_weekdays(dates)), simulated, frozenset(partial), frozenset(suspect), random.Random(seed))
    connection = duckdb.connect(":memory:")
    connection.execute(create_schema_sql())
    for table in TABLES:
        connection.execute(create_sql(table, "duckdb"))
        rows = tables.rows.get(table.name, [])
        schema = arrow_schema(table, partitioned=False)
        columns = [pa.array([row[i] for row in rows], column.type) for i, column in enumerate(schema)]
        connection.register("incoming", pa.Table.from_arrays(columns, schema=schema))
        connection.execute(f"INSERT INTO market_data.{table.name} SELECT * FROM incoming")
        connection.unregister("incoming")
    for view in VIEWS:
        connection.execute(create_view_sql(view))
    return DuckDbEngine(connection)


def weekday(position: int) -> date:
    """The date at a position among the weekdays."""
    return list(_weekdays(position + 1))[-1]


def _weekdays(count: int) -> Iterator[date]:
    day = FIRST
    while count:
        if day.weekday() < 5:
            yield day
            count -= 1
        day += timedelta(days=1)


def _market(
    days: list[date], simulated: bool, partial: frozenset[int], suspect: frozenset[int], luck: random.Random
) -> _Tables:
    tables = _Tables()
    companies = {t: _Company(Decimal(str(close)), shares) for t, (_, _, close, shares) in SEVEN.items()}
    rest = 25.2e12
    for ticker, day in SPLITS:
        if days and days[0] <= day <= days[-1]:
            ratio = SPLITS[ticker, day]
            tables.add("stock_splits", day, ticker, Decimal(1), Decimal(ratio), float(ratio))
    for position, day in enumerate(days):
        market = luck.gauss(0.0003, 0.009)
        rest *= math.exp(market + luck.gauss(0, 0.002))
        for ticker, company in companies.items():
            _step(
                company,
                SPLITS.get((ticker, day), 1),
                market,
                luck,
                {"NVDA": 0.0014, "TSLA": 0.0001}.get(ticker, 0.0004),
            )
        _day(tables, day, companies, Decimal(f"{rest:.2f}"), position in partial, position in suspect, simulated, luck)
    return tables


def _step(company: _Company, ratio: int, market: float, luck: random.Random, drift: float) -> None:
    price = float(company.close) / ratio
    company.shares = round(company.shares * ratio * (1 - 0.00002))
    company.open = Decimal(f"{price * math.exp(luck.gauss(0, 0.006)):.2f}")
    company.close = Decimal(f"{price * math.exp(1.15 * market + luck.gauss(drift, 0.013)):.2f}")


def _day(
    tables: _Tables,
    day: date,
    companies: Mapping[str, _Company],
    rest: Decimal,
    partial: bool,
    suspect: bool,
    simulated: bool,
    luck: random.Random,
) -> None:
    caps = {ticker: company.cap for ticker, company in companies.items()}
    mag7, total = sum(caps.values()), sum(caps.values()) + rest
    missing = "MSFT" if partial else None
    for ticker, company in companies.items():
        name, cik, *_ = SEVEN[ticker]
        symbol = "FB" if ticker == "META" and day < META_SINCE else ticker
        cap = None if ticker == missing else caps[ticker]
        tables.add("company_details", day, ticker, name, cap, Decimal(company.shares), "usd", f"About {name}")
        high, low = max(company.open, company.close), min(company.open, company.close)
        tables.add("daily_trading", day, ticker, company.open, high, low, company.close, 1_000_000, company.close)
        if cap is not None:
            share = None if partial else 100 * float(cap / total)
            tables.add(
                "sp500_constituents", day, ticker, symbol, cik, company.close, Decimal(company.shares), cap, True,
                share, None,
            )  # fmt: skip
    failures = [missing] if missing else ["BRK.B", "SW"][: luck.choice((0, 0, 0, 0, 0, 1, 2))]
    for ticker in failures:
        reason = "no market cap and no share count" if ticker == missing else "no share count: 404 Ticker not found"
        tables.add("failed_collections", day, ticker, reason)
    if not failures:
        tables.add("failed_collections", day, None, _NO_FAILURES)
    _summary(tables, day, caps, total, len(failures), partial, suspect, simulated)
    if not partial:
        tables.add("concentration_metrics", day, mag7, total, 100 * float(mag7) / float(total), 7)
        for rank, (ticker, cap) in enumerate(sorted(caps.items(), key=lambda item: -item[1]), 1):
            pct_of_mag7, pct_of_sp500 = 100 * float(cap / mag7), 100 * float(cap / total)
            tables.add("magnificent7_metrics", day, ticker, cap, pct_of_mag7, pct_of_sp500, rank)


def _summary(
    tables: _Tables,
    day: date,
    caps: Mapping[str, Decimal],
    total: Decimal,
    failed: int,
    partial: bool,
    suspect: bool,
    simulated: bool,
) -> None:
    status = "partial" if partial else "suspect" if suspect else "complete"
    reason = "MSFT has no market cap" if partial else None
    weights = sorted((100 * float(cap / total) for cap in caps.values()), reverse=True)
    hhi = math.fsum(w * w for w in weights) + 40.0
    tops = (
        (None, None, None, None, None)
        if partial
        else (weights[0], sum(weights[:5]), sum(weights) + 4, hhi, 10_000 / hhi)
    )
    counts = (500 - failed, 503 - failed, failed, 0, 0, int(suspect))
    share = 100 * float(sum(caps.values()) / total)
    bound = (None, None) if partial else (share - 0.02, share + 0.02)
    tables.add(
        "daily_summary", day, status, reason, total, None, None, None, *counts, *bound, *tops, "nearest",
        date(2024, 12, 6), "grouped", simulated, f"{day.isoformat()}T21:00:00-05:00",
    )  # fmt: skip
    if suspect:
        tables.add(
            "data_quality", day, "ETR", "unlisted_split", "suspect", "shares_outstanding", Decimal(214_412_345),
            Decimal(428_824_690), "the share count doubles and no split is listed", "close 149.88 to 75.02",
        )  # fmt: skip
    if partial:
        tables.add(
            "data_quality", day, "MSFT", "partial", "error", "market_cap", None, None, "MSFT has no market cap", None
        )
