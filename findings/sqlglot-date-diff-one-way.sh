#!/usr/bin/env bash
# sqlglot 30.30.0: DATE_DIFF('month', …) counts month boundaries in DuckDB and whole months in Trino and Athena. From
# DuckDB to Athena it is corrected (both dates are cut to the month first), from Athena to DuckDB it is left as it is:
# 31 January to 1 February is 0 months on Athena and 1 after the translation.
# Expected: DATE_SUB, DuckDB's function for whole months. A test of Athena's SQL on DuckDB must not rely on it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
import duckdb
import sqlglot

back = sqlglot.transpile("SELECT DATE_DIFF('month', a, b) FROM t", read="duckdb", write="athena")[0]
there = sqlglot.transpile("SELECT DATE_DIFF('month', DATE '2024-01-31', DATE '2024-02-01')", read="athena", write="duckdb")[0]
boundaries = duckdb.execute(there).fetchone()[0]
whole = duckdb.execute("SELECT date_sub('month', DATE '2024-01-31', DATE '2024-02-01')").fetchone()[0]
print("sqlglot", sqlglot.__version__, "|", back, "|", there, boundaries, whole)
assert "DATE_TRUNC('MONTH', a)" in back
assert "DATE_DIFF('MONTH'" in there and "TRUNC" not in there
assert (boundaries, whole) == (1, 0)
PY
