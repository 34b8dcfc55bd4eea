"""Markets that never were: random tickers, splits, renames, share classes and fiscal calendars, for property tests.

What is true of the real market and nowhere else must not be built into the code under test; here it is all different.
"""

import random
import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from mag7cli.market import calendar
from mag7cli.market.records import Split
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.vendors.sandbox.blueprint import (
    Anchors,
    Blueprint,
    CompanyEvent,
    KnownFaults,
    OtherSecurity,
    Security,
    SymbolPeriod,
    from_tables,
)
from mag7cli.vendors.sandbox.market import START, Market
from mag7cli.vendors.sandbox.quarters import QuarterRule
from mag7cli.vendors.sandbox.reporting import Faults

_SECTORS: Final = ("Materials", "Energy", "Utilities")
_FISCAL: Final = ("end:3", "end:1", "end:2", "last-sat:3", "near-sun:1", "near-fri:2", "last-fri:1", "near-thu:2")
_RATIOS: Final = ((1, 2), (1, 3), (1, 4), (1, 10), (1, 20), (1, 50), (2, 3), (4, 5), (8, 1), (10, 1))
_SPLIT_SHARE: Final = 0.45
_TWO_SPLITS_SHARE: Final = 0.3
_RENAMED_SHARE: Final = 0.15
_LATE_LISTED_SHARE: Final = 0.08
_TWO_LINES_SHARE: Final = 0.1
_UNLISTED_CLASS_SHARE: Final = 0.15
_EDGE: Final = 8
_BETWEEN_SPLITS: Final = 40


def invented_market(
    seed: int,
    lines: int = 40,
    start: date = START,
    end: date = date(2022, 12, 30),
    faults: Faults | None = None,
) -> Market:
    """A market of other names, splits, renames, classes and fiscal calendars; the Mag 7 are in it as well."""
    return Market(seed, start, end, faults, blueprint(seed, lines, start, end))


