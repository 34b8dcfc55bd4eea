"""The number against the truth: collections of markets whose true share counts are known and whose vendor is wrong."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.simulators.judged_run import JudgedRun, judged, tables_of

from mag7cli.lake import Lake
from mag7cli.sandbox.market import Market

START, END = date(2021, 1, 4), date(2024, 12, 31)
# Faults of every kind lie within: a split, a count behind its split, missing fields.
CLUSTERS = [
    (date(2022, 8, 22), date(2022, 9, 2)),
    (date(2024, 6, 3), date(2024, 6, 14)),
    (date(2024, 11, 18), date(2024, 11, 26)),
]


@pytest.fixture(scope="module")
def four_years(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return judged(Market(), Lake.at(str(tmp_path_factory.mktemp("four-years"))), START, END)


def after(run: JudgedRun) -> list[date]:
    return [day for day in run.documents if day >= run.honoured_from]


def before(run: JudgedRun) -> list[date]:
    return [day for day in run.documents if day < run.honoured_from]


@pytest.mark.slow
class TestFourYears:
    def test_every_trading_date_has_a_figure(self, four_years: JudgedRun) -> None:
        assert len(four_years.documents) == 1005
        assert not four_years.result.partial

    def test_the_caps_of_the_seven_are_true_to_the_cent_once_counts_honour_the_date(
        self, four_years: JudgedRun
    ) -> None:
        assert four_years.cap_errors(after(four_years)) == {}

    def test_before_that_they_are_within_two_percent(self, four_years: JudgedRun) -> None:
        errors = four_years.cap_errors(before(four_years))

        # Of companies with one class nothing is lost: only those with several are not known better.
        assert {ticker for _, ticker in errors} <= {"GOOGL", "META"}
        assert max(errors.values()) < 0.02

    def test_the_share_is_within_two_hundredths_of_a_point_after_and_half_a_point_before(
        self, four_years: JudgedRun
    ) -> None:
        assert max(four_years.pct_errors(after(four_years)).values()) < 0.02
        assert max(four_years.pct_errors(before(four_years)).values()) < 0.5

    def test_no_more_than_eight_thousand_calls_are_made(self, four_years: JudgedRun) -> None:
        assert sum(four_years.result.calls.values()) < 8_000

    def test_the_total_is_known_to_the_tolerance(self, four_years: JudgedRun) -> None:
        assert four_years.result.precision is not None
        assert four_years.result.precision.worst_error <= 0.0005

    def test_false_alarms_are_fewer_than_one_in_a_thousand_name_years(self, four_years: JudgedRun) -> None:
        assert len(four_years.false_alarms) < four_years.name_years / 1000


@pytest.fixture(scope="module", params=CLUSTERS, ids=str)
def asked_in_full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return judged(Market(), Lake.at(str(tmp_path_factory.mktemp("details"))), *request.param, "details")


@pytest.mark.slow
class TestEveryLineOnEveryDate:
    def test_it_gives_the_same_seven(self, four_years: JudgedRun, asked_in_full: JudgedRun) -> None:
        assert asked_in_full.caps
        assert asked_in_full.caps == {at: four_years.caps[at] for at in asked_in_full.caps}

    def test_an_answer_that_was_wrong_is_flagged(self, asked_in_full: JudgedRun) -> None:
        wrong = set(asked_in_full.wrong_answers())

        assert wrong
        assert {at for at in wrong if not asked_in_full.flags.get(at)} == set()


@pytest.fixture(params=[11, 12, 13])
def unknown_market(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JudgedRun]:
    market = Market.random(request.param, lines=24, start=date(2021, 1, 4), end=date(2023, 12, 29))
    with tables_of(market, tmp_path / "data"):
        yield judged(market, Lake.at(str(tmp_path / "lake")), market.start, market.end)


@pytest.mark.slow
def test_a_market_that_was_not_tuned_to_is_as_true(unknown_market: JudgedRun) -> None:
    errors = unknown_market.cap_errors(after(unknown_market))

    assert errors == {}
    assert max(unknown_market.cap_errors(before(unknown_market)).values(), default=0) < 0.02
