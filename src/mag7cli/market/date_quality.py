"""How far the figure of a date can be trusted: complete, suspect or partial, and between what bounds. Pure.

The one place where this is decided. Documents, tables, commands, the report, exit codes and the library bring what
they know of a date as `DateEvidence`, and take the answer from here: docs/methodology.md, "Quality".
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

DateStatus = Literal["complete", "suspect", "partial"]
"""Whether there is a figure, and whether everything in it is explained."""

STATUSES: Final[tuple[DateStatus, ...]] = ("complete", "suspect", "partial")

MOST_FAILED_PCT: Final = 0.1
"""Failed lines above this part of the index leave no figure."""
IMMATERIAL_PCT: Final = 0.01
"""A doubt about a company below this part of the index is told, and makes no date suspect."""

_NUMBER: Final = re.compile(r"\d[\d.,-]*")
# A failed line is known by its cap of another day, which may have grown since.
_FAILED_AT_MOST: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """By how much (USD) market caps may be above the truth, and below it, for one cause.

    Those of the Mag 7 stand apart from those of the rest of the index. `source` is the cause in a word.
    """

    source: str
    reason: str
    mag7_above: float = 0.0
    mag7_below: float = 0.0
    rest_above: float = 0.0
    rest_below: float = 0.0


@dataclass(frozen=True, slots=True)
class FailedLine:
    """A line without a value: why, and its last known market cap (USD), which is `assumed` where nothing is known."""

    ticker: str
    reason: str
    market_cap_usd: float
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class DoubtfulCap:
    """A market cap (USD) that rests on something unexplained, and between what it may really be; None: unknown.

    One that is not counted enters no total. What `is_explained` by a correction after all is no doubt any more.
    """

    ticker: str | None
    reason: str
    market_cap_usd: float | None
    candidates_usd: tuple[float, float] | None
    is_mag7: bool
    is_counted: bool = True
    is_explained: bool = False

    @property
    def is_open(self) -> bool:
        """True if it leaves the total open."""
        return self.is_counted and not self.is_explained

    def is_material(self, total_usd: float) -> bool:
        """True if it can show in the figure: it is one of the Mag 7's, or may be above 0.01 % of the index."""
        if self.is_explained:
            return False
        if self.is_mag7 or self.market_cap_usd is None or self.candidates_usd is None:
            return True
        return max(self.market_cap_usd, *self.candidates_usd) > total_usd * IMMATERIAL_PCT / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DateEvidence:
    """What is known of a date. `missing` is why it has no figure at all, as one of the Mag 7 has no value.

    `margins` are None where the document says nothing of them: then the bound is unknown.
    """

    missing: str | None
    mag7_usd: float
    total_usd: float
    failed: Sequence[FailedLine] = ()
    doubts: Sequence[DoubtfulCap] = ()
    margins: Sequence[Margin] | None = None


@dataclass(frozen=True, slots=True)
class BoundPart:
    """What one cause alone may move the share by, in points: `low_points` are not above 0, `high_points` not below."""

    source: str
    reason: str
    low_points: float
    high_points: float


