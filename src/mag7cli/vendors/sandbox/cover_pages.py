"""The cover pages that the companies of a simulated market file, in the form of `data/cover_pages.csv`.

True to the last share, and of all classes: what the code under test is told of a real company it is told of these too.
"""

import string
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.vendors.sandbox.blueprint import Blueprint, Security
from mag7cli.vendors.sandbox.counts import CountTable
from mag7cli.vendors.sandbox.timeline import Timeline

_BEFORE_START = timedelta(days=100)
_UNTIL_FILED = timedelta(days=20)


def cover_page_rows(blueprint: Blueprint, timeline: Timeline, counts: CountTable) -> list[Mapping[str, str]]:
    """A row for each class of each cover of the Mag 7, oldest first, company by company."""
    columns = {security.ticker: column for column, security in enumerate(blueprint.securities)}
    rows: list[Mapping[str, str]] = []
    for company in MAGNIFICENT_7:
        if company in columns:
            security = blueprint.securities[columns[company]]
            classes = [other for other in blueprint.securities if other.cik == security.cik]
            for period_end in _period_ends(security, timeline):
                rows += _cover(security, classes, columns, period_end, timeline, counts)
    return rows


def _period_ends(security: Security, timeline: Timeline) -> list[date]:
    first, last = timeline.sessions[0], timeline.sessions[-1]
    return security.quarters.period_ends(first - _BEFORE_START, last)


def _cover(
    security: Security,
    securities: Sequence[Security],
    columns: Mapping[str, int],
    period_end: date,
    timeline: Timeline,
    counts: CountTable,
) -> Iterator[Mapping[str, str]]:
    as_of = period_end + _UNTIL_FILED
    row = max(timeline.row_until(as_of), 0)
    classes: list[tuple[str, int]] = [
        (share_class.ticker, int(counts.share_class[row, columns[share_class.ticker]])) for share_class in securities
    ]
    unlisted = int(counts.company[row, columns[security.ticker]]) - sum(count for _, count in classes)
    if unlisted:
        classes.append(("", unlisted))
    for name, (ticker, shares) in zip(string.ascii_uppercase, classes, strict=False):
        yield {
            "company": security.ticker,
            "cik": security.cik,
            "period_end": period_end.isoformat(),
            "as_of": as_of.isoformat(),
            "share_class": name,
            "class_ticker": ticker,
            "shares": str(shares),
            "precision": "1",
            "accession": f"{security.cik}-{as_of:%y}-{as_of.timetuple().tm_yday:06d}",
        }
