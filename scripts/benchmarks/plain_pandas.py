"""A transform as one would write it with pandas: its five old tables and the constituents, in both layouts.

Run as `plain_pandas.py LAKE OUT`. Four of our tables, exact decimals, checks and reruns are left out of it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd


def main(lake: Path, out: Path) -> None:
    """Turn the raw documents of a lake into tables elsewhere."""
    paths = sorted((lake / "raw" / "magnificent7").glob("*/market_data.json"))
    documents = [json.loads(path.read_text()) for path in paths]
    for name, frame in tables(documents).items():
        frame.to_parquet(out / "processed" / name, partition_cols=["trading_date"], index=False)
        flat = out / "analytics" / name
        flat.mkdir(parents=True)
        frame.to_parquet(flat / "part-0.parquet", index=False)


def tables(documents: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """The rows of every table."""
    companies = [(d["trading_date"], ticker, c) for d in documents for ticker, c in d["companies"].items()]
    return {
        "concentration_metrics": pd.DataFrame(
            {"trading_date": d["trading_date"], **d["concentration_metrics"]}
            for d in documents
            if d["concentration_metrics"]
        ).drop(columns="collection_date"),
        "company_details": pd.DataFrame(
            {
                "trading_date": day,
                "ticker": ticker,
                "company_name": company["name"],
                "market_cap": company["market_cap"],
                "shares_outstanding": company["shares_outstanding"],
                "currency": company["currency"],
                "description": company["description"],
            }
            for day, ticker, company in companies
        ),
        "daily_trading": pd.DataFrame(
            {"trading_date": day, "ticker": ticker, **company["trading_data"]} for day, ticker, company in companies
        ).drop(columns=["date", "timestamp"]),
        "magnificent7_metrics": pd.DataFrame(
            {"trading_date": d["trading_date"], **row, "ranking": ranking}
            for d in documents
            for ranking, row in enumerate(d["rankings"]["by_market_cap"], 1)
        ).drop(columns="name"),
        "failed_collections": pd.DataFrame(
            {"trading_date": d["trading_date"], **failed}
            for d in documents
            for failed in d["sp500_details"]["failed_tickers"] or [{"ticker": None, "reason": "No collection failures"}]
        ),
        "sp500_constituents": pd.DataFrame(
            {"trading_date": d["trading_date"], **line}
            for d in documents
            for line in d["sp500_details"]["constituents"]
        ),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
