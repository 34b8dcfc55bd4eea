"""The command line: options become one call of the library, whose result goes to `output`.

A new command is a function under `@command` in a module of this package, and a line in the table below.
"""

from typing import Final

from mag7cli.cli.frame import Words, program

COMMANDS: Final = Words(
    "How much of the S&P 500 is really seven companies, on every trading day since 2021.",
    {
        "tickers": "tickers:tickers",
        "dates": "dates:dates",
        "collect": "collecting:collect",
        "transform": "processing:transform",
        "validate": "processing:validate",
        "load": "loading:load",
        "run": "running:run",
        "show": "looking:show",
        "report": "looking:report",
        "exposure": "exposure:exposure",
        "status": "looking:status",
        "explain": "looking:explain",
        "verify": "processing:verify",
        "sql": "sql:sql",
        "doctor": "doctor:doctor",
        "config": Words(
            "What every option is set to, and by what.",
            {"show": "settings:show", "path": "settings:path", "template": "settings:template"},
        ),
        "demo": "running:demo",
        "sandbox": Words("A simulated market in place of the vendor.", {"serve": "sandbox:serve"}),
    },
)

app = program(COMMANDS)
