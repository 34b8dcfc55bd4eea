"""mag7: how much of the S&P 500 is really seven companies, on every trading day since 2021."""

__version__ = "0.1.0"
