"""The unadjusted daily bars of the index's lines: asked for by whole days or by whole lines, whichever is fewer calls.

What was asked for is kept under `raw/reference/bars/`, so that a run that was cut off does not pay for it twice.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

from mag7cli.core.errors import DocumentError, MalformedResponseError, MarketDataError, PlanError, TickerNotFoundError
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.market import symbology
from mag7cli.market.calendar import previous_session
from mag7cli.market.records import Bar, Split
from mag7cli.shares.plausibility import COMPARABLE, correction_problem, price_problems
from mag7cli.vendors.calls import VendorCalls

SCHEMA_VERSION: Final = 1

# Another company that takes a symbol over has another price, and rarely trades on the very next session.
_NEAR: Final = timedelta(days=5)
_STEP: Final = 1.3
_FOLDER: Final = "bars/"
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

    def __init__(self, lake: Lake, calls: VendorCalls | None = None) -> None:
        """Without `calls` the bars can be read, but not asked for."""
        self._lake = lake
        self._calls = calls
        self._bars: dict[str, dict[date, Bar]] = {}
        self._covered_days: dict[date, set[str]] = {}
        self._covered_lines: dict[str, tuple[date, date]] = {}
        self._doubted: set[str] = set()
        self.failures: dict[str | date, str] = {}
        self.refused: dict[tuple[str, date], str] = {}

    def load(self) -> None:
        """Read what earlier runs were told. Raises DocumentError for a file that is not a bars file."""
        for info in self._lake.reference_files(_FOLDER):
            self._load(info)

    def _load(self, info: ObjectInfo) -> None:
        for ticker, bars in self._read(self._lake.store.read(info.key), self._lake.store.uri(info.key)).items():
            self._bars.setdefault(ticker, {}).update(bars)

    def doubt(self, unpriced: Iterable[tuple[str, date]]) -> None:
        """Let lines be asked for again that should have a bar on a date and have none: an answer may have a hole."""
        for ticker, day in unpriced:
            if self.bar(ticker, day) is None:
                self._covered_days.get(day, set()).discard(ticker)
                if self._spans(ticker, day, day):
                    self._doubted.add(ticker)

    def bar(self, ticker: str, on: date) -> Bar | None:
        """The bar of a line on a date, None if it did not trade or was not asked for."""
        return self._bars.get(ticker, {}).get(on)

    def closes(self, ticker: str, among: Iterable[date]) -> dict[date, float]:
        """The closes (USD) of a line on those of these trading dates on which it has a bar, oldest first."""
        bars = self._bars.get(ticker, {})
        return {day: bars[day].close_usd for day in sorted(set(among) & bars.keys())}

    def nearest_close(self, ticker: str, day: date) -> tuple[date, float] | None:
        """The close (USD) of a line on the last date up to a day that has one, else on the first after it."""
        days = sorted(self._bars.get(ticker, {}))
        if not days:
            return None
        nearest = days[max(0, bisect_right(days, day) - 1)]
        return nearest, self._bars[ticker][nearest].close_usd

    def continues(self, ticker: str, first: date, last: date) -> bool:
        """True if the closes of a line lead from one date to another in steps that one company takes.

        There must be one within days of either, and none may be far from the one before.
        """
        bars = self._bars.get(ticker, {})
        days = sorted(day for day in bars if first - _NEAR <= day <= last + _NEAR)
        if not days or days[0] > first + _NEAR or days[-1] < last - _NEAR:
            return False
        steps = ((after - before, bars[after].close_usd / bars[before].close_usd) for before, after in pairwise(days))
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
            bars = (bar for day, bar in self._bars.get(ticker, {}).items() if first <= day <= last)
            problems.update({(ticker, day): why for day, why in price_problems(bars, splits_of(ticker)).items()})
        self._refuse(problems)

    def _refuse(self, problems: Mapping[tuple[str, date], str]) -> None:
        """Forget bars, here and in the lake."""
        self.refused.update(problems)
        for ticker, day in problems:
            self._bars[ticker].pop(day, None)
            self._covered_days.get(day, set()).discard(ticker)
        for day in {day for _, day in problems} & self._covered_days.keys():
            self._write_day(day)
        for ticker in {ticker for ticker, _ in problems} & self._covered_lines.keys():
            self._write_line(ticker)

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
        bars = {key: bar for key, bar in fresh.items() if isinstance(bar, Bar)}
        problems.update(self._untrue(bars, splits_of))
        taken = {key: bar for key, bar in bars.items() if key not in problems and bar != self.bar(*key)}
        for (ticker, day), bar in taken.items():
            self._bars.setdefault(ticker, {})[day] = bar
        for day in {day for _, day in taken} & self._covered_days.keys():
            self._write_day(day)
        for ticker in {ticker for ticker, _ in taken} & self._covered_lines.keys():
            self._write_line(ticker)
        return problems

    def _days_again(self, request: PriceRequest) -> dict[tuple[str, date], Bar | str]:
        fresh: dict[tuple[str, date], Bar | str] = {}
        for day, answer in self._vendor.each(self._fetch_day, request.sessions):
            for ticker in request.tickers:
                if self.bar(ticker, day) is None:
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
            around = price_problems(({**self._bars[ticker], **new}).values(), splits_of(ticker))
            for day, bar in new.items():
                old = self._bars[ticker][day].close_usd
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
        covered = self._covered_days.get(day, ())
        return all(ticker in covered or self._spans(ticker, day, day) for ticker in tickers)

    def _get_days(self, request: PriceRequest) -> None:
        for day, answer in self._vendor.each(self._fetch_day, self._missing_days(request)):
            if isinstance(answer, MarketDataError):
                self.failures[day] = str(answer)
                continue
            self.failures.pop(day, None)
            # The lines that were asked for before as well, or the file would forget them.
            tickers = self._covered_days.setdefault(day, set())
            tickers.update(request.tickers)
            symbols = ((ticker, symbology.symbol_on(ticker, day)) for ticker in sorted(tickers))
            for ticker, symbol in symbols:
                if bar := answer.get(symbol):
                    self._bars.setdefault(ticker, {})[day] = bar
            self._write_day(day)

    def _write_day(self, day: date) -> None:
        bars = {ticker: self.bar(ticker, day) for ticker in sorted(self._covered_days[day])}
        self._lake.write_reference(_FOLDER + _day_file(day), _encode_day(day, bars))

    def _fetch_day(self, day: date) -> Mapping[str, Bar]:
        bars = self._vendor.source.grouped_bars(day)
        if not bars:
            raise MalformedResponseError(f"no bars at all on {day}, a trading date")
        return bars

    # By whole lines: one call gives all days of one symbol

    def _missing_lines(self, request: PriceRequest) -> list[str]:
        return [ticker for ticker in request.tickers if not self._spans(ticker, *request.span)]

    def _doubted_lines(self, request: PriceRequest) -> list[str]:
        return [ticker for ticker in request.tickers if ticker in self._doubted]

    def _requests(self, tickers: Iterable[str], request: PriceRequest) -> Iterator[_LineRequest]:
        for ticker in tickers:
            for symbol, start, end in symbology.symbol_periods(ticker, *self._widened(ticker, *request.span)):
                yield ticker, symbol, start, end

    def _spans(self, ticker: str, first: date, last: date) -> bool:
        covered = self._covered_lines.get(ticker)
        return covered is not None and covered[0] <= first and last <= covered[1]

    def _widened(self, ticker: str, first: date, last: date) -> tuple[date, date]:
        """The span to ask a line for: with what is known of it, without a gap. A longer one is not another call."""
        known = self._covered_lines.get(ticker, (first, last))
        return min(first, known[0]), max(last, known[1])

    def _get_lines(self, tickers: Iterable[str], request: PriceRequest) -> None:
        requests = list(self._requests(tickers, request))
        got: dict[str, dict[date, Bar]] = {}
        left = {
            ticker: sum(range_request[0] == ticker for range_request in requests)
            for ticker in dict.fromkeys(range_request[0] for range_request in requests)
        }
        for (ticker, _, _, _), bars in self._vendor.each(self._fetch_line, requests):
            left[ticker] -= 1
            if isinstance(bars, MarketDataError):
                self.failures[ticker] = str(bars)
                continue
            got.setdefault(ticker, {}).update({bar.trading_date: bar for bar in bars})
            if not left[ticker] and ticker not in self.failures:
                self._check_not_clipped(ticker, got[ticker], request.sessions[0])
                self._keep_line(ticker, got.pop(ticker), *self._widened(ticker, *request.span))

    def _fetch_line(self, request: _LineRequest) -> list[Bar]:
        _, symbol, start, end = request
        try:
            return self._vendor.source.bars(symbol, start, end)
        except TickerNotFoundError:
            return []

    def _check_not_clipped(self, ticker: str, bars: dict[date, Bar], first: date) -> None:
        """The vendor clips a range to the plan's window without a word; each of the seven traded long before ours."""
        if ticker in symbology.MAGNIFICENT_7 and bars and min(bars) > first:
            begins = min(bars)
            raise PlanError(
                f"the plan serves prices from {begins} on only: {ticker} has none from {first}",
                hint=f"collect --start {begins}, or a plan with more history",
            )

    def _keep_line(self, ticker: str, bars: dict[date, Bar], first: date, last: date) -> None:
        self._bars.setdefault(ticker, {}).update(bars)
        self._covered_lines[ticker] = (first, last)
        self._doubted.discard(ticker)
        self._write_line(ticker)

    def _write_line(self, ticker: str) -> None:
        known, (first, last) = self._bars[ticker], self._covered_lines[ticker]
        within = {day: bar for day, bar in known.items() if first <= day <= last}
        self._lake.write_reference(_FOLDER + _line_file(ticker), _encode_line(ticker, within, first, last))

    def _read(self, data: bytes, where: str) -> dict[str, dict[date, Bar]]:
        try:
            document: dict[str, Any] = orjson.loads(data)
            if "ticker" in document:
                ticker = document["ticker"]
                _check_name(where, _line_file(ticker))
                first, last = (date.fromisoformat(day) for day in document["covers"])
                self._covered_lines[ticker] = (first, last)
                days = ((date.fromisoformat(day), values) for day, values in document["bars"].items())
                return {ticker: {day: _bar(symbology.symbol_on(ticker, day), day, values) for day, values in days}}
            day = date.fromisoformat(document["date"])
            _check_name(where, _day_file(day))
            self._covered_days[day] = set(document["bars"])
            return {
                ticker: {day: _bar(symbology.symbol_on(ticker, day), day, values)}
                for ticker, values in document["bars"].items()
                if values
            }
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise DocumentError(where, f"not a bars file ({error}); delete it to ask the vendor again") from error


