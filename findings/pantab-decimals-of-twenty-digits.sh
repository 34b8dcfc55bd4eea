#!/usr/bin/env bash
# pantab 5.3.0, which writes Tableau's extracts: a DECIMAL(20,2) is refused ("does not support 128-bit numerics"), a
# DECIMAL(18,2) is not. The limit is that of the format which it writes by default, not Tableau's: with
# process_params={"default_database_version": "3"} twenty digits go in and come back.
# Expected: Hyper's NUMERIC of up to 38 digits at once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pantab==5.3.0 pyarrow==26.0.1
cd "$work"
env/bin/python -W ignore - <<'PY'
from decimal import Decimal
from importlib.metadata import version

import pantab
import pyarrow as pa


def written(digits, **options):
    caps = pa.table({"cap": pa.array([Decimal("3017059066789.12")], pa.decimal128(digits, 2))})
    try:
        pantab.frame_to_hyper(caps, "caps.hyper", table="caps", **options)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    back = pantab.frame_from_hyper("caps.hyper", table="caps", return_type="pyarrow")
    return str(back.schema.field("cap").type), back["cap"].to_pylist() == caps["cap"].to_pylist()


seen = {"18": written(18), "20": written(20), "20, version 3": written(20, process_params={"default_database_version": "3"})}
print("pantab", version("pantab"), seen)
assert seen["18"] == ("decimal128(18, 2)", True)
assert seen["20"] == "This database does not support 128-bit numerics."
assert seen["20, version 3"] == ("decimal128(20, 2)", True)
PY
