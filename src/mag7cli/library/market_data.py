"""What the vendor is asked: bars, share counts and splits, first and again."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.progress import Listener, Silence
from mag7cli.lake.layout import Lake

if TYPE_CHECKING:
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.estimate import CollectPlan
    from mag7cli.collection.refresh import RefreshResult
    from mag7cli.collection.request import CollectRequest
    from mag7cli.vendors.base import MarketDataSource


def open_vendor(
    *,
    plan: str = "basic",
    rate: str | None = None,
    api_key_command: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> "MarketDataSource":
    """The vendor, Polygon.io (Massive), ready to be asked; nothing is sent before the first call.

    Args:
        plan: The plan of the key: `basic`, `starter`, `developer` or `advanced`.
        rate: Calls allowed, such as `5/min`; by default the plan's.
        api_key_command: The command that prints the key, where the environment has none.
        environ: Where `POLYGON_API_KEY` and `POLYGON_BASE_URL` are looked for; by default this process's environment.

    Returns:
        A source of bars, details and splits. Close it when done.

    Raises:
        AuthenticationError: There is no key.
        UsageError: There is no such plan or rate.
    """
    from mag7cli.collection.request import CollectRequest
    from mag7cli.vendors.polygon import open_source

    pace = CollectRequest(plan=plan, rate=rate).pace
    return open_source(
        os.environ if environ is None else environ, plan=plan, rate=pace, api_key_command=api_key_command
    )


def estimate(
    lake: Lake,
    *,
    request: "CollectRequest | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "CollectPlan":
    """What `collect` would do with the same request, without a call.

    Args:
        lake: The lake to collect into.
        request: What to collect; by default all that is missing and the plan serves.
        listener: Hears if the range was cut to what the plan serves.
        clock: The time; by default this machine's.

    Returns:
        Dates, calls by kind, bytes, and seconds at the allowed rate.

    Raises:
        PlanError: The plan does not serve the range.
        UsageError: There is no such range, plan or rate.
    """
    from mag7cli.collection import request as requests

    return requests.estimate(lake, request or requests.CollectRequest(), clock or SystemClock(), listener or Silence())


def calls_to_refresh(
    lake: Lake, *, start: date, end: date, request: "CollectRequest | None" = None, clock: Clock | None = None
) -> dict[str, int]:
    """How many calls `refresh` makes at most, by kind, without a call.

    Args:
        lake: The lake with the documents.
        start: First trading date, both ends included.
        end: Last trading date.
        request: The plan and the pace.
        clock: The time; by default this machine's.

    Raises:
        UsageError: There is no lake, or no date of the range was collected.
    """
    from mag7cli.collection import request as requests

    period = replace(request or CollectRequest(), start=start, end=end)
    return requests.calls_to_refresh(lake.require(), period, clock=clock or SystemClock(), listener=Silence())


def collect(
    lake: Lake,
    *,
    request: "CollectRequest | None" = None,
    vendor: "MarketDataSource | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "CollectResult":
    """Collect prices and share counts, one raw document for each trading date that is missing. Holds the lake.

    Args:
        lake: The lake to collect into.
        request: What to collect; by default all that is missing and the plan serves.
        vendor: Asked in place of the vendor of the request; closed at the end.
        listener: Hears of progress, and may end the run early.
        clock: The time; by default this machine's.

    Returns:
        Dates written, those without a figure and why, lines that failed, calls by kind, the bound that was reached.

    Raises:
        LockedError: Another run holds the lake.
        MarketDataError: The run cannot go on; what was collected is kept.
    """
    from mag7cli.collection import request as requests
    from mag7cli.lake.lock import locked

    with locked(lake, "mag7 collect"):
        return requests.collect(
            lake,
            request or requests.CollectRequest(),
            clock=clock or SystemClock(),
            listener=listener or Silence(),
            vendor=vendor,
        )


def refresh(
    lake: Lake,
    *,
    start: date,
    end: date,
    request: "CollectRequest | None" = None,
    vendor: "MarketDataSource | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "RefreshResult":
    """Ask the vendor again about collected dates, and value anew what follows from its corrections. Holds the lake.

    Args:
        lake: The lake with the documents.
        start: First trading date, both ends included.
        end: Last trading date.
        request: The plan, pace and limits of the run; its range is not used.
        vendor: Asked in place of the vendor of the request; closed at the end.
        listener: Hears of progress, and may end the run early.
        clock: The time; by default this machine's.

    Returns:
        What changed on which dates, line by line, and the answers that were refused because they cannot be true.

    Raises:
        UsageError: There is no lake, or no date of the range was collected.
        LockedError: Another run holds the lake.
        MarketDataError: The run cannot go on; the same call goes on with it.
    """
    from mag7cli.collection import request as requests
    from mag7cli.collection.request import CollectRequest
    from mag7cli.lake.lock import locked

    with locked(lake.require(), "mag7 collect"):
        return requests.refresh(
            lake,
            replace(request or CollectRequest(), start=start, end=end),
            clock=clock or SystemClock(),
            listener=listener or Silence(),
            vendor=vendor,
        )


def wait_until_served(plan: str, *, listener: Listener | None = None, clock: Clock | None = None) -> None:
    """Wait until a plan serves the session of today, if today has one whose data is not served yet.

    Args:
        plan: The plan of the key: `basic`, `starter`, `developer` or `advanced`.
        listener: Hears until when it waits.
        clock: The time; by default this machine's.

    Raises:
        UsageError: There is no such plan.
    """
    from mag7cli.vendors.subscription import plan as plan_of
    from mag7cli.vendors.subscription import wait_until_served as wait

    wait(plan_of(plan), clock or SystemClock(), listener or Silence())
