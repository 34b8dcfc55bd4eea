"""What a session's prices are multiplied by: the constituents of the last document, in the share units of today.

Pure. A split that executes between the document and the session multiplies the shares and divides the close, so that
the market cap before the first trade is that of the last close.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mag7cli.core.errors import Mag7Error
from mag7cli.lake.constituent_rows import ConstituentDocument
from mag7cli.lake.document import Document
from mag7cli.market import symbology
from mag7cli.market.records import Split
from mag7cli.shares.split_adjustment import settle_splits


@dataclass(frozen=True, slots=True)
class LiveConstituent:
    """One company of the index by the line that is counted for it.

    `symbol` is the vendor's spelling on the session's date, `shares` all shares of the company in that date's units,
    `close_usd` the last close in the same units.
    """

    ticker: str
    symbol: str
    name: str
    shares: float
    close_usd: float

    @property
    def close_cap_usd(self) -> float:
        """The market cap at the last close, USD."""
        return self.close_usd * self.shares


@dataclass(frozen=True, slots=True)
class CloseBound:
    """How far the true share at the last close may lie below the document's (not above 0), and above it, points.

    The share counts that leave this open are those of the session as well.
    """

    low_points: float
    high_points: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """The index before the session.

    `group` holds the tickers of the companies in question, the Mag 7 unless somebody chose others; `without` are in no
    figure, neither of the group nor of the index. `left_out` are lines of the index without a share count or a close,
    each with the reason; `splits` those that were applied to the counts. `close_bound` is None where it is not known,
    as for any group but the Mag 7.
    """

    trading_date: date
    close_date: date
    constituents: tuple[LiveConstituent, ...]
    group: tuple[str, ...]
    without: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    close_bound: CloseBound | None = None
    is_simulated: bool = False

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols to follow."""
        return tuple(constituent.symbol for constituent in self.constituents)

    @property
    def share_pct(self) -> float:
        """The share of the group at the last close, percent."""
        caps = {constituent.ticker: constituent.close_cap_usd for constituent in self.constituents}
        return share_pct(caps, self.group)


def share_pct(caps_usd: Mapping[str, float], group: Collection[str]) -> float:
    """The share of a group in a total, percent; each company is in `caps_usd` once."""
    members = set(group)
    return 100 * math.fsum(cap for ticker, cap in caps_usd.items() if ticker in members) / math.fsum(caps_usd.values())


def baseline(
    document: Document,
    trading_date: date,
    *,
    group: Sequence[str] = symbology.MAGNIFICENT_7,
    without: Collection[str] = (),
    members: Collection[str] | None = None,
    newcomers: Sequence[LiveConstituent] = (),
    splits: Iterable[Split] = (),
    first_prices: Mapping[str, float] | None = None,
    close_bound: CloseBound | None = None,
) -> Baseline:
    """The index before a session, from the document of the last close.

    Args:
        document: The last document that has a figure; its date is before `trading_date`.
        trading_date: The session's date.
        group: Tickers of the companies in question; a further share class stands for its company.
        without: Tickers of companies to leave out of the index, and so of the group.
        members: Tickers of the index on `trading_date`; None if nothing is known but the document.
        newcomers: Companies that joined since the document, as far as their share counts are known.
        splits: The vendor's rows, in the symbols of their day. Those that execute after the document and by
            `trading_date` are applied, unless the first price of the day contradicts them.
        first_prices: The first price of the session by symbol, USD, as far as there is one.
        close_bound: That of the document's share of the Mag 7; None if it is unknown.

    Raises:
        Mag7Error: The document has no list of constituents, or no company of the group.
    """
    close_date = date.fromisoformat(document["trading_date"])
    rows = document["sp500_details"].get("constituents", [])
    companies = _counted_tickers(rows)
    excluded = {companies.get(ticker, ticker) for ticker in without}
    counted = [
        row
        for row in rows
        if row["counted"] and row["ticker"] not in excluded and (members is None or _is_member(row["ticker"], members))
    ]
    in_group = _without(excluded, (companies[ticker] for ticker in group if ticker in companies))
    if not counted or not in_group:
        raise Mag7Error(
            f"the document of {close_date} has no constituents to follow",
            hint=f"mag7 collect --start {close_date} --end {close_date} --force",
        )
    joined = [newcomer for newcomer in newcomers if newcomer.ticker not in excluded]
    before = [*(_constituent(row, document, trading_date) for row in counted), *joined]
    settled = _settled(before, splits, close_date, trading_date, first_prices or {})
    return Baseline(
        trading_date=trading_date,
        close_date=close_date,
        constituents=in_units_of(before, settled),
        group=in_group,
        without=tuple(sorted(excluded)),
        splits=settled,
        left_out=_left_out(document, {*companies, *(newcomer.ticker for newcomer in newcomers)}, members, excluded),
        close_bound=close_bound if set(in_group) == set(symbology.MAGNIFICENT_7) and not excluded else None,
        is_simulated=bool(document.get("source", {}).get("simulated")),
    )


