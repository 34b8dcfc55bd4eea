#!/usr/bin/env bash
# Ibis 12.0.0 takes any sqlglot from 23.4 on, and with 30.30.0 its DuckDB backend cannot create a table from Arrow or pandas:
# Ibis names the view that it drops by a bare string, which older sqlglot prints and 30.30.0 leaves out, so that
# DROP VIEW IF EXISTS is sent without a name. With sqlglot 28.0.0 beside it the same lines work.
# Expected: a table, or an upper bound. Pin sqlglot<29 beside Ibis, or read files with read_parquet.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'ibis-framework[duckdb]==12.0.0' duckdb==2.0.1 sqlglot==30.30.0
cd "$work"
env/bin/python -W ignore - <<'PY'
import subprocess
import sys
from importlib.metadata import version

TRY = """
import ibis, pyarrow as pa
try:
    ibis.duckdb.connect().create_table("caps", pa.table({"cap": [1.0]}))
    print("made")
except Exception as error:
    print(str(error).splitlines()[0])
"""


def seen():
    return subprocess.run([sys.executable, "-W", "ignore", "-c", TRY], capture_output=True, text=True, check=True).stdout.strip()


new = seen()
print("ibis", version("ibis-framework"), "sqlglot", version("sqlglot"), new)
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "sqlglot==28.0.0"], check=True)
old = seen()
print("sqlglot 28.0.0", old)
assert "syntax error" in new
assert old == "made"
PY
