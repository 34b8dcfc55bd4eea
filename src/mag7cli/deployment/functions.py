"""The functions of the deployment, as AWS Lambda calls them: an event becomes one call of the library, and a document.

An error is raised, not told: the state machines try again by its class. The empty event does what a person means who
presses Test: the last four years, the last session served, all that there is. `token` in an event is the execution that
holds the lake; without one, a function takes and leaves the lake by itself.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import Mag7Error, StoppedEarlyError, UsageError
from mag7cli.core.progress import NoProgress, Progress
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import joined, locked, release, take
from mag7cli.vendors import subscription

if TYPE_CHECKING:
    from mag7cli.analytics.summary import ConcentrationSummary
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.request import CollectRequest
    from mag7cli.vendors.base import MarketDataSource
    from mag7cli.warehouse.engines import SqlEngine

Event = Mapping[str, Any]
Document = dict[str, Any]

CHART_LIBRARY: Final = "chart_library.js"
"""The chart library in the package: made where the optional renderer is, which does not fit into a function."""

PAGE: Final = "report/index.html"

_YEARS: Final = 4
_DATES_NAMED: Final = 50
# What a collector needs after its last call: documents to write, a lease to let go of.
_MARGIN_S: Final = 90.0
_AGAIN_AFTER_S: Final = 1
_RETRY_AFTER_S: Final = "300"

_log = logging.getLogger(__name__)


class ChecksFailedError(Mag7Error):
    """A check of severity error found rows: nothing may be published."""


class Context(Protocol):
    """What the service tells a function about its call."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        ...


# Dates


def dates(event: Event, context: Context) -> Document:
    """The trading dates of a run.

    Args:
        event: `start` and `end`, both included; or `{"sessions": "new"}` for those after the lake's last document; or
            nothing for the last four years.
        context: Of the call.
    """
    from mag7cli.market.calendar import sessions

    start, end = _new(_lake()) if event.get("sessions") == "new" else _range(event)
    days = sessions(start, end) if start <= end else []
    return {"start": str(start), "end": str(end), "count": len(days), "dates": [str(day) for day in days]}


def _new(lake: Lake) -> tuple[date, date]:
    from mag7cli.market.calendar import next_session

    documents = list(lake.documents())
    served = _last_served()
    return (next_session(documents[-1]), served) if documents else _range({})


def _range(event: Event) -> tuple[date, date]:
    from mag7cli.market.calendar import years_before

    end = _date(event, "end") or _last_served()
    oldest = _plan().first_date(SystemClock().now().date())
    return _date(event, "start") or max(years_before(end, _YEARS), oldest), end


def _date(event: Event, name: str) -> date | None:
    text = event.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        raise UsageError(f"{name} {text!r} is not a date like 2024-12-13") from None


def _last_served() -> date:
    return _plan().last_session(SystemClock().now())


def _plan() -> subscription.Plan:
    return subscription.plan(os.environ.get("MAG7_PLAN", subscription.DEFAULT_PLAN))


# Holding the lake


def hold(event: Event, context: Context) -> Document:
    """Take the lake for an execution (`{"step": "take", "token": …}`), or let go of it (`"release"`)."""
    lake, token = _lake(), str(event["token"])
    if event["step"] == "release":
        return {"released": release(lake, token)}
    take(lake, f"the execution {token.rpartition(':')[2]}", token)
    return {"held": True}


def _lake() -> Lake:
    return Lake.at(os.environ["MAG7_LAKE"])


@contextmanager
def _held(event: Event, what: str) -> Iterator[Lake]:
    """The lake, held by the event's execution, or by this call alone."""
    lake, token = _lake(), event.get("token")
    holding: AbstractContextManager[None] = joined(lake, str(token)) if token else locked(lake, what)
    with holding:
        yield lake


# What the lake lacks


def survey(event: Event, context: Context) -> Document:
    """The dates that are missing, incomplete or red, from the lake's first date, or `start`, to now, or `end`."""
    from mag7cli.lake.document_index import CollectedDates
    from mag7cli.market.calendar import sessions

    lake = _lake()
    collected, present = CollectedDates(lake), list(lake.documents())
    start, end = _date(event, "start") or min(present, default=date.max), _date(event, "end") or _last_served()
    expected = sessions(start, end) if start <= end else []
    missing = [day for day in expected if day not in set(present)]
    incomplete = [day for day in expected if day in set(present) and collected.is_incomplete(day)]
    red = [day for day in _red(lake) if start <= day <= end]
    last = max(present, default=date.max)
    lacking = sorted({*missing, *incomplete, *red})
    _measure({"LackingDates": len(lacking), "SessionsBehind": sum(day > last for day in missing)})
    return {
        "start": str(lacking[0]) if lacking else None,
        "end": str(lacking[-1]) if lacking else None,
        "count": len(lacking),
        "missing": _named(missing),
        "incomplete": _named(incomplete),
        "red": _named(red),
    }


