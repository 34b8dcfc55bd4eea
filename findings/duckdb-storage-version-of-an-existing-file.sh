#!/usr/bin/env bash
# DuckDB 2.0.1: the setting storage_compatibility_version is taken for a file that exists, reads back as asked, and does
# nothing: a file of 2.0 stays one that 1.5 cannot open, however it is written to from then on.
# Expected: the file is brought to that version, or an error. Copy it: ATTACH … (STORAGE_VERSION 'v1.5.0'), COPY FROM DATABASE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
import subprocess
import sys

import duckdb

duckdb.connect("w.duckdb").execute("CREATE TABLE t AS SELECT 1 AS a").close()
con = duckdb.connect("w.duckdb", config={"storage_compatibility_version": "v1.5.0"})
con.execute("CREATE OR REPLACE TABLE t AS SELECT range AS a FROM range(100000)")
setting = con.execute("SELECT current_setting('storage_compatibility_version')").fetchone()[0]
stored = con.execute("SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal").fetchone()[0]
con.close()
print("duckdb", duckdb.__version__, "setting", setting, "file", stored)
assert (setting, stored) == ("v1.5.0", "v2.0.0+")
PY
