"""A transform as one would write it in DuckDB's SQL: six of our nine tables, in both layouts.

Run as `duckdb_pipeline.py LAKE OUT`. Three of our tables, exact decimals, checks and reruns are left out of it.
"""

import sys
from pathlib import Path

import duckdb

_COLUMNS = """{
    trading_date: 'DATE',
    companies: 'MAP(VARCHAR, STRUCT(
        name VARCHAR, market_cap DOUBLE, shares_outstanding BIGINT, currency VARCHAR, description VARCHAR,
        trading_data STRUCT(close_price DOUBLE, open_price DOUBLE, high_price DOUBLE, low_price DOUBLE, volume BIGINT,
            vwap DOUBLE)))',
    concentration_metrics: 'STRUCT(total_mag7_market_cap DOUBLE, sp500_total_market_cap DOUBLE,
        mag7_pct_of_sp500 DOUBLE, mag7_companies_count INTEGER, top10_pct DOUBLE, hhi DOUBLE, effective_n DOUBLE,
        total_mag7_market_cap_by_class DOUBLE, sp500_total_market_cap_by_class DOUBLE, mag7_pct_by_class DOUBLE)',
    rankings: 'STRUCT(by_market_cap STRUCT(ticker VARCHAR, market_cap DOUBLE, pct_of_mag7 DOUBLE,
        pct_of_sp500 DOUBLE)[])',
    sp500_details: 'STRUCT(
        failed_tickers STRUCT(ticker VARCHAR, reason VARCHAR)[],
        constituents STRUCT(ticker VARCHAR, symbol VARCHAR, cik VARCHAR, close_price DOUBLE, shares_outstanding BIGINT,
            market_cap DOUBLE, counted BOOLEAN)[])'
}"""
_COMPANIES = "(SELECT trading_date, unnest(map_entries(companies)) AS c FROM documents)"
_TABLES = {
    "concentration_metrics": "SELECT trading_date, unnest(concentration_metrics) FROM documents",
    "company_details": f"""SELECT trading_date, c.key AS ticker, c.value.name AS company_name, c.value.market_cap,
        c.value.shares_outstanding, c.value.currency, c.value.description FROM {_COMPANIES}""",
    "daily_trading": f"SELECT trading_date, c.key AS ticker, unnest(c.value.trading_data) FROM {_COMPANIES}",
    "magnificent7_metrics": """SELECT trading_date, unnest(rankings.by_market_cap, recursive := true),
        generate_subscripts(rankings.by_market_cap, 1) AS ranking FROM documents""",
    "failed_collections": """SELECT trading_date, unnest(
        CASE WHEN len(sp500_details.failed_tickers) > 0 THEN sp500_details.failed_tickers
        ELSE [{ticker: NULL, reason: 'No collection failures'}] END, recursive := true) FROM documents""",
    "sp500_constituents": "SELECT trading_date, unnest(sp500_details.constituents, recursive := true) FROM documents",
}


def main(lake: Path, out: Path) -> None:
    """Turn the raw documents of a lake into tables elsewhere."""
    with duckdb.connect() as connection:
        documents = (
            f"read_json('{lake}/raw/magnificent7/*/market_data.json', hive_partitioning=false, columns={_COLUMNS})"
        )
        connection.execute(f"CREATE TABLE documents AS FROM {documents}")
        for name, rows in _TABLES.items():
            for layout, options in (("processed", ", PARTITION_BY (trading_date)"), ("analytics", "")):
                target = out / layout / name
                target.parent.mkdir(parents=True, exist_ok=True)
                end = "" if options else ".parquet"
                connection.execute(f"COPY ({rows}) TO '{target}{end}' (FORMAT parquet{options})")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
