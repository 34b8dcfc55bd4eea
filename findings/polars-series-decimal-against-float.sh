#!/usr/bin/env bash
# polars 2.1.0: `s > 134.2` over a Series of Decimal(20, 2) raises ("overflow in Python Decimal"), `s > 134.25` answers, and
# so does `pl.col("s") > 134.2`: a float that is no short binary fraction becomes a Decimal of fifty digits on the way.
# Expected: one answer for one comparison. Compare with a Decimal, or in an expression.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal

import polars as pl

s = pl.Series("close", [Decimal("0.01"), Decimal("134.25")], dtype=pl.Decimal(20, 2))
binary = (s > 134.125).to_list()
exact = (s > Decimal("134.2")).to_list()
expression = s.to_frame().select(pl.col("close") > 134.2).to_series().to_list()
try:
    eager = (s > 134.2).to_list()
except pl.exceptions.ComputeError as error:
    eager = str(error)
print("polars", pl.__version__, "> 134.125:", binary, "> Decimal:", exact, "expression:", expression, "eager:", eager)
assert binary == exact == expression == [False, True]
assert "overflow in Python Decimal" in eager
PY
