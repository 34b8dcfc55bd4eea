"""What holds of a collection unless somebody says otherwise. Alone here, for the help asks for no more."""

from typing import Final

DEFAULT_TOLERANCE_PCT: Final = 0.05
"""The error allowed to the index's total, percent."""

RECHECKED_SESSIONS: Final = 3
"""How many sessions before a new one a run asks again about: what a vendor mends, it mostly mends within days."""
