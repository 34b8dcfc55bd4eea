#!/usr/bin/env bash
# pandas 3.1.1 with engine="fastparquet": an integer column that may hold NULL, and holds none, comes back as float64, while
# fastparquet 2026.9.0 itself reads Int64: pandas asks it for the old way. Above 2^53 digits are lost without a sign.
# Expected: what fastparquet gives, or int64. Use engine="pyarrow", or fastparquet.ParquetFile(...).to_pandas().
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 fastparquet==2026.9.0 pyarrow==26.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
import fastparquet
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

volume = 2**53 + 1
schema = pa.schema([pa.field("volume", pa.int64())])
pq.write_table(pa.table({"volume": [volume, 1]}, schema), "t.parquet", write_statistics=False, store_schema=False)
through = pd.read_parquet("t.parquet", engine="fastparquet").volume
alone = fastparquet.ParquetFile("t.parquet").to_pandas().volume
arrow = pd.read_parquet("t.parquet", engine="pyarrow").volume
print("pandas", pd.__version__, "fastparquet", fastparquet.__version__, through.dtype, alone.dtype, arrow.dtype, int(through[0]) - volume)
assert (str(through.dtype), str(alone.dtype), str(arrow.dtype)) == ("float64", "Int64", "int64")
assert int(through[0]) != volume == int(alone[0])
PY
