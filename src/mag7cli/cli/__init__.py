"""The command line: options become one call of the library, whose result goes to `output`."""

from mag7cli.cli import dates, settings
from mag7cli.cli.frame import program

app = program(
    [dates.dates],
    {"config": ("What every option is set to, and by what.", [settings.show, settings.show_paths, settings.template])},
)
