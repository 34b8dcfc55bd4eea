"""Which company a security belongs to: by ISIN, CUSIP, SEDOL, WKN, listing and name together, never by a ticker alone.

`MRK` in New York is Merck & Co, `MRK` on Xetra is Merck KGaA. Two securities are of one company if they share any mark
that names one: a number of the issuer, a symbol on one exchange, a name in one country. So the order of files and lines
does not matter.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from mag7cli.core import packaged_data
from mag7cli.market import symbology
from mag7cli.portfolio.currencies import USD, listing_of
from mag7cli.portfolio.securities import Security, cusip_of, is_cusip, is_isin, is_sedol

US: Final = "US"
_ISSUER_DIGITS: Final = 6
_WORD: Final = re.compile(r"[a-z0-9äöüßéèàçñøåæ&]+")


@dataclass(frozen=True, slots=True)
class Company:
    """A company: the ticker that stands for it, what it is called, and the code of its country, as far as is known."""

    ticker: str
    name: str
    country: str = ""


class Companies:
    """The companies behind securities. Securities are of one company if they share a mark, or if others link them."""

    def __init__(self, securities: Iterable[tuple[Security, date | None]]) -> None:
        self._parents: dict[str, str] = {}
        self._first_marks: dict[tuple[Security, date | None], str] = {}
        members: dict[str, list[Security]] = {}
        for company in symbology.companies(symbology.known_constituents()):
            self._link([_us_mark(ticker) for ticker in (company.counted, *company.others)])
        for mark, ticker in _known_marks():
            self._link([mark, _us_mark(ticker)])
        for security, day in securities:
            key = _key(security, day)
            if key not in self._first_marks:
                marks = list(_marks(*key)) or [f"unnamed:{security}"]
                self._link(marks)
                self._first_marks[key] = marks[0]
        for (security, _), mark in self._first_marks.items():
            members.setdefault(self._root(mark), []).append(security)
        self._companies = {root: _company(root, group) for root, group in members.items()}
        self._seven = {self._root(_us_mark(ticker)): ticker for ticker in symbology.MAGNIFICENT_7}

    def is_of_index(self, security: Security, day: date | None = None) -> bool:
        """Whether a security that was given is a company's that is or was in the index."""
        return _counted(self._root(self._first_marks[_key(security, day)])) is not None

    def of(self, security: Security, day: date | None = None) -> Company:
        """The company of a security that was given; one of the Mag 7 is the same value wherever it comes from."""
        root = self._root(self._first_marks[_key(security, day)])
        ticker = self._seven.get(root) or _counted(root)
        return known_company(ticker) if ticker else self._companies[root]

    def _root(self, mark: str) -> str:
        parents = self._parents
        root = mark
        while (parent := parents.get(root, root)) != root:
            root = parent
        while (parent := parents.get(mark, mark)) != root:
            parents[mark], mark = root, parent
        return root

    def _link(self, marks: list[str]) -> None:
        """Make the marks one company's. The root is the smallest, so that the order of links does not matter."""
        roots = sorted({self._root(mark) for mark in marks}, key=_rank)
        for root in roots:
            self._parents[root] = roots[0]


@cache
def known_company(ticker: str) -> Company:
    """A company of the index by its counted ticker."""
    names = {each.ticker: each.name for each in symbology.known_constituents()}
    name = next((c.name for c in _index_companies() if c.counted == ticker and c.name), names.get(ticker, ticker))
    return Company(ticker, name or ticker, US)


def line_of(symbol: str) -> str | None:
    """The line of the index that a symbol of the United States means, or meant last; None for any other symbol."""
    ticker = symbology.vendor_symbol(symbol)
    return ticker if ticker in _index_tickers() else _other_symbols().get(ticker)


def is_known_name(text: str) -> bool:
    """Whether a text is the name of a company that is or was in the index."""
    return bool(text) and plain_name(text) in _company_names()


def last_day_of(symbol: str) -> date | None:
    """The last day on which a line of the index had this symbol, where it has another today; else None."""
    if symbol in _index_tickers():
        return None
    days = [row["last_day"] for row in packaged_data.read("symbol_history") if row["symbol"] == symbol]
    return date.fromisoformat(max(days)) if days and all(days) else None


def country_code(text: str) -> str:
    """The code of a country as files write it; empty where it is not known."""
    plain = text.strip().lower()
    return _countries().get(plain) or (plain.upper() if len(plain) == 2 else "")


def plain_name(name: str) -> str:
    """A company's name without legal forms, share classes and punctuation.

    `& Co` stays: it tells Merck & Co from Merck.
    """
    words = _WORD.findall(name.lower().replace("'", ""))
    before = ["", *words]
    forms = _legal_forms()
    telling = [word for i, word in enumerate(words) if word not in forms or (word == "co" and before[i] == "&")]
    return " ".join(telling or words)


