"""Whether a holdings file is what it is kept as: the whole list of an S&P 500 fund on a trading day. Pure.

A file is judged by what it says, not by how many lines it has: another fund has five hundred lines as well.
"""

import math
import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import Final

from mag7cli.market import index_history
from mag7cli.market.calendar import is_session
from mag7cli.market.holdings_file import Holdings
from mag7cli.market.membership import is_same_index
from mag7cli.market.symbology import MAGNIFICENT_7

_INDEX: Final = re.compile(r"s&p ?500\b", re.IGNORECASE)

# Funds of a part of the index, of a rule over it, or with a lever on it.
_OTHER_FUNDS: Final = re.compile(
    r"\b(esg|screened|scored|equal|growth|value|momentum|quality|volatility|dividend|aristocrats|ex|top|sharia|shariah|"
    r"climate|paris|minimum|buffer|covered|leveraged|inverse|short|ultra|ultrapro|[23]x|beta|pure|revenue|sector|"
    r"technology|financials|health|energy|utilities|materials|industrials|consumer|estate|communication)\b",
    re.IGNORECASE,
)

_LINES: Final = range(480, 521)
_WEIGHTS_PCT: Final = (97.0, 103.0)
_WEIGHT_TOLERANCE_PCT: Final = 0.25
_FOREIGN_LINES: Final = 5

# A right, a delayed trade and a spin-off of the day; more is another list.
_MOST_DIFFERENCES: Final = 5
_OVERLAP: Final = 0.95


def doubts(holdings: Holdings, *, today: date, previous: Collection[str] = ()) -> tuple[str, ...]:
    """Why these holdings should not be kept as the S&P 500's, each reason a sentence; none if all is well.

    Args:
        holdings: The file that was read.
        today: The day in New York; a file of a later day is wrong.
        previous: The tickers of the list that is kept from before, if there is one.
    """
    return (
        *_of_fund(holdings),
        *_of_day(holdings, today),
        *_of_lines(holdings),
        *_of_weights(holdings),
        *_of_list(holdings, previous),
    )


def _of_fund(holdings: Holdings) -> Iterator[str]:
    name = holdings.fund
    if holdings.names_fund and (not _INDEX.search(name) or _OTHER_FUNDS.search(name)):
        yield f"{name} is not a fund of the whole S&P 500"
    abroad = [row.ticker for row in holdings.equities if not row.is_american]
    if len(abroad) > _FOREIGN_LINES:
        yield f"{len(abroad)} of its lines are outside the United States, as {', '.join(abroad[:3])}"


def _of_day(holdings: Holdings, today: date) -> Iterator[str]:
    day = holdings.as_of
    if day is None:
        yield "the file does not say of which day it is; --as-of does"
    elif day > today:
        yield f"it is dated {day}, which is yet to come"
    elif not is_session(day):
        yield f"it is dated {day}, which is no trading day"


def _of_lines(holdings: Holdings) -> Iterator[str]:
    tickers = set(holdings.tickers)
    if len(tickers) not in _LINES:
        yield f"it has {len(tickers)} equities, the S&P 500 has about 503"
    missing = [ticker for ticker in MAGNIFICENT_7 if ticker not in tickers]
    if missing:
        yield f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in it"
    if not holdings.has_end:
        yield "it ends without the issuer's closing lines: it may have been cut short"


def _of_weights(holdings: Holdings) -> Iterator[str]:
    total = math.fsum(row.weight_pct or 0.0 for row in holdings.rows)
    low, high = _WEIGHTS_PCT
    if not low <= total <= high:
        yield f"its weights sum to {total:.2f} %, not to 100 %"
    values = math.fsum(row.market_value_usd or 0.0 for row in holdings.rows)
    for row in holdings.equities:
        if values > 0 and row.market_value_usd is not None and row.weight_pct is not None:
            by_value = 100 * row.market_value_usd / values
            if abs(by_value - row.weight_pct) > _WEIGHT_TOLERANCE_PCT:
                yield f"{row.ticker} has a weight of {row.weight_pct:g} %, but {by_value:.2f} % by its market value"
                return


def _of_list(holdings: Holdings, previous: Collection[str]) -> Iterator[str]:
    tickers, day = set(holdings.tickers), holdings.as_of
    if day and index_history.is_known(day):
        rows = index_history.differences(tickers, day)
        if len(rows) > _MOST_DIFFERENCES:
            yield f"{len(rows)} lines differ from the index of that day, as {', '.join(row.ticker for row in rows[:3])}"
    elif day and day > index_history.confirmed_until() and not is_same_index(tickers, day):
        yield f"it is not the list of {index_history.confirmed_until()} with some changes"
    if previous and len(tickers & set(previous)) < _OVERLAP * max(len(tickers), len(previous)):
        yield f"it shares only {len(tickers & set(previous))} lines with the list that is kept from before"
