"""What a text says about a security: its identifiers with their check digits, its kind, the option that a symbol is.

Words and kinds are facts of `data/security_words.csv`. Knows no file and no company.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final, Literal, get_args

from mag7cli.core import packaged_data

Kind = Literal["stock", "fund", "cash", "bond", "option", "future", "other", "total", "held", "action"]
Where = Literal["kind", "symbol", "name", "action"]

CONTRACT_SIZE: Final = 100
"""Shares behind one listed option on a share of the United States."""

_ISIN: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")
_CUSIP: Final = re.compile(r"[0-9]{3}[A-Z0-9]{5}\d|[A-Z][0-9A-Z]{7}\d")
_SEDOL: Final = re.compile(r"[0-9BCDFGHJKLMNPQRSTVWXYZ]{6}\d")
_WKN: Final = re.compile(r"[A-HJ-NP-Z0-9]{6}")
_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,6}([./\- ][A-Z0-9]{1,4}){0,2}")
_BLOOMBERG_CLASS: Final = re.compile(r" equity$", re.IGNORECASE)
_SHORTEST_IDENTIFIER: Final = 7  # a SEDOL's
_SEDOL_WEIGHTS: Final = (1, 3, 1, 7, 3, 9)
_CUSIP_COUNTRIES: Final = ("US", "CA")

_MONTHS: Final = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_MONTH: Final = "|".join(_MONTHS)
_OPTIONS: Final = (
    # the Options Clearing Corporation's 21 characters, and what Fidelity makes of them
    re.compile(r"-?(?P<root>[A-Z]{1,6}) *(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)(?P<right>[CP])(?P<mills>\d{8})"),
    re.compile(r"-?(?P<root>[A-Z]{1,6}) *(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)(?P<right>[CP])(?P<strike>\d+(\.\d+)?)"),
    # Schwab
    re.compile(r"(?P<root>[A-Z.]{1,6}) (?P<m>\d\d)/(?P<d>\d\d)/\d\d(?P<y>\d\d) (?P<strike>[\d.]+) (?P<right>[CP])"),
    # Interactive Brokers
    re.compile(
        rf"(?P<root>[A-Z.]{{1,6}}) (?P<d>\d\d)(?P<month>{_MONTH})(?P<y>\d\d) (?P<strike>[\d.]+) (?P<right>[CP])"
    ),
    # E*Trade, and descriptions at Fidelity
    re.compile(
        rf"(?P<root>[A-Z.]{{1,6}}) (?P<month>{_MONTH}) (?P<d>\d{{1,2}}) ('|\d\d)(?P<y>\d\d)"
        r" \$(?P<strike>[\d.,]+) (?P<right>CALL|PUT)"
    ),
)


@dataclass(frozen=True, slots=True)
class Security:
    """What a file says of one security; what it leaves out is empty.

    `symbol` is as it is written, in capitals; `currency` is the one in which it is traded.
    """

    symbol: str = ""
    name: str = ""
    isin: str = ""
    cusip: str = ""
    sedol: str = ""
    wkn: str = ""
    country: str = ""
    exchange: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A listed option: the symbol of the share behind it, its last day, `C` or `P`, and its strike (USD)."""

    underlying: str
    expiry: date
    right: str
    strike: float

    def __str__(self) -> str:
        """The option as people say it: `NVDA call 200 of 2027-01-15`."""
        return f"{self.underlying} {'call' if self.right == 'C' else 'put'} {self.strike:g} of {self.expiry}"


