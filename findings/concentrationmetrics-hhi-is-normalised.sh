#!/usr/bin/env bash
# concentrationMetrics 0.6.0, the one library for this on the index: Index().hhi(x) is not the Herfindahl-Hirschman index but
# the one normalised by the number of companies, (H - 1/N) / (1 - 1/N): 0.0177 for 0.1580 over seven. 1 / hhi, taken as
# the effective number of companies, is then 56.5 of seven. The plain index is hk(x, 2); simpson(x) is 1 minus it.
# Expected: the plain sum of squares under that name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check concentrationMetrics==0.6.0
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
from concentrationMetrics import Index

caps = np.array([3.42, 3.25, 3.09, 2.35, 2.18, 1.53, 1.23])
plain = float(((caps / caps.sum()) ** 2).sum())
seen = {name: float(value) for name, value in (("hhi", Index().hhi(caps)), ("hk", Index().hk(caps, 2)), ("simpson", Index().simpson(caps)))}
print("concentrationMetrics", version("concentrationMetrics"), plain, seen)
assert abs(seen["hhi"] - (plain - 1 / 7) / (1 - 1 / 7)) < 1e-12
assert abs(seen["hk"] - plain) < 1e-12
assert abs(seen["simpson"] - (1 - plain)) < 1e-12
PY
