"""What every surface says of each date of a lake: its status, and the bound of its share where it is shown."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date

import mag7cli as mag7
from mag7cli.analytics import report_data
from mag7cli.analytics.date_statuses import date_statuses, events_of
from mag7cli.analytics.queries import Day
from mag7cli.core.errors import DocumentError, Mag7Error
from mag7cli.lake.document_index import CollectedDates
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.market.date_quality import DateQuality
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Said:
    """What a surface says of a date: its status, or which of several it may have; and the bound, where it shows one."""

    surface: str
    statuses: frozenset[str]
    bounds: Bounds = None
    has_bounds: bool = True

    def agrees_with(self, other: "Said") -> bool:
        """True if both can be right."""
        same = self.bounds == other.bounds or not (self.has_bounds and other.has_bounds)
        return same and bool(self.statuses & other.statuses)


def disagreements(lake: Lake, explained: Iterable[date] | None = None) -> list[tuple[date, Said, Said]]:
    """The dates of which two surfaces of a transformed lake do not say the same.

    `explained` are the dates for which receipts are written and answers given one by one, by default all.
    """
    every = dict(_answers(lake, frozenset(lake.documents() if explained is None else explained)))
    return [
        (day, first, other)
        for day, (first, *others) in every.items()
        for other in others
        if not first.agrees_with(other)
    ]


def _answers(lake: Lake, explained: frozenset[date]) -> Iterator[tuple[date, list[Said]]]:
    statuses, collected = date_statuses(lake), CollectedDates(lake)
    whole = mag7.status(lake)
    checks = {result.check.name: {row[0] for row in result.rows.values} for result in mag7.validate(lake)}
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        rows = {day.on: day for day in report_data.read(engine).concentration.days}
        assert whole.complete == sum(status == "complete" for status in statuses.values())
        assert whole.complete + len(whole.suspect) + len(whole.partial) == len(statuses)
        for day, status in statuses.items():
            quality = _of_document(lake, day)
            if quality is None:
                assert (status, day in rows) == ("partial", False)
                continue
            answers = [_said("document", quality), Said("status", frozenset({status}), None, False)]
            answers += [_in_table(rows[day]), _in_checks(checks, day), _in_index(collected, day)]
            if day in explained:
                answers += [_said("explain", mag7.explain(lake, on=day).quality), _shown(lake, engine, day)]
            yield day, answers


def _of_document(lake: Lake, day: date) -> DateQuality | None:
    try:
        document = lake.read_document(day)
    except DocumentError:
        return None
    return date_quality(document, events_of(lake, day, document))


def _said(surface: str, quality: DateQuality) -> Said:
    bounds = (quality.bound.low_pct, quality.bound.high_pct) if quality.bound else None
    return Said(surface, frozenset({quality.status}), bounds)


def _in_table(day: Day) -> Said:
    bounds = None if day.low_pct is None or day.high_pct is None else (day.low_pct, day.high_pct)
    assert (day.figure is None) == (day.status == "partial")
    return Said("tables and report", frozenset({day.status}), bounds)


def _in_checks(checks: Mapping[str, set[object]], day: date) -> Said:
    is_listed = {name: day in checks[f"{name}_dates"] for name in ("suspect", "partial")}
    listed = {name for name, is_there in is_listed.items() if is_there}
    return Said("validate", frozenset({"partial"} if "partial" in listed else listed or {"complete"}), None, False)


def _in_index(collected: CollectedDates, day: date) -> Said:
    """What is to be asked for again: it knows nothing of doubts."""
    if collected[day].partial:
        return Said("collect", frozenset({"partial"}), None, False)
    statuses = {"suspect"} if collected[day].failed_count else {"complete", "suspect"}
    return Said("collect", frozenset(statuses), None, False)


def _shown(lake: Lake, engine: DuckDbEngine, day: date) -> Said:
    try:
        answer = mag7.summary(lake, on=day, engine=engine)
    except Mag7Error as error:
        return Said("show", frozenset({"partial"} if f"{day} is partial and has no figure" in str(error) else ()))
    bounds = None if answer.low_pct is None or answer.high_pct is None else (answer.low_pct, answer.high_pct)
    return Said("show", frozenset({answer.quality.status}), bounds)
