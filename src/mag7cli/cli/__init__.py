"""The command line: options become one call of the library, whose result goes to `output`.

A new command is a function under `@command` in a module of this package, and a line in the table below, which
repeats the first sentence of its docstring.
"""

from typing import Final

from mag7cli.cli.app import CommandGroup, CommandSpec, program

COMMANDS: Final = CommandGroup(
    "How much of the S&P 500 is really seven companies, on every trading day since 2021.",
    {
        "tickers": CommandSpec("tickers:tickers", "Print the tickers of the S&P 500."),
        "dates": CommandSpec("dates:dates", "Print the trading dates of the New York exchange."),
        "collect": CommandSpec(
            "collect:collect", "Collect prices and share counts, one raw document for each trading date."
        ),
        "transform": CommandSpec("transform:transform", "Turn raw documents into Parquet tables."),
        "validate": CommandSpec("validate:validate", "Check the tables with SQL, and say what is wrong."),
        "load": CommandSpec("load:load", "Load the tables into the warehouse."),
        "run": CommandSpec("run:run", "Collect, transform, validate, load and report: the line for cron."),
        "show": CommandSpec("show:show", "Print the answer: how much of the index is seven companies."),
        "live": CommandSpec("live:live", "Show the share during the session, from the vendor's stream."),
        "report": CommandSpec("report:report", "Draw the report: one HTML file that needs no network."),
        "exposure": CommandSpec(
            "exposure:exposure", "Show how much of your money is in the Mag 7, or in another group."
        ),
        "funds": CommandGroup(
            "The holdings files of funds that the lake keeps for exposure.",
            {
                "add": CommandSpec("funds:add", "Keep the holdings file of a fund in the lake."),
                "list": CommandSpec(
                    "funds:list_", "List the funds whose holdings the lake keeps, and how old they are."
                ),
                "refresh": CommandSpec(
                    "funds:refresh", "Get the newest holdings files of kept funds from their issuers."
                ),
            },
        ),
        "status": CommandSpec("status:status", "Print what the lake holds and lacks."),
        "explain": CommandSpec("explain:explain", "Print the receipt of a number."),
        "verify": CommandSpec("verify:verify", "Hold every file of the lake against what was written."),
        "export": CommandSpec("export:export", "Write the daily series, or what is behind it, into a file."),
        "sql": CommandSpec("sql:sql", "Ask the tables by SQL, read-only."),
        "doctor": CommandSpec("doctor:doctor", "Check that everything a collection needs is in order."),
        "config": CommandGroup(
            "What every option is set to, and by what.",
            {
                "show": CommandSpec("config:show", "Show what every option is set to, and by what."),
                "path": CommandSpec("config:path", "Show where configuration files are looked for."),
                "template": CommandSpec("config:template", "Print a configuration file with every option in it."),
            },
        ),
        "service": CommandGroup(
            "The pipeline on a machine of one's own, every evening.",
            {
                "print": CommandSpec(
                    "service:print_", "Print the files by which a machine runs mag7 after every session."
                )
            },
        ),
        "deploy": CommandGroup(
            "The pipeline in an AWS account, as one template.",
            {
                "render": CommandSpec("deploy:render", "Print the CloudFormation template of the pipeline."),
                "package": CommandSpec(
                    "deploy:package", "Make the zip file of the functions, from the wheels of their runtime."
                ),
                "cost": CommandSpec("deploy:cost", "Estimate what a month costs, with its assumptions."),
                "diff": CommandSpec(
                    "deploy:diff", "Say what an apply with the same options would change, and change nothing."
                ),
                "apply": CommandSpec(
                    "deploy:apply", "Make the stack, or bring it up to date, and follow it to its end."
                ),
                "secret": CommandSpec("deploy:secret", "Put the vendor's key into the stack's secret."),
                "start": CommandSpec(
                    "deploy:start", "Start a machine: the history of a range, or the recovery of what failed."
                ),
                "status": CommandSpec(
                    "deploy:status", "Show the stack, its outputs, and the last executions of its machines."
                ),
                "logs": CommandSpec("deploy:logs", "Print what a function logged."),
                "destroy": CommandSpec("deploy:destroy", "Delete the stack and follow it to its end; the data stays."),
            },
        ),
        "demo": CommandSpec("demo:demo", "Run the whole pipeline on a simulated market, offline and without a key."),
        "sandbox": CommandGroup(
            "A simulated market in place of the vendor.",
            {"serve": CommandSpec("sandbox:serve", "Serve a simulated market as the vendor would.")},
        ),
    },
)

app = program(COMMANDS)
