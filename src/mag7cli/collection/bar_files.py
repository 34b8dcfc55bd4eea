"""The files of `raw/reference/bars/`: what the vendor answered, one for each line or day that was asked for as a whole.

`ticker=T.json` has all bars of a line over the range that it `covers`, `date=D.json` those of one day by line, with
null for a line that was looked for and had none. A name says what is inside, so that nothing else has to be opened.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import chain
from operator import lt
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

import orjson

from mag7cli.core.errors import DocumentError
from mag7cli.lake.layout import REFERENCE, Lake
from mag7cli.market.bar_series import SIZE, BarSeries, Values, iso_day, ordinal

SCHEMA_VERSION: Final = 1
_FOLDER: Final = "bars/"
_BARS: Final = b'"bars":{'
_A_SESSION_WITHIN: Final = 8
_FRIDAY: Final = 4

DayRows = Mapping[str, Values | None]
"""The values of one day by line; None for a line that was looked for and had no bar."""

_Of = TypeVar("_Of")
_Content = TypeVar("_Content")


@dataclass(frozen=True, slots=True)
class LineFile:
    """The bars of a line from the first to the last day that it `covers`, both included.

    Of a file that was read for some of its days alone the bars may begin later, and end earlier.
    """

    covers: tuple[date, date]
    bars: BarSeries


class BarFiles:
    """The files of one lake: those that were there when this was made, and those written since then."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._names = {info.key.rpartition("/")[2] for info in lake.reference_files(_FOLDER)}
        self.days = {day for name in self._names if (day := _day_of(name))}

    def line(self, ticker: str, since: date = date.min, until: date = date.max) -> LineFile | None:
        """The file of a line, None if there is none; bars of before `since` and of after `until` may be left out.

        Raises DocumentError for one that is no file of bars.
        """
        return self._read(_line_name(ticker), partial(_decode_line, since=since, until=until), ticker)

    def day(self, day: date) -> DayRows | None:
        """The rows of a day, None if there are none. Raises DocumentError for what is no file of bars."""
        return self._read(_day_name(day), _decode_day, day)

    def keep_line(self, ticker: str, file: LineFile) -> None:
        """Write the file of a line."""
        self._write(_line_name(ticker), _encode_line(ticker, file))

    def keep_day(self, day: date, rows: DayRows) -> None:
        """Write the rows of a day."""
        self._write(_day_name(day), _encode_day(day, rows))
        self.days.add(day)

    def broken(self) -> Iterator[DocumentError]:
        """Why files cannot be read, one error each."""
        for name in sorted(self._names):
            try:
                self._check(name)
            except DocumentError as error:
                yield error

    def _check(self, name: str) -> None:
        day = _day_of(name)
        if day:
            self.day(day)
        elif name.startswith("ticker="):
            self.line(unquote(_label(name)))
        else:
            raise DocumentError(self._where(name), "not a bars file (its name has no date)")

    def _read(self, name: str, decode: Callable[[bytes, _Of], _Content], of: _Of) -> _Content | None:
        if name not in self._names:
            return None
        try:
            return decode(self._lake.store.read(REFERENCE + _FOLDER + name), of)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            reason = f"not a bars file ({error}); delete it to ask the vendor again"
            raise DocumentError(self._where(name), reason) from error

    def _where(self, name: str) -> str:
        return self._lake.store.uri(REFERENCE + _FOLDER + name)

    def _write(self, name: str, data: bytes) -> None:
        self._lake.write_reference(_FOLDER + name, data)
        self._names.add(name)


def broken_files(lake: Lake) -> Iterator[DocumentError]:
    """Why files of bars cannot be read, one error each."""
    return BarFiles(lake).broken()


def _line_name(ticker: str) -> str:
    # A ticker is what a holdings file says: in the name of a file it must not be a path.
    return f"ticker={quote(ticker, safe='')}.json"


def _day_name(day: date) -> str:
    return f"date={day.isoformat()}.json"


