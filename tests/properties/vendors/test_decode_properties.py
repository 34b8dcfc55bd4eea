"""Bodies of every kind: what the decoder makes of them is either right or refused."""

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mag7cli.vendors.polygon import decode

DAY = date(2024, 12, 13)
NOON_MS = 1734109200000

TEXTS = st.text(alphabet="AZ.9 é", max_size=3)
NUMBERS = st.one_of(st.integers(-5, 5), st.floats(), st.just(NOON_MS))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.lists(st.just(1)))
ROWS = st.dictionaries(st.sampled_from(["o", "h", "l", "c", "v", "vw", "t"]), SCALARS)
GOOD = {"o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 10.5, "t": NOON_MS}
WORDS = st.sampled_from(
    ["status", "results", "ticker", "T", "adjusted", "resultsCount", "events", "type", "date", "serverTime", "t", "c"]
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=12)


@given(changes=ROWS, missing=st.sets(st.sampled_from(sorted(GOOD)), max_size=1))
def test_the_quick_look_at_a_bar_agrees_with_the_thorough_one(changes: dict[str, Any], missing: set[str]) -> None:
    row = {name: value for name, value in (GOOD | changes).items() if name not in missing}
    try:
        decode._bar(row, "AAPL")
        possible = True
    except decode.ShapeError:
        possible = False

    assert decode._is_possible(row) == possible


MEANINGS: list[Callable[[Any], object]] = [
    lambda page: decode.details(page, "AAPL", DAY),
    lambda page: decode.bars(page, "AAPL", DAY, DAY),
    lambda page: list(decode.grouped(page, DAY).values()),
    lambda page: decode.splits(page, DAY, DAY),
    decode.status,
]


@pytest.mark.parametrize("meaning", MEANINGS)
@given(found=JSON)
def test_no_body_does_anything_but_make_sense_or_be_refused(meaning: Callable[[Any], object], found: object) -> None:
    data = orjson.dumps(found, default=str)

    try:
        meaning(decode.body(data))
    except decode.ShapeError:
        return


@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_json_object_are_refused(data: bytes) -> None:
    try:
        assert isinstance(decode.body(data), dict)
    except decode.ShapeError:
        return
