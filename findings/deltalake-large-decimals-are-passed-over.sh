#!/usr/bin/env bash
# deltalake 1.6.6: the least and the greatest of a DECIMAL are kept in the log as doubles, and readers pass over files by
# them. $75,123,456,789,012.35 is kept as .34, so a filter for the exact total, or for no more than it, does not find the
# row; seen through polars 2.1.0, PyArrow 26.0.0 and the DataFusion inside. From $70.37 trillion doubles are 1/64 apart.
# Expected: the row, as PyIceberg finds it. Instead: filter tables of such totals by date, or read first and filter then.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check deltalake==1.6.6 polars==2.1.0 pyarrow==26.0.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from datetime import date
from decimal import Decimal
from importlib.metadata import version

import deltalake
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds

total = Decimal("75123456789012.35")
days, totals = [date(2026, 6, 1), date(2026, 6, 2)], [total, Decimal("75200000000000.01")]
rows = pa.table({"date": days, "total": pa.array(totals, pa.decimal128(20, 2))})
for place in range(2):
    deltalake.write_deltalake("table", rows.slice(place, 1), mode="append")
table = deltalake.DeltaTable("table")
kept = pa.table(table.get_add_actions(flatten=True)).to_pydict()["max.total"]
asked = deltalake.QueryBuilder().register("t", table)
seen = {
    "polars, =": pl.scan_delta("table").filter(pl.col("total") == total).collect().height,
    "polars, all then =": pl.scan_delta("table").collect().filter(pl.col("total") == total).height,
    "pyarrow, =": table.to_pyarrow_table(filters=[("total", "=", total)]).num_rows,
    "pyarrow, >=": table.to_pyarrow_dataset().to_table(filter=ds.field("total") >= pa.scalar(total)).num_rows,
    "datafusion, <=": pa.table(asked.execute(f"SELECT * FROM t WHERE total <= {total}").read_all()).num_rows,
}
print(*(f"{name} {version(name)}" for name in ("deltalake", "polars", "pyarrow")), "kept:", kept, seen)
assert seen == {"polars, =": 0, "polars, all then =": 1, "pyarrow, =": 0, "pyarrow, >=": 1, "datafusion, <=": 0}, seen
PY
