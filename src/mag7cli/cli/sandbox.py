"""`mag7 sandbox`: the simulated vendor for people, where the demo and the tests have it for themselves."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import PlanName, PlanOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import counted

if TYPE_CHECKING:
    from mag7cli.core.clock import Clock
    from mag7cli.vendors.sandbox.intraday import SimulatedSession
    from mag7cli.vendors.sandbox.market import Market

_DEFAULT_PORT: Final = 8787
_NAMES: Final = {
    "POLYGON_BASE_URL": "url",
    "POLYGON_API_KEY": "key",
    "MAG7_PLAN": "plan",
    "MAG7_END": "end",
    "POLYGON_STREAM_URL": "stream",
    "MAG7_NOW": "now",
}

PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 is any free port.")]
LatencyOption = Annotated[float, typer.Option("--latency", min=0, metavar="MS", help="Milliseconds to an answer.")]
FaultsOption = Annotated[
    float, typer.Option("--faults", min=0, max=1, metavar="RATE", help="The share of requests that go wrong.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Another number is another market.")]
LiveOption = Annotated[
    str | None,
    typer.Option("--live", metavar="TIME", help="Begin at this time in New York, with the stream of its session."),
]
SpeedOption = Annotated[float, typer.Option("--speed", min=1, max=10_000, help="With --live: how fast the time goes.")]


@command(
    "mag7 sandbox serve",
    "mag7 sandbox serve --port 0 --plan basic --latency 50 --faults 0.05",
    "mag7 sandbox serve --live 2024-12-13T09:25 --speed 60",
    formats=TEXT_JSON,
)
def serve(
    output: Output,
    port: PortOption = _DEFAULT_PORT,
    plan: PlanOption = "developer",
    latency: LatencyOption = 0,
    faults: FaultsOption = 0,
    seed: SeedOption = None,
    live: LiveOption = None,
    speed: SpeedOption = 1.0,
) -> None:
    """Serve a simulated market as the vendor would.

    It listens on this machine only, and ends with Ctrl-C. Its prices and share counts are invented. With --live its
    clock runs, and mag7 live can follow the session.
    """
    from mag7cli.vendors.sandbox.market import DEFAULT_SEED, LAST, Market
    from mag7cli.vendors.sandbox.misbehaviour import RandomFaults
    from mag7cli.vendors.sandbox.plan import PLANS
    from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer

    number = DEFAULT_SEED if seed is None else seed
    market = Market(number, end=LAST)
    script = [RandomFaults(number, faults)] if faults else []
    with _streaming(market, plan, live, speed, number) as feed:
        server = SandboxServer(
            market,
            plan=PLANS[plan],
            latency_s=latency / 1000,
            faults_script=script,
            port=port,
            clock=feed.clock.now if feed else None,
            session=feed.session if feed else None,
        )
        variables = {"POLYGON_BASE_URL": server.url, "POLYGON_API_KEY": DEFAULT_KEY, "MAG7_PLAN": plan}
        # A clock that runs says by itself when the market ends.
        output.show(_result({**variables, **(feed.variables if feed else {"MAG7_END": market.end.isoformat()})}))
        try:
            output.notice(f"serving {market.start} to {market.end}, simulated; Ctrl-C ends it", url=server.url)
            server.serve_forever()
        except KeyboardInterrupt:  # the way it is meant to end
            output.notice(f"{counted(len(server.requests), 'request')} answered")
        finally:
            server.close()


@dataclass(frozen=True, slots=True)
class _Feed:
    """A session that is under way, and what a shell needs to follow it."""

    session: "SimulatedSession"
    clock: "Clock"
    variables: Mapping[str, str]


@contextmanager
def _streaming(market: "Market", plan: PlanName, start: str | None, speed: float, seed: int) -> Iterator[_Feed | None]:
    """The stream of the session at a time; None without one. Raises UsageError."""
    if start is None:
        yield None
        return
    from mag7cli.core.clock import SystemClock, running_now
    from mag7cli.vendors.sandbox.intraday import SimulatedSession
    from mag7cli.vendors.sandbox.plan import PLANS
    from mag7cli.vendors.sandbox.stream import StreamServer

    began = _moment(start)
    now = running_now(began, time.time(), speed)
    clock = SystemClock(now)
    session = SimulatedSession(market.grouped_bars(began.date()), began.date(), seed)
    stream = PLANS[plan].stream
    delay = 15 if stream == "delayed" else 0
    with StreamServer(session, clock.now, is_in_plan=stream is not None, delay_minutes=delay) as server:
        yield _Feed(session, clock, {"POLYGON_STREAM_URL": server.url, "MAG7_NOW": now})


def _moment(text: str) -> datetime:
    """A time in New York. Raises UsageError."""
    from mag7cli.core.clock import NEW_YORK

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--live {text!r} is not a time", hint="write 2024-12-13T09:25") from error
    return moment.astimezone(NEW_YORK) if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def _result(variables: Mapping[str, str]) -> Result:
    """What a shell needs to make mag7 ask this server."""
    return Result(
        document={_NAMES[name]: value for name, value in variables.items()},
        grid=Grid((Column("variable"), Column("value")), list(variables.items())),
        text=[Line(f"export {name}={value}") for name, value in variables.items()],
    )
