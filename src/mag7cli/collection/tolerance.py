"""The error allowed to the index's total unless somebody says otherwise. Alone here, for the help asks for no more."""

from typing import Final

DEFAULT_TOLERANCE_PCT: Final = 0.05
