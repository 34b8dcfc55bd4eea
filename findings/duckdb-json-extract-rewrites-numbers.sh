#!/usr/bin/env bash
# DuckDB 2.0.1: a number of a JSON file, taken as text with `->>`, is not the text of the file: it went through a double,
# so that 80000000000000.82 is read as '80000000000000.81', and casting it to DECIMAL(20,2) comes too late. Expected: the
# characters of the file. The same number by read_json with a DECIMAL column keeps its cents; so does PyArrow 26.0.1 with
# an explicit schema. Name the columns, or take totals above $70 trillion from tables.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1
cd "$work"
printf '{"total":80000000000000.81}\n{"total":80000000000000.82}\n{"total":987654321098765.43}\n' >totals.json
env/bin/python -W ignore - <<'PY'
import duckdb
import pyarrow as pa
import pyarrow.json as pj

WRITTEN = ["80000000000000.81", "80000000000000.82", "987654321098765.43"]


def column(sql):
    return [str(row[0]) for row in duckdb.sql(sql).fetchall()]


extracted = column("SELECT json->>'total' FROM read_json_objects('totals.json')")
cast = column("SELECT CAST(json->'total' AS DECIMAL(20,2)) FROM read_json_objects('totals.json')")
declared = column("SELECT total FROM read_json('totals.json', columns = {total: 'DECIMAL(20,2)'})")
schema = pj.ParseOptions(explicit_schema=pa.schema([("total", pa.decimal128(20, 2))]))
arrow = [str(value) for value in pj.read_json("totals.json", parse_options=schema)["total"].to_pylist()]
print("duckdb", duckdb.__version__, "->>", extracted, "cast", cast, "declared", declared)
print("pyarrow", pa.__version__, "declared", arrow)
assert declared == arrow == WRITTEN
assert extracted == ["80000000000000.81", "80000000000000.81", "987654321098765.4"]
assert cast == ["80000000000000.81", "80000000000000.81", "987654321098765.40"]
PY
