#!/usr/bin/env bash
# plotnine 0.15.9 takes a DECIMAL column of pandas for categories: the bar of $17.65 trillion is three times as high as that
# of $0.99 trillion, since it is the third value, without a word. A line through such values is not drawn, with a warning
# about groups.
# Expected: the heights of the figures, as matplotlib, seaborn and plotly have them; plotly and Lets-Plot make floats of them.
# Cast money to double before plotnine sees it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check plotnine==0.15.9 pandas==3.1.1 pyarrow==26.0.1
cd "$work"
MPLBACKEND=Agg env/bin/python -W ignore - <<'PY'
import warnings
from decimal import Decimal
from importlib.metadata import version

import plotnine as p9
import pyarrow as pa

caps = [Decimal("985000000000.00"), Decimal("3420000000000.12"), Decimal("17650000000000.35")]
frame = pa.table({"day": [1, 2, 3], "cap": pa.array(caps, pa.decimal128(20, 2))}).to_pandas()


def marks(frame, geom):
    (axes,) = (p9.ggplot(frame, p9.aes("day", "cap")) + geom).draw().axes
    return [path.vertices for collection in axes.collections for path in collection.get_paths()] or list(axes.lines)


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", p9.exceptions.PlotnineWarning)
    bars = marks(frame, p9.geom_col())
heights = [float(bar[:, 1].max()) for bar in bars]
floats = [float(bar[:, 1].max()) for bar in marks(frame.astype({"cap": float}), p9.geom_col())]
print(version("plotnine"), "bars of decimals", heights, "bars of floats", floats)
line, line_of_floats = len(marks(frame, p9.geom_line())), len(marks(frame.astype({"cap": float}), p9.geom_line()))
print("lines drawn: of decimals", line, "of floats", line_of_floats)
assert not caught and heights == [1, 2, 3] and floats == [float(cap) for cap in caps]
assert (line, line_of_floats) == (0, 1)
PY
