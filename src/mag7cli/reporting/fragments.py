"""The parts of the page as HTML, each from typed figures; everything that is text is escaped here."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Final

from mag7cli.analytics.queries import Concentration, Day, Doubt
from mag7cli.analytics.report_data import FailureReason, ReportData
from mag7cli.analytics.summary import CompanySummary, ConcentrationSummary, FundWeight
from mag7cli.analytics.value_changes import Change
from mag7cli.core import formatting, packaged_data
from mag7cli.core.clock import NEW_YORK
from mag7cli.core.formatting import MISSING, change, counted
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.market.date_quality import STATUSES
from mag7cli.reporting.charts import Chart
from mag7cli.reporting.datasets import Dataset
from mag7cli.reporting.story import long_date
from mag7cli.reporting.whose import SEVEN, Whose

if TYPE_CHECKING:
    from mag7cli.live.records import Record

_RANGES: Final = (("1", "1M"), ("6", "6M"), ("ytd", "YTD"), ("12", "1Y"), ("36", "3Y"), ("all", "All"))
_MINUS: Final = re.compile(r"(?<!\S)-(?=\d)")
_UNIT_GAP: Final = re.compile(r"(?<=\d) (?=[%TBM](\W|$))")
_LISTED_REASONS: Final = 12
_LISTED_COMPANIES: Final = 25


def plain(text: str) -> str:
    """Text with typographic minus signs, and a number kept on the same line as its unit."""
    return _UNIT_GAP.sub("&nbsp;", _MINUS.sub("\N{MINUS SIGN}", escape(text)))


def pct(value: float) -> str:
    """A percentage with two digits."""
    return plain(formatting.pct(value))


def banner() -> str:
    """What stands above everything if the market is not a real one."""
    return '<p class="banner" role="note">SIMULATED MARKET: no figure here is real</p>'


def red_banner(failed: Sequence[FailedCheck]) -> str:
    """What stands above everything while the tables fail a check, with the dates that cannot be relied on."""
    return "".join(
        f'<p class="banner" role="alert">FAILED CHECK: {escape(check.sentence)} ({_concerned(check)})</p>'
        for check in failed
    )


def _concerned(check: FailedCheck) -> str:
    if not check.dates:
        return "all dates"
    named = ", ".join(day.isoformat() for day in check.dates[:3])
    return named if len(check.dates) <= 3 else f"{counted(len(check.dates), 'date')}, {named} and later"


def hero(days: Sequence[Day], answer: ConcentrationSummary) -> dict[str, str]:
    """The share over all dates as a line, for the first screen."""
    points = [(day.on, day.figure.share_pct) for day in days if day.figure and day.on <= answer.on]
    (first, before), (last, now) = points[0], points[-1]
    return {
        "hero": line_svg([value for _, value in points], 400, 120),
        "hero_label": escape(
            f"The share went from {before:.1f} % on {long_date(first)} to {now:.1f} % on {long_date(last)}."
        ),
        "hero_from": f"{pct_short(before)}, {long_date(first)}",
        "hero_to": f"{pct_short(now)}, {long_date(last)}",
    }


def pct_short(value: float) -> str:
    """A percentage with one digit."""
    return plain(formatting.pct(value, 1))


def line_svg(values: Sequence[float], width: int, height: int) -> str:
    """A line through the values from the lowest to the highest; drawn by the browser without any library."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    step = width / (len(values) - 1)
    dots = " ".join(f"{i * step:.1f},{height - (value - low) / spread * height:.1f}" for i, value in enumerate(values))
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<polyline class="line" points="{dots}"/></svg>'
    )


def share(answer: ConcentrationSummary) -> str:
    """The share as the largest text of the page, with its bound smaller."""
    number, space, bound = answer.share_text.partition(" ± ")
    return plain(number) + (f' <span class="bound">± {plain(bound)}</span>' if space else "")


def facts(concentration: Concentration, answer: ConcentrationSummary, whose: Whose = SEVEN) -> str:
    """The change, the fund's own weight, and whether to trust the number."""
    fund = _fund_fact(answer.fund) if whose.is_the_seven else ""
    return _changes_fact(answer) + fund + _trust_fact(concentration.days, answer)


def _changes_fact(answer: ConcentrationSummary) -> str:
    terms = (("a day", answer.changes.day), ("a month", answer.changes.month), ("a year", answer.changes.year))
    cells = "".join(
        f'<span title="{_since(move)}"><b>{_points(move)}</b><small>in {term}</small></span>' for term, move in terms
    )
    return f'<div><dt>Change, percentage points</dt><dd class="changes">{cells}</dd></div>'


def _points(move: Change[float] | None) -> str:
    return plain(change(move.difference)) if move else MISSING


def _since(move: Change[float] | None) -> str:
    if not move:
        return "the collected dates do not reach back so far"
    return f"since {long_date(move.since.on)}, when it was {move.since.value:.2f} %"


