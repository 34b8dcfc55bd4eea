"""Whose market a result is made of, the real one or a simulated one, and which commands say so."""

from typing import Final

OF_A_MARKET: Final = frozenset(
    f"mag7 {name}"
    for name in (
        *("collect", "transform", "validate", "load", "run", "demo"),
        *("show", "report", "export", "status", "explain", "verify", "exposure"),
    )
)
"""The commands whose results are made of a lake's market: each of them says if that was simulated. So does `mag7 sql`,
beside its result, which is nobody's to change."""

SIMULATED: Final = "SIMULATED: these figures come from the sandbox market, not from the real one."
