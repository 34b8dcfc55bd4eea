"""What `mag7 collect` says of what it could not get."""

from mag7cli.cli.collect import incomplete
from mag7cli.collection.collector import CollectResult
from mag7cli.core.errors import EXIT_PARTIAL


def test_a_series_that_is_not_up_to_date_is_no_clean_end() -> None:
    result = CollectResult(present=3, stale_series={"NOSUCH": "the vendor has no bars of it"})

    assert not result.is_clean
    error = incomplete(result)
    assert (str(error), error.exit_code) == ("not up to date beside the index: NOSUCH", EXIT_PARTIAL)