def _fund_fact(fund: FundWeight | None) -> str:
    if not fund:
        return (
            '<div><dt>In a fund you can buy</dt><dd><span class="big">unknown</span>'
            "<small>no holdings file is kept; mag7 tickers FILE keeps one</small></dd></div>"
        )
    as_of = f", as of {long_date(fund.as_of)}" if fund.as_of else ""
    return (
        f'<div><dt>In {escape(fund.fund)}</dt><dd><span class="big" id="fund-weight">{pct(fund.mag7_pct)}</span>'
        f"<small>the fund's own float-adjusted weight{as_of}{_taken_on(fund)}</small></dd></div>"
    )


def _taken_on(fund: FundWeight) -> str:
    """The fund's weight on the date of the answer, where its file is of another day."""
    if fund.on is None or fund.on_pct is None:
        return ""
    return f"; by prices {pct(fund.on_pct)} on {long_date(fund.on)}"


def intraday_fact(point: "Record | None") -> str:
    """The newest minute of a session after the last close, apart from the closes; nothing if none was kept."""
    if not point:
        return ""
    minute = datetime.fromisoformat(point["minute"]).astimezone(NEW_YORK)
    low, high = point["low_pct"], point["high_pct"]
    share = pct(point["share_pct"]) if low == high else plain(formatting.pct_within(point["share_pct"], low, high))
    since = plain(f"{change(point['since_close'])} points since the close of {_long(point['close_date'])}")
    return (
        f'<div><dt>During the session of {long_date(minute.date())}</dt><dd><span class="big" id="intraday">{share}'
        f"</span><small>at {minute:%H:%M} New York, {since}; intraday, unofficial</small></dd></div>"
    )


def _long(day: str) -> str:
    return long_date(date.fromisoformat(day))


def _trust_fact(days: Sequence[Day], answer: ConcentrationSummary) -> str:
    quality = answer.quality
    red = " It fails validation." if quality.failed_checks else ""
    reasons = "; ".join((_bound_sentence(answer), _membership_sentence(answer), *quality.reasons))
    later = f" {counted(len(quality.partial_since), 'later date')} without a figure." if quality.partial_since else ""
    failed = f" {counted(quality.failed_count, 'ticker')} failed." if quality.failed_count else ""
    detail = f"{reasons}. "
    return (
        "<div><dt>Can I trust it?</dt><dd>"
        f'<span class="big {quality.status}">This date is {quality.status}.{red}</span>'
        f'<small>{plain(detail)}{plain(failed)}{later} <a href="#quality">{_tally(days)}</a></small></dd></div>'
    )


def _bound_sentence(answer: ConcentrationSummary) -> str:
    """How far off the share can be."""
    if answer.low_pct is None or answer.high_pct is None:
        return "How far off the share can be is unknown"
    return f"The share is {answer.share_text} in the worst case"


def _membership_sentence(answer: ConcentrationSummary) -> str:
    """How old the knowledge of the index's members is."""
    return f"joins and leaves known until {long_date(answer.quality.membership_known_until)}"


def _tally(days: Sequence[Day]) -> str:
    """`1,005 dates: 1,000 complete, 3 suspect, 2 partial`."""
    by_status = Counter(day.status for day in days)
    listed = ", ".join(f"{by_status[status]:,} {status}" for status in STATUSES if by_status[status])
    return f"{counted(len(days), 'date')}: {listed}"


def companies(answer: ConcentrationSummary) -> str:
    """The companies in question as table rows, the largest first."""
    return "".join(map(_company_row, answer.companies[:_LISTED_COMPANIES]))


def _company_row(company: CompanySummary) -> str:
    ticker = escape(company.ticker)
    name = "" if company.name == company.ticker else f'<span class="name">{escape(company.name)}</span>'
    return (
        f'<tr data-ticker="{ticker}"><td><span class="ticker">{ticker}</span>{name}</td>'
        f'<td class="n">{plain(formatting.usd(company.market_cap_usd))}</td>'
        f'<td class="n">{pct(company.pct_of_sp500)}</td>'
        f'<td class="n minor">{_gain(company.changes.month)}</td><td class="n">{_gain(company.changes.year)}</td>'
        f'<td class="trend">{line_svg(company.trend, 128, 24)}</td></tr>'
    )


def _gain(move: Change[Decimal] | None) -> str:
    return plain(f"{change(move.pct, 1)} %") if move and move.pct is not None else MISSING


def range_buttons() -> str:
    """The times that charts can show."""
    return "".join(
        f'<button type="button" data-range="{key}" aria-pressed="{str(key == "all").lower()}">{label}</button>'
        for key, label in _RANGES
    )


def figure(chart: Chart, simulated: bool, lacking: str | None = None) -> str:
    """A chart's frame: title and caption are text, the drawing comes later; or, instead, what it lacks."""
    tag = '<span class="tag">SIMULATED</span>' if simulated else ""
    title, caption = escape(chart.title), plain(chart.caption)
    if lacking:
        return (
            f'<figure class="chart-figure"><figcaption><h3>{title}</h3><p>{tag}{escape(lacking)}</p></figcaption>'
            "</figure>"
        )
    return (
        f'<figure class="chart-figure"><figcaption><h3>{title}</h3><p>{tag}{caption}</p></figcaption>'
        f'<div class="chart" data-chart="{chart.name}" style="min-height:{chart.spec["height"] + 40}px" {_focus(chart)}'
        f'aria-label="{title}. {caption}"></div></figure>'
    )


