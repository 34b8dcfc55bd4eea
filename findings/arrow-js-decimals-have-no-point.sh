#!/usr/bin/env bash
# apache-arrow 21.2.0 (JavaScript): the value of a DECIMAL(20,2) prints, converts and serialises as the integer inside, a
# hundred times the amount: $51,909,999,999,999.99 is 5190999999999999. The scale is in the field's type only; charts in a
# browser that read Arrow (DuckDB-Wasm, parquet-wasm, Arquero) show it so. The type prints as Decimal[20e+2].
# Expected: 51909999999999.99. Divide by 10 ** field.type.scale, or send DOUBLE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund apache-arrow@21.2.0
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1
env/bin/python - <<'PY'
from decimal import Decimal

import pyarrow as pa

table = pa.table({"cap": pa.array([Decimal("51909999999999.99")], pa.decimal128(20, 2))})
with pa.OSFile("caps.arrow", "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
    writer.write_table(table)
PY
node --input-type=module - <<'JS'
import {tableFromIPC} from 'apache-arrow'
import {readFileSync} from 'node:fs'
const table = tableFromIPC(readFileSync('caps.arrow'))
const cap = table.getChild('cap').get(0), type = table.schema.fields[0].type
const {version} = JSON.parse(readFileSync('node_modules/apache-arrow/package.json'))
console.log('apache-arrow', version, String(cap), Number(cap), JSON.stringify(cap), String(type))
if (String(cap) !== '5190999999999999' || Number(cap) / 10 ** type.scale !== 51909999999999.99) process.exit(1)
JS