def _label(name: str) -> str:
    return name.partition("=")[2].removesuffix(".json")


def _day_of(name: str) -> date | None:
    """The day of a file by its name, None if it is that of a line."""
    if name.startswith("date="):
        with suppress(ValueError):
            return date.fromisoformat(_label(name))
    return None


def _decode_line(data: bytes, ticker: str, since: date, until: date) -> LineFile:
    document: dict[str, Any] = orjson.loads(_last_bars(_first_bars(data, until), since))
    _check_name(_line_name(document["ticker"]), _line_name(ticker))
    first, last = (date.fromisoformat(day) for day in document["covers"])
    return LineFile((first, last), _series(ticker, document["bars"]))


def _last_bars(data: bytes, since: date) -> bytes:
    """The file without its bars of before a day, which are its first ones: to parse them all takes twenty times longer.

    As it is if it has no bar within days of `since`, or was not written by `_encode_line`.
    """
    place = _place(data, _weekday_until(since))
    return data[: data.find(_BARS) + len(_BARS)] + data[place:] if place else data


def _first_bars(data: bytes, until: date) -> bytes:
    """The file without its bars of after a day, which are its last ones; as it is where `_last_bars` leaves it so."""
    place = _place(data, until + timedelta(days=1)) if until < date.max else None
    return data[:place].rstrip(b",") + b"}}" if place else data


def _place(data: bytes, since: date) -> int | None:
    """Where the first bar from a day on is, if it is of within days."""
    if since == date.min:
        return None
    head = data.find(_BARS)
    days = range(since.toordinal(), since.toordinal() + _A_SESSION_WITHIN)
    # Most are looked for near the end; where a day has none the whole file is searched.
    places = (data.rfind(b'"%s":[' % iso_day(day).encode(), head) for day in days)
    return next((place for place in places if place > head >= 0), None)


def _weekday_until(day: date) -> date:
    """The last day up to a day on which there may be trading."""
    return day - timedelta(days=max(0, day.weekday() - _FRIDAY)) if day > date.min else day


def _series(ticker: str, rows: Mapping[str, Values]) -> BarSeries:
    days = array("i", map(ordinal, rows))
    if not all(map(lt, days, days[1:])) or {*map(len, rows.values())} - {SIZE}:
        return BarSeries.of_rows(ticker, dict(zip(days, rows.values(), strict=True)))
    try:
        return BarSeries(ticker, days, array("d", chain.from_iterable(rows.values())))  # type: ignore[arg-type]
    except TypeError:  # a vwap was not given
        return BarSeries.of_rows(ticker, dict(zip(days, rows.values(), strict=True)))


def _decode_day(data: bytes, day: date) -> DayRows:
    document: dict[str, Any] = orjson.loads(data)
    _check_name(_day_name(date.fromisoformat(document["date"])), _day_name(day))
    rows: dict[str, Values | None] = document["bars"]
    if any(values and len(values) != SIZE for values in rows.values()):
        raise ValueError(f"a bar has not {SIZE} values")
    return {ticker: values or None for ticker, values in rows.items()}


def _check_name(of_content: str, name: str) -> None:
    if of_content != name:
        raise ValueError(f"its content is that of {of_content}")


def _encode_line(ticker: str, file: LineFile) -> bytes:
    return _encode(
        {
            "ticker": ticker,
            "covers": [day.isoformat() for day in file.covers],
            # A vwap that was not given is NaN, which JSON has as null.
            "bars": dict(zip(map(iso_day, file.bars.days), file.bars.values(), strict=True)),
        }
    )


def _encode_day(day: date, rows: DayRows) -> bytes:
    return _encode({"date": day.isoformat(), "bars": {ticker: rows[ticker] for ticker in sorted(rows)}})


def _encode(document: dict[str, Any]) -> bytes:
    return orjson.dumps({"schema_version": SCHEMA_VERSION, **document}, option=orjson.OPT_APPEND_NEWLINE)
