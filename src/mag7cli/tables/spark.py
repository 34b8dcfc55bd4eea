"""The years of a transform on the executors of Spark, one task a year: the same code, hence the same bytes.

The driver holds the lake and keeps the manifest; an executor writes the files of its year. The one importer of pyspark.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mag7cli.core.errors import ExtraMissingError
from mag7cli.lake.layout import Lake
from mag7cli.tables.changes import YearPlan
from mag7cli.tables.transform import YearResult, make_year

if TYPE_CHECKING:
    from pyspark import SparkContext


@contextmanager
def on_executors(lake: Lake, plans: Sequence[YearPlan]) -> Iterator[Iterator[YearResult]]:
    """The results of every year, in no order, made by the session that runs, or by one of this machine's own.

    Args:
        lake: A lake that every executor reaches by the same address: on S3, or on the one machine.
        plans: The years to make.

    Raises:
        ExtraMissingError: There is no pyspark.
    """
    with _context() as context:
        # A store has connections, which are no executor's: each opens the lake anew.
        work = partial(_make_year_at, lake.store.uri(""))
        yield iter(context.parallelize(plans, len(plans)).map(work).collect())


def _make_year_at(address: str, plan: YearPlan) -> YearResult:
    return make_year(Lake.at(address), plan)


@contextmanager
def _context() -> "Iterator[SparkContext]":
    """The context that runs, as in a Glue job; else one for as long as it is needed."""
    try:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ExtraMissingError("Spark", "spark") from error
    if SparkContext._active_spark_context is not None:
        yield SparkContext._active_spark_context
        return
    # Otherwise workers are whichever python3 the path names first, without mag7 or with another one.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    session = SparkSession.builder.appName("mag7 transform").config(map=quiet).getOrCreate()
    try:
        yield session.sparkContext
    finally:
        session.stop()
