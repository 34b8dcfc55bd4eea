"""The fund's own weight of the seven, from the newest holdings file of a lake on or before a date."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from mag7cli.analytics.exposure import fund_weight
from mag7cli.analytics.summary import FundWeight
from mag7cli.lake.holdings import read_kept
from mag7cli.lake.layout import Lake
from mag7cli.market.holdings_file import Holdings

LAKE_FUND: Final = "IVV"
"""The fund whose holdings files a lake keeps."""


def weight_on(lake: Lake, day: date | None) -> FundWeight | None:
    """The weight as of the latest file on or before the date (None: of the latest file); None without such a file."""
    dates = [as_of for as_of in lake.holdings_dates() if day is None or as_of <= day]
    if not dates:
        return None
    return fund_weight(read_kept(lake, dates[-1]))


def latest_holdings(lake: Lake) -> Mapping[str, Holdings]:
    """The newest holdings that the lake keeps, by the fund's ticker; empty if it keeps none."""
    dates = lake.holdings_dates()
    if not dates:
        return {}
    return {LAKE_FUND: read_kept(lake, dates[-1])}
