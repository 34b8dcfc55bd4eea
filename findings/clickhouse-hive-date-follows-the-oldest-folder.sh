#!/usr/bin/env bash
# ClickHouse (chdb 4.4.0, 26.9): the type of a Hive date key follows the data. trading_date=2024-12-31 alone is a Date;
# beside a folder of 1957-03-04, the first day of the S&P 500, every date is a DateTime64(9). A view or a
# CREATE TABLE AS made before the history was added has another type than one made after.
# Expected: Date32 for both. Cast: toDate32(trading_date).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check chdb==4.4.0 pyarrow==26.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from pathlib import Path

import chdb
import pyarrow as pa
import pyarrow.parquet as pq


def kind(day):
    Path(f"t/trading_date={day}").mkdir(parents=True)
    pq.write_table(pa.table({"cap": [1.0]}), f"t/trading_date={day}/p.parquet")
    return str(chdb.query("SELECT DISTINCT toTypeName(trading_date) FROM file('t/*/*.parquet')")).strip()


seen = [kind("2024-12-31"), kind("1957-03-04")]
print("chdb", chdb.__version__, seen)
assert seen == ['"Date"', '"DateTime64(9)"']
PY
