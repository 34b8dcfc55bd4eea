"""The story in sentences, each generated from the figures; says nothing that a reader could not recompute.

A sentence whose figures are not there, or would mislead, is left out.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.analytics.period import DailyReturn, chained
from mag7cli.analytics.queries import Concentration, Day
from mag7cli.analytics.statistics import Contribution, Snapshot, contributions, share_without
from mag7cli.analytics.summary import CompanySummary, ConcentrationSummary
from mag7cli.core.formatting import change, counted, pct, usd
from mag7cli.reporting.whose import SEVEN, Whose

# An index that moved by less has no gain worth dividing.
_SMALLEST_MOVE_PCT: Final = 2.0
_FEWEST_COMPANIES: Final = 3


@dataclass(frozen=True, slots=True)
class Span:
    """The figures of two dates, and what each of the Mag 7 did between them, the largest gain first."""

    then: Snapshot
    now: Snapshot
    parts: tuple[Contribution, ...]


def tell(
    concentration: Concentration,
    answer: ConcentrationSummary,
    returns: Sequence[DailyReturn] = (),
    whose: Whose = SEVEN,
) -> tuple[str, ...]:
    """The sentences, the most telling first."""
    spans = spans_to_now(concentration)
    sentences = [sentence for sentence in _sentences(concentration, answer, spans, whose) if sentence]
    performed = _performed(returns, whose)
    return (*sentences[:1], *([performed] if performed else []), *sentences[1:])


def _performed(returns: Sequence[DailyReturn], whose: Whose) -> str | None:
    """What those in question and the rest gained in price since the first date."""
    whole = chained(returns)
    if whole.group_pct is None or whole.rest_pct is None or whole.index_pct is None:
        return None
    alike = f", all companies alike {_moved(whole.equal_weight_pct)}" if whole.equal_weight_pct is not None else ""
    return (
        f"In price, without dividends, {whose.them} {_verb(whole.group_pct)} {abs(whole.group_pct):.1f} % since "
        f"{long_date(returns[0].base)}, the other companies {_moved(whole.rest_pct)}, "
        f"the index {_moved(whole.index_pct)}{alike}."
    )


def _verb(pct: float) -> str:
    return "gained" if pct >= 0 else "lost"


def _moved(value: float) -> str:
    return f"{change(value, 1)} %"


def spans_to_now(concentration: Concentration) -> tuple[Span, ...]:
    """From the first date to the last, and from the last close of the year before, where these are different dates."""
    dates = [day.on for day in concentration.days if day.figure]
    if len(dates) < 2:
        return ()
    first, last = dates[0], dates[-1]
    before_this_year = [on for on in dates if on.year < last.year][-1:]
    *starts, now = snapshots_of(concentration, {first, *before_this_year, last})
    return tuple(span(start, now) for start in starts)


def span(then: Snapshot, now: Snapshot) -> Span:
    """What happened between two dates."""
    return Span(then, now, tuple(contributions(then, now)))


def snapshots_of(concentration: Concentration, on: Collection[date]) -> list[Snapshot]:
    """Those of these dates that have a figure, oldest first, as the analysis wants them."""
    caps: dict[date, dict[str, float]] = {}
    for cap in concentration.caps:
        if cap.on in on:
            caps.setdefault(cap.on, {})[cap.ticker] = float(cap.market_cap_usd)
    figures = ((day.on, day.figure) for day in concentration.days if day.on in on)
    return [Snapshot(day, caps[day], float(figure.sp500_cap_usd)) for day, figure in figures if figure]


def long_date(day: date) -> str:
    """`13 December 2024`."""
    return f"{day.day} {day:%B %Y}"


def _sentences(
    concentration: Concentration, answer: ConcentrationSummary, spans: Sequence[Span], whose: Whose
) -> Iterator[str | None]:
    """Of another group, whose members may have changed between two dates, nothing is told of single companies."""
    for number, period in enumerate(spans):
        moved = _share_moved(period, whose)
        who = _who_moved_it(period, answer) if number == 0 and whose.is_the_seven else None
        yield f"{moved} {who}" if who else moved
        yield _index_moved(period, answer) if whose.is_the_seven else None
    yield _without_the_largest(answer, whose)
    yield _record(concentration.days, answer)
    yield _breadth(concentration.days)


def _share_moved(period: Span, whose: Whose) -> str:
    points = period.now.share_pct - period.then.share_pct
    verb = "grew" if points > 0 else "shrank"
    return (
        f"Since {long_date(period.then.on)} the share of {whose.them} {verb} from {pct(period.then.share_pct, 1)} "
        f"to {pct(period.now.share_pct, 1)}, by {abs(points):.1f} percentage points."
    )


def _index_moved(period: Span, answer: ConcentrationSummary) -> str | None:
    """Who added the index's gain, or made its loss; nothing if the two moved apart or the index hardly moved."""
    gain, of_the_seven = period.now.total - period.then.total, period.now.mag7 - period.then.mag7
    if abs(gain) < period.then.total * _SMALLEST_MOVE_PCT / 100:
        return None
    since = f"Since {long_date(period.then.on)}"
    if gain * of_the_seven < 0:
        moved = ("gained", "lost") if gain > 0 else ("lost", "gained")
        return f"{since} the S&P 500 {moved[0]} {usd(abs(gain))} while the Mag 7 {moved[1]} {usd(abs(of_the_seven))}."
    most = period.parts[0] if gain > 0 else period.parts[-1]
    name, verb = _name(answer, most.ticker), "added" if gain > 0 else "lost"
    word = "gain" if gain > 0 else "loss"
    return (
        f"{since} the Mag 7 {verb} {100 * of_the_seven / gain:.0f} % of the index's {word} of {usd(abs(gain))}; "
        f"{name} alone {most.gain_pct or 0:.0f} %."
    )


