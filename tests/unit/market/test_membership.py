"""Which lines were in the index on a date, by which list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from mag7cli.market import index_history
from mag7cli.market.index_history import confirmed_until, constituents_on
from mag7cli.market.membership import Membership, members_by_date, members_on


@dataclass(frozen=True)
class Row:
    ticker: str
    name: str = "SOME COMPANY"
    weight_pct: float | None = None


@dataclass(frozen=True)
class File:
    equities: tuple[Row, ...]


def fund(tickers: Iterable[str]) -> File:
    return File(tuple(Row(ticker, weight_pct=0.2) for ticker in tickers))


def tickers(found: Membership) -> set[str]:
    return {line.ticker for line in found.constituents}


MARCH = date(2022, 3, 31)
JUNE = date(2022, 6, 30)
OWN = {
    JUNE: File((Row("META", "META PLATFORMS INC CLASS A", 1.7), Row("KDP", "KEURIG DR PEPPER INC", 0.1))),
    MARCH: File((Row("META", "META PLATFORMS INC CLASS A", 2.0), Row("UA", "UNDER ARMOUR INC CLASS C", None))),
}
"""Lists of an index of somebody's own: two lines are not the S&P 500."""

KEPT = date(2024, 12, 6)
FILES = {KEPT: fund(constituents_on(KEPT))}


def test_on_its_own_day_a_file_is_observed() -> None:
    found = members_on(KEPT, FILES)

    assert (found.kind, found.as_of, found.file, len(found.constituents)) == ("observed", KEPT, KEPT, 503)


def test_a_file_holds_until_the_first_change() -> None:
    found = members_on(date(2024, 12, 20), FILES)

    assert (found.kind, found.as_of, found.file) == ("history", KEPT, KEPT)
    assert tickers(found) == set(constituents_on(KEPT))


def test_a_file_is_brought_forward_by_the_joins_and_leaves_since() -> None:
    found = members_on(date(2024, 12, 23), FILES)

    assert (found.kind, found.as_of, found.file) == ("history", date(2024, 12, 23), KEPT)
    assert tickers(found) - set(constituents_on(KEPT)) == {"APO", "LII", "WDAY"}
    assert set(constituents_on(KEPT)) - tickers(found) == {"AMTM", "CTLT", "QRVO"}


def test_what_a_file_has_besides_the_history_stays_and_what_it_lacks_stays_away() -> None:
    files = {KEPT: fund([*(t for t in constituents_on(KEPT) if t != "NWS"), "FTRE"])}

    found = tickers(members_on(date(2025, 6, 30), files))

    assert found ^ set(constituents_on(date(2025, 6, 30))) == {"NWS", "FTRE"}


def test_a_joiner_has_no_weight_and_its_company() -> None:
    lines = {line.ticker: line for line in members_on(date(2024, 12, 23), FILES).constituents}

    assert lines["AAPL"].weight_pct == 0.2
    assert (lines["APO"].weight_pct, lines["APO"].cik) == (None, "0001858681")
    assert lines["APO"].name == "Apollo Global Management"


def test_without_files_the_history_alone_says_who_was_there() -> None:
    found = members_on(date(2021, 1, 4), {})

    assert (found.kind, found.as_of, found.file, len(found.constituents)) == ("history", date(2021, 1, 4), None, 505)
    assert found.constituents[0].weight_pct is None
    assert {"TIF", "DISCK", "UA"} <= tickers(found)


def test_before_the_first_file_the_history_alone_says_who_was_there() -> None:
    found = members_on(date(2023, 9, 15), FILES)

    assert (found.kind, found.as_of, found.file) == ("history", date(2023, 8, 25), None)
    assert {"LNC", "NWL"} <= tickers(found)


def test_after_what_is_known_the_last_list_stands_in_and_says_so() -> None:
    after = confirmed_until() + timedelta(days=30)

    alone, brought = members_on(after, {}), members_on(after, FILES)

    assert (alone.kind, alone.as_of) == ("bundled", date(2026, 10, 6))
    assert (brought.kind, brought.as_of, brought.file) == ("nearest", date(2026, 10, 6), KEPT)
    assert tickers(alone) == tickers(brought) == set(constituents_on(confirmed_until()))


def test_a_file_from_after_what_is_known_is_observed_and_then_stands_in() -> None:
    kept = confirmed_until() + timedelta(days=20)
    files = {kept: fund([*constituents_on(kept), "NEWCO"])}

    assert members_on(kept, files).kind == "observed"
    later = members_on(kept + timedelta(days=5), files)
    assert (later.kind, later.as_of, "NEWCO" in tickers(later)) == ("nearest", kept, True)
    before = members_on(confirmed_until(), files)
    assert (before.kind, before.file, "NEWCO" in tickers(before)) == ("history", None, False)


@pytest.mark.parametrize("day", [date(2020, 6, 30), date(2020, 12, 31)])
def test_before_what_is_known_the_first_list_stands_in_and_says_so(day: date) -> None:
    found = members_on(day, {})

    assert (found.kind, found.as_of, len(found.constituents)) == ("bundled", index_history.FIRST_KNOWN, 505)


def test_a_file_from_before_what_is_known_holds_until_the_history_begins() -> None:
    files = {date(2020, 12, 1): fund(constituents_on(date(2021, 1, 4)))}

    assert members_on(date(2020, 12, 30), files).kind == "nearest"
    assert members_on(date(2021, 1, 4), files).kind == "history"


def test_another_index_than_the_sp500_is_taken_at_its_word() -> None:
    between, after, before = (members_on(day, OWN) for day in (date(2022, 6, 29), date(2024, 12, 13), date(2021, 1, 4)))

    assert (between.kind, between.as_of, tickers(between)) == ("nearest", MARCH, {"META", "UA"})
    assert (after.kind, after.as_of, tickers(after)) == ("nearest", JUNE, {"META", "KDP"})
    assert (before.kind, before.as_of) == ("nearest", MARCH)
    assert members_on(JUNE, OWN).kind == "observed"


def test_a_file_without_equities_says_nothing() -> None:
    assert members_on(JUNE, {JUNE: File(())}).kind == "history"
    assert members_on(JUNE, {**OWN, date(2022, 6, 1): File(())}).as_of == JUNE


def test_a_line_carries_the_funds_weight_and_the_cik_of_its_company() -> None:
    meta, ua = members_on(MARCH, OWN).constituents

    assert (meta.cik, meta.weight_pct, meta.name) == ("0001326801", 2.0, "META PLATFORMS INC CLASS A")
    assert ua.cik == "0001336917"


def test_dates_under_one_list_share_its_lines() -> None:
    first, second = date(2024, 12, 9), date(2024, 12, 20)

    found = members_by_date([first, second], FILES)

    assert found[first].constituents is found[second].constituents
