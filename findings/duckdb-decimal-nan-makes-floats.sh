#!/usr/bin/env bash
# DuckDB 2.0.1 over a pandas frame of Decimal objects: one Decimal("NaN") or Decimal("Infinity") makes the column FLOAT, of
# 32 bits, and $17,600,000,000,000.01 becomes $17,600,000,032,768. None, pd.NA or a float NaN in its place keep DECIMAL.
# Expected: DOUBLE, or an error. Put None where a Decimal is no number (`x if x.is_finite() else None`) before querying.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal
from importlib.metadata import version

import duckdb
import pandas as pd

MONEY = Decimal("17600000000000.01")
print("duckdb", version("duckdb"), "pandas", version("pandas"))
seen = {}
for other in (Decimal("NaN"), Decimal("Infinity"), float("nan"), None, pd.NA):
    frame = pd.DataFrame({"cap": pd.Series([MONEY, other], dtype=object)})
    seen[repr(other)] = duckdb.sql("SELECT typeof(cap), cap FROM frame").fetchall()[0]
    print(" ", other, *seen[repr(other)])
for other in ("Decimal('NaN')", "Decimal('Infinity')"):
    assert seen[other] == ("FLOAT", 17600000032768.0)
for other in ("nan", "None", "<NA>"):
    assert seen[other] == ("DECIMAL(16,2)", MONEY)
PY
