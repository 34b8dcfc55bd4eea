"""The command line: options become one call of the library, whose result goes to `output`.

A new command is a function under `@command` in a module of this package, and a line in the table below, which
repeats the first sentence of its docstring.
"""

from typing import Final

from mag7cli.cli.app import Entry, Words, program

COMMANDS: Final = Words(
    "How much of the S&P 500 is really seven companies, on every trading day since 2021.",
    {
        "tickers": Entry("tickers:tickers", "Print the tickers of the S&P 500."),
        "dates": Entry("dates:dates", "Print the trading dates of the New York exchange."),
        "collect": Entry("collect:collect", "Collect prices and share counts, one raw document for each trading date."),
        "transform": Entry("transform:transform", "Turn raw documents into Parquet tables."),
        "validate": Entry("validate:validate", "Check the tables with SQL, and say what is wrong."),
        "load": Entry("load:load", "Load the tables into the warehouse."),
        "run": Entry("run:run", "Collect, transform, validate, load and report: the line for cron."),
        "show": Entry("show:show", "Print the answer: how much of the index is seven companies."),
        "live": Entry("live:live", "Show the share during the session, from the vendor's stream."),
        "report": Entry("report:report", "Draw the report: one HTML file that needs no network."),
        "exposure": Entry("exposure:exposure", "Show how much of your money is in the seven."),
        "funds": Words(
            "The holdings files of funds that the lake keeps for exposure.",
            {
                "add": Entry("funds:add", "Keep the holdings file of a fund in the lake."),
                "list": Entry("funds:list_", "List the funds whose holdings the lake keeps, and how old they are."),
                "refresh": Entry("funds:refresh", "Get the newest holdings files of kept funds from their issuers."),
            },
        ),
        "status": Entry("status:status", "Print what the lake holds and lacks."),
        "explain": Entry("explain:explain", "Print the receipt of a number."),
        "verify": Entry("verify:verify", "Hold every file of the lake against what was written."),
        "sql": Entry("sql:sql", "Ask the tables by SQL, read-only."),
        "doctor": Entry("doctor:doctor", "Check that everything a collection needs is in order."),
        "config": Words(
            "What every option is set to, and by what.",
            {
                "show": Entry("config:show", "Show what every option is set to, and by what."),
                "path": Entry("config:path", "Show where configuration files are looked for."),
                "template": Entry("config:template", "Print a configuration file with every option in it."),
            },
        ),
        "service": Words(
            "The pipeline on a machine of one's own, every evening.",
            {"print": Entry("service:print_", "Print the files by which a machine runs mag7 after every session.")},
        ),
        "deploy": Words(
            "The pipeline in an AWS account, as one template.",
            {
                "render": Entry("deploy:render", "Print the CloudFormation template of the pipeline."),
                "package": Entry(
                    "deploy:package", "Make the zip file of the functions, from the wheels of their runtime."
                ),
                "cost": Entry("deploy:cost", "Estimate what a month costs, with its assumptions."),
                "diff": Entry(
                    "deploy:diff", "Say what an apply with the same options would change, and change nothing."
                ),
                "apply": Entry("deploy:apply", "Make the stack, or bring it up to date, and follow it to its end."),
                "secret": Entry("deploy:secret", "Put the vendor's key into the stack's secret."),
                "start": Entry(
                    "deploy:start", "Start a machine: the history of a range, or the recovery of what failed."
                ),
                "status": Entry(
                    "deploy:status", "Show the stack, its outputs, and the last executions of its machines."
                ),
                "logs": Entry("deploy:logs", "Print what a function logged."),
                "destroy": Entry("deploy:destroy", "Delete the stack and follow it to its end; the data stays."),
            },
        ),
        "demo": Entry("demo:demo", "Run the whole pipeline on a simulated market, offline and without a key."),
        "sandbox": Words(
            "A simulated market in place of the vendor.",
            {"serve": Entry("sandbox:serve", "Serve a simulated market as the vendor would.")},
        ),
    },
)

app = program(COMMANDS)
