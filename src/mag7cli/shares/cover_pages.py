"""Shares outstanding as the cover pages of 10-K and 10-Q state them: the second witness beside the vendor. Pure.

The vendor compares the date asked for with a report's period, so from a fiscal period's end on its count is the one of
that period's cover, which is dated some weeks later. `data/cover_pages.csv` has those of the Mag 7, as far as they
could be sourced; a lake may keep further ones in the same form.
"""

import csv
import io
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Final

from mag7cli.core import packaged_data

COLUMNS: Final = (
    "company",
    "cik",
    "period_end",
    "as_of",
    "share_class",
    "class_ticker",
    "shares",
    "precision",
    "accession",
)
"""The columns of a table of cover pages, one row for each class of a cover."""

# A quarter has 13 or 14 weeks. Where the next cover is not known this one is trusted for the shortest of quarters, less
# the days by which a company may move a period's end.
_LONGEST_QUARTER: Final = timedelta(days=105)
_SHORTEST_QUARTER: Final = timedelta(days=84)
_NEIGHBOURS: Final = timedelta(days=460)


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class on a cover: `shares` in the units of the cover's date, None if not known; `ticker` None if unlisted."""

    share_class: str
    ticker: str | None
    shares: float | None


@dataclass(frozen=True, slots=True)
class CoverPage:
    """The cover of one report: what was outstanding on `as_of`. `company` is the line that is counted for it.

    The counts are rounded to `precision` shares each.
    """

    company: str
    cik: str
    period_end: date
    as_of: date
    accession: str
    precision: float
    classes: tuple[ClassCount, ...]

    @property
    def shares(self) -> float | None:
        """All shares of the company; None if a class is not known."""
        counts = [count.shares for count in self.classes]
        return None if None in counts else math.fsum(count for count in counts if count is not None)

    @property
    def listed(self) -> Mapping[str, float]:
        """The shares of the classes that trade, by the line they trade as; only those that are known."""
        return {count.ticker: count.shares for count in self.classes if count.ticker and count.shares is not None}

    @property
    def rounding(self) -> float:
        """By how many shares the sum of all classes may be off."""
        return self.precision / 2 * len(self.classes)

    def __str__(self) -> str:
        return f"the cover page as of {self.as_of} ({self.accession})"


CoverPages = Mapping[str, Sequence[CoverPage]]
"""The covers of each company, by the line that is counted for it, oldest first."""


@cache
def shipped_cover_pages() -> CoverPages:
    """The covers of `data/cover_pages.csv`."""
    return parse_cover_pages(packaged_data.read("cover_pages"))


def parse_cover_pages(rows: Iterable[Mapping[str, str]]) -> CoverPages:
    """Covers out of rows with COLUMNS. Raises ValueError, KeyError for a row that is not one."""
    covers: dict[str, list[CoverPage]] = {}
    of_cover = itemgetter("company", "period_end")
    for _, classes in groupby(sorted(rows, key=of_cover), key=of_cover):
        cover = _cover(list(classes))
        covers.setdefault(cover.company, []).append(cover)
    return covers


def read_cover_pages(text: str) -> CoverPages:
    """Covers out of a CSV file with COLUMNS; lines that begin with # say where they come from. Raises ValueError."""
    rows = (row for row in text.splitlines() if row and not row.startswith("#"))
    try:
        return parse_cover_pages(csv.DictReader(rows, strict=True))
    except (KeyError, TypeError, csv.Error) as error:
        raise ValueError(f"not a table of cover pages: {error}") from error


def write_cover_pages(covers: Iterable[CoverPage]) -> str:
    """The same as a CSV file that `read_cover_pages` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cover in covers:
        for count in cover.classes:
            shares = "" if count.shares is None else f"{count.shares:.0f}"
            writer.writerow(
                (
                    cover.company,
                    cover.cik,
                    cover.period_end,
                    cover.as_of,
                    count.share_class,
                    count.ticker or "",
                    shares,
                    f"{cover.precision:.0f}",
                    cover.accession,
                )
            )
    return text.getvalue()


def merge_cover_pages(*tables: CoverPages) -> CoverPages:
    """All covers of some tables; of one company and period the last table's stands."""
    merged: dict[str, dict[date, CoverPage]] = {}
    for table in tables:
        for company, covers in table.items():
            merged.setdefault(company, {}).update({cover.period_end: cover for cover in covers})
    return {company: sorted(covers.values(), key=lambda cover: cover.period_end) for company, covers in merged.items()}


def cover_of(covers: Sequence[CoverPage], day: date) -> CoverPage | None:
    """The cover of the quarter that a date is in; None if it is not known. `covers` are one company's, oldest first."""
    index = bisect_right(covers, day, key=lambda cover: cover.period_end) - 1
    if index < 0:
        return None
    cover = covers[index]
    following = covers[index + 1].period_end if index + 1 < len(covers) else date.max
    is_next_known = following - cover.period_end <= _LONGEST_QUARTER
    return cover if is_next_known or day < cover.period_end + _SHORTEST_QUARTER else None


def covers_around(covers: Sequence[CoverPage], day: date) -> tuple[CoverPage, CoverPage] | None:
    """The last cover before a date and the first after it; None unless both know every class, of which one trades.

    Covers more than a year and a quarter apart say little of what is between them.
    """
    index = bisect_right(covers, day, key=lambda cover: cover.period_end)
    if not 0 < index < len(covers):
        return None
    before, after = covers[index - 1], covers[index]
    is_whole = all(cover.shares is not None and len(cover.listed) == 1 for cover in (before, after))
    return (before, after) if is_whole and after.period_end - before.period_end <= _NEIGHBOURS else None


def _cover(rows: Sequence[Mapping[str, str]]) -> CoverPage:
    first = rows[0]
    return CoverPage(
        company=first["company"],
        cik=first["cik"],
        period_end=date.fromisoformat(first["period_end"]),
        as_of=date.fromisoformat(first["as_of"]),
        accession=first["accession"],
        precision=float(first["precision"]),
        classes=tuple(
            ClassCount(row["share_class"], row["class_ticker"] or None, float(row["shares"]) if row["shares"] else None)
            for row in rows
        ),
    )
