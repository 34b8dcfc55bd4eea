#!/usr/bin/env bash
# DuckDB 2.0.0 and 1.5.5 in Python: fetchall() of a TIMESTAMP WITH TIME ZONE raises unless pytz is installed, which neither
# duckdb nor pandas 3 requires any more; the same row comes out by Arrow. Expected: a datetime with a zone of zoneinfo.
# An Arrow or Parquet column of timestamps with a zone is of this type: write UTC without a zone, or install pytz.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for release in 1.5.5 2.0.0; do
    python3 -m venv "$work/$release"
    "$work/$release/bin/pip" install --quiet --disable-pip-version-check "duckdb==$release" pyarrow==26.0.1
    (cd "$work" && "$release/bin/python" - <<'PY'
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

rows = pa.table({"minute": pa.array([datetime(2026, 11, 27, 16, 0, tzinfo=UTC)], pa.timestamp("ms", tz="UTC"))})
query = "SELECT minute FROM rows"
print("duckdb", duckdb.__version__, duckdb.sql(query).types)
try:
    print("  fetchall", duckdb.sql(query).fetchall())
    raise SystemExit("fetchall() works: the behaviour has changed")
except duckdb.InvalidInputException as error:
    print("  fetchall:", str(error).splitlines()[0])
    assert "pytz" in str(error)
print("  arrow:", duckdb.sql(query).to_arrow_table().to_pylist())
PY
    )
done