def _who_moved_it(period: Span, answer: ConcentrationSummary) -> str | None:
    """The companies that moved the share most in either direction."""
    ranked = sorted(period.parts, key=lambda part: part.share_points, reverse=True)
    best, worst = ranked[0], ranked[-1]
    if best.share_points <= 0 or worst.share_points >= 0:
        return None
    return (
        f"{_name(answer, best.ticker)} added {abs(best.share_points):.1f} points, "
        f"{_name(answer, worst.ticker)} took away {abs(worst.share_points):.1f}."
    )


def _without_the_largest(answer: ConcentrationSummary, whose: Whose) -> str | None:
    if len(answer.companies) < _FEWEST_COMPANIES:
        return None
    largest = answer.companies[0]
    caps = {company.ticker: float(company.market_cap_usd) for company in answer.companies}
    others = share_without(Snapshot(answer.on, caps, float(answer.sp500_cap_usd)), largest.ticker)
    rest = "the other six" if whose.is_the_seven else "the others of the group"
    return f"Without {largest.name}, the largest, {rest} would be {pct(others, 1)} of the rest of the index."


def _record(days: Sequence[Day], answer: ConcentrationSummary) -> str | None:
    """Where the share stands against the highest one collected; nothing with less than a month of dates."""
    figures = [(day.figure.share_pct, day.on) for day in days if day.figure]
    if len(figures) < 21:
        return None
    highest, on = max(figures)
    if on == answer.on:
        return f"It is the highest share in {counted(len(figures), 'trading date')}."
    return (
        f"The highest share was {pct(highest, 1)} on {long_date(on)}, {highest - answer.share_pct:.1f} points higher."
    )


def _breadth(days: Sequence[Day]) -> str | None:
    """How many equal companies would be as concentrated, then and now."""
    known = [(day.on, day.effective_n) for day in days if day.effective_n]
    if not known:
        return None
    (first, before), (_, now) = known[0], known[-1]
    then = f"; on {long_date(first)} it was {before:.0f}" if len(known) > 1 else ""
    return f"The index is as concentrated as one of {now:.0f} equal companies{then}."


def _name(answer: ConcentrationSummary, ticker: str) -> str:
    return _by_ticker(answer.companies, ticker).name


def _by_ticker(companies: Sequence[CompanySummary], ticker: str) -> CompanySummary:
    return next(company for company in companies if company.ticker == ticker)
