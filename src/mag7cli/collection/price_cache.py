"""The unadjusted daily bars of the index's lines: asked for by whole days or by whole lines, whichever is fewer calls.

What was asked for is kept under `raw/reference/bars/`, so that a run that was cut off does not pay for it twice.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal

from mag7cli.collection.known_bars import KnownBars
from mag7cli.core.errors import MalformedResponseError, MarketDataError, PlanError, TickerNotFoundError
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.bar_series import BarSeries, joined
from mag7cli.market.calendar import previous_session
from mag7cli.market.records import Bar, Split
from mag7cli.shares.plausibility import COMPARABLE, correction_problem, price_problems
from mag7cli.vendors.calls import VendorCalls

# Another company that takes a symbol over has another price, and rarely trades on the very next session.
_NEAR: Final = timedelta(days=5)
_STEP: Final = 1.3
_NO_BAR: Final = "the answer has no bar"

Way = Literal["days", "lines"]

_LineRequest = tuple[str, str, date, date]


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """Bars wanted: of these lines on these trading dates (sorted).

    Where whole lines are asked for, the session before the first comes along: it confirms a split on the first.
    """

    tickers: Sequence[str]
    sessions: Sequence[date]

    @property
    def span(self) -> tuple[date, date]:
        """First and last day to ask a whole line for."""
        return previous_session(self.sessions[0]), self.sessions[-1]


class PriceCache:
    """The bars of one lake; asks the vendor for those that are not there yet."""

    def __init__(self, lake: Lake, calls: VendorCalls | None = None, *, since: date = date.min) -> None:
        """Without `calls` the bars can be read, but not asked for; few are looked at that are of before `since`."""
        self._bars = KnownBars(lake, since)
        self._calls = calls
        self._holes: set[tuple[str, date]] = set()
        self._doubted: set[str] = set()
        self.failures: dict[str | date, str] = {}
        self.refused: dict[tuple[str, date], str] = {}

    def ask_by(self, calls: VendorCalls) -> None:
        """From now on ask the vendor this way for what is missing."""
        self._calls = calls

    def look_at(self, first: date, last: date) -> None:
        """From now on have the bars of these days in memory, and no others: all can be asked about all the same."""
        self._bars.look_at(first, last)

    def doubt(self, unpriced: Iterable[tuple[str, date]]) -> None:
        """Let lines be asked for again that should have a bar on a date and have none: an answer may have a hole."""
        for ticker, day in unpriced:
            if self._bars.close(ticker, day) is None:
                self._holes.add((ticker, day))
                if self._bars.covers(ticker, day, day):
                    self._doubted.add(ticker)

    def bar(self, ticker: str, on: date) -> Bar | None:
        """The bar of a line on a date, None if it did not trade or was not asked for."""
        return self._bars.bar(ticker, on)

    def close(self, ticker: str, on: date) -> float | None:
        """The close (USD) of a line on a date, None if it did not trade or was not asked for."""
        return self._bars.close(ticker, on)

    def closes_on(self, day: date, tickers: Collection[str]) -> dict[str, float]:
        """The closes (USD) of those of these lines that have a bar on a date."""
        return self._bars.closes_on(day, tickers)

    def closes(self, ticker: str, among: Iterable[date]) -> dict[date, float]:
        """The closes (USD) of a line on those of these trading dates on which it has a bar, oldest first."""
        return self._bars.closes(ticker, among)

    def nearest_close(self, ticker: str, day: date) -> tuple[date, float] | None:
        """The close (USD) of a line on the last date up to a day that has one, else on the first after it."""
        return self._bars.nearest_close(ticker, day)

    def continues(self, ticker: str, first: date, last: date) -> bool:
        """True if the closes of a line lead from one date to another in steps that one company takes.

        There must be one within days of either, and none may be far from the one before.
        """
        closes = self._bars.closes_between(ticker, first - _NEAR, last + _NEAR)
        days = list(closes)
        if not days or days[0] > first + _NEAR or days[-1] < last - _NEAR:
            return False
        steps = ((after - before, closes[after] / closes[before]) for before, after in pairwise(days))
        return all(gap <= 2 * _NEAR and 1 / _STEP < ratio < _STEP for gap, ratio in steps)

    def calls(self, request: PriceRequest) -> tuple[Way, int]:
        """The cheaper way to get what is missing, and how many calls it takes."""
        again = self._doubted_lines(request)
        others = [ticker for ticker in self._missing_lines(request) if ticker not in again]
        days = len(self._missing_days(request))
        range_calls = sum(1 for _ in self._requests(others, request)) if days else 0
        asked_again = sum(1 for _ in self._requests(again, request))
        return ("lines", range_calls + asked_again) if range_calls < days else ("days", days + asked_again)

    def get(self, request: PriceRequest) -> None:
        """Ask for what is missing. Lines or days that could not be had are in `failures`, with the reason."""
        way, _ = self.calls(request)
        self._get_lines(self._doubted_lines(request), request)
        if way == "days":
            self._get_days(request)
        else:
            self._get_lines(self._missing_lines(request), request)

    def refuse(self, ticker: str, day: date, reason: str) -> None:
        """Take a bar for a failed answer, so that it is asked for again."""
        self._refuse({(ticker, day): reason})

    def refuse_implausible(self, request: PriceRequest, splits_of: Callable[[str], Collection[Split]]) -> None:
        """Take the bars that cannot be true for failed answers: they are in `refused`, with the reason.

        `splits_of` has the rows that the vendor lists for a line, right or wrong.
        """
        first, last = request.sessions[0] - COMPARABLE, request.sessions[-1] + COMPARABLE
        problems: dict[tuple[str, date], str] = {}
        for ticker in request.tickers:
            if not self._bars.are_beyond_doubt(ticker, first, last):
                reasons = price_problems(self._bars.bars(ticker, first, last), splits_of(ticker))
                problems.update({(ticker, day): why for day, why in reasons.items()})
        self._refuse(problems)

    def _refuse(self, problems: Mapping[tuple[str, date], str]) -> None:
        """Forget bars, here and in the lake."""
        self.refused.update(problems)
        self._bars.forget(problems)

    # Asked for again

    def ask_again(
        self, request: PriceRequest, splits_of: Callable[[str], Collection[Split]]
    ) -> dict[tuple[str, date], str]:
        """Ask for bars that are there already, by days or by lines, whichever is fewer calls, and take what is new.

        An answer that could not be had, or cannot be true, leaves the bar that is there: these are returned, by line
        and date, with the reason.
        """
        by_days = len(request.sessions) <= len(request.tickers)
        fresh = self._days_again(request) if by_days else self._lines_again(request)
        problems = {key: reason for key, reason in fresh.items() if isinstance(reason, str)}
        # Line by line: a line's file is read once for all days.
        bars = {
            key: bar
            for key, bar in ((key, fresh[key]) for key in sorted(fresh))
            if isinstance(bar, Bar) and bar != self.bar(*key)
        }
        problems.update(self._untrue(bars, splits_of))
        self._bars.replace({key: bar for key, bar in bars.items() if key not in problems})
        return problems

    def _days_again(self, request: PriceRequest) -> dict[tuple[str, date], Bar | str]:
        fresh: dict[tuple[str, date], Bar | str] = {}
        for day, answer in self._vendor.each(self._fetch_day, request.sessions):
            for ticker in request.tickers:
                if self.close(ticker, day) is None:
                    continue
                if isinstance(answer, MarketDataError):
                    fresh[ticker, day] = str(answer)
                else:
                    fresh[ticker, day] = answer.get(symbology.symbol_on(ticker, day)) or _NO_BAR
        return fresh

    def _lines_again(self, request: PriceRequest) -> dict[tuple[str, date], Bar | str]:
        fresh: dict[tuple[str, date], Bar | str] = {}
        first, last = request.sessions[0], request.sessions[-1]
        requests = [
            (ticker, *period) for ticker in request.tickers for period in symbology.symbol_periods(ticker, first, last)
        ]
        for (ticker, _, start, end), answer in self._vendor.each(self._fetch_line, requests):
            answered = {} if isinstance(answer, MarketDataError) else {bar.trading_date: bar for bar in answer}
            for day in request.sessions:
                if start <= day <= end and self.bar(ticker, day) is not None:
                    fresh[ticker, day] = answered.get(day) or (str(answer) if not answered else _NO_BAR)
        return fresh

    def _untrue(
        self, fresh: Mapping[tuple[str, date], Bar], splits_of: Callable[[str], Collection[Split]]
    ) -> dict[tuple[str, date], str]:
        """The new bars that cannot be true, with the reason: against the one that is there, and its neighbours."""
        problems: dict[tuple[str, date], str] = {}
        for ticker in {ticker for ticker, _ in fresh}:
            new = {day: bar for (of, day), bar in fresh.items() if of == ticker}
            around_them = (min(new) - COMPARABLE, max(new) + COMPARABLE)
            known = {bar.trading_date: bar for bar in self._bars.bars(ticker, *around_them)}
            around = price_problems((known | new).values(), splits_of(ticker))
            for day, bar in new.items():
                old = known[day].close_usd
                reason = correction_problem(old, bar.close_usd) or (around.get(day) if bar.close_usd != old else None)
                if reason:
                    problems[ticker, day] = reason
        return problems

    @property
    def _vendor(self) -> VendorCalls:
        assert self._calls, "prices that can only be read were asked for"
        return self._calls

    # By whole days: one call gives every security of the market

    def _missing_days(self, request: PriceRequest) -> list[date]:
        return [day for day in request.sessions if not self._has_day(day, request.tickers)]

    def _has_day(self, day: date, tickers: Sequence[str]) -> bool:
        of_day = self._bars.lines_of(day)
        return all(
            (ticker in of_day and (ticker, day) not in self._holes) or self._bars.covers(ticker, day, day)
            for ticker in tickers
        )

    def _get_days(self, request: PriceRequest) -> None:
        for day, answer in self._vendor.each(self._fetch_day, self._missing_days(request)):
            if isinstance(answer, MarketDataError):
                self.failures[day] = str(answer)
                continue
            self.failures.pop(day, None)
            # The lines that were asked for before as well, or the file would forget them.
            tickers = {*self._bars.lines_of(day), *request.tickers}
            self._bars.keep_day(
                day, {ticker: answer.get(symbology.symbol_on(ticker, day)) for ticker in sorted(tickers)}
            )
            self._holes.difference_update([(ticker, day) for ticker in tickers])

    def _fetch_day(self, day: date) -> Mapping[str, Bar]:
        bars = self._vendor.source.grouped_bars(day)
        if not bars:
            raise MalformedResponseError(f"no bars at all on {day}, a trading date")
        return bars

    # By whole lines: one call gives all days of one symbol

    def _missing_lines(self, request: PriceRequest) -> list[str]:
        return [ticker for ticker in request.tickers if not self._bars.covers(ticker, *request.span)]

    def _doubted_lines(self, request: PriceRequest) -> list[str]:
        return [ticker for ticker in request.tickers if ticker in self._doubted]

    def _requests(self, tickers: Iterable[str], request: PriceRequest) -> Iterator[_LineRequest]:
        for ticker in tickers:
            for symbol, start, end in symbology.symbol_periods(ticker, *self._widened(ticker, *request.span)):
                yield ticker, symbol, start, end

    def _widened(self, ticker: str, first: date, last: date) -> tuple[date, date]:
        """The span to ask a line for: with what is known of it, without a gap. A longer one is not another call."""
        known = self._bars.span(ticker) or (first, last)
        return min(first, known[0]), max(last, known[1])

    def _get_lines(self, tickers: Iterable[str], request: PriceRequest) -> None:
        requests = list(self._requests(tickers, request))
        answers: dict[str, list[BarSeries]] = {}
        left = Counter(request[0] for request in requests)
        for (ticker, _, _, _), bars in self._vendor.each(self._fetch_line, requests):
            left[ticker] -= 1
            if isinstance(bars, MarketDataError):
                self.failures[ticker] = str(bars)
                continue
            answers.setdefault(ticker, []).append(bars)
            if not left[ticker] and ticker not in self.failures:
                series = joined(answers.pop(ticker))
                self._check_not_clipped(ticker, series, request.sessions[0])
                self._bars.keep_line(ticker, series, *self._widened(ticker, *request.span))
                self._doubted.discard(ticker)

    def _fetch_line(self, request: _LineRequest) -> BarSeries:
        _, symbol, start, end = request
        try:
            return BarSeries.of(symbol, self._vendor.source.bars(symbol, start, end))
        except TickerNotFoundError:
            return BarSeries.of(symbol, [])

    def _check_not_clipped(self, ticker: str, bars: BarSeries, first: date) -> None:
        """The vendor clips a range to the plan's window without a word; each of the Mag 7 traded long before ours."""
        if ticker in symbology.MAGNIFICENT_7 and bars.days and bars.days[0] > first.toordinal():
            begins = date.fromordinal(bars.days[0])
            raise PlanError(
                f"the plan serves prices from {begins} on only: {ticker} has none from {first}",
                hint=f"collect --start {begins}, or a plan with more history",
            )
