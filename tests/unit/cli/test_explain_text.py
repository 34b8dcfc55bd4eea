"""What `mag7 explain` says of a doubt."""

from typing import Any

import pytest

from mag7cli.cli.explain import doubt_sentence

DOUBT: dict[str, Any] = {"ticker": "EQR", "field": "shares_outstanding", "used": 378_269_542.0, "reason": "it doubles"}


@pytest.mark.parametrize(
    ("other", "vendors"), [(189_134_771.0, "the vendor has 189,134,771"), (DOUBT["used"], "as the vendor has it")]
)
def test_a_doubt_says_what_was_used_and_what_the_vendor_has(other: float, vendors: str) -> None:
    sentence = doubt_sentence({**DOUBT, "other": other})
    assert sentence == f"Doubt: EQR shares_outstanding: used 378,269,542, {vendors}: it doubles"
