"""A transform as one would write it with polars: six of our nine tables, in both layouts.

Run as `polars_pipeline.py LAKE OUT`. Three of our tables, exact decimals, checks and reruns are left out of it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl

NO_FAILURE = {"ticker": None, "reason": "No collection failures"}


def main(lake: Path, out: Path) -> None:
    """Turn the raw documents of a lake into tables elsewhere."""
    paths = sorted((lake / "raw" / "magnificent7").glob("*/market_data.json"))
    documents = [orjson.loads(path.read_bytes()) for path in paths]
    for name, frame in tables(documents):
        table = frame.with_columns(pl.col("trading_date").str.to_date())
        for (day,), rows in table.partition_by("trading_date", as_dict=True, include_key=False).items():
            partition = out / "processed" / name / f"trading_date={day}"
            partition.mkdir(parents=True)
            rows.write_parquet(partition / "part-0.parquet", compression="snappy", statistics=False)
        flat = out / "analytics" / name
        flat.mkdir(parents=True)
        table.write_parquet(flat / "part-0.parquet", compression="snappy")


def tables(documents: list[dict[str, Any]]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of every table, by column."""
    yield "concentration_metrics", of([(d["trading_date"], d["concentration_metrics"] or {}) for d in documents])
    companies = [
        (d["trading_date"], {"ticker": ticker, **c}) for d in documents for ticker, c in d["companies"].items()
    ]
    kept = ("ticker", "name", "market_cap", "shares_outstanding", "currency", "description")
    yield "company_details", of([(day, {name: c[name] for name in kept}) for day, c in companies])
    yield "daily_trading", of([(day, {"ticker": c["ticker"], **c["trading_data"]}) for day, c in companies])
    ranked = ((d["trading_date"], enumerate(d["rankings"]["by_market_cap"], 1)) for d in documents)
    yield "magnificent7_metrics", of([(day, {**row, "ranking": place}) for day, rows in ranked for place, row in rows])
    failed = ((d["trading_date"], d["sp500_details"]["failed_tickers"] or [NO_FAILURE]) for d in documents)
    yield "failed_collections", of([(day, row) for day, rows in failed for row in rows])
    lines = ((d["trading_date"], d["sp500_details"]["constituents"]) for d in documents)
    yield (
        "sp500_constituents",
        pl.concat(
            pl.DataFrame(rows, infer_schema_length=None).with_columns(trading_date=pl.lit(day)) for day, rows in lines
        ),
    )


def of(rows: list[tuple[str, dict[str, Any]]]) -> pl.DataFrame:
    """Rows with the date of each."""
    days = pl.Series("trading_date", [day for day, _ in rows])
    return pl.DataFrame([row for _, row in rows], infer_schema_length=None).with_columns(days)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
