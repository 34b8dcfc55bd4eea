#!/usr/bin/env bash
# PyIceberg 0.12.0: add_files takes Parquet files of Hive folders into a table partitioned by their key, does not read the
# folder's name, and gives every row a date of NULL, in the table and in its partitions; a filter by date has no rows.
# Expected: the dates of the folders, as Spark's add_files and DuckDB's, pyarrow's and Daft's readers have them, or an error.
# Register files that hold the date as a column.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'pyiceberg[sql-sqlite,pyarrow]==0.12.0' pyarrow==26.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.transforms import IdentityTransform

days = [date(2024, 12, 2), date(2024, 12, 3)]
catalog = SqlCatalog("lake", uri="sqlite:///catalog.db", warehouse=Path.cwd().as_uri())
catalog.create_namespace("market")


def dates(name, files, schema):
    table = catalog.create_table(f"market.{name}", schema=schema)
    with table.update_spec() as spec:
        spec.add_field("trading_date", IdentityTransform(), "trading_date")
    table.add_files([f"file://{file.absolute()}" for file in files])
    one_day = table.scan(row_filter=f"trading_date = '{days[0]}'").to_arrow().num_rows
    return table.scan().to_arrow()["trading_date"].to_pylist(), one_day


schema = pa.schema([("trading_date", pa.date32()), ("close", pa.float64())])
of_folders, with_column = [], []
for day in days:
    rows = pa.table({"trading_date": [day], "close": [400.0]}, schema=schema)
    of_folders.append(Path(f"bars/trading_date={day}/part-0.parquet"))
    with_column.append(Path(f"flat/{day}.parquet"))
    for file in (of_folders[-1], with_column[-1]):
        file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows.drop(["trading_date"]), of_folders[-1])
    pq.write_table(rows, with_column[-1])

by_folder, by_column = dates("folders", of_folders, schema), dates("columns", with_column, schema)
print(version("pyiceberg"), "dates of folders, rows of one date:", by_folder, "of columns:", by_column)
assert by_folder == ([None, None], 0)
assert (sorted(by_column[0]), by_column[1]) == (days, 1)
PY