def broken_files(lake: Lake) -> Iterator[DocumentError]:
    """Why files of bars cannot be read, one error each."""
    for info in lake.reference_files(_FOLDER):
        try:
            PriceCache(lake)._load(info)
        except DocumentError as error:
            yield error


def _line_file(ticker: str) -> str:
    # A ticker is what a holdings file says: in the name of a file it must not be a path.
    return f"ticker={quote(ticker, safe='')}.json"


def _day_file(day: date) -> str:
    return f"date={day.isoformat()}.json"


def _check_name(where: str, name: str) -> None:
    if not where.endswith(f"/{name}"):
        raise ValueError(f"its content is that of {name}")


def _bar(symbol: str, day: date, values: Sequence[float]) -> Bar:
    return Bar(symbol, day, *values)


def _values(bar: Bar) -> list[float | None]:
    return [bar.open_usd, bar.high_usd, bar.low_usd, bar.close_usd, bar.volume, bar.vwap_usd]


def _encode_day(day: date, bars: Mapping[str, Bar | None]) -> bytes:
    """Null is a line that was looked for and had no bar."""
    return _encode({"date": day.isoformat(), "bars": {ticker: bar and _values(bar) for ticker, bar in bars.items()}})


def _encode_line(ticker: str, bars: dict[date, Bar], first: date, last: date) -> bytes:
    return _encode(
        {
            "ticker": ticker,
            "covers": [first.isoformat(), last.isoformat()],
            "bars": {day.isoformat(): _values(bars[day]) for day in sorted(bars)},
        }
    )


def _encode(document: dict[str, Any]) -> bytes:
    return orjson.dumps({"schema_version": SCHEMA_VERSION, **document}, option=orjson.OPT_APPEND_NEWLINE)
