"""The splits list: asked once a day, settled by the price, and refused rows stay refused."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.answering import AnsweringSource
from tests.simulators.small_index import market

from mag7cli.collection.split_cache import SplitCache, StepOf, calls_for_splits, log_step, read_splits, update_splits
from mag7cli.core.errors import DocumentError, VendorUnavailableError
from mag7cli.lake.layout import Lake
from mag7cli.market.records import Split

START, TODAY = date(2024, 1, 2), date(2024, 6, 14)
TRUE = Split("NVDA", date(2024, 6, 10), 1, 10)
TWICE_AS_MUCH = Split("NVDA", date(2024, 6, 10), 1, 20)
UPSIDE_DOWN = Split("NVDA", date(2024, 6, 10), 10, 1)
NEVER = Split("NVDA", date(2024, 3, 4), 1, 3)
FELL_TO_A_TENTH = {date(2024, 6, 10): log_step(1208.88, 121.79), date(2024, 3, 4): log_step(822.8, 852.4)}


class ListOfSplits(AnsweringSource):
    """A vendor that lists these splits, and `others` in its second list."""

    def __init__(self, *rows: Split, others: tuple[Split, ...] = ()) -> None:
        super().__init__(market())
        self._rows = rows
        self._others = others

    def splits(self, start: date, end: date) -> list[Split]:
        super().splits(start, end)
        return [row for row in self._rows if start <= row.execution_date <= end]

    def splits_with_factors(self, start: date, end: date) -> list[Split]:
        super().splits_with_factors(start, end)
        return [row for row in self._others if start <= row.execution_date <= end]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


def by_close(ticker: str, day: date) -> float | None:
    return FELL_TO_A_TENTH.get(day)


def unknown(ticker: str, day: date) -> float | None:
    return None


def updated(
    lake: Lake, vendor: ListOfSplits, *, today: date = TODAY, start: date = START, step_of: StepOf = by_close
) -> SplitCache:
    return update_splits(lake, vendor.asking(), ["NVDA"], start=start, today=today, step_of=step_of)


def test_what_the_price_contradicts_is_refused_with_the_reason(lake: Lake):
    splits = updated(lake, ListOfSplits(TWICE_AS_MUCH, TRUE, TRUE, NEVER))

    assert splits.of("NVDA") == (TRUE,)
    assert splits.refused == {
        ("NVDA", TWICE_AS_MUCH): "10 for 1 is listed on the same day",
        ("NVDA", NEVER): "the close moved by x1.036 that day",
    }


def test_what_was_settled_is_read_back(lake: Lake):
    splits = updated(lake, ListOfSplits(TRUE, NEVER))

    assert read_splits(lake) == splits


def test_a_row_that_was_refused_stays_so_while_no_price_is_there(lake: Lake):
    updated(lake, ListOfSplits(TRUE, NEVER))

    again = updated(lake, ListOfSplits(TRUE, NEVER), today=date(2024, 6, 17), step_of=unknown)

    assert again.of("NVDA") == (TRUE,)
    assert set(again.refused) == {("NVDA", NEVER)}


def test_a_row_that_was_believed_is_refused_once_a_price_says_otherwise(lake: Lake):
    assert updated(lake, ListOfSplits(NEVER), step_of=unknown).of("NVDA") == (NEVER,)

    again = updated(lake, ListOfSplits(NEVER), today=date(2024, 6, 17))

    assert again.of("NVDA") == ()
    assert set(again.refused) == {("NVDA", NEVER)}


def test_a_row_that_the_price_contradicts_alone_is_put_to_the_second_list(lake: Lake):
    vendor = ListOfSplits(UPSIDE_DOWN, others=(TRUE, Split("ZZZZ", date(2024, 6, 11), 1, 2)))

    splits = updated(lake, vendor)

    assert splits.by_ticker == {"NVDA": (TRUE,)}
    assert set(splits.refused) == {("NVDA", UPSIDE_DOWN)}
    updated(lake, vendor, today=date(2024, 6, 17))
    assert [first for first, _ in vendor.asked("splits_with_factors")] == [TRUE.execution_date]


def test_a_factor_tells_the_ratio_where_both_lists_are_wrong(lake: Lake):
    wrong = replace(UPSIDE_DOWN, factor=0.1)

    assert updated(lake, ListOfSplits(UPSIDE_DOWN, others=(wrong,))).of("NVDA") == (TRUE,)


def test_what_another_row_of_the_day_answers_needs_no_second_list(lake: Lake):
    vendor = ListOfSplits(UPSIDE_DOWN, TRUE)
    updated(lake, vendor)

    assert vendor.asked("splits_with_factors") == []


def test_without_the_second_list_a_refused_row_stays_refused(lake: Lake):
    vendor = ListOfSplits(UPSIDE_DOWN)
    vendor.fails = lambda question: VendorUnavailableError("503") if question[0] == "splits_with_factors" else None

    splits = updated(lake, vendor)

    assert splits.of("NVDA") == ()
    assert set(splits.refused) == {("NVDA", UPSIDE_DOWN)}


def test_the_vendor_is_asked_once_a_day_and_then_for_what_is_new(lake: Lake):
    vendor = ListOfSplits(TRUE)

    updated(lake, vendor)
    updated(lake, vendor)
    updated(lake, vendor, today=date(2024, 6, 17))

    (first, _), (second, ahead) = vendor.asked("splits")
    assert (first, second) == (START, date(2024, 5, 31))
    assert ahead > date(2024, 6, 17), "splits are announced before they are executed"


def test_an_earlier_start_asks_for_the_whole_range(lake: Lake):
    vendor = ListOfSplits(TRUE)
    updated(lake, vendor)

    splits = updated(lake, vendor, start=date(2021, 1, 4))

    assert [first for first, _ in vendor.asked("splits")] == [START, date(2021, 1, 4)]
    assert splits.covers
    assert splits.covers[0] == date(2021, 1, 4)
    assert calls_for_splits(splits, ["NVDA"], START, TODAY) == 0
    assert calls_for_splits(splits, ["NVDA", "AAPL"], START, TODAY) == 1


def test_splits_of_others_are_left_out(lake: Lake):
    reverse = Split("ZZZZ", date(2024, 5, 1), 20, 1)

    assert updated(lake, ListOfSplits(TRUE, reverse)).by_ticker == {"NVDA": (TRUE,)}


def test_a_damaged_file_is_told_with_what_helps(lake: Lake):
    lake.write_reference("splits.json", b"{}")

    with pytest.raises(DocumentError, match="delete it to ask the vendor again"):
        read_splits(lake)
