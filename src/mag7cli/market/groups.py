"""Groups of companies of the index: the Mag 7, the largest of each day, a sector of each day, or any tickers. Pure.

A group is a rule, not a list: who belongs to the ten largest, or to a sector, is another question on every date.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.core.suggestions import closest, did_you_mean
from mag7cli.market.magnificent_7 import MAGNIFICENT_7

SEVEN: Final = "mag7"
HINT: Final = "use mag7, top10, sector:Energy, AAPL,MSFT or a file with a ticker a line"

_LARGEST: Final = re.compile(r"top-?(\d{1,3})", re.IGNORECASE)
_SECTOR: Final = re.compile(r"sector:(.+)", re.IGNORECASE)
_TICKER: Final = re.compile(r"[A-Z][A-Z0-9]{0,5}([./-][A-Z]{1,2})?")
_WORDS: Final = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
_NUMBER_OF_COMPANIES: Final = 500


@dataclass(frozen=True, slots=True)
class CompanyGroup:
    """One kind of group: `tickers` (of the counted lines), the `largest` of a day, or a `sector`.

    `name` is how it is asked for. `without` are companies that are taken out of the group and of the index alike.
    """

    name: str
    tickers: tuple[str, ...] = ()
    largest: int | None = None
    sector: str | None = None
    without: tuple[str, ...] = ()

    @property
    def is_the_seven(self) -> bool:
        """True for the group that every table has: the Mag 7, nobody left out."""
        return self.name == SEVEN and not self.without

    @property
    def subject(self) -> str:
        """What the group is called in a sentence: `seven companies`, `the ten largest companies`."""
        if self.largest:
            word = _WORDS.get(self.largest, str(self.largest))
            subject = f"the {word} largest companies" if self.largest > 1 else "the largest company"
        elif self.sector:
            subject = f"the sector {self.sector}"
        else:
            count = len(set(self.tickers) - set(self.without))
            subject = f"{_WORDS.get(count, str(count))} companies" if count > 1 else "one company"
        return subject + (f", without {', '.join(self.without)} in group and index" if self.without else "")


THE_SEVEN: Final = CompanyGroup(SEVEN, MAGNIFICENT_7)


def parse(text: str, without: str = "") -> CompanyGroup:
    """The group behind the words of `--group` and `--without`.

    Args:
        text: `mag7`, `top10`, `sector:NAME`, or tickers separated by commas.
        without: Tickers separated by commas.

    Returns:
        The group, with its tickers in our spelling: FB is META, GOOG counts as GOOGL.

    Raises:
        UsageError: A word is no group, no sector, or no line of the index since 2021.
    """
    left_out = tickers_of(without.split(",")) if without.strip() else ()
    largest, sector = _LARGEST.fullmatch(text.strip()), _SECTOR.fullmatch(text.strip())
    if text.strip().lower() == SEVEN:
        return _checked(CompanyGroup(SEVEN, MAGNIFICENT_7, without=left_out))
    if largest:
        return CompanyGroup(f"top{_count(int(largest[1]))}", largest=int(largest[1]), without=left_out)
    if sector:
        name = _sector(sector[1].strip())
        return CompanyGroup(f"sector:{name}", sector=name, without=left_out)
    tickers = tickers_of(text.split(","))
    return _checked(CompanyGroup(",".join(tickers), tickers, without=left_out))


def of_file(name: str, content: str, without: str = "") -> CompanyGroup:
    """The group in a file: a ticker a line, or a CSV with a column `ticker`. Raises UsageError."""
    import csv

    rows = [row for row in csv.reader(content.splitlines()) if row and not row[0].startswith("#")]
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    place = heading.index("ticker") if "ticker" in heading else 0
    cells = [row[place] for row in rows[1 if "ticker" in heading else 0 :] if len(row) > place]
    if not cells:
        raise UsageError(f"{name} has no ticker", hint=HINT)
    left_out = tickers_of(without.split(",")) if without.strip() else ()
    return _checked(CompanyGroup(name, tickers_of(cells), without=left_out))


def members(group: CompanyGroup, caps_usd: Mapping[str, float], on: date) -> tuple[str, ...]:
    """Who belongs to a group on a date, of companies with these market values (USD, by counted line), largest first.

    Companies that the group leaves out are left out of the index, too, and so of `caps_usd`, by the caller.
    """
    ranked = sorted(caps_usd, key=lambda ticker: (-caps_usd[ticker], ticker))
    if group.largest:
        return tuple(ranked[: group.largest])
    if group.sector:
        from mag7cli.market import sectors

        return tuple(ticker for ticker in ranked if sectors.sector_on(ticker, on) == group.sector)
    return tuple(ticker for ticker in group.tickers if ticker not in group.without)


def tickers_of(words: Iterable[str]) -> tuple[str, ...]:
    """The counted lines that symbols of any time mean, once each, in their order. Raises UsageError."""
    return tuple(dict.fromkeys(_counted(word.strip().upper()) for word in words if word.strip()))


def _counted(word: str) -> str:
    if not _TICKER.fullmatch(word):
        raise UsageError(f"{word!r} is no ticker and no group", hint=HINT)
    from mag7cli.market import symbology  # the Mag 7 are a group without it

    ticker = symbology.vendor_symbol(word.replace("/", ".").replace("-", "."))
    called = {ticker} if ticker in _companies() else symbology.tickers_called(ticker)
    if len(called) != 1:
        raise UsageError(f"{word} was no line of the index since 2021", hint=did_you_mean(word, _companies()) or HINT)
    return _companies()[next(iter(called))]


@cache
def _companies() -> dict[str, str]:
    """The counted line of the company of each line."""
    from mag7cli.market import symbology

    companies = symbology.companies(symbology.known_constituents())
    return {ticker: company.counted for company in companies for ticker in (company.counted, *company.others)}


def _count(largest: int) -> int:
    if not 1 <= largest <= _NUMBER_OF_COMPANIES:
        raise UsageError(f"top{largest}: the index has {_NUMBER_OF_COMPANIES} companies", hint="--group top10")
    return largest


def _sector(name: str) -> str:
    from mag7cli.market import sectors

    known: Sequence[str] = sectors.sectors()
    exact = {sector.casefold(): sector for sector in known}.get(name.casefold())
    if exact is None:
        raise UsageError(
            f"there is no sector {name!r}",
            hint=f"did you mean sector:{closest(name, known)}?" if closest(name, known) else f"use {', '.join(known)}",
        )
    return exact


def _checked(group: CompanyGroup) -> CompanyGroup:
    if not set(group.tickers) - set(group.without):
        raise UsageError(f"--without leaves nobody of {group.name}", hint=HINT)
    return group
