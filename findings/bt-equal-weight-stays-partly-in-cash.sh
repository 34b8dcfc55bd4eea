#!/usr/bin/env bash
# bt 1.4.1: an equal weight of 500 companies buys whole shares of its million, so the dearest are not bought at all (here
# four, above $2,000) and the small change of the others stays cash: 4 % of the money, 1.5 points of return in two years.
# Expected: rounding in the third decimal. Instead: Backtest(..., integer_positions=False) for a strategy's measure.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check bt==1.4.1 ffn==1.4.1 pandas==3.1.1 numpy
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import bt
import numpy as np
import pandas as pd

draws = np.random.default_rng(1)
sessions = pd.bdate_range("2023-01-02", "2024-12-31")
first = np.exp(draws.normal(4.6, 1.0, 500))
first[:3] = 8000, 3500, 3200  # as NVR, Booking and AutoZone
moves = draws.normal(0.0004, 0.015, (len(sessions), 500))
moves[0] = 0
closes = pd.DataFrame(first * np.exp(np.cumsum(moves, 0)), index=sessions, columns=[f"T{i}" for i in range(500)])


def invested(**options):
    steps = [bt.algos.RunQuarterly(), bt.algos.SelectAll(), bt.algos.WeighEqually(), bt.algos.Rebalance()]
    result = bt.run(bt.Backtest(bt.Strategy("equal", steps), closes, **options))
    weights = result.get_security_weights().iloc[5]
    gain = result.prices.iloc[-1, 0] / result.prices.iloc[0, 0] - 1
    return int((weights == 0).sum()), round(float(weights.sum()), 3), round(100 * float(gain), 1)


whole, parts = invested(), invested(integer_positions=False)
print("bt", version("bt"), "not bought, invested, percent gained:", whole, "as fractions:", parts)
assert whole[0] == 4 and whole[1] < 0.97, whole
assert parts[0] == 0 and parts[1] > 0.999 and parts[2] - whole[2] > 1, parts
PY
