#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB to Athena: a division of columns is made safe (CAST(a AS DOUBLE) / b), and one whose types are
# known to be DECIMAL is not, although it is there that the engines differ: DuckDB divides two DECIMAL(20,2) as DOUBLE,
# Trino to two digits, cut by its documents to the larger scale. What is typed more carefully comes out worse.
# Expected: the cast in both. Cast to DOUBLE in the source query.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
import duckdb
import sqlglot

untyped, typed = "SELECT a / b FROM t", "SELECT CAST(2 AS DECIMAL(20, 2)) / CAST(3 AS DECIMAL(20, 2)) AS share"
seen = [sqlglot.transpile(sql, read="duckdb", write="athena")[0] for sql in (untyped, typed)]
print("sqlglot", sqlglot.__version__, seen, duckdb.execute(typed).fetchone())
assert seen == ["SELECT CAST(a AS DOUBLE) / b FROM t", typed]
assert duckdb.execute(f"SELECT typeof(share) FROM ({typed})").fetchone()[0] == "DOUBLE"
PY
