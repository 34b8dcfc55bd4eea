#!/usr/bin/env bash
# Close x shares, 248.13 x 15,115,823,000, in two pairs of types that hold both factors with room to spare.
# DuckDB 2.0.1: DECIMAL(14,6) x DECIMAL(17,2) overflows, since a product of two narrow decimals stays at 18 digits;
# DECIMAL(20,6) x DECIMAL(20,2) is exact. PyArrow 26.0.1: the other way about, the wide pair is refused (41 digits).
# polars 2.1.0: both, but with 6 digits after the point, not 8. Expected: both exact everywhere, the digits added up.
# CAST(close_price AS DECIMAL(19,6)) x CAST(shares_outstanding AS DECIMAL(18,2)) has 37 digits, which all of them hold.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

CLOSE, SHARES, CAP = Decimal("248.130000"), Decimal("15115823000.00"), Decimal("3750689160990")


def product(library, first, second):
    table = pa.table({"a": pa.array([CLOSE], pa.decimal128(*first)), "b": pa.array([SHARES], pa.decimal128(*second))})
    try:
        if library is pa:
            found = pc.multiply(table["a"], table["b"])[0].as_py()
        elif library is pl:
            found = pl.from_arrow(table).select(pl.col("a") * pl.col("b")).item()
        else:
            connection = duckdb.connect()
            connection.register("t", table)
            (found,) = connection.execute("SELECT a * b FROM t").fetchone()
    except Exception as error:
        return type(error).__name__
    assert found == CAP, found
    return -found.as_tuple().exponent


PAIRS = {"narrow": ((14, 6), (17, 2)), "wide": ((20, 6), (20, 2)), "for all": ((19, 6), (18, 2))}
seen = {(lib.__name__, name): product(lib, *pair) for lib in (duckdb, pa, pl) for name, pair in PAIRS.items()}
for library in (duckdb, pa, pl):
    print(library.__name__, library.__version__, {name: seen[library.__name__, name] for name in PAIRS})
assert seen == {
    ("duckdb", "narrow"): "OutOfRangeException", ("duckdb", "wide"): 8, ("duckdb", "for all"): 8,
    ("pyarrow", "narrow"): 8, ("pyarrow", "wide"): "ArrowInvalid", ("pyarrow", "for all"): 8,
    ("polars", "narrow"): 6, ("polars", "wide"): 6, ("polars", "for all"): 6,
}, seen
PY
