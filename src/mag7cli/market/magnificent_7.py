"""The companies that mag7 is about."""

from typing import Final

MAGNIFICENT_7: Final = ("AAPL", "MSFT", "GOOGL", "AMZN", "NVDA", "META", "TSLA")
"""Their counted lines, under the names that mag7 uses throughout."""
