"""The index fund's weight of the Mag 7 by date, kept in `state/fund_weights.json`: for an answer without an engine.

It was computed by prices (`fund_weights`), and counts only while the files of the funds, and those of the tables that
prices and splits are in, are what they were. The file saves work and decides nothing.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import orjson

from mag7cli import __version__
from mag7cli.analytics.summary import FundWeight
from mag7cli.core.errors import StoreError
from mag7cli.lake.layout import ANALYTICS, FUNDS, HOLDINGS, Lake

if TYPE_CHECKING:
    from mag7cli.analytics.series import SeriesRow

KEY: Final = "state/fund_weights.json"

_ZONES: Final = (
    *(HOLDINGS, FUNDS),
    *(f"{ANALYTICS}{table}/" for table in ("concentration_metrics", "sp500_constituents", "stock_splits")),
)


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A date: the day of the file behind it, how the weight follows from it, and the Mag 7 together, percent.

    `return_pct` is what the holdings gained since the date before, by prices; None if they do not say.
    """

    as_of: date
    basis: str
    mag7_pct: float
    return_pct: float | None


@dataclass(frozen=True, slots=True)
class KeptWeights:
    """A fund: what each of its files says of the Mag 7, percent by ticker, and their weight on each date.

    `fund` is empty where no file of a fund of the index is kept.
    """

    fund: str
    files: Mapping[date, Mapping[str, float]]
    days: Mapping[date, KeptDay]

    def on(self, day: date | None) -> FundWeight | None:
        """The weight by the newest file until a date, and taken to it by prices; None if no file is that old.

        Without a date it is that of the newest file, taken to the last date that it speaks for.
        """
        as_of = max((each for each in self.files if day is None or each <= day), default=None)
        if as_of is None:
            return None
        spoken_for = [on for on, of in self.days.items() if of.as_of == as_of and day in (None, on)]
        last = max(spoken_for, default=None)
        if last is None or self.days[last].basis == "file":
            return FundWeight(self.fund, as_of, self.files[as_of])
        of = self.days[last]
        return FundWeight(self.fund, as_of, self.files[as_of], on=last, on_pct=of.mag7_pct, basis=of.basis)


NO_FUND: Final = KeptWeights("", {}, {})


def with_fund(rows: "Iterable[SeriesRow]", weights: KeptWeights) -> "tuple[SeriesRow, ...]":
    """The rows with the fund's weight beside the share, where there is one."""
    return tuple(_with_fund(row, weights.fund, weights.days.get(row.on)) for row in rows)


def _with_fund(row: "SeriesRow", fund: str, day: KeptDay | None) -> "SeriesRow":
    if day is None:
        return row
    return replace(row, fund=fund, fund_weight_pct=day.mag7_pct, fund_as_of=day.as_of, fund_basis=day.basis)


def fingerprint(lake: Lake) -> str:
    """Of what the weights follow from: taken before they are computed, it is that of what they were computed from."""
    files = [f"{info.key} {info.version}" for zone in _ZONES for info in lake.store.list(zone)]
    return "\n".join([f"mag7cli {__version__}", *files])


def read(lake: Lake) -> KeptWeights | None:
    """What is kept, if it is of the files that are there. Raises StoreError if these cannot be listed."""
    try:
        content = orjson.loads(lake.store.read(KEY))
        if content["of"] != fingerprint(lake):
            return None
        days = {date.fromisoformat(on): _day(*of) for on, *of in content["days"]}
        files = {
            date.fromisoformat(as_of): {ticker: _percent(pct) for ticker, pct in of.items()}
            for as_of, of in content["files"].items()
        }
        return KeptWeights(str(content["fund"]), files, days)
    except (StoreError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return None


def write(lake: Lake, of: str, weights: KeptWeights) -> None:
    """Keep the weights that follow from what has this fingerprint; a lake that may only be read keeps none."""
    content = {
        "of": of,
        "fund": weights.fund,
        "files": {as_of.isoformat(): dict(parts) for as_of, parts in sorted(weights.files.items())},
        "days": [[on, day.as_of, day.basis, day.mag7_pct, day.return_pct] for on, day in sorted(weights.days.items())],
    }
    with suppress(StoreError):
        lake.store.write(KEY, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))


def _day(as_of: str, basis: str, pct: Any, return_pct: Any) -> KeptDay:
    gained = None if return_pct is None else _percent(return_pct)
    return KeptDay(date.fromisoformat(as_of), basis, _percent(pct), gained)


def _percent(value: Any) -> float:
    """A number of the file as it is. Raises TypeError for what is none."""
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number of percent")
    return value
