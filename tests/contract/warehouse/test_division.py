"""No statement of ours divides two decimals or two integers, or multiplies decimals that do not fit (docs/fakes.md).

DuckDB, which answers for Athena and Redshift in the tests, divides both as DOUBLE; Trino keeps the digits of the
operands and Redshift cuts integers, so that such a statement would pass here and be wrong there.
"""

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from mag7cli.tables.schema import SCHEMA, TABLES, VIEWS, sql_type
from mag7cli.warehouse import sql_files

COLUMNS = {SCHEMA: {table.name: {c.name: sql_type(c, "duckdb") for c in table.columns} for table in TABLES}}
COLUMNS[SCHEMA]["daily_trading_adjusted"] = COLUMNS[SCHEMA]["daily_trading"] | {"split_factor": "DOUBLE"}
_PCTS = ("price_return_pct", "weight_pct", "contribution_pct", "equal_weight_pct")
COLUMNS[SCHEMA]["company_returns"] = {"trading_date": "DATE", "base_date": "DATE", "ticker": "VARCHAR"}
COLUMNS[SCHEMA]["company_returns"] |= dict.fromkeys(_PCTS, "DOUBLE")
_SERIES = ("sp500_return_pct", "mag7_return_pct", "rest_return_pct", "equal_weight_return_pct")
COLUMNS[SCHEMA]["daily_returns"] = {"trading_date": "DATE", "base_date": "DATE"} | dict.fromkeys(_SERIES, "DOUBLE")
COLUMNS[SCHEMA]["rolling_returns"] = COLUMNS[SCHEMA]["daily_returns"] | {"sessions": "INTEGER"}
COLUMNS[SCHEMA]["company_rankings"] = COLUMNS[SCHEMA]["sp500_constituents"] | {"ranking": "BIGINT"}
FOLDERS = ("validate", "analysis")


def _statements() -> Iterator[tuple[str, str]]:
    for folder in FOLDERS:
        for name in sql_files.names(folder):
            sql = sql_files.read(folder, name).sql
            if "{" not in sql:  # a pattern that is filled for each table only compares
                yield name, sql
    for view in VIEWS:
        yield view.name, view.query


def _exact_divisions(sql: str) -> list[str]:
    """The divisions without a DOUBLE on either side."""
    tree = annotate_types(qualify(sqlglot.parse_one(sql, read="postgres"), schema=COLUMNS), schema=COLUMNS)
    return [
        division.sql()
        for division in tree.find_all(exp.Div, exp.IntDiv)
        if not any(side.is_type(exp.DataType.Type.DOUBLE) for side in (division.this, division.expression))
    ]


def test_every_division_is_one_of_doubles() -> None:
    statements = dict(_statements())

    assert [name for name, sql in statements.items() if _exact_divisions(sql)] == []
    assert sum("/" in sql for sql in statements.values()) > 1


def _digits(side: exp.Expression) -> int:
    """The digits of a decimal, 0 of anything else."""
    kind = side.type
    is_decimal = kind is not None and kind.is_type(exp.DataType.Type.DECIMAL) and kind.expressions
    return int(kind.expressions[0].name) if kind is not None and is_decimal else 0


def _unsafe_products(sql: str) -> list[str]:
    """Products of decimals that have more than 37 digits, or that DuckDB keeps at 18."""
    tree = annotate_types(qualify(sqlglot.parse_one(sql, read="postgres"), schema=COLUMNS), schema=COLUMNS)
    products = {product: (_digits(product.this), _digits(product.expression)) for product in tree.find_all(exp.Mul)}
    return [
        product.sql() for product, digits in products.items() if all(digits) and (sum(digits) > 37 or max(digits) <= 18)
    ]


def test_every_product_of_decimals_fits_every_engine() -> None:
    statements = dict(_statements())

    assert [name for name, sql in statements.items() if _unsafe_products(sql)] == []


def test_a_product_that_does_not_fit_would_be_seen() -> None:
    short = "CAST(close_price AS DECIMAL(14,6)) * CAST(volume AS DECIMAL(17,2))"

    assert _unsafe_products("SELECT close_price * close_price AS p FROM market_data.daily_trading")
    assert _unsafe_products(f"SELECT {short} AS p FROM market_data.daily_trading")


def test_a_division_of_decimals_would_be_seen() -> None:
    share = "SELECT total_mag7_market_cap / {} AS share FROM market_data.concentration_metrics"

    assert _exact_divisions(share.format("sp500_total_market_cap"))
    assert _exact_divisions("SELECT mag7_companies_count / 7 AS n FROM market_data.concentration_metrics")
    assert _exact_divisions(share.format("CAST(sp500_total_market_cap AS DOUBLE PRECISION)")) == []
