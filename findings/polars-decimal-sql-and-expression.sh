#!/usr/bin/env bash
# polars 2.1.0: the same division of the same two decimals has two digits as an expression and eight as SQL.
# `pl.col.a / pl.col.b` and `pl.sql_expr("a / b")` are two spellings of one thing, and differ. (1.44.2: two digits both
# ways.) Expected: one rule. Cast to Float64 before dividing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal

import polars as pl

money = pl.Decimal(20, 2)
t = pl.DataFrame({"a": [Decimal("2.00")], "b": [Decimal("3.00")]}, schema={"a": money, "b": money})
expression = t.select(pl.col("a") / pl.col("b")).item()
sql = t.sql("SELECT a / b FROM self").item()
inside = t.select(pl.sql_expr("a / b")).item()
print("polars", pl.__version__, expression, sql, inside)
assert expression == Decimal("0.67")
assert sql == inside == Decimal("0.66666667")
PY
