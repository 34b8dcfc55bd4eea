"""A collection of a simulated market held against the truth: what was wrong, what was flagged, and what for nothing."""

import csv
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

from tests.simulators.fake_clock import FakeClock
from tests.simulators.sandbox_source import SandboxSource

from mag7cli.collection.collector import CollectResult, collect
from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.security_facts import COVER_PAGES
from mag7cli.collection.split_cache import SplitCache, read_splits
from mag7cli.collection.worklist import CollectOptions, Method
from mag7cli.core import packaged_data
from mag7cli.core.clock import SystemClock
from mag7cli.core.formatting import pct_within
from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.market import index_history, membership, symbology
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.shares.anomalies import DaySnapshot, check
from mag7cli.shares.cover_pages import parse_cover_pages, write_cover_pages
from mag7cli.vendors.sandbox.market import LAST, Market
from mag7cli.vendors.sandbox.plan import noon_after
from mag7cli.vendors.sandbox.truth import market_cap

Flag = tuple[str, str]
"""Where a flag was raised, and what it says."""


@dataclass(frozen=True)
class JudgedRun:
    """What a run wrote into a lake, and the market that it was to find."""

    market: Market
    lake: Lake
    result: CollectResult
    documents: Mapping[date, Document] = field(repr=False)

    @property
    def honoured_from(self) -> date:
        """From when on the simulated vendor's counts honour the date that they are asked for."""
        return self.market.blueprint.known_faults.frozen_until or self.market.start

    @cached_property
    def caps(self) -> dict[tuple[date, str], Decimal]:
        """The market caps of the Mag 7."""
        return {
            (day, ticker): company["market_cap"] or Decimal(0)
            for day, document in self.documents.items()
            for ticker, company in document["companies"].items()
        }

    def cap_errors(self, days: Iterable[date]) -> dict[tuple[date, str], float]:
        """Where a cap of the Mag 7 is not the truth to the cent: by how much, as a fraction."""
        wanted = set(days)
        true = {at: self.market.truth.market_cap(at[1], at[0]) for at in self.caps if at[0] in wanted}
        return {at: float(abs(self.caps[at] / cap - 1)) for at, cap in true.items() if self.caps[at] != cap}

    @cached_property
    def true_pcts(self) -> Mapping[date, float]:
        """The Mag 7's true part of the index, percent."""
        return {day: self.market.truth.mag7_pct(day) for day in self.documents}

    def pct_errors(self, days: Iterable[date]) -> dict[date, float]:
        """By how many points the Mag 7's part of the index is off; every line that is listed belongs to the index."""
        found = {}
        for day in days:
            metrics = self.documents[day]["concentration_metrics"]
            assert metrics, f"{day} is partial: {self.documents[day].get('partial')}"
            found[day] = abs(metrics["mag7_pct_of_sp500"] - self.true_pcts[day])
        return found

    def outside_bounds(self, days: Iterable[date]) -> dict[date, str]:
        """Where the true share is not within the bound that is printed, or none is: the bound, or why there is none."""
        outside = {}
        for day in days:
            metrics, quality = self.documents[day]["concentration_metrics"], date_quality(self.documents[day])
            if quality.bound is None or metrics is None:
                outside[day] = quality.bound_unknown or quality.partial_reason or ""
                continue
            text = pct_within(metrics["mag7_pct_of_sp500"], quality.bound.low_pct, quality.bound.high_pct)
            low, high = printed_bound(text)
            if not low <= self.true_pcts[day] <= high:
                outside[day] = text
        return outside

    def half_widths(self) -> dict[date, float]:
        """Half of how far apart the two ends of the bound are, in points, where one is known."""
        bounds = {day: date_quality(document).bound for day, document in self.documents.items()}
        return {day: (bound.high_pct - bound.low_pct) / 2 for day, bound in bounds.items() if bound}

    def class_errors(self, days: Iterable[date]) -> dict[date, float]:
        """By how many points the share with each class at its own close is off."""
        return {day: abs(_by_class(self.documents[day]) - self._true_pct_by_class(day)) for day in days}

    def _true_pct_by_class(self, day: date) -> float:
        truth = self.market.truth
        of_company: dict[str, list[str]] = defaultdict(list)
        for ticker in set(truth.members(day)).intersection(truth.listed(day)):
            of_company[truth.line(ticker).cik].append(ticker)
        caps: dict[str, Decimal] = {}
        for own in of_company.values():
            (counted,) = truth.counted(own)
            unlisted = truth.shares(counted, day) - sum(truth.class_shares(one, day) for one in own)
            parts = [market_cap(truth.close(one, day), truth.class_shares(one, day)) for one in own]
            by_class = sum(parts, market_cap(truth.close(counted, day), unlisted))
            # WBD's one class has all shares, DISCK's some of them besides: of these the classes say nothing.
            caps[counted] = by_class if unlisted >= 0 else truth.market_cap(counted, day)
        return float(100 * sum(caps[ticker] for ticker in MAGNIFICENT_7) / sum(caps.values()))

    @cached_property
    def flags(self) -> Mapping[tuple[str, date], list[Flag]]:
        """Every correction, doubt and event of the guard, by ticker and date."""
        found: dict[tuple[str, date], list[Flag]] = defaultdict(list)
        previous: DaySnapshot | None = None
        for day, document in self.documents.items():
            for ticker, flag in _flags_within(document):
                found[ticker, day].append(flag)
            current = _view(day, document)
            for event in check(previous, current, self.splits.by_ticker):
                found[str(event.ticker), day].append(("guard", event.kind))
            previous = current
        return found

    @cached_property
    def alarms(self) -> set[tuple[str, date]]:
        """The names and dates that were made suspect: corrections are explained, so they are none."""
        return {at for at, flags in self.flags.items() if any(where != "correction" for where, _ in flags)}

    @property
    def false_alarms(self) -> set[tuple[str, date]]:
        """Those on which nothing was wrong with what the vendor said."""
        faults = self.market.injected_faults()
        wrong = {(ticker, day) for ticker, day in self.alarms for fault in faults
                 if fault.ticker == ticker and fault.first_date <= day <= fault.last_date}  # fmt: skip
        return self.alarms - wrong

    @property
    def name_years(self) -> float:
        """How many names were watched for how long."""
        return sum(len(document["sp500_details"]["constituents"]) for document in self.documents.values()) / 252

    @cached_property
    def splits(self) -> SplitCache:
        """The splits list as it was settled."""
        return read_splits(self.lake)

    def wrong_answers(self) -> Iterator[tuple[str, date]]:
        """The names and dates of the range for which the vendor told another count than the true one."""
        details = DetailsCache(self.lake, SystemClock())
        details.load()
        for day in self.documents:
            for ticker in self.market.truth.members(day):
                answer = details.answer(ticker, day)
                if answer and answer.status == "ok" and answer.weighted_shares != self.market.truth.shares(ticker, day):
                    yield ticker, day


