"""Where it is decided how far a date's figure can be trusted: statuses, reasons, and the bound of the share."""

from dataclasses import replace
from datetime import date

import pytest

from mag7cli.market.date_quality import DateEvidence, DoubtfulCap, FailedLine, Margin, bound, grouped_by_reason, judge

SOUND = DateEvidence(missing=None, mag7_usd=3_000.0, total_usd=10_000.0, margins=[])


def doubt(
    ticker: str, cap: float | None, candidates: tuple[float, float] | None, *, is_mag7: bool = False
) -> DoubtfulCap:
    return DoubtfulCap(ticker, f"{ticker}: moved", cap, candidates, is_mag7=is_mag7)


def test_a_date_of_which_all_is_known_is_complete_and_exact() -> None:
    quality = judge(SOUND)

    assert (quality.status, quality.reasons, quality.failed_count) == ("complete", (), 0)
    assert quality.bound == bound(3_000.0, 10_000.0, [])
    assert (quality.bound.low_pct, quality.bound.high_pct) == (30.0, 30.0)


def test_what_has_no_figure_is_partial_and_has_no_bound() -> None:
    quality = judge(replace(SOUND, missing="TSLA: no price"))

    assert (quality.status, quality.partial_reason, quality.bound) == ("partial", "TSLA: no price", None)
    assert not quality.has_figure


@pytest.mark.parametrize(("caps", "status"), [((9.0,), "suspect"), ((6.0, 6.0), "partial"), ((0.0,), "suspect")])
def test_failed_lines_of_up_to_a_thousandth_together_leave_a_figure_that_is_marked(
    caps: tuple[float, ...], status: str
) -> None:
    quality = judge(replace(SOUND, failed=[FailedLine(f"T{n}", "no price", cap) for n, cap in enumerate(caps)]))

    assert (quality.status, quality.failed_count) == (status, len(caps))
    assert (quality.bound is None) == (status == "partial")


def test_the_total_lacks_what_failed_so_that_the_share_may_be_lower_and_not_higher() -> None:
    quality = judge(replace(SOUND, failed=[FailedLine("KO", "no price", 5.0)]))

    assert quality.reasons == ("1 line failed (KO): no price",)
    assert quality.bound
    assert quality.bound.low_pct == pytest.approx(100 * 3_000 / 10_010)
    assert quality.bound.high_pct == 30.0


def test_of_a_line_whose_cap_nobody_knows_there_is_no_bound() -> None:
    quality = judge(replace(SOUND, failed=[FailedLine("KO", "no price", 5.0, is_assumed=True)]))

    assert (quality.bound, quality.bound_unknown) == (None, "no market cap of KO was ever known")


@pytest.mark.parametrize(
    ("doubtful", "status"),
    [
        (doubt("NVDA", 0.1, (0.1, 0.2), is_mag7=True), "suspect"),
        (doubt("KO", 5.0, (2.5, 5.0)), "suspect"),
        (doubt("KO", 0.5, (0.2, 0.9)), "complete"),
        (doubt("KO", 0.5, (0.5, 25.0)), "suspect"),
        (doubt("KO", None, None), "suspect"),
    ],
)
def test_what_is_unexplained_marks_the_date_if_it_can_show_in_the_figure(doubtful: DoubtfulCap, status: str) -> None:
    assert judge(replace(SOUND, doubts=[doubtful])).status == status


def test_both_candidates_of_a_doubt_lie_within_the_bound() -> None:
    quality = judge(replace(SOUND, doubts=[doubt("NVDA", 1_000.0, (1_000.0, 4_000.0), is_mag7=True)]))

    assert quality.bound
    assert (quality.bound.low_pct, quality.bound.high_pct) == (30.0, pytest.approx(100 * 6_000 / 13_000))


def test_several_doubts_of_one_company_are_not_added_up() -> None:
    twice = [doubt("KO", 10.0, (5.0, 10.0)), doubt("KO", 10.0, (8.0, 12.0))]

    quality = judge(replace(SOUND, doubts=twice))

    assert quality.reasons == ("KO: moved",)
    assert quality.bound
    assert quality.bound.low_pct == pytest.approx(100 * 3_000 / 10_002)
    assert quality.bound.high_pct == pytest.approx(100 * 3_000 / 9_995)


def test_a_document_that_carries_no_bound_says_that_it_is_unknown() -> None:
    quality = judge(replace(SOUND, margins=None))

    assert (quality.status, quality.bound, quality.bound_unknown) == ("complete", None, "the document carries none")


def test_the_bound_takes_all_causes_at_their_worst_and_says_what_each_alone_can_do() -> None:
    margins = [
        Margin(source="sampling", reason="steps", rest_above=10.0, rest_below=20.0),
        Margin(source="frozen_counts", reason="frozen", mag7_above=30.0, mag7_below=40.0),
    ]

    whole = bound(3_000.0, 10_000.0, margins)

    assert whole.low_pct == pytest.approx(100 * 2_970 / (2_970 + 7_020))
    assert whole.high_pct == pytest.approx(100 * 3_040 / (3_040 + 6_990))
    assert [part.source for part in whole.parts] == ["sampling", "frozen_counts"]
    assert whole.parts[0].low_points == pytest.approx(100 * 3_000 / 10_020 - 30)
    assert whole.parts[1].high_points == pytest.approx(100 * 3_040 / 10_040 - 30)


def test_reasons_are_told_once_with_their_dates_the_commonest_first() -> None:
    days = [date(2024, 1, day) for day in (2, 3, 4)]

    assert grouped_by_reason({days[0]: "b", days[1]: "a", days[2]: "a"}) == [("a", tuple(days[1:])), ("b", (days[0],))]


def test_reasons_that_differ_in_numbers_alone_are_one_told_as_on_the_latest_date() -> None:
    days = [date(2024, 1, day) for day in (2, 3, 4)]
    why = "{} lines failed, about {} % of the index"
    reasons = {days[0]: why.format(214, 24.02), days[1]: "TSLA: no price", days[2]: why.format(21, 4.1)}

    assert grouped_by_reason(reasons) == [
        (why.format(21, 4.1), (days[0], days[2])),
        ("TSLA: no price", (days[1],)),
    ]