def _focus(chart: Chart) -> str:
    """A chart that can be read date by date takes the keyboard; the others are pictures."""
    return 'role="application" tabindex="0" ' if chart.reads else 'role="img" '


def comparison_controls(dates: int) -> str:
    """The two sliders that choose the dates to compare."""
    sliders = "".join(
        f'<div class="slider"><label for="{when}">{label}</label><output id="{when}-date" for="{when}"></output>'
        f'<input type="range" id="{when}" min="0" max="{dates - 1}" value="{value}"></div>'
        for when, label, value in (("then", "Then", 0), ("now", "Now", dates - 1))
    )
    return (
        "<section><h2>Then and now</h2>"
        f'<div class="controls">{sliders}<p class="says" id="compared" aria-live="polite"></p></div></section>'
    )


def company_control(answer: ConcentrationSummary) -> str:
    """The choice of a company."""
    options = "".join(
        f'<option value="{escape(company.ticker)}">{escape(company.ticker)} {escape(company.name)}</option>'
        for company in answer.companies
    )
    return (
        "<section><h2>Between open and close</h2>"
        '<label for="company">Company, in the charts that show one: </label>'
        f'<select id="company">{options}</select></section>'
    )


def quality_summary(days: Sequence[Day]) -> str:
    """How many dates are what, in a sentence."""
    return (
        f"{_tally(days)}. A suspect date has a figure, but something in it is unexplained: it is drawn with a ring "
        "and left out of correlation, beta and projection. "
        "A partial date has no figure: it is a gap, never an estimate."
    )


def quality_tables(data: ReportData) -> str:
    """The dates that are not complete, and why tickers failed."""
    concentration = data.concentration
    doubts: dict[object, list[Doubt]] = {}
    for doubt in concentration.doubts:
        doubts.setdefault(doubt.on, []).append(doubt)
    unsure = [day for day in concentration.days if day.status != "complete"]
    groups: dict[tuple[str, str], list[Day]] = {}
    for day in unsure:
        groups.setdefault((day.status, _why(day, doubts.get(day.on, ()))), []).append(day)
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    rows = [
        (status, why, f"{len(days):,}", days[0].on.isoformat(), days[-1].on.isoformat())
        for (status, why), days in ranked[:_LISTED_REASONS]
    ]
    more = f"; the {_LISTED_REASONS} commonest of {len(groups)} reasons" if len(groups) > _LISTED_REASONS else ""
    header = ("Status", "Why", "Dates", "First", "Last")
    return _table(f"Dates that are not complete{more}", header, rows) + _table(
        "Why tickers failed",
        ("Reason", "Failures", "Dates", "Last"),
        map(_failure_row, data.failures[:_LISTED_REASONS]),
    )


def _why(day: Day, doubts: Iterable[Doubt]) -> str:
    return day.reason or "; ".join(dict.fromkeys(doubt.sentence for doubt in doubts)) or _failures(day)


def _failures(day: Day) -> str:
    return f"{counted(day.failed_count, 'line')} failed" if day.failed_count else ""


def _failure_row(failure: FailureReason) -> tuple[str, ...]:
    return (failure.reason, f"{failure.failures:,}", f"{failure.dates:,}", failure.last.isoformat())


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def published(days: Sequence[Day], answer: ConcentrationSummary) -> str:
    """What others published of the ten largest stocks, for scale; our own figure of another kind stands before it."""
    own = next((day.top10_pct for day in reversed(days) if day.top10_pct is not None and day.on <= answer.on), None)
    ours = f"Here the ten largest companies are {own:.1f} %, by full market value. " if own is not None else ""
    rows = ((row["as_of"], row["pct"] + "\N{NO-BREAK SPACE}%", row["publisher"]) for row in _published())
    titles = "; ".join(dict.fromkeys(f"{row['publisher']}, {row['title']}" for row in _published()))
    return (
        '<section class="published" aria-labelledby="scale-title">'
        '<h2 id="scale-title">For scale: figures of others</h2>'
        f"<p>{plain(ours)}What follows was published by others of the real market, and is of another kind: the ten "
        "largest stocks instead of companies, and none says whether by float. It is in no chart and no other figure. "
        f"Sources: {escape(titles)}.</p>"
        f"{_table('Ten largest stocks of the S&P 500', ('As of', 'Share', 'Published by'), rows)}</section>"
    )


def _published() -> list[dict[str, str]]:
    return packaged_data.read("published_concentration")


def downloads(datasets: Mapping[str, Dataset]) -> str:
    """A button for each data set that has rows."""
    return ", ".join(
        f'<button type="button" class="link" data-download="{name}">{name}.csv</button>'
        for name, dataset in datasets.items()
        if dataset.rows
    )
