"""The records of a market: a bar, the details of a ticker, a split, a change of symbol. Knows nothing of who is asked.

Symbols here are the vendor's spelling on the date asked for (`FB` before 2022-06-09, `BRK.B`).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

SPLIT_NOT_AS_LISTED: Final = "split not as it is listed"
"""Why a count was read by a split that the vendor's list has otherwise, or not at all: a reason in documents."""

STEP_CONFIRMED: Final = "share count more than doubled, or halved, and later answers have it so"
"""The reason of a correction that explains a large step of a count on its date."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One session of one security: unadjusted prices in USD, `volume` in shares (the vendor's may be fractional).

    `vwap_usd` is None where the vendor gives none.
    """

    symbol: str
    trading_date: date
    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float
    volume: float
    vwap_usd: float | None


@dataclass(frozen=True, slots=True)
class TickerDetails:
    """What the vendor said of a security for one date; every field it may leave out is None.

    `weighted_shares` counts all classes of the company, `share_class_shares` this line's class only.
    `market_cap_usd` is the vendor's own, of the whole company.
    `security_type` is the vendor's code: CS common stock, ETF, ADRC.
    """

    symbol: str
    on: date
    name: str
    cik: str | None
    composite_figi: str | None
    security_type: str | None
    currency: str | None
    market_cap_usd: float | None
    weighted_shares: int | None
    share_class_shares: int | None
    description: str | None
    list_date: date | None


@dataclass(frozen=True, slots=True)
class Split:
    """`split_from` old shares became `split_to` new ones before the open of `execution_date`.

    `factor` is what the vendor's newer list multiplies prices before the split by, to compare them with today's: old
    shares for one new one over this split and all later ones; None from the older list. It makes no other split of it.
    """

    symbol: str
    execution_date: date
    split_from: float
    split_to: float
    factor: float | None = field(default=None, compare=False, kw_only=True)

    @property
    def ratio(self) -> float:
        """New shares for one old share: 10.0 for ten for one, 0.125 for a reverse split one for eight."""
        return self.split_to / self.split_from
