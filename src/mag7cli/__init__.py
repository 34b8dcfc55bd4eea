"""mag7: how much of the S&P 500 is really seven companies, on every trading day since 2021.

    import mag7cli as mag7

    lake = mag7.Lake.at("lake")
    mag7.run(lake)
    print(mag7.summary(lake).share_pct)

Each name is imported when it is first used. `docs/library.md` shows them at work.
"""

# Not from typing, which takes as long to import as Python takes to start: type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

    from mag7cli.collection.request import CollectRequest as CollectRequest
    from mag7cli.core.errors import Mag7Error as Mag7Error
    from mag7cli.lake.layout import Lake as Lake
    from mag7cli.library import auto_copy_redshift as auto_copy_redshift
    from mag7cli.library import benchmark as benchmark
    from mag7cli.library import co_movement as co_movement
    from mag7cli.library import collect as collect
    from mag7cli.library import compare as compare
    from mag7cli.library import download_fund as download_fund
    from mag7cli.library import download_holdings as download_holdings
    from mag7cli.library import download_holdings_history as download_holdings_history
    from mag7cli.library import estimate as estimate
    from mag7cli.library import explain as explain
    from mag7cli.library import export as export
    from mag7cli.library import exposure as exposure
    from mag7cli.library import follow as follow
    from mag7cli.library import group as group
    from mag7cli.library import keep_fund as keep_fund
    from mag7cli.library import keep_holdings as keep_holdings
    from mag7cli.library import load as load
    from mag7cli.library import load_athena as load_athena
    from mag7cli.library import load_redshift as load_redshift
    from mag7cli.library import members as members
    from mag7cli.library import open_vendor as open_vendor
    from mag7cli.library import period as period
    from mag7cli.library import refresh as refresh
    from mag7cli.library import report as report
    from mag7cli.library import review_live as review_live
    from mag7cli.library import run as run
    from mag7cli.library import series as series
    from mag7cli.library import status as status
    from mag7cli.library import summary as summary
    from mag7cli.library import table as table
    from mag7cli.library import transform as transform
    from mag7cli.library import validate as validate
    from mag7cli.library import verify as verify

__version__ = "0.1.0"

_PLACES: "Final" = {
    "CollectRequest": "mag7cli.collection.request",
    "Lake": "mag7cli.lake.layout",
    "Mag7Error": "mag7cli.core.errors",
    **dict.fromkeys(
        (
            "auto_copy_redshift", "benchmark", "co_movement", "collect", "compare", "download_fund",
            "download_holdings", "download_holdings_history", "estimate", "explain", "export", "exposure", "follow",
            "group", "keep_fund", "keep_holdings", "load", "load_athena", "load_redshift", "members", "open_vendor",
            "period", "refresh", "report", "review_live", "run", "series", "status", "summary", "table", "transform",
            "validate", "verify",
        ),
        "mag7cli.library",
    ),
}  # fmt: skip

__all__ = ["__version__", *_PLACES]  # noqa: PLE0604


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
