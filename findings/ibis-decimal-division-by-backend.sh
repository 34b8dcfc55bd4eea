#!/usr/bin/env bash
# Ibis 12.0.0: one expression, one declared type, two answers. Dividing two decimal(20, 2) columns is float64 by its
# schema on every backend; DuckDB gives 0.2686, polars 0.27: the division is polars' own, in two digits, and the result
# is then cast to the promised float64. Expected: a float64 quotient. Cast the columns to float64 before dividing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'ibis-framework[duckdb,polars]==12.0.0'
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

money = pa.decimal128(20, 2)
caps = pa.table({"mag7": pa.array([Decimal("11084381243630.15")], money), "all": pa.array([Decimal("41267451059989.73")], money)})
pq.write_table(caps, "caps.parquet")
seen = {}
for backend in (ibis.duckdb, ibis.polars):
    t = backend.connect().read_parquet("caps.parquet")
    quotient = t.select(share=t.mag7 / t["all"])
    assert str(quotient.schema()["share"]) == "float64"
    seen[backend.__name__.rpartition(".")[2]] = quotient.to_pyarrow()["share"][0].as_py()
print("ibis", ibis.__version__, seen)
duckdb, polars = seen.values()
assert round(duckdb, 6) == 0.268599
assert polars == 0.27
PY