def _measure(values: Mapping[str, int]) -> None:
    """Publish what the alarms look at; without alarms nobody does."""
    from mag7cli.lake import aws

    namespace = os.environ.get("MAG7_METRICS")
    if not namespace:
        return
    client = aws.client("cloudwatch")
    with aws.errors_as(Mag7Error, "the metrics"):
        client.put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": name, "Value": value} for name, value in values.items()]
        )


def _named(days: Sequence[date]) -> Document:
    """So many dates by name, and how many there are: an execution's state is small."""
    return {"count": len(days), "dates": [str(day) for day in days[:_DATES_NAMED]]}


def _red(lake: Lake) -> list[date]:
    """The dates in the rows of the last failed checks."""
    from mag7cli.lake import failed_checks

    return sorted({day for check in failed_checks.read(lake) for day in check.dates})


# Collecting


def collect(event: Event, context: Context) -> Document:
    """Collect what is missing between `start` and `end`, by default the last session served.

    Returns:
        `state`: `again` if the time of the call was not enough, `unfinished` if something failed that may be asked for
        again after `wait_seconds`, else `done`.
    """
    from mag7cli.collection import benchmarks
    from mag7cli.collection import request as requests

    day = _last_served()
    request = requests.CollectRequest(
        start=_date(event, "start") or day,
        end=_date(event, "end") or day,
        plan=_plan().name,
        rate=os.environ.get("MAG7_RATE"),
        max_duration_s=context.get_remaining_time_in_millis() / 1_000 - _MARGIN_S,
        benchmarks=benchmarks.symbols_of(os.environ.get("MAG7_BENCHMARK", "")),
    )
    clock = SystemClock()
    with _held(event, "mag7 collect") as lake:
        try:
            result = requests.collect(lake, request, clock=clock, listener=_Log(), vendor=_open_vendor(request))
        except StoppedEarlyError as error:
            _log.info("%s", error)
            return {"state": "again", "wait_seconds": _AGAIN_AFTER_S}
    return _collected(result)


def _collected(result: "CollectResult") -> Document:
    incomplete = sorted({*result.partial, *result.failed})
    wait_s = int(os.environ.get("MAG7_RETRY_SECONDS", _RETRY_AFTER_S))
    return {
        "state": "unfinished" if incomplete else "done",
        "wait_seconds": wait_s,
        "collected": len(result.written),
        "present": result.present,
        "incomplete": _named(incomplete),
        "stale_series": dict(result.stale_series),
        "calls": sum(result.calls.values()),
    }


def _open_vendor(request: "CollectRequest") -> "MarketDataSource":
    from mag7cli.vendors.polygon import open_source
    from mag7cli.vendors.rate_limit import Budget

    clock = SystemClock()
    return open_source(
        {**os.environ, "POLYGON_API_KEY": _key()},
        plan=request.plan,
        rate=request.pace,
        clock=clock,
        budget=Budget(clock, max_duration_s=request.max_duration_s),
    )


def _key() -> str:
    """The key, from its secret: it is in no event, no variable and no log."""
    from mag7cli.core.errors import AuthenticationError
    from mag7cli.lake import aws

    client = aws.client("secretsmanager")
    with aws.errors_as(AuthenticationError, "the secret of the API key"):
        return str(client.get_secret_value(SecretId=os.environ["MAG7_KEY_SECRET"])["SecretString"]).strip()


# Tables


def transform(event: Event, context: Context) -> Document:
    """Turn documents into tables: `plan` the years, make one `year`, `merge` the records; or all of it in one call."""
    from mag7cli.tables import spread
    from mag7cli.tables.transform import transform as make_tables

    step = event.get("step")
    with _held(event, "mag7 transform") as lake:
        if step == "plan":
            return {"years": spread.begin(lake), "at_once": int(os.environ.get("MAG7_YEARS_AT_ONCE", "1"))}
        if step == "year":
            return {"year": event["year"], "dates": spread.make(lake, int(event["year"]))}
        if step == "merge":
            return {"dates": spread.merge(lake)}
        result = make_tables(lake)
        return {"dates": len(result.written), "failed": _named([failed.trading_date for failed in result.failed])}


def validate(event: Event, context: Context) -> Document:
    """Run the checks over the flat files, and remember what failed.

    Raises:
        ChecksFailedError: A check of severity error found rows.
    """
    from mag7cli.warehouse.lake_checks import check_lake, record_failures

    lake = _lake()
    results = check_lake(lake)
    failed = record_failures(lake, results)
    if failed:
        raise ChecksFailedError(
            f"{len(failed)} of {len(results)} checks failed: {', '.join(result.check for result in failed)}"
        )
    return {"checks": len(results), "warnings": [result.check.name for result in results if not result.passed]}


