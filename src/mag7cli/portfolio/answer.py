"""How much of a portfolio is in what: the values of an answer, which the command line and the page show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from mag7cli.market.groups import SEVEN
from mag7cli.portfolio.positions import OptionPosition


@dataclass(frozen=True, slots=True)
class CompanyExposure:
    """One company: its amount, its percentage of what is held, and by which way it is held.

    `via` gives the amount by fund symbol, and under `direct` what is held as shares.
    """

    ticker: str
    name: str
    amount: float
    pct: float
    via: Mapping[str, float]
    country: str = ""


@dataclass(frozen=True, slots=True)
class FundLookThrough:
    """A fund that was opened: its amount in the portfolio, and what it consists of, percent of the fund.

    `derivatives_pct` is the exposure of its futures and swaps, which are not opened; `gross_pct` the sum of its lines
    without their signs, above 100 where it owes money.
    """

    symbol: str
    name: str
    as_of: date | None
    amount: float
    mag7_pct: float
    companies_pct: float
    cash_pct: float
    unknown_pct: float
    derivatives_pct: float = 0.0
    gross_pct: float = 100.0


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two funds have in common: the sum over companies of the smaller of the two weights, percent."""

    first: str
    second: str
    pct: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """An amount of which nobody said what it is, and why; `symbol` is the fund or the line that it is in.

    `fund` is what the holdings of a fund that was not opened can be given under; empty if it is none.
    """

    symbol: str
    amount: float
    reason: str
    fund: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Unvalued:
    """A position that is in no total: its amount is None, or in a currency (`amount`, `currency`) without a rate."""

    symbol: str
    amount: float | None
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """What is held of the companies of a sector or a country: the amount, and its percentage of what is held."""

    name: str
    amount: float
    pct: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What the same money would have in the Mag 7 elsewhere, percent and amount, by a fund's file of `as_of`."""

    name: str
    pct: float
    amount: float
    as_of: date | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the funds cost in a year: the amount, as far as their expense ratios are known, percent of what is held.

    `covered_pct` is how much of the money in funds has a known ratio.
    """

    amount: float
    pct: float
    covered_pct: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """The whole portfolio, all amounts in `currency`.

    `mag7` and the figures called so are of the companies in question: the Mag 7, or those of another `group`, which
    `subject` calls in a sentence.
    The amounts of the Mag 7, other companies, cash and other, and unknown sum to `total`, which is net of what is
    owed; `held` is what is held without debts and short sales, and percentages are of it. `low_pct` and `high_pct`
    bound the Mag 7 where something is unknown. `others` are the largest of `others_count` other companies,
    `others_amount` is the amount of all; `cash_via` says how cash and other is held, as `via` does of a company. What
    `unvalued` and `options` list is in none of the amounts.
    """

    currency: str
    total: float
    held: float
    mag7: tuple[CompanyExposure, ...]
    mag7_amount: float
    mag7_pct: float
    mag7_pct_of_net: float | None
    low_pct: float
    high_pct: float
    others: tuple[CompanyExposure, ...]
    others_count: int
    others_amount: float
    cash: float
    cash_via: Mapping[str, float]
    unknown: tuple[Unknown, ...]
    unknown_amount: float
    unvalued: tuple[Unvalued, ...]
    options: tuple[OptionPosition, ...]
    funds: tuple[FundLookThrough, ...]
    overlaps: tuple[Overlap, ...]
    sectors: tuple[Group, ...]
    countries: tuple[Group, ...]
    benchmarks: tuple[Benchmark, ...]
    cost: Cost | None
    notes: tuple[str, ...]
    group: str = SEVEN
    subject: str = "the Magnificent 7"

    @property
    def them(self) -> str:
        """The companies in question, in short."""
        return "the Mag 7" if self.group == SEVEN else "the group"

    @property
    def is_range(self) -> bool:
        """Whether something unknown could be in the Mag 7."""
        return self.high_pct - self.low_pct > 0.005
