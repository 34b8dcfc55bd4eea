"""Whether a row is a share, a fund, cash, a bond, an option or the sum of others: by its numbers first, then by words.

A line with a ticker, a quantity and a price other than one is a security, whatever a column of kinds calls it: at some
brokers that column says `Cash` for how a share is held.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mag7cli.portfolio.entries import Entry
from mag7cli.portfolio.securities import Kind, Option, Security, kind_by, option_of

_UNTRUSTED: Final = frozenset({"cash", "held"})
_NO_KINDS: Final = frozenset({"held", "total", "action"})
_ROUNDING_USD: Final = 0.005
_FEWEST_SUMMANDS: Final = 2
_ROUND: Final = 50.0  # amounts that people type sum to each other by chance, amounts with cents do not

IsSecurity = Callable[[str], bool]
"""Whether a symbol or a name is known to be that of a share or a fund, so that no column can call it cash."""


@dataclass(frozen=True, slots=True)
class KindWords:
    """The column of kinds of one table. `says_how_held` is whether it says how a line is held, and no kind at all."""

    says_how_held: bool

    @classmethod
    def of(cls, entries: Sequence[Entry], is_security: IsSecurity) -> "KindWords":
        """The column of these entries: where all words are cash or margin, and of shares as well, it is no kind."""
        worded = [entry for entry in entries if entry.kind_word]
        has_shares = any(entry.quantity is not None or is_security(entry.security.symbol) for entry in worded)
        return cls(has_shares and all(kind_by("kind", entry.kind_word) in _UNTRUSTED for entry in worded))

    def kind(self, entry: Entry) -> Kind | None:
        """The kind that the column gives to an entry; None if it gives none."""
        kind = kind_by("kind", entry.kind_word) if entry.kind_word and not self.says_how_held else None
        return None if kind in _NO_KINDS else kind


def option_in(entry: Entry, words: KindWords) -> tuple[bool, Option | None]:
    """Whether an entry is an option or a warrant, and which one as far as it can be read."""
    texts = (*entry.words[:4], entry.security.name)
    option = next(filter(None, map(option_of, texts)), None)
    named = "option" in (words.kind(entry), _by_name(entry))
    return option is not None or named, option


def kind_of(entry: Entry, words: KindWords, is_security: IsSecurity) -> Kind | None:
    """The kind of an entry; None where nothing tells it."""
    symbol, by_column, by_name = entry.security.symbol, words.kind(entry), _by_name(entry)
    by_symbol = kind_by("symbol", symbol) if symbol else None
    called_cash = by_symbol == "cash" or ("cash" in (by_column, by_name) and not is_security(symbol))
    if called_cash and not entry.is_quoted:
        return "cash"
    claims = (by_column, by_name, by_symbol)
    return next((kind for kind in claims if kind and kind not in _NO_KINDS and kind != "cash"), None)


def is_called_total(entry: Entry) -> bool:
    """Whether an entry is called a total, by the whole of a cell, and has no price."""
    texts = (*entry.words[:2], entry.security.symbol, entry.security.name)
    return not entry.is_quoted and any(kind_by("name", text) == "total" for text in texts)


def totals(entries: Sequence[Entry], values: Sequence[float | None], is_security: IsSecurity) -> dict[int, str]:
    """The entries that sum others, by their place, each with what there is to say of it.

    A line is a total if it is called one, or if it is no known security, has no quantity, and its value is the sum of
    at least two lines before it, or of all others. One that is called a total and sums nothing is told.
    """
    sums: dict[int, str] = {}
    for index, (entry, value) in enumerate(zip(entries, values, strict=True)):
        called = is_called_total(entry)
        if not called and not _may_be_total(entry, is_security, is_last=index == len(entries) - 1):
            continue
        fits = value is not None and any(
            _is_sum(value, summands, fewest=1 if called else _FEWEST_SUMMANDS)
            for summands in _groups(index, values, sums)
        )
        if fits or called:
            sums[index] = "" if fits or value is None else "is not the sum of the lines above it"
    return sums


def is_doubtful_total(entry: Entry, value: float | None) -> bool:
    """Whether an entry that sums others may as well be a position: it has words of its own, and the sum is round."""
    return (
        not is_called_total(entry)
        and bool(entry.security.symbol or entry.security.name)
        and (value or 0.0) % _ROUND == 0
    )


def _may_be_total(entry: Entry, is_security: IsSecurity, *, is_last: bool) -> bool:
    """Whether an entry that nobody calls a total may be one: no security, or at the end a word that looks like one."""
    symbol = entry.security.symbol
    if entry.quantity is not None or not entry.has_numbers:
        return False
    if not entry.is_named:
        return True
    is_word = entry.security == Security(symbol) and not is_security(symbol) and kind_by("symbol", symbol) is None
    return is_last and is_word


def _groups(index: int, values: Sequence[float | None], totals: Iterable[int]) -> list[list[float]]:
    """What a line may be the sum of: the lines since the last total, all lines before it, all others, all totals."""
    known = set(totals)
    last = max((total for total in known if total < index), default=-1)
    summands = [(place, value) for place, value in enumerate(values) if value is not None and place not in known]
    return [
        [value for place, value in summands if last < place < index],
        [value for place, value in summands if place < index],
        [value for place, value in summands if place != index],
        [value for place in known if (value := values[place]) is not None],
    ]


def _is_sum(value: float, summands: Sequence[float], *, fewest: int) -> bool:
    if len(summands) < fewest or not value:
        return False
    return abs(math.fsum(summands) - value) <= _ROUNDING_USD * (len(summands) + 1)


def _by_name(entry: Entry) -> Kind | None:
    """The kind that the name tells, or what stands in place of a symbol."""
    name = entry.security.name or ("" if entry.security.symbol else entry.label)
    kind = kind_by("name", name) if name else None
    return kind if kind or entry.security.symbol else kind_by("name", entry.label)
