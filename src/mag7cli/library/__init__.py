"""What `import mag7cli` offers: each command of the pipeline as a function of a lake.

Here is decided what a caller need not think of: who holds the lake while it is written, which engine answers, how many
calls run at once, which holdings file counts. The command line only parses, calls and prints. Each function is loaded
when it is first used, so that a question does not wait for the imports of a collection.
"""

# Not from typing, which takes as long to import as Python takes to start: type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

    from mag7cli.library.holdings import download_fund as download_fund
    from mag7cli.library.holdings import download_holdings as download_holdings
    from mag7cli.library.holdings import download_holdings_history as download_holdings_history
    from mag7cli.library.holdings import keep_fund as keep_fund
    from mag7cli.library.holdings import keep_holdings as keep_holdings
    from mag7cli.library.holdings import members as members
    from mag7cli.library.live import follow as follow
    from mag7cli.library.live import review_live as review_live
    from mag7cli.library.market_data import calls_to_refresh as calls_to_refresh
    from mag7cli.library.market_data import collect as collect
    from mag7cli.library.market_data import estimate as estimate
    from mag7cli.library.market_data import open_vendor as open_vendor
    from mag7cli.library.market_data import refresh as refresh
    from mag7cli.library.market_data import wait_until_served as wait_until_served
    from mag7cli.library.operations import health as health
    from mag7cli.library.operations import runs as runs
    from mag7cli.library.operations import status as status
    from mag7cli.library.outputs import export as export
    from mag7cli.library.outputs import report as report
    from mag7cli.library.outputs import table as table
    from mag7cli.library.questions import benchmark as benchmark
    from mag7cli.library.questions import co_movement as co_movement
    from mag7cli.library.questions import compare as compare
    from mag7cli.library.questions import explain as explain
    from mag7cli.library.questions import exposure as exposure
    from mag7cli.library.questions import group as group
    from mag7cli.library.questions import period as period
    from mag7cli.library.questions import series as series
    from mag7cli.library.questions import summary as summary
    from mag7cli.library.stages import auto_copy_redshift as auto_copy_redshift
    from mag7cli.library.stages import foreign_objects as foreign_objects
    from mag7cli.library.stages import load as load
    from mag7cli.library.stages import load_athena as load_athena
    from mag7cli.library.stages import load_redshift as load_redshift
    from mag7cli.library.stages import run as run
    from mag7cli.library.stages import transform as transform
    from mag7cli.library.stages import validate as validate
    from mag7cli.library.stages import verify as verify

_FUNCTIONS: "Final" = {
    "holdings": (
        "download_fund", "download_holdings", "download_holdings_history", "keep_fund", "keep_holdings",
        "members",
    ),
    "live": ("follow", "review_live"),
    "market_data": ("calls_to_refresh", "collect", "estimate", "open_vendor", "refresh", "wait_until_served"),
    "operations": ("health", "runs", "status"),
    "outputs": ("export", "report", "table"),
    "questions": ("benchmark", "co_movement", "compare", "explain", "exposure", "group", "period", "series", "summary"),
    "stages": (
        "auto_copy_redshift", "foreign_objects", "load", "load_athena", "load_redshift", "run", "transform",
        "validate", "verify",
    ),
}  # fmt: skip
_MODULES: "Final" = {name: module for module, names in _FUNCTIONS.items() for name in names}

__all__ = [*_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
