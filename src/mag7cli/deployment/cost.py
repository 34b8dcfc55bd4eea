"""What a month of the deployment costs, from its parameters and the assumptions that are printed beside it.

Prices are rows of `data/aws_prices.csv`, of one region and one day; a bill is what counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from mag7cli.core import packaged_data
from mag7cli.deployment.template import Choice
from mag7cli.vendors.subscription import plan

_EVENINGS: Final = 21
_RECOVERIES: Final = 4
# Measured over the simulated market; see docs/aws.md.
_LAKE_GB: Final = 0.35
_PUTS_AN_EVENING: Final = 60
_GETS_AN_EVENING: Final = 400
_TRANSITIONS_AN_EVENING: Final = 24
_LOGS_GB: Final = 0.05
_QUERIES: Final = 100
_SMALLEST_SCAN_TB: Final = 10 / 1e6
# Seconds of work beside the waiting for the vendor, in GB of memory.
_EVENING_GB_S: Final = 90.0
_CALLS_AN_EVENING: Final = 30
_COLLECTOR_GB: Final = 1.0
_ALARMS: Final = 5
_WAKING_S: Final = 60
_JOB_MINUTES: Final = 5
_WAKINGS: Final = 30


@dataclass(frozen=True, slots=True)
class CostItem:
    """One thing that is paid for: `usd` a month, after what is free in every account, and how it was counted."""

    name: str
    units: float
    unit: str
    usd: float
    assumption: str


@dataclass(frozen=True, slots=True)
class _Price:
    unit: str
    usd: float
    free: float


@cache
def _prices() -> Mapping[str, _Price]:
    return {
        row["item"]: _Price(row["unit"], float(row["usd"]), float(row["free"]))
        for row in packaged_data.read("aws_prices")
    }


def estimate(choice: Choice) -> list[CostItem]:
    """A month of these parts, the dearest first."""
    counts = (_storage, _functions, _athena, _alarms, _redshift, _quicksight, _spark)
    items = [item for count in counts for item in count(choice)]
    return sorted(items, key=lambda item: -item.usd)


def total_usd(items: list[CostItem]) -> float:
    """The month altogether."""
    return sum(item.usd for item in items)


def _item(price: str, units: float, assumption: str) -> CostItem:
    charged = _prices()[price]
    return CostItem(
        name=price.replace("_", " "),
        units=units,
        unit=charged.unit,
        usd=max(0.0, units - charged.free) * charged.usd,
        assumption=assumption,
    )


def _storage(choice: Choice) -> Iterator[CostItem]:
    yield _item("s3_storage", _LAKE_GB * 2, "four years of both layouts, and as much again of old versions")
    if "functions" in choice.on:
        yield _item("s3_put", _PUTS_AN_EVENING * _EVENINGS, f"{_PUTS_AN_EVENING} an evening")
        yield _item("s3_get", _GETS_AN_EVENING * _EVENINGS, f"{_GETS_AN_EVENING} an evening")


def _functions(choice: Choice) -> Iterator[CostItem]:
    if "functions" not in choice.on:
        return
    yield _item("secret", 1, "the key")
    yield _item("logs", _LOGS_GB, "all functions")
    if "schedule" not in choice.on:
        return
    rate = plan(choice.values.get("Plan", "basic")).rate.per_second or 1.0
    waiting_s = _CALLS_AN_EVENING / rate * _COLLECTOR_GB
    seconds = (_EVENING_GB_S + waiting_s) * _EVENINGS
    architecture = choice.values.get("Architecture", "arm64")
    how = f"{_CALLS_AN_EVENING} calls an evening at the plan's rate, and {_EVENING_GB_S:.0f} GB s of tables and checks"
    yield _item(f"lambda_{architecture}", seconds, how)
    yield _item("lambda_requests", 12 * _EVENINGS, "twelve calls of functions an evening")
    yield _item("step_transitions", _TRANSITIONS_AN_EVENING * (_EVENINGS + _RECOVERIES), "both machines")
    yield _item("scheduler", _EVENINGS + _RECOVERIES, "evenings and Sundays")


def _athena(choice: Choice) -> Iterator[CostItem]:
    if "athena" in choice.on:
        yield _item(
            "athena_scan", _QUERIES * _SMALLEST_SCAN_TB, f"{_QUERIES} queries, each the smallest that is billed"
        )


def _alarms(choice: Choice) -> Iterator[CostItem]:
    if "alarms" in choice.on:
        yield _item("alarm", _ALARMS, "all of them; the first two budgets of an account are free")


def _redshift(choice: Choice) -> Iterator[CostItem]:
    if "redshift" not in choice.on:
        return
    capacity = float(choice.values.get("BaseCapacity", "8"))
    hours = capacity * _WAKING_S / 3_600 * _WAKINGS
    yield _item("redshift_rpu", hours, f"woken {_WAKINGS} times for a minute, at {capacity:g} RPU")
    yield _item("redshift_storage", 1, "less than a gigabyte")


def _quicksight(choice: Choice) -> Iterator[CostItem]:
    if "quicksight" in choice.on:
        yield _item("quicksight_author", 1, "one author, by the month")


def _spark(choice: Choice) -> Iterator[CostItem]:
    if "spark" in choice.on:
        workers = float(choice.values.get("SparkWorkers", "2"))
        hours = workers * _JOB_MINUTES / 60
        yield _item("glue_dpu", hours, f"one run of the whole lake a month, {workers:g} workers for {_JOB_MINUTES} min")
