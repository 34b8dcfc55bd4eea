"""Python looks for circles seldom only while that is asked for."""

import gc

import pytest

from mag7cli.core.garbage import rarely_collected


def test_it_looks_seldom_for_as_long_as_that_is_asked_for():
    before = gc.get_threshold()
    with rarely_collected():
        assert gc.get_threshold()[0] > before[0]

    assert gc.get_threshold() == before
    assert gc.isenabled()


def test_it_looks_as_before_also_after_an_error():
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), rarely_collected():
        divmod(1, 0)

    assert gc.get_threshold() == before
