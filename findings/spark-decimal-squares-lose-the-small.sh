#!/usr/bin/env bash
# Spark 4.3.0: a concentration index computed in decimals loses its small companies.
# A share of two DECIMAL(20,2) is decimal(38,18); its square is decimal(38,6), because 36 digits after the point do not
# leave room for the digits before it. A weight below 0.07 % squares to 0.000000. Expected: 36 or 18 digits, or an error.
# Sum CAST(weight AS DOUBLE) * CAST(weight AS DOUBLE) instead.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==4.3.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal

import pyspark
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
spark.sql("SELECT CAST(1000 / id AS DECIMAL(20,2)) AS cap FROM range(1, 501)").createOrReplaceTempView("caps")
weights = "SELECT cap / (SELECT CAST(SUM(cap) AS DECIMAL(20,2)) FROM caps) AS w FROM caps"
row = spark.sql(f"""
    SELECT SUM(w * w) AS in_decimals, SUM(CAST(w AS DOUBLE) * CAST(w AS DOUBLE)) AS in_doubles,
        COUNT_IF(w * w = 0) AS lost, MAX(typeof(w)) AS w_type, MAX(typeof(w * w)) AS square_type
    FROM ({weights})""").first()
print("pyspark", pyspark.__version__, row)
assert (row.w_type, row.square_type) == ("decimal(38,18)", "decimal(38,6)")
assert row.lost > 200
assert abs(float(row.in_decimals) / row.in_doubles - 1) > 1e-5
spark.stop()
PY
