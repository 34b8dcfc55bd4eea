"""Who belongs to a group of companies on the day of somebody's positions."""

from dataclasses import replace
from datetime import date

from mag7cli.core.errors import UsageError
from mag7cli.lake.document import company_caps
from mag7cli.lake.layout import Lake
from mag7cli.market import groups
from mag7cli.market.groups import CompanyGroup


def decided(lake: Lake, group: CompanyGroup, day: date | None) -> CompanyGroup:
    """The group with the tickers of those who belong to it, by the last date of the lake until a day.

    Args:
        lake: Asked for market values only where the group is the largest, or a sector.
        group: The rule.
        day: The day of the positions; None for the lake's last.

    Raises:
        UsageError: The lake has no date until then that lists the companies of the index.
    """
    if not group.largest and not group.sector:
        return replace(group, tickers=groups.members(group, {}, day or date.max))
    for on in sorted((on for on in lake.documents() if day is None or on <= day), reverse=True):
        caps = company_caps(lake.read_document(on))
        if caps:
            rest = {ticker: cap for ticker, cap in caps.items() if ticker not in group.without}
            return replace(group, tickers=groups.members(group, rest, on))
    raise UsageError(
        f"who is in {group.name} takes a collected date{f' until {day}' if day else ''}, and the lake has none",
        hint="mag7 collect, or --group AAPL,MSFT",
    )
