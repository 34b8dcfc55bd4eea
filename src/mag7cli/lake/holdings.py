"""The holdings files that a lake keeps, read: each as of the day under which it is kept.

The day decides which line a symbol means: FISV is FI until 2023-06-06, and COR is another company's before 2023-08-30.
"""

from datetime import date

from mag7cli.lake.layout import Lake
from mag7cli.market.holdings_file import Holdings, parse


def read_kept(lake: Lake, as_of: date) -> Holdings:
    """The holdings file of a day. Raises KeyNotFoundError where none is kept, HoldingsFormatError if it is broken."""
    return parse(lake.read_holdings(as_of), lake.store.uri(lake.holdings_key(as_of)), as_of=as_of)


def read_all_kept(lake: Lake) -> dict[date, Holdings]:
    """Every holdings file of a lake by its day, oldest first. Raises HoldingsFormatError for a broken one."""
    return {as_of: read_kept(lake, as_of) for as_of in lake.holdings_dates()}
