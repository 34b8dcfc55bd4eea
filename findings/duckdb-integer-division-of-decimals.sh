#!/usr/bin/env bash
# DuckDB 1.5.6 and 2.0.1: `//`, the integer division, gives a DOUBLE with a fraction as soon as one side is a DECIMAL.
# 7 // 2 is 3, and 7.00 // 2 is 3.5. Expected: 3, as in Python, or an error. Write CAST(FLOOR(a / b) AS BIGINT).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
import duckdb

seen = duckdb.execute("SELECT 7 // 2, 7.00::DECIMAL(20,2) // 2, typeof(7.00::DECIMAL(20,2) // 2), 7.5::DOUBLE // 2").fetchone()
print("duckdb", duckdb.__version__, seen)
assert seen == (3, 3.5, "DOUBLE", 3.75)
PY
