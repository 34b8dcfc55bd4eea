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


def test_it_looks_no_oftener_than_it_would_have():
    before = gc.get_threshold()
    gc.set_threshold(1_000_000)
    try:
        with rarely_collected():
            assert gc.get_threshold()[0] == 1_000_000
    finally:
        gc.set_threshold(*before)
