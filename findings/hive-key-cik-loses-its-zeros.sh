#!/usr/bin/env bash
# A CIK as a Hive partition key, cik=0000320193: what the folder says is text to two readers and a number to five, which
# then match no other table (SEC numbers are ten digits). Expected: every reader keeps a value with leading zeros as text,
# for it does not survive as a number. Give the type: hive_types, hive_schema, a partition schema; or prefix it, cik=CIK….
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 datafusion==55.0.0 chdb==4.4.0 fastparquet==2026.9.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import chdb
import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from datafusion import SessionContext
from pathlib import Path

Path("caps/cik=0000320193").mkdir(parents=True)
pq.write_table(pa.table({"cap": [1.0]}), "caps/cik=0000320193/p.parquet")
context = SessionContext()
context.sql("CREATE EXTERNAL TABLE caps STORED AS PARQUET LOCATION 'caps/'").collect()
seen = {
    "duckdb": duckdb.execute("SELECT cik FROM 'caps/*/*.parquet'").fetchone()[0],
    "datafusion": context.sql("SELECT cik FROM caps").to_pydict()["cik"][0],
    "pandas": pd.read_parquet("caps").cik[0].item(),
    "pyarrow": ds.dataset("caps", partitioning="hive").to_table()["cik"][0].as_py(),
    "polars": pl.read_parquet("caps")["cik"][0],
    "chdb": int(str(chdb.query("SELECT cik FROM file('caps/*/*.parquet')"))),
    "fastparquet": int(fastparquet.ParquetFile("caps").to_pandas().cik[0]),
}
for name, value in seen.items():
    print(name, version(name), repr(value))
text = "0000320193"
assert seen == dict.fromkeys(("duckdb", "datafusion"), text) | dict.fromkeys(("pandas", "pyarrow", "polars", "chdb", "fastparquet"), 320193)
PY
