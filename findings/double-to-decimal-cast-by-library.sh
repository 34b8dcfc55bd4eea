#!/usr/bin/env bash
# CAST of a double to DECIMAL(20,2), the way of a price into a table: five libraries, three answers on three values.
# 0.125 is half a cent exactly; 1.005 and 2.675 are doubles a little below what they print.
# Expected: one rule, round half up or half even. Round in decimals first (Python's Decimal(repr(x)).quantize), cast then.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1 datafusion==55.0.0 chdb==4.4.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import chdb
import duckdb
import polars as pl
import pyarrow as pa
from datafusion import SessionContext

VALUES = (0.125, 1.005, 2.675)
cast = "CAST(CAST({} AS DOUBLE) AS DECIMAL(20,2))"
row = "SELECT " + ", ".join(f"{cast.format(value)} AS c{place}" for place, value in enumerate(VALUES))
clickhouse = "SELECT " + ", ".join(f"toDecimal128(toFloat64({value}), 2)" for value in VALUES)
seen = {
    "pyarrow": [str(value) for value in pa.array(VALUES).cast(pa.decimal128(20, 2)).to_pylist()],
    "polars": [str(value) for value in pl.Series(VALUES).cast(pl.Decimal(20, 2))],
    "duckdb": [str(value) for value in duckdb.execute(row).fetchone()],
    "datafusion": [str(value[0]) for value in SessionContext().sql(row).to_pydict().values()],
    "chdb": str(chdb.query(clickhouse)).strip().split(","),
}
for name, values in seen.items():
    print(name, version(name), values)
assert seen == {
    "pyarrow": ["0.12", "1.00", "2.67"],
    "polars": ["0.12", "1.00", "2.68"],
    "duckdb": ["0.13", "1.00", "2.68"],
    "datafusion": ["0.13", "1.00", "2.68"],
    "chdb": ["0.12", "1", "2.67"],
}
PY
