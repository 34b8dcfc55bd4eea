"""How long a command takes to say something, against the least that a Typer program can take."""

import argparse
import sys
from pathlib import Path

from measuring import MAG7, Row, Skipped, emit, has_command, in_turns, run

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
    lake = ["--lake", str(options.folder / "lake")]
    commands = {
        "mag7 --help": ([MAG7, "--help"], [*bare, "--help"], 1.2),
        "mag7 dates": ([MAG7, "dates"], bare, 1.5),
        "mag7 collect --plan-only of a lake that has every date": (
            [
                MAG7,
                "collect",
                "--plan-only",
                *lake,
                "--start",
                "2021-01-04",
                "--end",
                "2024-12-31",
                "--plan",
                "advanced",
            ],
            bare,
            None,
        ),
        "mag7 show": ([MAG7, "show", *lake], bare, None),
    }
    for what, (ours, theirs, at_most) in commands.items():
        if not has_command(ours[1]):
            emit(Skipped(what, "this version has no such command"))
            continue
        found = in_turns(
            {"ours": lambda words=ours: run(words).wall_s, "theirs": lambda words=theirs: run(words).wall_s},
            options.rounds,
        )
        against = "a Typer program of one command" + (", its --help" if "--help" in theirs else "")
        emit(Row(what, found["ours"] * 1000, "ms", against, found["theirs"] * 1000, at_most))


if __name__ == "__main__":
    main()
