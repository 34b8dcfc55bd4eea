#!/usr/bin/env bash
# price-parser on figures as brokers and fund issuers print them: the minus of a debit is lost, an eighth becomes 125,
# and eight million with Swiss marks (iShares Switzerland) is eight. Nothing is raised.
# Expected: -400.00, 0.125 and 8000000, or None. Read both decimal marks, and let the rest of the file choose.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check price-parser==0.5.1
cd "$work"
env/bin/python - <<'PY'
from importlib.metadata import version

from price_parser import Price

FIGURES = ("-$400.00", "-400.00", "$(400.00)", "0.125", "USD 0.600", "8\u2019000\u2019000", "8\u2019000.00 CHF")
seen = {figure: str(Price.fromstring(figure).amount) for figure in FIGURES}
print("price-parser", version("price-parser"))
for figure, amount in seen.items():
    print(f"{figure:>15}  {amount}")
assert list(seen.values()) == ["400.00", "400.00", "400.00", "125", "600", "8", "8"]
PY
