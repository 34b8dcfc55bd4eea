"""Which keys a store takes: those that lead nowhere but below its root."""

from hypothesis import given
from hypothesis import strategies as st

from mag7cli.core.errors import StoreError
from mag7cli.lake.store import check_key


@given(st.text(alphabet="ab./\\\0", max_size=9))
def test_a_key_is_parts_with_names_and_no_other(key: str) -> None:
    is_safe = not any(part in ("", ".", "..") for part in key.split("/")) and not {"\\", "\0"} & set(key)

    assert _is_taken(key) == is_safe


def _is_taken(key: str) -> bool:
    try:
        return check_key(key) == key
    except StoreError:
        return False