def load(event: Event, context: Context) -> Document:
    """Bring the catalog, its partitions, views and the weights in funds up to date; nothing to do without Athena."""
    from mag7cli.portfolio.fund_table import publish
    from mag7cli.warehouse import glue_catalog
    from mag7cli.warehouse.engines.athena import AthenaEngine

    workgroup = os.environ.get("MAG7_WORKGROUP")
    if not workgroup:
        return {"changes": []}
    with _held(event, "mag7 load") as lake, closing(AthenaEngine(workgroup=workgroup)) as engine:
        publish(lake)
        changes = glue_catalog.sync(lake, engine)
    return {
        "changes": [
            f"{change.kind} {change.name} {change.action}" for change in changes if change.action != "unchanged"
        ][:100]
    }


# Saying so


def report(event: Event, context: Context) -> Document:
    """Write the page into the lake. The chart library comes with the package: its renderer does not fit a function."""
    from mag7cli.lake import failed_checks
    from mag7cli.portfolio.fund_weights import of_index_fund
    from mag7cli.reporting.page import render
    from mag7cli.reporting.write import compose
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    lake = _lake()
    library = (Path(__file__).parent / CHART_LIBRARY).read_text(encoding="utf-8")
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        if not _has_figure(engine):
            return {"page": "", "bytes": 0}
        failed = failed_checks.read(lake)
        fund = of_index_fund(lake, engine)
        page = render(compose(engine, SystemClock(), fund, lake, failed=failed), library).encode()
    lake.store.write(PAGE, page)
    return {"page": lake.store.uri(PAGE), "bytes": len(page)}


def _has_figure(engine: "SqlEngine") -> bool:
    """False while every date that was collected is partial: there is nothing to draw then."""
    return bool(engine.query("SELECT 1 FROM market_data.concentration_metrics LIMIT 1").values)


def notify(event: Event, context: Context) -> Document:
    """Publish how a run ended, with the link of the page; `event` is the state of the execution."""
    from mag7cli.lake import aws

    text = "\n".join(_message(event))
    client = aws.client("sns")
    with aws.errors_as(Mag7Error, "the notification"):
        client.publish(TopicArn=os.environ["MAG7_TOPIC"], Subject=_subject(event), Message=text)
    return {"message": text}


def _subject(event: Event) -> str:
    lacking = event.get("left", {}).get("count", 0)
    return f"mag7: {lacking} dates are lacking" if lacking else "mag7: complete"


def _message(event: Event) -> Iterator[str]:
    from mag7cli.analytics.summary import answer
    from mag7cli.lake.failed_checks import read
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    lake = _lake()
    with closing(DuckDbEngine.over_lake(lake)) as engine:
        has_figure = _has_figure(engine)
        yield _figure(answer(engine, failed=read(lake))) if has_figure else "No date has a figure yet."
    collected = event.get("collected", {})
    yield f"Collected {collected.get('collected', 0)} dates with {collected.get('calls', 0)} calls."
    for symbol, reason in collected.get("stale_series", {}).items():
        yield f"{symbol}, a series beside the index, is not up to date: {reason}"
    recovered = sorted(_lacking(event.get("range", {})) - _lacking(event.get("left", {})))
    if recovered:
        yield f"Recovered: {', '.join(recovered)}."
    for kind, days in _still_lacking(event.get("left", {})):
        yield f"Still {kind}: {', '.join(days)}."
    page = event.get("report", {}).get("page", "")
    if page:
        yield f"Report: {_console_link(page)}"


def _figure(summary: "ConcentrationSummary") -> str:
    simulated = " (SIMULATED)" if summary.quality.simulated else ""
    red = ", FAILS VALIDATION" if summary.quality.failed_checks else ""
    return f"{summary.share_text} of the S&P 500 on {summary.on}, {summary.quality.status}{red}{simulated}."


def _lacking(state: Event) -> set[str]:
    kinds: Iterable[str] = ("missing", "incomplete", "red")
    return {day for kind in kinds for day in state.get(kind, {}).get("dates", ())}


def _still_lacking(state: Event) -> Iterator[tuple[str, list[str]]]:
    for kind in ("missing", "incomplete", "red"):
        if days := state.get(kind, {}).get("dates"):
            yield kind, days


def _console_link(uri: str) -> str:
    """The page in the console, for who is signed in: the bucket is private, and links that anybody can open expire."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    region = os.environ.get("AWS_REGION", "us-east-1")
    return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"


class _Log:
    """Hears of a collection in the function's log."""

    def notice(self, text: str) -> None:
        """Log it."""
        _log.info("%s", text)

    def warn(self, text: str) -> None:
        """Log it as a warning."""
        _log.warning("%s", text)

    def progress(self, label: str, unit: str = "date") -> AbstractContextManager[Progress]:
        """Nobody watches."""
        return nullcontext(NoProgress())

    def ends_early(self, request: Callable[[], None]) -> AbstractContextManager[None]:
        """A function is not asked to end early: its time is limited from the start."""
        return nullcontext()
