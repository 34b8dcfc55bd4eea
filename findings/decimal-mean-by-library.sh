#!/usr/bin/env bash
# The mean of a DECIMAL(20,2) column, 0.01, 0.02 and 0.02: PyArrow and pandas with Arrow types round it to cents, though the
# same frame's rolling mean is a double; DataFusion cuts it to six digits; DuckDB and polars answer in doubles. The median of
# 0.01 and 0.02 is 0.01 in DuckDB and DataFusion, 0.015 in pandas and polars. Expected: a double, or more digits, everywhere.
# Cast to double before averaging: a mean over `groupby` and one over `rolling` are otherwise two figures.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 datafusion==55.0.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal
from importlib.metadata import version

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from datafusion import SessionContext, col
from datafusion import functions as f

MONEY = pa.decimal128(20, 2)
three = pa.table({"x": pa.array(map(Decimal, ("0.01", "0.02", "0.02")), MONEY)})
two = three.slice(0, 2)
frame = pd.DataFrame({"x": three["x"].to_pandas(types_mapper=pd.ArrowDtype), "k": "all"})
pair = frame.iloc[:2]


def by_datafusion(table, function):
    return SessionContext().from_arrow(table).aggregate([], [function(col("x"))]).to_arrow_table()[0][0].as_py()


seen = {
    "pyarrow": (pc.mean(three["x"]).as_py(), "-"),
    "pandas": (frame.groupby("k").x.mean().iloc[0], pair.x.median()),
    "polars": (pl.from_arrow(three)["x"].mean(), pl.from_arrow(two)["x"].median()),
    "duckdb": duckdb.sql("SELECT avg(x), (SELECT median(x) FROM two) FROM three").fetchall()[0],
    "datafusion": (by_datafusion(three, f.avg), by_datafusion(two, f.median)),
}
for name, values in seen.items():
    print(name, version(name), "mean", values[0], "median of two", values[1])
rolling = frame.x.rolling(3).mean().iloc[-1]
print("pandas, rolling(3).mean()", rolling)
assert seen["pyarrow"][0] == seen["pandas"][0] == Decimal("0.02")
assert abs(rolling - 0.05 / 3) < 1e-12
assert abs(seen["polars"][0] - 0.05 / 3) < 1e-12 and abs(seen["duckdb"][0] - 0.05 / 3) < 1e-12
assert seen["datafusion"][0] == Decimal("0.016666")
assert seen["duckdb"][1] == seen["datafusion"][1] == Decimal("0.01")
assert seen["pandas"][1] == seen["polars"][1] == 0.015
PY
