#!/usr/bin/env bash
# ClickHouse (chdb 4.4.0, 26.9): dividing two Decimal(20, 2) keeps the left scale and cuts, so that a percentage is always
# too low by up to a hundredth: 26.85 for 26.8599. polars keeps two digits as well, but rounds: 26.86.
# Expected: rounding, or more digits. Use toFloat64(a) / toFloat64(b), or divideDecimal(a, b, 18).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check chdb==4.4.0
cd "$work"
env/bin/python -W ignore - <<'PY'
import chdb

caps = "toDecimal128('11084381243630.15', 2) AS mag7, toDecimal128('41267451059989.73', 2) AS total"
seen = str(chdb.query(f"SELECT 100 * mag7 / total, divideDecimal(100 * mag7, total, 6), 100 * toFloat64(mag7) / toFloat64(total) FROM (SELECT {caps})")).strip()
print("chdb", chdb.__version__, seen)
cut, wide, double = seen.split(",")
assert cut == "26.85"
assert wide.startswith("26.85986")
assert round(float(double), 2) == 26.86
PY
