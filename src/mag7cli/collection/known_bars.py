"""The bars that a lake knows: their closes as numbers, and whole bars from their file when somebody wants one.

A lake of four years has half a million bars, of nearly all of which only the close is looked at. A file is opened when
its line or its day is looked at. Where both have a bar the line's stands: it was asked for as a whole.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from mag7cli.collection.bar_files import BarFiles, DayRows, LineFile
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.bar_series import CLOSE, BarSeries, Values, values_of
from mag7cli.market.records import Bar
from mag7cli.shares.plausibility import are_ordinary_moves, are_sound

# Whole bars are wanted of the Mag 7 and their second lines only.
_WHOLE_LINES: Final = 16
# Of a file read for its last weeks they are kept with the closes: an evening compares those of each line.
_FEW_BARS: Final = 64
# All lines are asked about few lists of dates, and most have bars on the same days.
_ASKED: Final = 8


@dataclass(frozen=True, slots=True)
class _Closes:
    """The closes (USD) of a line's file by the ordinals of their days, from `since` until `until`.

    It is sound if none of these bars denies itself. `few_bars` are these bars where they are not many.
    """

    days: "array[int]"
    closes: "array[float]"
    covers: tuple[date, date] | None = None
    is_sound: bool = True
    since: date = date.min
    until: date = date.max
    few_bars: BarSeries | None = None

    def place(self, day: int) -> int | None:
        """Where a day is, None if it has no bar."""
        place = bisect_left(self.days, day)
        return place if place < len(self.days) and self.days[place] == day else None

    def between(self, first: date, last: date) -> dict[int, float]:
        """The closes from `first` to `last`, oldest first."""
        start, stop = bisect_left(self.days, first.toordinal()), bisect_right(self.days, last.toordinal())
        return dict(zip(self.days[start:stop], self.closes[start:stop], strict=True))


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """The closes of some lines, which all have those of the days from `since` until `until`."""

    tickers: Collection[str]
    lines: Sequence[_Closes]
    since: date
    until: date


_NOTHING: Final = _Closes(array("i"), array("d"))


class KnownBars:
    """The bars of one lake, by line and day.

    Those of before `since` and after `until` are read if they are looked at all the same.
    """

    def __init__(self, lake: Lake, since: date = date.min) -> None:
        self._files = BarFiles(lake)
        self._since = since
        self._until = date.max
        self._lines: dict[str, _Closes] = {}
        self._days: dict[date, DayRows] = {}
        self._calendars: dict[bytes, array[int]] = {}
        self._asked: deque[tuple[list[date], array[int], Sequence[date], Sequence[int]]] = deque(maxlen=_ASKED)
        self._looked_up: _LookedUp | None = None
        self._whole = lru_cache(_WHOLE_LINES)(self._read_whole)

    def look_at(self, first: date, last: date) -> None:
        """From now on have the bars of these days in memory, and no others."""
        self._since, self._until = first, last
        self._looked_up = None
        self._lines.clear()
        self._days.clear()
        self._calendars.clear()
        self._asked.clear()
        self._whole.cache_clear()

    # What was asked for

    def covers(self, ticker: str, first: date, last: date) -> bool:
        """True if a line was asked for as a whole over these days."""
        span = self.span(ticker)
        return span is not None and span[0] <= first and last <= span[1]

    def span(self, ticker: str) -> tuple[date, date] | None:
        """First and last day for which a line was asked for as a whole, None if it was not."""
        return self._closes(ticker).covers

    def lines_of(self, day: date) -> Collection[str]:
        """The lines that a day was asked for as a whole, with a bar or without."""
        return self._rows(day).keys()

    # What is known

    def close(self, ticker: str, day: date) -> float | None:
        """The close (USD) of a line on a date, None if it has no bar."""
        line = self._closes(ticker, day, day)
        place = line.place(day.toordinal())
        if place is not None:
            return line.closes[place]
        values = self._rows(day).get(ticker)
        return values[CLOSE] if values else None

    def closes_on(self, day: date, tickers: Collection[str]) -> dict[str, float]:
        """The closes (USD) of those of these lines that have a bar on a date."""
        closes: dict[str, float] = {}
        places: dict[int, int | None] = {}  # most lines share one calendar
        ordinal = day.toordinal()
        for ticker, line in zip(tickers, self._closes_of(tickers, day), strict=True):
            calendar = id(line.days)
            if calendar not in places:
                places[calendar] = line.place(ordinal)
            place = places[calendar]
            if place is not None:
                closes[ticker] = line.closes[place]
            elif values := self._rows(day).get(ticker):
                closes[ticker] = values[CLOSE] or 0.0
        return closes

    def _closes_of(self, tickers: Collection[str], day: date) -> Sequence[_Closes]:
        """The closes of these lines, of a day at the least: as they were looked up for another day, if they stand."""
        known = self._looked_up
        if not (known and known.tickers is tickers and known.since <= day <= known.until):
            lines = [self._closes(ticker, day, day) for ticker in tickers]
            since = max((line.since for line in lines), default=day)
            until = min((line.until for line in lines), default=day)
            known = self._looked_up = _LookedUp(tickers, lines, since, until)
        return known.lines

    def bar(self, ticker: str, day: date) -> Bar | None:
        """The bar of a line on a date, None if there is none."""
        return next(iter(self.bars(ticker, day, day)), None)

    def closes(self, ticker: str, among: Iterable[date]) -> dict[date, float]:
        """The closes (USD) of a line on those of these dates on which it has a bar, oldest first.

        A list of dates is taken to be sorted, each date once: all lines are asked about the same one.
        """
        dates = among if isinstance(among, list) else sorted(set(among))
        if not dates:
            return {}
        line = self._closes(ticker, dates[0], dates[-1])
        days, places = self._places(dates, line.days)
        own = dict(zip(days, map(line.closes.__getitem__, places), strict=True))
        if len(own) == len(dates) or self._files.days.isdisjoint(dates):
            return own
        rows = {day: self._rows(day).get(ticker) for day in self._files.days.intersection(dates)}
        return dict(sorted(({day: values[CLOSE] or 0.0 for day, values in rows.items() if values} | own).items()))

    def _places(self, dates: list[date], calendar: "array[int]") -> tuple[Sequence[date], Sequence[int]]:
        """Those of these dates that a calendar of bars has, sorted, and where they are: alike for nearly all lines."""
        for known, of, days, places in self._asked:
            if of is calendar and known == dates:
                return days, places
        place_of = {day: place for place, day in enumerate(calendar)}
        there = [(day, place_of[day.toordinal()]) for day in sorted({*dates}) if day.toordinal() in place_of]
        days, places = [day for day, _ in there], array("i", [place for _, place in there])
        self._asked.appendleft((list(dates), calendar, days, places))
        return days, places

    def closes_between(self, ticker: str, first: date, last: date) -> dict[date, float]:
        """The closes (USD) of a line from `first` to `last`, oldest first."""
        return {date.fromordinal(day): close for day, close in self._between(ticker, first, last).items()}

    def bars(self, ticker: str, first: date = date.min, last: date = date.max) -> list[Bar]:
        """The bars of a line from `first` to `last`, oldest first, in the symbols of their days."""
        known: Iterable[tuple[date, Any]] = sorted(self._values(ticker, first, last).items())
        return [Bar(symbology.symbol_on(ticker, day), day, *values) for day, values in known]

    def nearest_close(self, ticker: str, day: date) -> tuple[date, float] | None:
        """The close (USD) of a line on the last date up to a day that has one, else on the first after it."""
        days = {*map(date.fromordinal, self._closes(ticker, date.min, date.max).days), *self._files.days}
        before = sorted((known for known in days if known <= day), reverse=True)
        after = sorted(known for known in days if known > day)
        closes = ((known, self.close(ticker, known)) for known in (*before, *after))
        return next(((known, close) for known, close in closes if close is not None), None)

    def are_beyond_doubt(self, ticker: str, first: date, last: date) -> bool:
        """True if no bar of a line denies itself, and the close always moves as it does every day."""
        rows = self._rows_between(ticker, first, last)
        if not (self._closes(ticker, first, last).is_sound and are_sound(BarSeries.of_rows(ticker, _by_ordinal(rows)))):
            return False
        return are_ordinary_moves([*self._between(ticker, first, last).values()])

    # What is new

    def keep_line(self, ticker: str, bars: BarSeries, first: date, last: date) -> None:
        """Keep what a line was answered from `first` to `last`, and what was known in between and is not in it."""
        known = _by_ordinal(self._values(ticker, first, last))
        if known.keys() - {*bars.days}:
            bars = BarSeries.of_rows(ticker, known | dict(bars.rows()))
        self._put(ticker, LineFile((first, last), bars))

    def keep_day(self, day: date, bars: Mapping[str, Bar | None]) -> None:
        """Keep what was answered for a day: the bars of lines, None for one that had none."""
        answered = {ticker: values_of(bar) if bar else self._value(ticker, day) for ticker, bar in bars.items()}
        self._put_day(day, {**self._rows(day), **answered})

    def replace(self, bars: Mapping[tuple[str, date], Bar]) -> None:
        """Put other bars in the place of those that are there, in every file that has them."""
        for day, of_day in _by_day(bars).items():
            values = {ticker: values_of(bars[ticker, day]) for ticker in of_day if ticker in self._rows(day)}
            if values:
                self._put_day(day, {**self._rows(day), **values})
        for ticker, days in _by_ticker(bars).items():
            self._change(ticker, {day: values_of(bars[ticker, day]) for day in days if self.covers(ticker, day, day)})

    def forget(self, keys: Iterable[tuple[str, date]]) -> None:
        """Take bars out of every file that has them, so that the days are as if these lines were not asked for."""
        keys = list(keys)
        for day, tickers in _by_day(keys).items():
            rows = self._rows(day)
            if rows.keys() & tickers:
                self._put_day(day, {ticker: values for ticker, values in rows.items() if ticker not in tickers})
        for ticker, days in _by_ticker(keys).items():
            self._change(ticker, dict.fromkeys(days))

    def _change(self, ticker: str, values: Mapping[date, Values | None]) -> None:
        """Change bars of a line's file; None takes one out."""
        file = self._files.line(ticker)
        if file and values:
            changed = dict(file.bars.rows()) | {day.toordinal(): new for day, new in values.items()}
            rows = {day: known for day, known in changed.items() if known}
            self._put(ticker, LineFile(file.covers, BarSeries.of_rows(ticker, rows)))

    # Files

    def _put(self, ticker: str, file: LineFile) -> None:
        self._files.keep_line(ticker, file)
        window = (self._since, self._until) if self._until < date.max else (date.min, date.max)
        self._lines[ticker] = self._of_file(file, *window)
        self._looked_up = None
        self._whole.cache_clear()

    def _put_day(self, day: date, rows: DayRows) -> None:
        self._files.keep_day(day, rows)
        self._days[day] = rows

    def _closes(self, ticker: str, first: date = date.max, last: date = date.min) -> _Closes:
        """The closes of a line, of the days from `first` to `last` at the least."""
        known = self._lines.get(ticker)
        if known is None or first < known.since or last > known.until:
            window = self._window(first, last)
            file = self._files.line(ticker, *window)
            known = self._lines[ticker] = self._of_file(file, *window) if file else _NOTHING
        return known

    def _window(self, first: date, last: date) -> tuple[date, date]:
        """Of which days a file is read where its bars from `first` to `last` are looked at."""
        is_within = self._since <= first and last <= self._until
        return (self._since, self._until) if is_within else (date.min, date.max)

    def _of_file(self, file: LineFile, since: date = date.min, until: date = date.max) -> _Closes:
        bars = file.bars.between(since, until) if until < date.max else file.bars
        days = self._calendars.setdefault(bars.days.tobytes(), bars.days)
        few_bars = bars if len(days) <= _FEW_BARS else None
        return _Closes(days, bars.closes, file.covers, are_sound(bars), since=since, until=until, few_bars=few_bars)

    def _series(self, ticker: str, since: date, until: date) -> BarSeries | None:
        known = self._lines.get(ticker)
        if known and known.few_bars is not None and (known.since, known.until) == (since, until):
            return known.few_bars
        return self._whole(ticker, since, until)

    def _read_whole(self, ticker: str, since: date, until: date) -> BarSeries | None:
        file = self._files.line(ticker, since, until)
        return file.bars if file else None

    def _rows(self, day: date) -> DayRows:
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._files.day(day) or {}
        return known

    def _between(self, ticker: str, first: date, last: date) -> dict[int, float]:
        """The closes from `first` to `last` by the ordinals of their days, oldest first."""
        own = self._closes(ticker, first, last).between(first, last)
        rows = self._rows_between(ticker, first, last)
        known: Any = {day.toordinal(): values[CLOSE] for day, values in rows.items()}
        return dict(sorted((known | own).items())) if known else own

    def _rows_between(self, ticker: str, first: date, last: date) -> dict[date, Values]:
        days = (day for day in self._files.days if first <= day <= last)
        return {day: values for day in days if (values := self._rows(day).get(ticker))}

    def _values(self, ticker: str, first: date, last: date) -> dict[date, Values]:
        """The values of the bars from `first` to `last` by day."""
        own_closes = self._closes(ticker, first, last).between(first, last)
        whole = self._series(ticker, *self._window(first, last)) if own_closes else None
        own = whole.between(first, last).rows() if whole else ()
        return self._rows_between(ticker, first, last) | {date.fromordinal(day): values for day, values in own}

    def _value(self, ticker: str, day: date) -> Values | None:
        return self._values(ticker, day, day).get(day)


def _by_ordinal(values: Mapping[date, Values]) -> dict[int, Values]:
    return {day.toordinal(): known for day, known in values.items()}


def _by_day(keys: Iterable[tuple[str, date]]) -> dict[date, set[str]]:
    days: dict[date, set[str]] = {}
    for ticker, day in keys:
        days.setdefault(day, set()).add(ticker)
    return days


def _by_ticker(keys: Iterable[tuple[str, date]]) -> dict[str, list[date]]:
    tickers: dict[str, list[date]] = {}
    for ticker, day in keys:
        tickers.setdefault(ticker, []).append(day)
    return tickers
