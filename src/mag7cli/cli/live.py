"""`mag7 live`."""

from contextlib import closing, nullcontext
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.collect import PlanOption
from mag7cli.cli.options import (
    DEFAULT_LAKE,
    SEVEN,
    ApiKeyCommandOption,
    GroupOption,
    LakeOption,
    WithoutOption,
    parse_date,
    parse_duration,
)
from mag7cli.cli.output import Output

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.live.session import LiveRequest


class LiveOptions(NamedTuple):
    """What to follow; `live.session` says what each means."""

    plan: PlanOption = "basic"
    feed: Annotated[
        Literal["delayed", "realtime"] | None,
        typer.Option("--feed", help="The vendor's stream: 15 minutes late, or at once; by default the plan's."),
    ] = None
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", help="From one figure to the next, such as 60s or 5m.")
    ] = "60s"
    once: Annotated[bool, typer.Option("--once", help="One figure, and keep nothing.")] = False
    until: Annotated[
        Literal["close"] | None, typer.Option("--until", help="close: end with the session and its official closes.")
    ] = None
    group: GroupOption = SEVEN
    without: WithoutOption = ""

    def request(self) -> "LiveRequest":
        """The request that the options make. Raises UsageError for a time that cannot be read."""
        from mag7cli import library
        from mag7cli.live.session import LiveRequest

        return LiveRequest(
            plan=self.plan,
            group=library.group(self.group, without=self.without),
            feed=self.feed,
            interval=timedelta(seconds=parse_duration(self.interval, "--interval")),
            once=self.once,
            until_close=self.until == "close",
        )


@command(
    "mag7 live --plan developer",
    "mag7 live --plan developer --once --format json",
    "mag7 live --plan developer --until close && mag7 run --plan developer --wait",
    "mag7 live --group top10 --without NVDA --once",
    "mag7 live --review 2024-12-13",
    formats=TEXT_JSON,
)
def live(
    output: Output,
    options: LiveOptions,
    review: Annotated[
        date | None,
        typer.Option(
            "--review", parser=parse_date, metavar="YYYY-MM-DD", help="Compare what was kept of a date with its close."
        ),
    ] = None,
    serve: Annotated[
        int | None,
        typer.Option("--serve", min=0, max=65535, metavar="PORT", help="Show it in a browser, too; 0 is any port."),
    ] = None,
    lake: LakeOption = DEFAULT_LAKE,
    api_key_command: ApiKeyCommandOption = None,
) -> None:
    """Show the share during the session, from the vendor's stream.

    Prices of the moment times the share counts of the last document: intraday and unofficial, with its age and how
    much has traded. Every minute is kept in the lake, beside the closes and never among them. On a terminal it is one
    screen, elsewhere a line a minute, with --format json one object a line.
    """
    from mag7cli.lake.layout import Lake

    place = Lake.at(lake).require()
    if review:
        _show_review(output, place, review)
    else:
        _follow(output, place, options.request(), api_key_command=api_key_command, port=serve)


def _follow(
    output: Output, lake: "Lake", request: "LiveRequest", *, api_key_command: str | None, port: int | None
) -> None:
    """Show what comes, until it ends."""
    from mag7cli import library
    from mag7cli.cli.live_display import view_for
    from mag7cli.live.page_server import PageServer

    updates = library.follow(lake, request=request, api_key_command=api_key_command)
    with closing(updates), PageServer(port) if port is not None else nullcontext() as page, view_for(output) as view:
        if page:
            output.notice(f"{page.url} shows it in a browser on this machine", url=page.url)
        for update in updates:
            if page:
                page.show(update)
            if not view.show(update) and not page:
                return


def _show_review(output: Output, lake: "Lake", on: date) -> None:
    from mag7cli import library
    from mag7cli.cli.live_display import review_result

    output.show(review_result(library.review_live(lake, on=on)))
