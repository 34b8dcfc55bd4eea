#!/usr/bin/env bash
# quantstats 0.0.86: returns of which none is negative and one is above 1 are taken for prices, and their changes are what is
# measured. Years of 81, 239 and 171 % give a best year of 195 %, a mean of 83 % and twice the volatility, without
# a word; a quarter of each of these returns is measured right.
# Expected: the same statistics of the same kind of numbers. Instead: none for such a series; pandas' own mean and std.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check quantstats==0.0.86 pandas==3.1.1 numpy==2.4.6
cd "$work"
env/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import pandas as pd
import quantstats as qs

years = pd.Series([0.81, 2.39, 1.71], index=pd.to_datetime(["2016-12-30", "2023-12-29", "2024-12-31"]))
seen = {
    name: [round(float(value), 4) for value in (qs.stats.best(returns), qs.stats.avg_return(returns), qs.stats.volatility(returns, annualize=False))]
    for name, returns in (("years", years), ("a quarter of each", years / 4))
}
true = [round(float(value), 4) for value in (years.max(), years.mean(), years.std())]
print("quantstats", version("quantstats"), "best, mean, volatility", seen, "true", true)
assert true == [2.39, 1.6367, 0.7925]
assert seen["years"] == [1.9506, 0.833, 1.5805]
assert seen["a quarter of each"] == [0.5975, 0.4092, 0.1981]
PY
