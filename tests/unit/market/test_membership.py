"""Which lines were in the index on a date, by which file."""

from dataclasses import dataclass
from datetime import date

from mag7cli.market.membership import members_by_date, members_on
from mag7cli.market.symbology import BUNDLED_AS_OF


@dataclass(frozen=True)
class Row:
    ticker: str
    name: str = "SOME COMPANY"
    weight_pct: float | None = None


@dataclass(frozen=True)
class File:
    equities: tuple[Row, ...]


MARCH = date(2022, 3, 31)
JUNE = date(2022, 6, 30)
FILES = {
    JUNE: File((Row("META", "META PLATFORMS INC CLASS A", 1.7), Row("KDP", "KEURIG DR PEPPER INC", 0.1))),
    MARCH: File((Row("META", "META PLATFORMS INC CLASS A", 2.0), Row("UA", "UNDER ARMOUR INC CLASS C", None))),
}


def test_between_two_files_the_earlier_one_holds() -> None:
    found = members_on(date(2022, 6, 29), FILES)

    assert (found.kind, found.as_of) == ("observed", MARCH)
    assert [line.ticker for line in found.lines] == ["META", "UA"]


def test_on_the_day_of_a_file_that_file_holds() -> None:
    assert members_on(JUNE, FILES).as_of == JUNE
    assert [line.ticker for line in members_on(JUNE, FILES).lines] == ["META", "KDP"]


def test_after_the_last_file_it_holds_on() -> None:
    found = members_on(date(2024, 12, 13), FILES)

    assert (found.kind, found.as_of) == ("observed", JUNE)


def test_before_the_first_file_the_nearest_stands_in_and_says_so() -> None:
    found = members_on(date(2021, 1, 4), FILES)

    assert (found.kind, found.as_of) == ("nearest", MARCH)


def test_without_files_the_bundled_list_stands_in_and_says_so() -> None:
    found = members_on(date(2021, 1, 4), {})

    assert (found.kind, found.as_of, len(found.lines)) == ("bundled", BUNDLED_AS_OF, 503)
    assert found.lines[0].weight_pct is None


def test_a_file_without_equities_says_nothing() -> None:
    assert members_on(JUNE, {JUNE: File(())}).kind == "bundled"
    assert members_on(JUNE, {**FILES, date(2022, 6, 1): File(())}).as_of == JUNE


def test_a_line_carries_the_funds_weight_and_the_cik_of_its_company() -> None:
    meta = members_on(MARCH, FILES).lines[0]

    assert (meta.cik, meta.weight_pct, meta.name) == ("0001326801", 2.0, "META PLATFORMS INC CLASS A")


def test_a_line_that_left_with_two_classes_has_the_cik_of_its_company_too() -> None:
    assert members_on(MARCH, FILES).lines[1].cik == "0001336917"


def test_joiners_and_leavers_change_on_the_day_of_the_next_file() -> None:
    found = members_by_date([date(2022, 6, 29), JUNE], FILES)

    before, after = ({line.ticker for line in found[day].lines} for day in (date(2022, 6, 29), JUNE))
    assert after - before == {"KDP"}
    assert before - after == {"UA"}


def test_dates_under_one_file_share_its_lines() -> None:
    found = members_by_date([date(2022, 4, 1), date(2022, 4, 4)], FILES)

    assert found[date(2022, 4, 1)].lines is found[date(2022, 4, 4)].lines
