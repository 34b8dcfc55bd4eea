"""The holdings files that a lake keeps: read as of the day under which each lies, and kept only after being judged.

The day decides which line a symbol means: FISV is FI until 2023-06-06, and COR is another company's before 2023-08-30.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import orjson

from mag7cli.core.errors import DocumentError, KeyNotFoundError, Mag7Error
from mag7cli.lake import write_record
from mag7cli.lake.layout import HOLDINGS, Lake
from mag7cli.market import index_history

if TYPE_CHECKING:
    from mag7cli.market.holdings_file import Holdings
    from mag7cli.market.index_history import Difference

_ACCEPTED_NAME: Final = "accepted.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a holdings file was kept, and what spoke against it: `accepted` in spite of that, if it was kept.

    `differences` are its lines against the index's history of its day.
    """

    is_kept: bool
    reasons: tuple[str, ...] = ()
    differences: "tuple[Difference, ...]" = ()


@dataclass(frozen=True, slots=True)
class JudgedHoldings:
    """A holdings file as it was read, and what became of it."""

    holdings: "Holdings"
    verdict: Verdict


def read_kept(lake: Lake, as_of: date) -> "Holdings":
    """The holdings file of a day. Raises KeyNotFoundError where none is kept, HoldingsFormatError if it is broken."""
    from mag7cli.market.holdings_file import parse

    return parse(lake.read_holdings(as_of), lake.store.uri(lake.holdings_key(as_of)), as_of=as_of)


def read_all_kept(lake: Lake) -> "dict[date, Holdings]":
    """Every holdings file of a lake by its day, oldest first. Raises HoldingsFormatError for a broken one."""
    return {as_of: read_kept(lake, as_of) for as_of in lake.holdings_dates()}


def keep(lake: Lake, holdings: "Holdings", data: bytes, *, today: date, accept: bool = False) -> Verdict:
    """Keep a holdings file in the lake under its day, unless something speaks against it.

    Args:
        lake: Where to keep it.
        holdings: The file as it was read, with its day.
        data: The file's bytes, kept as they are.
        today: The day in New York, after which no file can be.
        accept: Keep it in spite of doubts, which are then noted, and in place of another file of the same day.
    """
    reasons = judge(lake, holdings, today)
    day = holdings.as_of
    if day is None or (reasons and not accept):
        return Verdict(is_kept=False, reasons=reasons, differences=_differences(holdings))
    if not _is_kept_already(lake, holdings, day):
        lake.write_holdings(day, data)
        write_record.note(lake, lake.holdings_key(day), data)
        _note(lake, day, reasons)
    return Verdict(is_kept=True, reasons=reasons, differences=_differences(holdings))


def judge(lake: Lake, holdings: "Holdings", today: date) -> tuple[str, ...]:
    """Why a file should not be kept as the S&P 500's of its day; none if nothing speaks against it."""
    from mag7cli.market import fund_check

    day = holdings.as_of
    earlier = [day_kept for day_kept in lake.holdings_dates() if day and day_kept < day]
    previous = read_kept(lake, earlier[-1]).tickers if earlier else []
    doubts = fund_check.doubts(holdings, today=today, previous=previous)
    if day in lake.holdings_dates() and not _is_kept_already(lake, holdings, day):
        return (*doubts, f"the lake has another list of {day}, which is replaced only on request")
    return doubts


def acceptance(lake: Lake, as_of: date) -> tuple[str, ...]:
    """What spoke against the file of a day when it was kept all the same. Raises DocumentError for a broken note."""
    key = _note_key(as_of)
    try:
        return tuple(str(reason) for reason in orjson.loads(lake.store.read(key))["accepted"])
    except KeyNotFoundError:
        return ()
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise DocumentError(lake.store.uri(key), f"not a note on a holdings file ({error})") from error


def _is_kept_already(lake: Lake, holdings: "Holdings", day: date) -> bool:
    """True if the lake's file of that day has the same lines and weights; the issuer may write them anew."""
    try:
        present = read_kept(lake, day)
    except Mag7Error:
        return False
    return _list_of(present) == _list_of(holdings)


def _list_of(holdings: "Holdings") -> dict[str, float | None]:
    return {row.ticker: row.weight_pct for row in holdings.equities}


def _differences(holdings: "Holdings") -> "tuple[Difference, ...]":
    day = holdings.as_of
    return index_history.differences(holdings.tickers, day) if day and index_history.is_known(day) else ()


def _note(lake: Lake, day: date, reasons: tuple[str, ...]) -> None:
    """Write down why a file was doubtful, or take back what was said of the one before it."""
    key = _note_key(day)
    if reasons:
        lake.store.write(key, orjson.dumps({"accepted": reasons}, option=orjson.OPT_APPEND_NEWLINE), durable=True)
    elif lake.store.exists(key):
        lake.store.delete(key)


def _note_key(as_of: date) -> str:
    return f"{HOLDINGS}as_of={as_of.isoformat()}/{_ACCEPTED_NAME}"
