"""The share while the market is open, and afterwards."""

import os
from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

from mag7cli.core.clock import SystemClock
from mag7cli.core.errors import KeyNotFoundError, UsageError
from mag7cli.lake.layout import Lake

if TYPE_CHECKING:
    from mag7cli.live.follow import LiveUpdate, MarketClosed
    from mag7cli.live.review import LiveReview
    from mag7cli.live.session import LiveRequest


def follow(
    lake: Lake,
    *,
    request: "LiveRequest | None" = None,
    api_key_command: str | None = None,
    environ: Mapping[str, str] | None = None,
    clock: SystemClock | None = None,
) -> "Generator[LiveUpdate | MarketClosed]":
    """The share during the session, from the vendor's stream: intraday and unofficial, a point a minute.

    Args:
        lake: Its last document gives share counts and closes; its live zone keeps the minutes.
        request: What to follow, and until when; by default the Mag 7 until somebody has had enough.
        api_key_command: The command that prints the key, where the environment has none.
        environ: Where `POLYGON_API_KEY`, `POLYGON_BASE_URL` and `POLYGON_STREAM_URL` are looked for.
        clock: The time; by default this machine's.

    Yields:
        Points with their age, coverage and bound; `MarketClosed` while nothing trades.

    Raises:
        LockedError: Another process keeps the minutes of this lake.
        AuthenticationError: There is no key, or the vendor does not know it.
        PlanError: The plan has neither a stream nor snapshots.
        Mag7Error: The lake has no document with share counts.
    """
    from mag7cli.live.session import LiveRequest, follow_sessions
    from mag7cli.vendors.polygon import open_source, open_stream

    request, clock = request or LiveRequest(), clock or SystemClock()
    variables = os.environ if environ is None else environ
    source = open_source(variables, plan=request.plan, api_key_command=api_key_command, clock=clock)
    with closing(source):
        yield from follow_sessions(
            lake,
            source,
            lambda feed, symbols: open_stream(variables, feed, symbols, api_key_command=api_key_command),
            request=request,
            clock=clock,
        )


def review_live(lake: Lake, *, on: date) -> "LiveReview":
    """The last live share of a date beside its official close, in figures.

    Args:
        lake: Has the minutes that were kept, and the document of the date.
        on: The trading date.

    Returns:
        Both shares in percent (0-100), their difference in points, whether it lies in the bound, and what was kept.

    Raises:
        UsageError: No minute of the date was kept, or its document is not there yet.
    """
    from mag7cli.collection.split_cache import read_splits
    from mag7cli.live.points import LivePoints
    from mag7cli.live.review import review

    records = LivePoints(lake).read(on)
    if not records:
        raise UsageError(f"no minute of {on} was kept", hint="mag7 live keeps them as they come")
    try:
        document = lake.require().read_document(on)
    except KeyNotFoundError:
        raise UsageError(
            f"there is no document of {on} to compare with", hint=f"mag7 collect --start {on} --end {on}"
        ) from None
    close_date = date.fromisoformat(records[-1]["close_date"])
    splits = [split for splits in read_splits(lake).by_ticker.values() for split in splits]
    return review(records, document, lake.read_document(close_date), splits)