def is_isin(text: str) -> bool:
    """Whether a text is an ISIN with the right check digit (ISO 6166)."""
    if not _ISIN.fullmatch(text):
        return False
    digits = "".join(str(int(character, 36)) for character in text)
    doubled = (int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_cusip(text: str) -> bool:
    """Whether a text is a CUSIP (or a CINS number) with the right check digit (ANSI X9.6)."""
    if not _CUSIP.fullmatch(text):
        return False
    values = (int(character, 36) * (1 + index % 2) for index, character in enumerate(text[:8]))
    return (10 - sum(value // 10 + value % 10 for value in values) % 10) % 10 == int(text[8])


def is_sedol(text: str) -> bool:
    """Whether a text is a SEDOL of the London Stock Exchange with the right check digit."""
    if not _SEDOL.fullmatch(text):
        return False
    total = sum(int(character, 36) * weight for character, weight in zip(text[:6], _SEDOL_WEIGHTS, strict=True))
    return (10 - total % 10) % 10 == int(text[6])


def is_wkn(text: str) -> bool:
    """Whether a text has the shape of a German WKN; those have no check digit."""
    return bool(_WKN.fullmatch(text)) and any(character.isdigit() for character in text)


def cusip_of(isin: str) -> str | None:
    """The CUSIP inside an ISIN of the United States or Canada; None in another country's."""
    return isin[2:11] if isin.startswith(_CUSIP_COUNTRIES) else None


def checked(scheme: str, text: str) -> str:
    """An identifier of a scheme as it should be written; empty if its check digit is wrong.

    Spreadsheets take the leading zeros off a CUSIP or a SEDOL: they are put back.

    >>> checked("cusip", "37833100"), checked("isin", "US0378331006")
    ('037833100', '')
    """
    if not text:
        return ""
    plain = text.strip().upper()
    padded = {"cusip": plain.zfill(9), "sedol": plain.zfill(7)}.get(scheme, plain)
    test = {"isin": is_isin, "cusip": is_cusip, "sedol": is_sedol, "wkn": is_wkn}[scheme]
    return padded if test(padded) else ""


def identified(text: str) -> dict[str, str]:
    """The identifier that a text is, by the field of a Security that it belongs in; empty if it is none."""
    if len(text) < _SHORTEST_IDENTIFIER:
        return {}
    plain = text.strip().upper()
    tests = (("isin", is_isin), ("cusip", is_cusip), ("sedol", is_sedol))
    field = next((field for field, test in tests if test(plain)), "")
    return {field: plain} if field else {}


def symbol_of(text: str) -> str | None:
    """A ticker as it is written, without footnote marks and in capitals; None if a text is none.

    >>> symbol_of("SPAXX**"), symbol_of("brk.b"), symbol_of("Positions Total")
    ('SPAXX', 'BRK.B', None)
    """
    written = text.strip().rstrip("*")
    written = _BLOOMBERG_CLASS.sub("", written)
    if " " in written and written != written.upper():
        return None  # words, such as Apple Inc
    symbol = written.upper()
    return symbol if _SYMBOL.fullmatch(symbol) else None


@lru_cache(maxsize=16_384)
def option_of(text: str) -> Option | None:
    """The option that a symbol or a description names; None if it names none."""
    plain = " ".join(text.upper().split())
    for pattern in _OPTIONS:
        match = pattern.fullmatch(plain)
        if match:
            return _option(match.groupdict())
    return None


@lru_cache(maxsize=65_536)
def kind_by(where: Where, text: str) -> Kind | None:
    """The kind that a word means in a column of kinds, as a symbol or in a name; None if it means none."""
    plain = " ".join(text.lower().split())
    for kind, pattern in _words()[where]:
        if pattern.search(plain) if where == "name" else pattern.fullmatch(plain):
            return kind
    return None


def _option(parts: Mapping[str, str | None]) -> Option | None:
    month = int(parts.get("m") or 0) or _MONTHS.index(parts["month"] or "JAN") + 1
    try:
        expiry = date(2000 + int(parts["y"] or 0), month, int(parts["d"] or 0))
    except ValueError:
        return None
    mills = parts.get("mills")
    strike = int(mills) / 1000 if mills else float((parts["strike"] or "0").replace(",", ""))
    return Option(parts["root"] or "", expiry, (parts["right"] or "C")[0], strike)


@cache
def _words() -> Mapping[Where, Sequence[tuple[Kind, re.Pattern[str]]]]:
    words: dict[Where, list[tuple[Kind, re.Pattern[str]]]] = {where: [] for where in get_args(Where)}
    kinds: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}
    for row in packaged_data.read("security_words"):
        where: Where = next(known for known in get_args(Where) if known == row["where"])
        words[where].append((kinds[row["kind"]], re.compile(row["pattern"], re.IGNORECASE)))
    return words
