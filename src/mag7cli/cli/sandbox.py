"""`mag7 sandbox`: the simulated vendor for people, where the demo and the tests have it for themselves."""

from datetime import date
from typing import Annotated, Final

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import PlanOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.formatting import counted

_DEFAULT_PORT: Final = 8787


@command(
    "mag7 sandbox serve",
    "mag7 sandbox serve --port 0 --plan basic --latency 50 --faults 0.05",
    formats=TEXT_JSON,
)
def serve(
    output: Output,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 is any free port.")
    ] = _DEFAULT_PORT,
    plan: PlanOption = "developer",
    latency: Annotated[float, typer.Option("--latency", min=0, metavar="MS", help="Milliseconds to an answer.")] = 0,
    faults: Annotated[
        float, typer.Option("--faults", min=0, max=1, metavar="RATE", help="The share of requests that go wrong.")
    ] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="Another number is another market.")] = None,
) -> None:
    """Serve a simulated market as the vendor would.

    It listens on this machine only, and ends with Ctrl-C. Its prices and share counts are invented.
    """
    from mag7cli.vendors.sandbox.market import DEFAULT_SEED, LAST, Market
    from mag7cli.vendors.sandbox.misbehaviour import RandomFaults
    from mag7cli.vendors.sandbox.plan import PLANS
    from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer

    number = DEFAULT_SEED if seed is None else seed
    market = Market(number, end=LAST)
    script = [RandomFaults(number, faults)] if faults else []
    server = SandboxServer(market, plan=PLANS[plan], latency_s=latency / 1000, faults_script=script, port=port)
    output.show(_result(server.url, DEFAULT_KEY, plan, market.end))
    try:
        output.notice(f"serving {market.start} to {market.end}, simulated; Ctrl-C ends it", url=server.url)
        server.serve_forever()
    except KeyboardInterrupt:  # the way it is meant to end
        output.notice(f"{counted(len(server.requests), 'request')} answered")
    finally:
        server.close()


def _result(url: str, key: str, plan: str, end: date) -> Result:
    """What a shell needs to make mag7 ask this server, and for nothing after the market's end."""
    variables = {"POLYGON_BASE_URL": url, "POLYGON_API_KEY": key, "MAG7_PLAN": plan, "MAG7_END": end.isoformat()}
    return Result(
        document={"url": url, "key": key, "plan": plan, "end": end},
        grid=Grid((Column("variable"), Column("value")), list(variables.items())),
        text=[Line(f"export {name}={value}") for name, value in variables.items()],
    )
