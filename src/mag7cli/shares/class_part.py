"""What part of a company a line's class is, by the vendor's answers that honour their dates. Pure."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median_low
from typing import Final

from mag7cli.shares.records import HONOURED_FROM, ShareObservation

ONE_CLASS: Final = math.log(1.002)
"""Up to this log step a class is the whole company: counts of one class may be of neighbouring days."""
SAME_PART: Final = 0.00005
"""Up to this log step two parts are the same."""

_STEADY_FOR: Final = timedelta(days=300)
_FIRST: Final = 3


@dataclass(frozen=True, slots=True)
class ClassPart:
    """The `part` of a company's shares that is in a class when both counts begin to honour the date.

    It `is_steady` if it has been the same for most of a year at least: then nothing is converted from class to class.
    """

    part: float
    is_steady: bool


def is_one_class(answers: Collection[ShareObservation]) -> bool:
    """True if answers that honour their dates, and all of them, say that the line's class is the whole company."""
    honest = [answer for answer in answers if answer.on >= HONOURED_FROM and answer.weighted]
    return bool(honest) and all(
        answer.share_class and answer.weighted and abs(math.log(answer.share_class / answer.weighted)) <= ONE_CLASS
        for answer in honest
    )


def class_part(answers: Sequence[ShareObservation]) -> float | None:
    """The part of the company's shares that is in the line's class, where both counts are given and honour the date."""
    parts = _parts(answers)
    fresh = [part for on, part in parts if on >= HONOURED_FROM] or [part for _, part in parts[-1:]]
    return median_low(fresh) if fresh else None


def part_after(answers: Sequence[ShareObservation], first_run: int) -> ClassPart | None:
    """The class's part by the answers (oldest first) that honour the date; None if there are none.

    The `first_run` answers may be a count that stands still, whatever their dates.
    """
    parts = [(on, part) for on, part in _parts(answers[first_run:]) if on >= HONOURED_FROM]
    if not parts:
        return None
    values = [part for _, part in parts]
    lasts = len(parts) >= _FIRST and parts[-1][0] - parts[0][0] >= _STEADY_FOR
    return ClassPart(median_low(values[:_FIRST]), lasts and math.log(max(values) / min(values)) <= SAME_PART)


def _parts(answers: Iterable[ShareObservation]) -> list[tuple[date, float]]:
    """The part of the company's shares that is in the line's class, by the answers that give both counts."""
    return [
        (answer.on, answer.share_class / answer.weighted)
        for answer in answers
        if answer.weighted and answer.share_class
    ]
