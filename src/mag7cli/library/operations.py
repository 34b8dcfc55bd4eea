"""How the lake is, and how its runs went."""

from typing import TYPE_CHECKING

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.lake.layout import Lake
from mag7cli.library.engines import engine_over

if TYPE_CHECKING:
    from mag7cli.analytics.health import Health, Thresholds
    from mag7cli.analytics.lake_status import Status
    from mag7cli.lake.run_history import RunRecord
    from mag7cli.warehouse.engines import SqlEngine


def status(lake: Lake, *, clock: Clock | None = None) -> "Status":
    """What the lake holds and lacks.

    Args:
        lake: The lake; nothing is written to it.
        clock: The time; by default this machine's.

    Returns:
        Dates, gaps, partial dates, failures by reason, sizes in bytes, sessions behind.

    Raises:
        StoreError: The lake cannot be read.
    """
    from mag7cli.analytics.lake_status import status as lake_status
    from mag7cli.market.calendar import last_completed_session

    return lake_status(lake.require(), last_completed_session((clock or SystemClock()).now()))


def health(
    lake: Lake, *, limits: "Thresholds | None" = None, engine: "SqlEngine | None" = None, clock: Clock | None = None
) -> "Health":
    """Whether the lake is as its owner wants it: up to date, whole, trusted, and within the limits of the figure.

    Args:
        lake: The lake; nothing is written to it.
        limits: What is still good; by default one session behind, and nothing doubtful in the last twenty dates.
        engine: Where the SQL runs; by default DuckDB over the lake.
        clock: The time; by default this machine's.

    Returns:
        What is not as it should be, with values and limits; nothing if all is well.

    Raises:
        StoreError: The lake cannot be read.
        EngineError: Its tables cannot be read.
    """
    from mag7cli.analytics.health import Thresholds, judge, read_days
    from mag7cli.lake.run_history import read

    now = clock or SystemClock()
    state = status(lake, clock=now)
    with engine_over(lake, engine) as own:
        days = read_days(own)
    return judge(state, days, read(lake), today=now.now().date(), limits=limits or Thresholds())


def runs(lake: Lake) -> "list[RunRecord]":
    """How the runs of a lake went.

    Args:
        lake: The lake; nothing is written to it.

    Returns:
        A record for each run that is remembered, oldest first: when, how it ended, dates, calls, what failed.

    Raises:
        StoreError: The lake cannot be read.
        UsageError: There is no lake.
    """
    from mag7cli.lake.run_history import read

    return read(lake.require())
