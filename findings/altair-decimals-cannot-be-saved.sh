#!/usr/bin/env bash
# Altair 6.3.0: a DECIMAL of an Arrow table or a polars frame is inferred as quantitative, and the chart made of it cannot be
# written: to_json raises TypeError, since the rows keep Python's Decimal. In a pandas frame the same column is nominal, an
# axis of names. With vegafusion 2.0.3 as the data transformer the same chart is written, and its sum is right.
# Expected: numbers in the chart's JSON. Instead: cast to double first, or alt.data_transformers.enable("vegafusion").
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check altair==6.3.0 vegafusion==2.0.3 vl-convert-python==1.9.0.post1 pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal
from importlib.metadata import version

import altair as alt
import polars as pl
import pyarrow as pa

caps = pa.table({"ticker": ["AAPL", "MSFT"], "cap": pa.array([Decimal("3017059066789.12"), Decimal("998000000000.00")], pa.decimal128(20, 2))})
seen = {}
for name, frame in (("arrow", caps), ("polars", pl.from_arrow(caps)), ("pandas", caps.to_pandas())):
    chart = alt.Chart(frame).mark_bar().encode(x="ticker", y="cap")
    kind = chart.to_dict()["encoding"]["y"]["type"]
    try:
        chart.to_json()
        seen[name] = (kind, "written")
    except TypeError as error:
        seen[name] = (kind, str(error))
alt.data_transformers.enable("vegafusion")
data = alt.Chart(caps).mark_bar().encode(y="sum(cap):Q").to_dict(format="vega")["data"]
print("altair", version("altair"), seen, data[0]["values"])
refused = "Object of type Decimal is not JSON serializable"
assert seen == {"arrow": ("quantitative", refused), "polars": ("quantitative", refused), "pandas": ("nominal", refused)}
assert data[0]["values"] == [{"sum_cap": 4015059066789.12}]
PY