def _without(excluded: Collection[str], tickers: Iterable[str]) -> tuple[str, ...]:
    """Those left, each once, in their order."""
    return tuple(ticker for ticker in dict.fromkeys(tickers) if ticker not in excluded)


def in_units_of(constituents: Iterable[LiveConstituent], splits: Iterable[Split]) -> tuple[LiveConstituent, ...]:
    """The constituents after splits: more shares at a lower close, whole shares as counts are."""
    ratios: dict[str, float] = {}
    for split in splits:
        ratios[split.symbol] = ratios.get(split.symbol, 1.0) * split.split_to / split.split_from
    return tuple(
        replace(
            constituent,
            shares=float(round(constituent.shares * ratio)),
            close_usd=constituent.close_usd / ratio,
        )
        if (ratio := ratios.get(constituent.symbol, 1.0)) != 1
        else constituent
        for constituent in constituents
    )


def _settled(
    constituents: Sequence[LiveConstituent],
    splits: Iterable[Split],
    after: date,
    until: date,
    first_prices: Mapping[str, float],
) -> tuple[Split, ...]:
    """The rows that take effect between two dates and that the first price, where there is one, does not contradict."""
    closes = {constituent.symbol: constituent.close_usd for constituent in constituents}
    rows = [split for split in splits if after < split.execution_date <= until and split.symbol in closes]

    def step(split: Split) -> float | None:
        price = first_prices.get(split.symbol)
        return math.log(price / closes[split.symbol]) if price else None

    stand, _ = settle_splits(rows, step)
    return tuple(stand)


def _constituent(row: ConstituentDocument, document: Document, on: date) -> LiveConstituent:
    ticker = row["ticker"]
    company = document["companies"].get(ticker)
    return LiveConstituent(
        ticker=ticker,
        symbol=_symbol(row, document, on),
        name=company["name"] if company else ticker,
        shares=float(row["shares_outstanding"]),
        close_usd=float(row["close_price"]),
    )


def _symbol(row: ConstituentDocument, document: Document, on: date) -> str:
    """The symbol on a date: the document's, unless the line was renamed since."""
    before = symbology.symbol_on(row["ticker"], date.fromisoformat(document["trading_date"]))
    today = symbology.symbol_on(row["ticker"], on)
    return row["symbol"] if before == today else today


def _is_member(ticker: str, members: Collection[str]) -> bool:
    """Whether a company is in the index on the day: by the line that is counted for it, or a further class."""
    cik = symbology.company_cik(ticker)
    return ticker in members or (cik is not None and any(symbology.company_cik(other) == cik for other in members))


def _counted_tickers(rows: Iterable[ConstituentDocument]) -> dict[str, str]:
    """The line that is counted for the company of each line."""
    by_cik = {row["cik"]: row["ticker"] for row in rows if row["counted"] and row["cik"]}
    return {row["ticker"]: by_cik.get(row["cik"] or "", row["ticker"]) for row in rows}


def _left_out(
    document: Document, known: Collection[str], members: Collection[str] | None, excluded: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """Lines of the index that have no share count, each with the reason."""
    failed = [(row["ticker"], row["reason"]) for row in document["sp500_details"]["failed_tickers"]]
    named = {*known, *(ticker for ticker, _ in failed)}
    joined = [(ticker, "joined since the last close") for ticker in sorted(members or ()) if ticker not in named]
    return tuple((ticker, reason) for ticker, reason in failed + joined if ticker not in excluded)
