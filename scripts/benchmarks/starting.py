"""How long a command takes to say something, against the least that a Typer program can take."""

import argparse
import sys
from pathlib import Path

from measuring import MAG7, Row, emit, in_turns, run

# Without Rich, as mag7 has it: its help would cost this program three times as much.
HELLO = '''\
import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def hello(name: str = "world") -> None:
    """Say hello."""
    typer.echo(f"Hello, {name}")


app()
'''


def main() -> None:
    """Time whole processes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    hello = options.folder / "hello.py"
    hello.write_text(HELLO)
    bare = [sys.executable, str(hello)]
    lake = options.folder / "lake"
    dates = sorted(path.name.removeprefix("trading_date=") for path in (lake / "raw" / "magnificent7").iterdir())
    at = ["--lake", str(lake)]
    planned = ["collect", "--plan-only", *at, "--start", dates[0], "--end", dates[-1], "--plan", "advanced"]
    against(["--help"], [*bare, "--help"], options.rounds, at_most=1.2)
    against(["dates"], bare, options.rounds, at_most=1.5)
    against(["show", *at], bare, options.rounds, at_most=2.0)
    against(planned, bare, options.rounds, note=f", {len(dates):,} dates, all there")


def against(words: list[str], bare: list[str], rounds: int, note: str = "", at_most: float | None = None) -> None:
    """Time a command beside the small program."""
    rivals = {"ours": [MAG7, *words], "bare": bare}
    found = in_turns({name: lambda rival=rival: run(rival).wall_s * 1000 for name, rival in rivals.items()}, rounds)
    shown = " ".join(["mag7", *(word for word in words[:2] if word != "--lake")]) + note
    emit(
        Row(
            shown,
            found["ours"],
            "ms",
            "a Typer program of one command" + (", its --help" if "--help" in words else ""),
            found["bare"],
            at_most,
        )
    )


if __name__ == "__main__":
    main()
