#!/usr/bin/env bash
# DuckDB 2.0.1: a half becomes an integer in two ways, by the type that holds it: CAST(2.5 AS INTEGER) of a DECIMAL is 3
# (away from zero), of a DOUBLE 2 (to even). A literal 2.5 is a DECIMAL, a column read from Parquet or JSON a DOUBLE, so
# that a query tried on literals is not the query on the table. DataFusion 55 cuts both: 2.
# Expected: one rule. Say ROUND or FLOOR before the cast.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 datafusion==55.0.0
cd "$work"
env/bin/python -W ignore - <<'PY'
import duckdb
from datafusion import SessionContext

halves = "CAST(2.5 AS INTEGER) AS literal, CAST(CAST(2.5 AS DECIMAL(20,1)) AS INTEGER) AS dec, CAST(CAST(2.5 AS DOUBLE) AS INTEGER) AS dbl"
seen = duckdb.execute(f"SELECT {halves}, typeof(2.5)").fetchone()
other = [value[0] for value in SessionContext().sql(f"SELECT {halves}").to_pydict().values()]
print("duckdb", duckdb.__version__, seen, "datafusion", other)
assert seen == (3, 3, 2, "DECIMAL(2,1)")
assert other == [2, 2, 2]
PY
