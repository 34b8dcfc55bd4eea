#!/usr/bin/env bash
# DataFusion 55.0.0: one folder of Hive partitions has one column more by SQL than by Python. CREATE EXTERNAL TABLE finds
# trading_date by itself (as text), read_parquet and register_parquet drop it without a word.
# Expected: both find it, or both ask. Always give table_partition_cols=[("trading_date", pa.date32())].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from pathlib import Path

import datafusion
import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionContext

Path("t/trading_date=2024-12-31").mkdir(parents=True)
pq.write_table(pa.table({"cap": [1.0]}), "t/trading_date=2024-12-31/p.parquet")
context = SessionContext()
context.sql("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 't/'").collect()
sql = context.table("t").schema().names
api = context.read_parquet("t/").schema().names
typed = context.read_parquet("t/", table_partition_cols=[("trading_date", pa.date32())]).schema().names
print("datafusion", datafusion.__version__, sql, api, typed)
assert sql == typed == ["cap", "trading_date"]
assert api == ["cap"]
PY