@dataclass(frozen=True, slots=True)
class Bound:
    """Between what the true share lies, percent (0-100), the worst cases of all causes taken together."""

    low_pct: float
    high_pct: float
    parts: tuple[BoundPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DateQuality:
    """The answer. `reasons` say why a date is suspect; `partial_reason` why it has no figure, None if it has one.

    `bound` is None where there is no figure, and where it cannot be told; `bound_unknown` then says why.
    """

    status: DateStatus
    failed_count: int
    partial_reason: str | None = None
    reasons: tuple[str, ...] = ()
    bound: Bound | None = None
    bound_unknown: str | None = None

    @property
    def has_figure(self) -> bool:
        """True unless the date is partial."""
        return self.status != "partial"


def judge(evidence: DateEvidence) -> DateQuality:
    """How far the figure of a date can be trusted, by all that is known of it."""
    count = len(evidence.failed)
    missing = evidence.missing or _too_much_failed(evidence)
    if missing:
        return DateQuality(status="partial", failed_count=count, partial_reason=missing)
    doubtful = [doubt.reason for doubt in evidence.doubts if doubt.is_material(evidence.total_usd)]
    reasons = (*failure_reasons(evidence), *dict.fromkeys(doubtful))
    unknown = _unbounded(evidence)
    return DateQuality(
        status="suspect" if reasons else "complete",
        failed_count=count,
        reasons=reasons,
        bound=None if unknown else bound(evidence.mag7_usd, evidence.total_usd, _every_margin(evidence)),
        bound_unknown=unknown,
    )


def bound(mag7_usd: float, total_usd: float, margins: Sequence[Margin]) -> Bound:
    """Between what the share lies (percent) when the sums (USD) may be off by all of the margins at their worst."""
    share = 100 * mag7_usd / total_usd
    low, high = _worst(mag7_usd, total_usd, margins)
    parts = []
    for source, own in _by_source(margins).items():
        down, up = _worst(mag7_usd, total_usd, own)
        parts.append(BoundPart(source, own[0].reason, down - share, up - share))
    return Bound(low, high, tuple(parts))


def grouped_by_reason(reasons: Mapping[date, str]) -> list[tuple[str, tuple[date, ...]]]:
    """Each reason once, with its dates in order; the one with the most dates first.

    Reasons that differ in numbers alone are one, told as on its latest date.
    """
    dates: dict[str, list[date]] = {}
    for day in sorted(reasons):
        dates.setdefault(_NUMBER.sub("#", reasons[day]), []).append(day)
    groups = ((reasons[days[-1]], tuple(days)) for days in dates.values())
    return sorted(groups, key=lambda group: (-len(group[1]), group))


def _too_much_failed(evidence: DateEvidence) -> str | None:
    """Why the failed lines leave no figure; None if they are few enough."""
    failed_usd = math.fsum(failure.market_cap_usd for failure in evidence.failed)
    whole = evidence.total_usd + failed_usd
    if not failed_usd or 100 * failed_usd / whole <= MOST_FAILED_PCT:
        return None
    about = "about " if any(failure.is_assumed for failure in evidence.failed) else ""
    return f"{_failed_lines(evidence.failed)}, {about}{100 * failed_usd / whole:.2f} % of the index"


def failure_reasons(evidence: DateEvidence) -> list[str]:
    """A sentence for each reason why lines failed, the commonest first."""
    return [
        f"{_failed_lines([failure for failure in evidence.failed if failure.reason == reason])}: {reason}"
        for reason, _ in Counter(failure.reason for failure in evidence.failed).most_common()
    ]


def _failed_lines(failed: Sequence[FailedLine]) -> str:
    tickers = sorted(failure.ticker for failure in failed)
    named = f" ({', '.join(tickers)})" if len(tickers) <= 3 else ""
    return f"{len(tickers):,} {'line' if len(tickers) == 1 else 'lines'} failed{named}"


# The bound


def _unbounded(evidence: DateEvidence) -> str | None:
    """Why no bound can be told, None if one can."""
    if evidence.margins is None:
        return "the document carries none"
    unknown = [failure.ticker for failure in evidence.failed if failure.is_assumed]
    if unknown:
        return f"no market cap of {', '.join(unknown[:3])} was ever known"
    open_ended = [
        str(doubt.ticker)
        for doubt in evidence.doubts
        if doubt.is_open and (doubt.market_cap_usd is None or doubt.candidates_usd is None)
    ]
    return f"what {', '.join(open_ended[:3])} is worth is open" if open_ended else None


def _every_margin(evidence: DateEvidence) -> list[Margin]:
    return [*(evidence.margins or ()), *_margins_of_failures(evidence.failed), *_margins_of_doubts(evidence.doubts)]


def _margins_of_failures(failed: Sequence[FailedLine]) -> list[Margin]:
    """The total lacks what failed: it may be too small by that, and by what it has gained since it was last known."""
    absent = _FAILED_AT_MOST * math.fsum(failure.market_cap_usd for failure in failed)
    return [Margin(source="failed_lines", reason=_failed_lines(failed), rest_below=absent)] if absent else []


def _margins_of_doubts(doubts: Iterable[DoubtfulCap]) -> list[Margin]:
    """Each company once, as far as any doubt about it goes."""
    ranges: dict[tuple[str | None, bool], tuple[float, float]] = {}
    for doubt in doubts:
        if doubt.is_open and doubt.candidates_usd is not None and doubt.market_cap_usd is not None:
            company = doubt.ticker, doubt.is_mag7
            above, below = ranges.get(company, (0.0, 0.0))
            low, high = doubt.candidates_usd
            ranges[company] = max(above, doubt.market_cap_usd - low), max(below, high - doubt.market_cap_usd)
    reason = f"another value is possible of {', '.join(sorted({str(ticker) for ticker, _ in ranges}))}"
    return [
        Margin(source="doubts", reason=reason, mag7_above=above, mag7_below=below)
        if is_mag7
        else Margin(source="doubts", reason=reason, rest_above=above, rest_below=below)
        for (_, is_mag7), (above, below) in ranges.items()
    ]


def _by_source(margins: Iterable[Margin]) -> dict[str, list[Margin]]:
    sources: dict[str, list[Margin]] = {}
    for margin in margins:
        sources.setdefault(margin.source, []).append(margin)
    return sources


def _worst(mag7_usd: float, total_usd: float, margins: Sequence[Margin]) -> tuple[float, float]:
    """The share (percent) with the Mag 7 as small and the rest as large as may be, and the other way round."""
    rest_usd = total_usd - mag7_usd
    least = _share(
        mag7_usd - math.fsum(margin.mag7_above for margin in margins),
        rest_usd + math.fsum(margin.rest_below for margin in margins),
    )
    most = _share(
        mag7_usd + math.fsum(margin.mag7_below for margin in margins),
        rest_usd - math.fsum(margin.rest_above for margin in margins),
    )
    return least, most


def _share(mag7_usd: float, rest_usd: float) -> float:
    """Percent; neither part can be below nothing."""
    mag7, rest = max(0.0, mag7_usd), max(0.0, rest_usd)
    return 100 * mag7 / (mag7 + rest) if mag7 + rest else 0.0
