"""`mag7 demo`: the same as `mag7 run`, on the simulated market."""

from datetime import date
from itertools import chain
from typing import Final

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import EndOption, LakeOption, StartOption
from mag7cli.cli.output import Output
from mag7cli.cli.run import run_failure, run_result
from mag7cli.core.errors import UsageError

DEMO_LAKE: Final = "./demo-lake"
_DEMO_START: Final = date(2021, 1, 4)
_DEMO_END: Final = date(2024, 12, 31)
# Client and server share this process, and so one interpreter lock.
_WORKERS: Final = 8


@command("mag7 demo", "mag7 demo --start 2024-01-02 --lake /tmp/mag7-demo", formats=TEXT_JSON)
def demo(
    output: Output,
    start: StartOption = None,
    end: EndOption = None,
    lake: LakeOption = DEMO_LAKE,
) -> None:
    """Run the whole pipeline on a simulated market, offline and without a key.

    The market looks like the real one from 2021 to 2024, faults of the vendor included. Its results are marked as
    simulated wherever they appear.
    """
    from mag7cli import library
    from mag7cli.collection.request import CollectRequest
    from mag7cli.collection.security_facts import COVER_PAGES
    from mag7cli.collection.source_marker import check_simulated
    from mag7cli.core.clock import SystemClock
    from mag7cli.lake.layout import Lake
    from mag7cli.portfolio import kept_funds
    from mag7cli.shares.cover_pages import parse_cover_pages, write_cover_pages
    from mag7cli.vendors.polygon import ApiKey, PolygonSource
    from mag7cli.vendors.rate_limit import Rate, RateLimiter
    from mag7cli.vendors.sandbox.fund_files import fund_files
    from mag7cli.vendors.sandbox.market import Market
    from mag7cli.vendors.sandbox.plan import PLANS
    from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer

    output.notice("Simulating the market of 2021 to 2024 on this machine; no network is used.")
    request = CollectRequest(
        start=start or _DEMO_START, end=end or _DEMO_END, plan="advanced", rate="unlimited", workers=_WORKERS
    )
    clock = SystemClock()
    market, place = Market(), Lake.at(lake)
    first, last = start or _DEMO_START, end or _DEMO_END
    if last > market.end:
        raise UsageError(f"the simulated market ends on {market.end}", hint=f"--end {market.end}")
    check_simulated(place)
    covers = parse_cover_pages(market.cover_pages()).values()
    place.write_reference(COVER_PAGES, write_cover_pages(chain.from_iterable(covers)).encode())
    for file in fund_files(market, [day for day in market.sessions if first <= day <= last]):
        kept_funds.keep(place, file.symbol, file.data, name=f"{file.symbol}.csv", today=file.as_of)
    with SandboxServer(market, plan=PLANS["advanced"]) as server:
        vendor = PolygonSource(
            ApiKey(DEFAULT_KEY),
            base_url=server.url,
            limiter=RateLimiter(Rate.parse("unlimited"), clock),
            clock=clock,
            workers=_WORKERS,
        )
        result = library.run(place, request=request, vendor=vendor, listener=output)
    output.show(run_result(result))
    if result.exit_code:
        raise run_failure(result)