def blueprint(seed: int, lines: int, start: date, end: date) -> Blueprint:
    """A market of about `lines` lines. Alphabet's two lines and the rest of the Mag 7 are the first ones."""
    rng = random.Random(seed)
    sessions = calendar.sessions(start, end)
    made = [*_seven(rng), *_invented_lines(rng, lines, sessions)]
    levels = {name: (100.0, 100.0 * rng.uniform(0.6, 1.7)) for name in sorted({line.sector for line in made})}
    return Blueprint(
        securities=tuple(made),
        splits=tuple(_splits(rng, made, sessions)),
        anchor=sessions[-1],
        anchors=Anchors((sessions[0], sessions[-1]), {}, levels),
        events=tuple(_events(rng, made, sessions)),
        others=(
            _reused_symbol(made, sessions),
            OtherSecurity("SPY", "An index fund", "ETF", "0000884394", "ARCX", start, None, 400.0),
        ),
        counted=_counted(made),
        known_faults=KnownFaults(
            no_market_cap=(_weeks(rng, made, sessions),),
            no_cik_within=(sessions[len(sessions) // 2], sessions[-1]),
            frozen_until=rng.choice([None, sessions[len(sessions) // rng.randint(3, 6)]]),
        ),
    )


def _seven(rng: random.Random) -> list[Security]:
    """The Mag 7 and Alphabet's other line under their own names, with sizes and calendars of another world."""
    wanted = {*MAGNIFICENT_7, "GOOG"}
    real = [line for line in from_tables().securities if line.ticker in wanted]
    made: list[Security] = []
    for line in real:
        sister = next((other for other in made if other.cik == line.cik), None)
        shares = sister.shares if sister else rng.randint(10**8, 10**10)
        part = rng.uniform(0.3, 0.5) if line.shares != line.class_shares else 1.0
        fresh = replace(
            line,
            shares=shares,
            class_shares=round(shares * part),
            close_usd=round(rng.uniform(40, 900), 2),
            quarters=sister.quarters if sister else _quarters(rng),
            share_growth_pct=None,
        )
        made.append(replace(fresh, close_usd=round(sister.close_usd * 1.01, 2)) if sister else fresh)
    return made


def _invented_lines(rng: random.Random, count: int, sessions: Sequence[date]) -> list[Security]:
    taken = {*MAGNIFICENT_7, "GOOG", "FB", "SPY"}
    made: list[Security] = []
    while len(made) < max(count - 8, 4):
        made.extend(_company(rng, taken, sessions))
    return made


def _company(rng: random.Random, taken: set[str], sessions: Sequence[date]) -> list[Security]:
    ticker, shares = _ticker(rng, taken), rng.randint(10**7, 3 * 10**9)
    unlisted = rng.random() < _UNLISTED_CLASS_SHARE
    line = Security(
        ticker=ticker,
        name=f"{ticker.title()} Works",
        cik=f"{rng.randint(3_000_000, 9_999_999):010d}",
        sector=rng.choice(_SECTORS),
        close_usd=round(rng.uniform(8, 600), 2),
        shares=shares,
        class_shares=round(shares * rng.uniform(0.3, 0.9)) if unlisted else shares,
        quarters=_quarters(rng),
        listed_from=_session(rng, sessions) if rng.random() < _LATE_LISTED_SHARE else None,
        composite_figi=f"BBG{rng.randint(10**8, 10**9 - 1)}",
        symbols=_symbols(rng, ticker, taken, sessions),
    )
    if rng.random() >= _TWO_LINES_SHARE:
        return [line]
    sister = f"{ticker}.{rng.choice('AB')}"
    part = round(shares * rng.uniform(0.4, 0.6))
    return [
        replace(line, class_shares=part),
        replace(
            line,
            ticker=sister,
            name=f"{line.name} (other class)",
            class_shares=shares - part,
            close_usd=round(line.close_usd * rng.uniform(0.95, 1.05), 2),
            symbols=(SymbolPeriod(sister),),
            composite_figi=f"BBG{rng.randint(10**8, 10**9 - 1)}",
        ),
    ]


def _symbols(rng: random.Random, ticker: str, taken: set[str], sessions: Sequence[date]) -> tuple[SymbolPeriod, ...]:
    """Renamed now and then, in one case of two with details a session behind the bars."""
    if rng.random() >= _RENAMED_SHARE:
        return (SymbolPeriod(ticker),)
    row = rng.randrange(_EDGE, len(sessions) - _EDGE)
    behind = sessions[row] if rng.random() < 0.5 else None
    former = SymbolPeriod(_ticker(rng, taken), None, behind)
    return (former, SymbolPeriod(ticker, sessions[row]))


def _ticker(rng: random.Random, taken: set[str]) -> str:
    while True:
        ticker = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(2, 4)))
        if ticker not in taken:
            taken.add(ticker)
            return ticker


def _quarters(rng: random.Random) -> QuarterRule:
    return QuarterRule.parse(rng.choice(_FISCAL))


def _session(rng: random.Random, sessions: Sequence[date]) -> date:
    return sessions[rng.randrange(_EDGE, len(sessions) - _EDGE)]


def _splits(rng: random.Random, lines: Sequence[Security], sessions: Sequence[date]) -> list[Split]:
    """Splits of companies, so of all their lines at once; never before a line was listed."""
    splits: list[Split] = []
    for cik in dict.fromkeys(line.cik for line in lines):
        if rng.random() >= _SPLIT_SHARE:
            continue
        own = [line for line in lines if line.cik == cik]
        for day in _split_days(rng, own[0], sessions):
            old, new = rng.choice(_RATIOS)
            splits.extend(Split(line.ticker, day, float(old), float(new)) for line in own)
    return splits


def _split_days(rng: random.Random, line: Security, sessions: Sequence[date]) -> list[date]:
    rows = [
        row for row in range(_EDGE, len(sessions) - _EDGE) if not line.listed_from or sessions[row] > line.listed_from
    ]
    if not rows:
        return []
    first = rng.choice(rows)
    second = first + rng.randint(_BETWEEN_SPLITS, 4 * _BETWEEN_SPLITS)
    twice = rng.random() < _TWO_SPLITS_SHARE and second in rows
    return [sessions[first], sessions[second]] if twice else [sessions[first]]


def _events(rng: random.Random, lines: Sequence[Security], sessions: Sequence[date]) -> list[CompanyEvent]:
    """A merger paid in shares and a spin-off, of companies with one line outside the Mag 7."""
    single = [line for line in lines[8:] if sum(other.cik == line.cik for other in lines) == 1]
    merged, spun = rng.sample(single, 2) if len(single) > 1 else (lines[0], lines[1])
    return [
        CompanyEvent(merged.ticker, _session(rng, sessions), "share_issue", rng.uniform(1.1, 1.6)),
        CompanyEvent(spun.ticker, _session(rng, sessions), "spin_off", rng.uniform(0.6, 0.95)),
    ]


def _weeks(rng: random.Random, lines: Sequence[Security], sessions: Sequence[date]) -> tuple[str, date, date]:
    """Weeks without a market cap, of one of the Mag 7 that has one class."""
    ticker = rng.choice([line.ticker for line in lines[:8] if line.shares == line.class_shares])
    first = rng.randrange(_EDGE, max(len(sessions) - 30, _EDGE + 1))
    return ticker, sessions[first], sessions[min(first + 20, len(sessions) - 1)]


def _reused_symbol(lines: Sequence[Security], sessions: Sequence[date]) -> OtherSecurity:
    """A fund under the symbol that a line takes later, until shortly before; METV's story under any name."""
    renamed = [line for line in lines[8:] if len(line.symbols) > 1]
    line = renamed[0] if renamed else next(line for line in lines if line.ticker == "META")
    takeover = next((period.first_day for period in line.symbols if period.symbol == line.ticker), None)
    last = max((day for day in sessions if takeover and day < takeover), default=sessions[0])
    return OtherSecurity(
        line.ticker, "A fund of that symbol", "ETF", "0002999999", "ARCX", date(2020, 1, 2), last, 12.0, True
    )


def _counted(lines: Sequence[Security]) -> dict[str, str]:
    """The first line of every company with two."""
    first: dict[str, str] = {}
    twice: dict[str, str] = {}
    for line in lines:
        if line.cik in first:
            twice[line.cik] = first[line.cik]
        first.setdefault(line.cik, line.ticker)
    return twice
