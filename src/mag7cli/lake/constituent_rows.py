"""The lines of a raw document by column: their text at once, and a row for whoever looks at one. Pure.

A collection writes half a million lines. Of nearly all of them everything but the close and the market cap is as on the
date before: the text around those two is made once, and joined.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import NotRequired, TypedDict, overload

import orjson

from mag7cli.market.money import literals, usd

_HOLE = b"\0"  # which no JSON has


class ConstituentDocument(TypedDict):
    """One line of the index. `counted` is true for one line of each company: the one that enters the total.

    `market_cap_by_class` is the company's with each of its lines at its own close, on the counted one of several.
    """

    ticker: str
    symbol: str
    cik: str | None
    close_price: float
    shares_outstanding: float
    market_cap: Decimal
    counted: bool
    share_class_shares_outstanding: NotRequired[float]
    market_cap_by_class: NotRequired[Decimal]


@dataclass(frozen=True)
class RowTemplate:
    """What a document says of a line as long as its share count stands; the close and the market cap are to be set."""

    row: ConstituentDocument

    @cached_property
    def parts(self) -> Sequence[bytes]:
        """The text before the close, between it and the market cap, and after it."""
        hole = orjson.Fragment(_HOLE)
        return (b"," + orjson.dumps({**self.row, "close_price": hole, "market_cap": hole})).split(_HOLE)


@dataclass(frozen=True)
class RowTemplates:
    """The templates of all lines of a date, which serve for as many dates as no share count is another one."""

    rows: Sequence[RowTemplate]

    @cached_property
    def columns(self) -> tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]]:
        """The texts before the closes, between them and the market caps, and after these."""
        befores, betweens, afters = zip(*(template.parts for template in self.rows), strict=True)
        return befores, betweens, afters


@dataclass(frozen=True, slots=True, eq=False)
class ConstituentRows(Sequence[ConstituentDocument]):
    """The lines of one date: closes in USD, market caps in cents.

    `caps_by_class` are those with each class at its own close, in cents, by the place of the company's counted line.
    """

    templates: RowTemplates
    closes_usd: Sequence[float]
    caps: Sequence[int]
    caps_by_class: Mapping[int, int] = field(default_factory=dict)

    def json(self) -> orjson.Fragment:
        """The text of all lines, as a JSON list."""
        if not self.templates.rows:
            return orjson.Fragment(b"[]")
        befores, betweens, plain = self.templates.columns
        afters = list(plain)
        for place, cap in self.caps_by_class.items():
            afters[place] = b'%b,"market_cap_by_class":%b}' % (plain[place][:-1], *literals([cap]))
        closes = orjson.dumps(self.closes_usd)[1:-1].split(b",")
        pieces = zip(befores, closes, betweens, literals(self.caps), afters, strict=True)
        return orjson.Fragment(b"[%b]" % b"".join(chain.from_iterable(pieces))[1:])

    @overload
    def __getitem__(self, index: int) -> ConstituentDocument: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ConstituentDocument]: ...
    def __getitem__(self, index: int | slice) -> ConstituentDocument | Sequence[ConstituentDocument]:
        """A row, or some of them."""
        if isinstance(index, slice):
            return [self._row(place) for place in range(len(self))[index]]
        return self._row(range(len(self))[index])

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self.templates.rows)

    def __iter__(self) -> Iterator[ConstituentDocument]:
        """The rows in their order."""
        return map(self._row, range(len(self)))

    def __eq__(self, other: object) -> bool:
        """True for the same rows, however they are kept."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _row(self, place: int) -> ConstituentDocument:
        row = self.templates.rows[place].row.copy()
        row["close_price"], row["market_cap"] = self.closes_usd[place], usd(self.caps[place])
        if place in self.caps_by_class:
            row["market_cap_by_class"] = usd(self.caps_by_class[place])
        return row