def _marks(security: Security, day: date | None) -> Iterator[str]:
    """The marks of a security that name a company."""
    country = country_code(security.country)
    if security.symbol and is_us_symbol(security):
        yield _us_mark(_ticker(security.symbol, day))
    elif security.symbol and listing_of(security.symbol):
        yield f"listing:{security.symbol}"
    yield from _numbers(security)
    name = plain_name(security.name)
    if name in _known_names() and (country == US or not security.country):
        yield _us_mark(_known_names()[name])
    if name and (country or security.isin):
        yield f"name:{name}|{country or security.isin[:2]}"
    elif name and not security.symbol:
        yield f"name:{name}|"
    if security.symbol and not is_us_symbol(security):
        yield f"symbol:{security.symbol}|{country}|{security.exchange.lower()}"


def _numbers(security: Security) -> Iterator[str]:
    cusip = security.cusip or (cusip_of(security.isin) if is_isin(security.isin) else "") or ""
    if is_cusip(cusip):
        yield f"issuer:{cusip[:_ISSUER_DIGITS]}"
    if is_isin(security.isin) and not cusip:
        yield f"isin:{security.isin}"
    if is_sedol(security.sedol):
        yield f"sedol:{security.sedol}"
    if security.wkn:
        yield f"wkn:{security.wkn}"


def is_us_symbol(security: Security) -> bool:
    """Whether a symbol is one of the United States: traded in dollars, and by its exchange, country or ISIN."""
    country = country_code(security.country)
    if listing_of(security.symbol) or security.currency not in ("", USD):
        return False
    if security.exchange:
        return security.exchange.lower() in _us_exchanges()
    if country:
        return country == US
    return not security.isin or security.isin[:2] == US


def _ticker(symbol: str, day: date | None) -> str:
    """The line that a symbol means on a day, by default today's or the one that had it last."""
    plain = symbology.vendor_symbol(symbol)
    if day is None:
        return line_of(plain) or plain
    return symbology.ticker_for(plain, day)


def _key(security: Security, day: date | None) -> tuple[Security, date | None]:
    """What a security is told by: its day counts only if its symbol has meant more than one line."""
    return security, day if symbology.vendor_symbol(security.symbol) in _changed_symbols() else None


def _us_mark(ticker: str) -> str:
    return f"us:{ticker}"


def _rank(mark: str) -> tuple[bool, str]:
    """Symbols of the United States stand for a company before anything else does."""
    return not mark.startswith("us:"), mark


def _counted(root: str) -> str | None:
    """The counted ticker of a company of the index, by the mark that stands for it; None for another company."""
    ticker = root.removeprefix("us:")
    return _counted_tickers().get(ticker) if root.startswith("us:") else None


def _company(root: str, members: list[Security]) -> Company:
    names = sorted(security.name for security in members if security.name)
    symbols = sorted(security.symbol for security in members if security.symbol)
    countries = sorted(code for security in members if (code := country_code(security.country) or security.isin[:2]))
    ticker = root.removeprefix("us:") if root.startswith("us:") else symbols[0] if symbols else ""
    return Company(ticker, names[0] if names else ticker, countries[0] if countries else "")


def _known_marks() -> Iterator[tuple[str, str]]:
    """The marks of the table of identifiers, with the ticker of each."""
    for row in packaged_data.read("security_identifiers"):
        value = row["value"]
        if row["scheme"] == "cusip":
            yield f"issuer:{value[:_ISSUER_DIGITS]}", row["ticker"]
        elif row["scheme"] != "name":
            yield f"{row['scheme']}:{value}", row["ticker"]


@cache
def _known_names() -> Mapping[str, str]:
    rows = packaged_data.read("security_identifiers")
    return {plain_name(row["value"]): row["ticker"] for row in rows if row["scheme"] == "name"}


@cache
def _company_names() -> frozenset[str]:
    """The plain names of the index's companies, as its own list and files write them."""
    return frozenset(plain_name(each.name) for each in symbology.known_constituents()) | _known_names().keys()


@cache
def _index_companies() -> tuple[symbology.Company, ...]:
    return tuple(symbology.companies(symbology.known_constituents()))


@cache
def _index_tickers() -> frozenset[str]:
    return frozenset(each.ticker for each in symbology.known_constituents())


@cache
def _counted_tickers() -> Mapping[str, str]:
    return {ticker: c.counted for c in _index_companies() for ticker in (c.counted, *c.others)}


@cache
def _other_symbols() -> Mapping[str, str]:
    """The lines of symbols that they have on other days than that of the list; of one that several had, the last's."""
    return {row["symbol"]: row["ticker"] for row in packaged_data.read("symbol_history")}


@cache
def _changed_symbols() -> frozenset[str]:
    rows = packaged_data.read("symbol_history")
    return frozenset(symbol for row in rows for symbol in (row["symbol"], row["ticker"]))


@cache
def _countries() -> Mapping[str, str]:
    return {row["name"]: row["code"] for row in packaged_data.read("countries")}


@cache
def _legal_forms() -> frozenset[str]:
    return frozenset(row["word"] for row in packaged_data.read("legal_forms"))


@cache
def _us_exchanges() -> frozenset[str]:
    return frozenset(row["name"] for row in packaged_data.read("us_exchanges"))
