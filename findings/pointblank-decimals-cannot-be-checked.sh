#!/usr/bin/env bash
# pointblank 1.1.1 over polars 2.1.0: a check of a DECIMAL column cannot be run at all. A Decimal as the bound is refused
# when the step is made (TypeError: no len()), a float when it is run (is_nan is not for decimals); as a double it passes.
# Expected: the comparison that polars itself makes. Instead: cast the column to double in `pre`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pointblank==1.1.1 polars==2.1.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal
from importlib.metadata import version

import pointblank as pb
import polars as pl

caps = pl.DataFrame({"cap": [Decimal("3017059066789.12"), Decimal("998000000000.00")]}, schema={"cap": pl.Decimal(20, 2)})
assert caps.filter(pl.col("cap") > Decimal("1.00")).height == 2


def outcome(frame, bound):
    try:
        return pb.Validate(frame).col_vals_gt("cap", bound).interrogate().n_failed(i=1, scalar=True)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


seen = [outcome(caps, Decimal("1.00")), outcome(caps, 1.0), outcome(caps.cast(pl.Float64), 1.0)]
print("pointblank", version("pointblank"), "polars", version("polars"), seen)
assert seen[0].startswith("TypeError"), seen[0]
assert "is_nan" in seen[1], seen[1]
assert seen[2] == 0
PY
