"""The tables that a faultless run over the simulated market would make, straight from its truth: no collector, no
transform. A spring with splits, spin-offs, joiners, leavers and three quarterly rebalancings.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from mag7cli.market.symbology import MAGNIFICENT_7, known_constituents
from mag7cli.tables.schema import TABLE, TABLES, VIEWS, arrow_schema, create_schema_sql, create_sql, create_view_sql
from mag7cli.vendors.sandbox.market import Market
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

FIRST, LAST = date(2023, 12, 1), date(2024, 7, 5)


@cache
def market() -> Market:
    """The market behind the tables."""
    return Market()


@cache
def constituents() -> pd.DataFrame:
    """A row for each date and line of the index, in the columns of `sp500_constituents`."""
    truth = market().truth
    dates = [day for day in truth.sessions if FIRST <= day <= LAST]
    found = pd.concat([pd.DataFrame(list(_rows(day))) for day in dates], ignore_index=True)
    totals = found[found["counted"]].groupby("trading_date")["market_cap"].sum()
    found["pct_of_sp500"] = (100 * found["market_cap"] / found["trading_date"].map(totals)).where(found["counted"])
    return found


def _rows(day: date) -> Iterator[dict[str, Any]]:
    truth = market().truth
    row = truth.timeline.row_from(day)
    members = truth.members(day)
    counted = set(truth.counted(members))
    for ticker in members:
        column = truth.column(ticker)
        close, shares = float(truth.prices.close[row, column]), float(truth.counts.company[row, column])
        yield {
            "trading_date": day, "ticker": ticker, "symbol": ticker, "cik": truth.line(ticker).cik,
            "close_price": close, "shares_outstanding": shares, "market_cap": round(close * shares, 2),
            "counted": ticker in counted,
        }  # fmt: skip


def engine(dates: Sequence[date] | None = None, *, simulated: bool = True) -> DuckDbEngine:
    """The tables of these dates, by default of all, in an in-memory DuckDB. No date is partial."""
    connection = duckdb.connect(":memory:")
    connection.execute(create_schema_sql())
    for table in TABLES:
        connection.execute(create_sql(table, "duckdb"))
    lines = constituents()
    lines = lines if dates is None else lines[lines["trading_date"].isin(dates)]
    _insert(connection, "sp500_constituents", lines)
    seven = lines[lines["ticker"].isin(MAGNIFICENT_7)]
    totals = lines[lines["counted"]].groupby("trading_date")["market_cap"].sum()
    _insert(connection, "concentration_metrics", _concentration(seven, totals))
    _insert(connection, "magnificent7_metrics", _ranked(seven))
    _insert(connection, "company_details", _named(seven))
    _insert(connection, "daily_summary", _summary(totals, simulated))
    splits = [s for s in market().truth.splits() if FIRST <= s.execution_date <= LAST]
    rows = [(s.execution_date, s.symbol, s.split_from, s.split_to, s.ratio) for s in splits]
    _insert(connection, "stock_splits", pd.DataFrame(rows, columns=[c.name for c in TABLE["stock_splits"].columns]))
    for view in VIEWS:
        connection.execute(create_view_sql(view))
    return DuckDbEngine(connection)


def _insert(connection: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame) -> None:
    schema = arrow_schema(TABLE[name], partitioned=False)
    full = rows.reindex(columns=schema.names)
    loose = pa.schema([field.with_nullable(True) for field in schema])
    floats = pa.schema([f.with_type(pa.float64()) if pa.types.is_decimal(f.type) else f for f in loose])
    connection.register("incoming", pa.Table.from_pandas(full, floats, preserve_index=False))
    connection.execute(f"INSERT INTO market_data.{name} SELECT * FROM incoming")
    connection.unregister("incoming")


def _concentration(seven: pd.DataFrame, totals: "pd.Series[float]") -> pd.DataFrame:
    caps = seven.groupby("trading_date")["market_cap"].sum()
    return pd.DataFrame(
        {
            "trading_date": caps.index, "total_mag7_market_cap": caps.values, "sp500_total_market_cap": totals.values,
            "mag7_pct_of_sp500": (100 * caps / totals).values, "mag7_companies_count": 7,
        }
    )  # fmt: skip


def _ranked(seven: pd.DataFrame) -> pd.DataFrame:
    by_date = seven.groupby("trading_date")["market_cap"]
    ranking = by_date.rank(ascending=False).astype(int)
    return seven.assign(pct_of_mag7=100 * seven["market_cap"] / by_date.transform("sum"), ranking=ranking)


def _named(seven: pd.DataFrame) -> pd.DataFrame:
    names = {constituent.ticker: constituent.name for constituent in known_constituents()}
    return seven.assign(company_name=seven["ticker"].map(names), currency="usd", description="simulated")


def _summary(totals: "pd.Series[float]", simulated: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trading_date": totals.index, "status": "complete", "failed_count": 0, "corrections_count": 0,
            "doubts_count": 0, "membership_kind": "history", "membership_as_of": FIRST, "method": "grouped",
            "simulated": simulated, "collected_at": "2024-07-05T21:00:00-04:00",
        }
    )  # fmt: skip
