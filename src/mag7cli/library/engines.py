"""The engine that answers: the caller's, or one of our own over the lake."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from mag7cli.core.errors import Mag7Error, UsageError
from mag7cli.lake.layout import Lake

if TYPE_CHECKING:
    from mag7cli.market.groups import CompanyGroup
    from mag7cli.portfolio.kept_weights import KeptWeights
    from mag7cli.tables.daily_figures import DailyFigures
    from mag7cli.warehouse.engines import SqlEngine


def kept_figures(lake: Lake, group: "CompanyGroup | None", engine: "SqlEngine | None") -> "DailyFigures | None":
    """The figures beside the tables, where they can answer: they are true, of the Mag 7, and nobody named an engine."""
    from mag7cli.tables.daily_figures import DailyFigures

    is_answered = engine is None and (group is None or group.is_the_seven)
    return DailyFigures.of(lake.require()) if is_answered else None


def kept_fund_weights(lake: Lake) -> "KeptWeights | None":
    """The index fund's weights, as far as they are known without an engine; None where they are not."""
    from mag7cli.portfolio import kept_weights

    return kept_weights.read(lake) if lake.keeps_funds() else kept_weights.NO_FUND


def duckdb_over(lake: Lake) -> Any:
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    return DuckDbEngine.over_lake(lake)


@contextmanager
def saying_what_is_unmade(lake: Lake, *days: date | None) -> "Iterator[None]":
    """Where a date has no figure, or none has (None), because it is collected and in no table: say so, and why."""
    try:
        yield
    except Mag7Error as error:
        # Other errors say of what they are.
        unmade = _unmade(lake, days) if type(error) in (Mag7Error, UsageError) else None
        if unmade is None:
            raise
        sentence, hint = unmade
        raise type(error)(sentence, hint=hint) from error


def _unmade(lake: Lake, days: Sequence[date | None]) -> tuple[str, str] | None:
    """What is to be said of the first of these dates that is collected and in no table, and what helps."""
    from mag7cli.tables import manifest

    record = manifest.recorded(lake)
    known = record.dates if record else {}
    unmade = [day for day in lake.documents() if day not in known]
    for day in days:
        if day and day in known and (problem := known[day].problem):
            sentence = f"the document of {day} cannot be read: {problem}"
            return sentence, f"mag7 collect --start {day} --end {day} --force"
        if day in unmade or (day is None and unmade):
            return f"{day or unmade[0]} is collected, and its tables are not made yet", "mag7 transform"
    return None


@contextmanager
def engine_over(lake: Lake, engine: "SqlEngine | None") -> "Iterator[SqlEngine]":
    """The engine of the caller, or one of our own for as long as it is needed."""
    if engine is not None:
        yield engine
        return
    with closing(duckdb_over(lake.require())) as own:
        yield own