def judged(
    market: Market,
    lake: Lake,
    start: date,
    end: date,
    method: Method = "grouped",
    *,
    covers: bool = True,
    refresh: int | None = None,
) -> JudgedRun:
    """Collect a range of a market's dates into a lake, on the day after the market's last.

    The lake has the cover pages that the market's companies filed, unless it is to do without `covers`. `refresh` is
    how many counts an evening's run may ask for besides the Mag 7.
    """
    now = noon_after(market.end)
    if covers:
        pages = [page for company in parse_cover_pages(market.cover_pages()).values() for page in company]
        lake.write_reference(COVER_PAGES, write_cover_pages(pages).encode())
    options = CollectOptions(start, end, method, workers=8, refresh=refresh, served_from=market.start)
    result = collect(lake, SandboxSource(market, now=now), options, FakeClock(now))
    return JudgedRun(market, lake, result, {day: lake.read_document(day) for day in result.written})


def printed_bound(text: str) -> tuple[float, float]:
    """The bound that a reader takes from `33.28 % ± 0.02`, or from `33.21 to 33.30 %`."""
    first, second = (float(number) for number in re.findall(r"[\d.]+", text))
    return (first - second, first + second) if "±" in text else (first, second)


def _by_class(document: Document) -> float:
    metrics = document["concentration_metrics"]
    assert metrics
    return metrics["mag7_pct_by_class"]


def _flags_within(document: Document) -> Iterator[tuple[str, Flag]]:
    for ticker, company in document["companies"].items():
        yield from ((ticker, ("correction", one["reason"])) for one in company.get("corrections", []))
    for one in document["sp500_details"].get("corrections", []):
        yield one["ticker"], ("correction", one["reason"])
    yield from ((one["ticker"], ("doubt", one["kind"])) for one in document.get("doubts", []))


def _view(day: date, document: Document) -> DaySnapshot:
    lines = document["sp500_details"]["constituents"]
    rows = {line["ticker"]: (line["close_price"], line["shares_outstanding"]) for line in lines}
    return DaySnapshot(day, rows, closes_judged="judged_by" in document)


# A market of other names needs other tables of names


@contextmanager
def tables_of(market: Market, folder: Path) -> Iterator[None]:
    """While this lasts, `data/` knows the lines, renames and share classes of a market that was never tuned to.

    All but these are the real tables: the fiscal calendars, for one, are then mostly wrong.
    """
    shutil.copytree(Path(__file__).parents[2] / "data", folder, dirs_exist_ok=True)
    for name, columns, rows in _tables(market):
        _write(folder / f"{name}.csv", columns, rows)
    _forget()
    try:
        with patch.object(packaged_data, "folder", lambda: folder):
            yield
    finally:
        _forget()


def _forget() -> None:
    for module in (packaged_data, symbology, index_history, membership):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _tables(market: Market) -> Iterator[tuple[str, Sequence[str], list[Sequence[object]]]]:
    lines = market.blueprint.securities
    yield "index_lines", ("ticker", "name", "cik", "sector", "listed_from", "last_trading_day"), []
    yield "index_changes", ("effective_date", "change", "ticker", "reason", "last_traded", "source"), []
    yield "constituents", ("ticker", "name", "cik", "sector"), [(x.ticker, x.name, x.cik, x.sector) for x in lines]
    yield (
        "symbol_history",
        ("ticker", "symbol", "first_day", "last_day", "details_last_day", "cik"),
        [row for line in lines if len(line.symbols) > 1 for row in _periods(line.ticker, line.cik, market)],
    )
    yield "other_securities", ("symbol", "name", "first_day", "last_day", "cik", "security_type"), []
    yield (
        "share_classes",
        ("cik", "company", "counted_ticker", "other_tickers"),
        [
            (cik, "", counted, " ".join(x.ticker for x in lines if x.cik == cik and x.ticker != counted))
            for cik, counted in market.blueprint.counted.items()
        ],
    )


def _periods(ticker: str, cik: str, market: Market) -> Iterator[Sequence[object]]:
    periods = market.truth.line(ticker).symbols
    ends = [date.fromordinal(period.first_day.toordinal() - 1) for period in periods[1:] if period.first_day]
    for period, end in zip(periods, [*ends, None], strict=True):
        yield (
            ticker, period.symbol, period.first_day or "", end or "", period.details_last_day or "", period.cik or cik
        )  # fmt: skip


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# confirmed_until: {LAST}\n")
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
