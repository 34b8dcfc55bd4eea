#!/usr/bin/env bash
# sqlglot 30.30.0: DECIMAL without digits is DECIMAL(38,0) on Athena, DECIMAL(18,0) on Redshift, DECIMAL(18,3) on DuckDB.
# From DuckDB the digits are written out; to DuckDB they are not, so that a cast that rounds to whole dollars keeps
# three digits in the translation, and a test on DuckDB passes where the warehouse rounds.
# Expected: DECIMAL(38, 0). Never write DECIMAL without digits.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal

import duckdb
import sqlglot

sql = "SELECT CAST(2.625 AS DECIMAL)"
seen = {read: sqlglot.transpile(sql, read=read, write="duckdb")[0] for read in ("athena", "redshift")}
out = sqlglot.transpile(sql, read="duckdb", write="redshift")[0]
value = duckdb.execute(seen["athena"]).fetchone()[0]
print("sqlglot", sqlglot.__version__, seen, out, value)
assert set(seen.values()) == {sql}
assert out == "SELECT CAST(2.625 AS DECIMAL(18, 3))"
assert value == Decimal("2.625")
PY
