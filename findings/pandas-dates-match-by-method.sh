#!/usr/bin/env bash
# pandas 3.1.1: whether the date of a Parquet file (date32) meets a Timestamp or a text of the same day depends on the method
# and on the dtype backend. `==` finds nothing where `isin` finds the row, `reindex` works in one direction only, `merge`
# refuses what `join` does, and `concat(axis=1)` of two indices of the same two days has four rows, one side doubled.
# Expected: one answer, found or refused. Bring both sides to datetime64 by `pd.to_datetime` first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
import datetime as dt
from importlib.metadata import version

import pandas as pd
import pyarrow as pa

days = [dt.date(2024, 6, 3), dt.date(2024, 6, 4)]
objects = pd.DataFrame({"day": days, "x": [1.0, 2.0]})
arrow = objects.assign(day=objects.day.astype(pd.ArrowDtype(pa.date32())))
stamps = pd.DataFrame({"day": pd.to_datetime(days), "y": [3.0, 4.0]})


def merged(frame):
    try:
        return len(frame.merge(stamps, on="day"))
    except ValueError:
        return "refused"


def seen_of(frame):
    x, y = frame.set_index("day").x, stamps.set_index("day").y
    return {
        "== Timestamp": int((frame.day == stamps.day[0]).sum()),
        "isin Timestamps": int(frame.day.isin(stamps.day).sum()),
        "== text": int((frame.day == "2024-06-03").sum()),
        "isin text": int(frame.day.isin(["2024-06-03"]).sum()),
        "merge": merged(frame),
        "join": len(frame.set_index("day").join(y, how="inner")),
        "x.reindex(stamps)": int(x.reindex(stamps.day).notna().sum()),
        "y.reindex(dates)": int(y.reindex(frame.day).notna().sum()),
        "concat, rows": len(pd.concat([x, y], axis=1)),
    }


seen = {"objects": seen_of(objects), "Arrow": seen_of(arrow)}
print("pandas", version("pandas"), "pyarrow", version("pyarrow"), "two days on each side")
for name, row in seen.items():
    print(f"  {name:8}", row)
assert list(seen["objects"].values()) == [0, 0, 0, 0, "refused", 2, 2, 2, 4], seen["objects"]
assert list(seen["Arrow"].values()) == [0, 2, 0, 1, "refused", 2, 2, 0, 2], seen["Arrow"]
PY
