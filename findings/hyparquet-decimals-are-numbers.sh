#!/usr/bin/env bash
# hyparquet 1.31.5 (JavaScript): DECIMAL is read into a number, exact to the cent up to $90,071,992,547,409.91 (2^53
# cents) and not beyond: 91,000,000,000,000.01 is read as 91000000000000. The market value of the S&P 500 is past
# $60 trillion. Expected: a string or a BigInt, as INT64 is given. Send totals as text if the cent matters.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund hyparquet@1.31.5 hyparquet-compressors@1.1.2
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1
env/bin/python - <<'PY'
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

caps = [Decimal("51909999999999.99"), Decimal("91000000000000.01")]
pq.write_table(pa.table({"cap": pa.array(caps, pa.decimal128(20, 2))}), "caps.parquet")
PY
node --input-type=module - <<'JS'
import {asyncBufferFromFile, parquetReadObjects} from 'hyparquet'
import {compressors} from 'hyparquet-compressors'
import {readFileSync} from 'node:fs'
const rows = await parquetReadObjects({file: await asyncBufferFromFile('caps.parquet'), compressors})
const {version} = JSON.parse(readFileSync('node_modules/hyparquet/package.json'))
console.log('hyparquet', version, rows)
if (rows[0].cap !== 51909999999999.99 || rows[1].cap !== 91000000000000) process.exit(1)
JS
