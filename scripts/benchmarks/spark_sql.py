"""The transform as SQL on Spark: the console pipeline's five tables and the constituents, in both layouts.

Run as `spark_sql.py LAKE OUT` by a Python that has pyspark, with Java on the machine. Prints the seconds that the Java
machine took to start. What the console pipeline's job does for each table: a query over the documents, written twice.
"""

import sys
import time
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

SEVEN = ("AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA")

DETAILS = ("name", "market_cap", "shares_outstanding", "currency", "description")
PRICES = ("open_price", "high_price", "low_price", "close_price", "volume", "vwap")

# Each of the Mag 7 is a field of its own in the documents: made into rows in one pass.
COMPANIES = "explode(array({}))".format(
    ", ".join(
        f"named_struct('ticker', '{ticker}', "
        + ", ".join(f"'{name}', companies.{ticker}.{name}" for name in DETAILS)
        + ", "
        + ", ".join(f"'{name}', CAST(companies.{ticker}.trading_data.{name} AS DOUBLE)" for name in PRICES)
        + ")"
        for ticker in SEVEN
    )
)

QUERIES = {
    "concentration_metrics": (
        "SELECT trading_date, concentration_metrics.total_mag7_market_cap,"
        " concentration_metrics.sp500_total_market_cap, concentration_metrics.mag7_pct_of_sp500,"
        " concentration_metrics.mag7_companies_count FROM documents WHERE concentration_metrics IS NOT NULL"
    ),
    "company_details": (
        "SELECT trading_date, c.ticker, c.name AS company_name, c.market_cap, c.shares_outstanding, c.currency,"
        f" c.description FROM documents LATERAL VIEW {COMPANIES} AS c"
    ),
    "daily_trading": (
        f"SELECT trading_date, c.ticker, {', '.join(f'c.{price}' for price in PRICES)}"
        f" FROM documents LATERAL VIEW {COMPANIES} AS c"
    ),
    "magnificent7_metrics": (
        "SELECT trading_date, row.ticker, row.market_cap, row.pct_of_mag7, row.pct_of_sp500, place + 1 AS ranking"
        " FROM documents LATERAL VIEW posexplode(rankings.by_market_cap) AS place, row"
    ),
    "failed_collections": (
        "SELECT trading_date, CAST(NULL AS STRING) AS ticker, 'No collection failures' AS reason"
        " FROM documents WHERE sp500_details.failed_count = 0"
    ),
    "sp500_constituents": (
        "SELECT trading_date, line.* FROM documents LATERAL VIEW explode(sp500_details.constituents) AS line"
    ),
}


def main(lake: Path, out: Path) -> None:
    """Turn the raw documents of a lake into tables elsewhere."""
    started = time.perf_counter()
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    spark = SparkSession.builder.master("local[2]").config(map=quiet).getOrCreate()
    print(time.perf_counter() - started)
    # The date is in the documents as well; without this Spark takes it from the folders, as another column.
    documents = spark.read.option("recursiveFileLookup", True).json(str(lake / "raw" / "magnificent7"))
    documents.createOrReplaceTempView("documents")
    for name, query in QUERIES.items():
        write(spark.sql(query), name, out)
    spark.stop()


def write(rows: DataFrame, name: str, out: Path) -> None:
    """Both layouts of a table."""
    rows.write.partitionBy("trading_date").parquet(str(out / "processed" / name))
    rows.write.parquet(str(out / "analytics" / name))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
