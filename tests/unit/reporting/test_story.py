"""Sentences that follow from the figures, and those that must not be said."""

from datetime import date

from mag7cli.analytics.queries import Cap, Concentration, Day, Figure
from mag7cli.analytics.summary import build
from mag7cli.reporting.story import long_date, spans_to_now, tell

Caps = dict[str, float]


def concentration(*snapshots: tuple[date, Caps, float]) -> Concentration:
    """Dates with the caps of some companies and of the whole index, in trillions."""
    days, caps = [], []
    for on, by_ticker, index in snapshots:
        mag7 = sum(by_ticker.values())
        figure = Figure(mag7 * 1e12, index * 1e12, 100 * mag7 / index)
        days.append(Day(on, "complete", None, 0, figure, None, None, 500, None, None, None, None, None, None, False))
        ranked = sorted(by_ticker.items(), key=lambda item: -item[1])
        caps += [Cap(on, t, c * 1e12, 100 * c / mag7, 100 * c / index, i) for i, (t, c) in enumerate(ranked, 1)]
    return Concentration(
        tuple(days), tuple(caps), {"NVDA": "Nvidia Corp", "AAPL": "Apple Inc.", "TSLA": "Tesla, Inc."}, ()
    )


def story(*snapshots: tuple[date, Caps, float]) -> str:
    given = concentration(*snapshots)
    return "\n".join(tell(given, build(given)))


FIRST = (date(2023, 1, 3), {"NVDA": 1.0, "AAPL": 2.0, "TSLA": 1.0}, 20.0)


def test_the_change_of_the_share_and_who_made_it_are_told() -> None:
    told = story(FIRST, (date(2023, 6, 30), {"NVDA": 4.0, "AAPL": 2.5, "TSLA": 0.5}, 28.0))

    assert "Since 3 January 2023 the share of the Mag 7 grew from 20.0 % to 25.0 %, by 5.0 percentage points." in told
    assert "Nvidia added 9.3 points, Tesla took away 3.2." in told
    assert "the Mag 7 added 38 % of the index's gain of $8.00 T; Nvidia alone 38 %." in told


def test_a_loss_is_told_as_a_loss() -> None:
    told = story(FIRST, (date(2023, 6, 30), {"NVDA": 0.8, "AAPL": 1.0, "TSLA": 0.9}, 16.0))

    assert "shrank from 20.0 % to 16.9 %" in told
    assert "the Mag 7 lost 32 % of the index's loss of $4.00 T; Apple alone 25 %." in told


def test_a_part_of_a_gain_is_not_told_when_the_seven_moved_the_other_way() -> None:
    told = story(FIRST, (date(2023, 6, 30), {"NVDA": 0.8, "AAPL": 1.9, "TSLA": 0.9}, 22.0))

    assert "the S&P 500 gained $2.00 T while the Mag 7 lost $400.00 B." in told
    assert "of the index's gain" not in told


def test_an_index_that_hardly_moved_has_no_gain_worth_dividing() -> None:
    told = story(FIRST, (date(2023, 6, 30), {"NVDA": 1.2, "AAPL": 2.0, "TSLA": 1.0}, 20.3))

    assert "of the index's gain" not in told
    assert "grew from 20.0 % to 20.7 %" in told


def test_both_the_whole_time_and_the_current_year_are_told() -> None:
    middle = (date(2023, 12, 29), {"NVDA": 2.0, "AAPL": 2.0, "TSLA": 1.0}, 22.0)
    first_of_year = (date(2024, 1, 2), {"NVDA": 2.5, "AAPL": 2.0, "TSLA": 1.0}, 23.0)
    last = (date(2024, 6, 28), {"NVDA": 3.0, "AAPL": 2.0, "TSLA": 1.0}, 24.0)

    spans = spans_to_now(concentration(FIRST, middle, first_of_year, last))

    assert [one.then.on for one in spans] == [date(2023, 1, 3), date(2023, 12, 29)]
    assert "Since 29 December 2023 the Mag 7 added 50 % of the index's gain of $2.00 T" in story(FIRST, middle, last)


def test_a_single_date_has_no_change_to_tell() -> None:
    told = story(FIRST)

    assert "Since" not in told
    assert "Without Apple, the largest, the other six would be 11.1 % of the rest of the index." in told


def test_dates_are_written_out() -> None:
    assert long_date(date(2024, 6, 7)) == "7 June 2024"
