"""The tables of `market_data`, declared once: Arrow schemas, DDL in three dialects and the docs page are rendered here.

Column order is the order of the flat files, because Redshift COPY matches Parquet columns by position. Knows nothing
of documents, files or connections.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from mag7cli.tables import return_queries

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA: Final = "market_data"
PARTITION: Final = "trading_date"
SCHEMA_VERSION: Final = 2
"""Raised whenever the rows that a document makes change, so that every date is transformed again."""

ColumnType = Literal["date", "varchar", "decimal", "double", "bigint", "integer", "boolean"]
Dialect = Literal["duckdb", "athena", "redshift"]
Origin = Literal["original", "added", "companion", "computed"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `max_bytes` belongs to varchar (UTF-8 bytes, as Redshift counts), the digits to decimal."""

    name: str
    type: ColumnType
    description: str
    nullable: bool = True
    unit: str | None = None
    max_bytes: int | None = None
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `primary_key` is empty where a row has no key of non-null columns."""

    name: str
    origin: Origin
    grain: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    sort_key: tuple[str, ...]

    @property
    def qualified_name(self) -> str:
        """The name that every query uses: `market_data.<name>`."""
        return f"{SCHEMA}.{self.name}"

    def stored_columns(self, *, partitioned: bool) -> tuple[Column, ...]:
        """The columns inside the files: without the partition column where the folder's name holds it."""
        return tuple(column for column in self.columns if not (partitioned and column.name == PARTITION))


@dataclass(frozen=True, slots=True)
class View:
    """One view; `query` is the same text in every dialect."""

    name: str
    description: str
    query: str

    @property
    def qualified_name(self) -> str:
        """The name that every query uses: `market_data.<name>`."""
        return f"{SCHEMA}.{self.name}"


# The few kinds of column that the tables are made of


def _varchar(name: str, max_bytes: int, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "varchar", description, nullable=nullable, max_bytes=max_bytes)


def _money(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "decimal", description, nullable=nullable, unit="USD", precision=20, scale=2)


def _price(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "decimal", description, nullable=nullable, unit="USD", precision=20, scale=6)


def _shares(description: str, *, nullable: bool = True) -> Column:
    return Column("shares_outstanding", "decimal", description, nullable=nullable, unit="shares", precision=20, scale=2)


def _pct(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "double", description, nullable=nullable, unit="percent")


def _count(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, "integer", description, nullable=nullable)


_TRADING_DATE: Final = Column(PARTITION, "date", "The session, in New York.", nullable=False)
_TICKER: Final = _varchar("ticker", 10, "Today's ticker, in the vendor's spelling (BRK.B).", nullable=False)
_COMPANY_SHARES: Final = "All shares of the whole company, in the share units of that day."

TABLES: Final[tuple[Table, ...]] = (
    Table(
        "concentration_metrics",
        "original",
        "one row per complete trading date",
        "How much of the S&P 500 the Mag 7 were. A date without one of the Mag 7 has no row.",
        (
            _TRADING_DATE,
            _money("total_mag7_market_cap", "Full market cap of the Mag 7.", nullable=False),
            _money("sp500_total_market_cap", "Full market cap of the index, each company once.", nullable=False),
            _pct("mag7_pct_of_sp500", "The Mag 7 as a share of the index.", nullable=False),
            _count("mag7_companies_count", "How many of the Mag 7 are in the figure: always seven.", nullable=False),
        ),
        ("trading_date",),
        ("trading_date",),
    ),
    Table(
        "company_details",
        "original",
        "one row per trading date and company of the Mag 7",
        "Who the Mag 7 were on that day, and what they were worth.",
        (
            _TRADING_DATE,
            _TICKER,
            _varchar("company_name", 255, "The vendor's name on that day.", nullable=False),
            _money("market_cap", "Close x shares outstanding."),
            _shares(_COMPANY_SHARES),
            _varchar("currency", 3, "The vendor's currency code."),
            _varchar("description", 65_535, "The vendor's description of the business, whole."),
        ),
        ("trading_date", "ticker"),
        ("trading_date", "ticker"),
    ),
    Table(
        "daily_trading",
        "original",
        "one row per trading date and company of the Mag 7",
        "The unadjusted daily bar: prices as they were paid on that day.",
        (
            _TRADING_DATE,
            _TICKER,
            _price("open_price", "First price of the session."),
            _price("high_price", "Highest price of the session."),
            _price("low_price", "Lowest price of the session."),
            _price("close_price", "Close of the session.", nullable=False),
            Column("volume", "bigint", "Shares traded; the vendor's fractions are rounded half up.", unit="shares"),
            _price("vwap", "Volume-weighted average price."),
        ),
        ("trading_date", "ticker"),
        ("trading_date", "ticker"),
    ),
    Table(
        "magnificent7_metrics",
        "original",
        "one row per complete trading date and company of the Mag 7",
        "The Mag 7 by size.",
        (
            _TRADING_DATE,
            _TICKER,
            _money("market_cap", "Close x shares outstanding.", nullable=False),
            _pct("pct_of_mag7", "Share of the Mag 7's market cap.", nullable=False),
            _pct("pct_of_sp500", "Share of the index's market cap.", nullable=False),
            _count("ranking", "1 is the largest.", nullable=False),
        ),
        ("trading_date", "ticker"),
        ("trading_date", "ticker"),
    ),
    Table(
        "failed_collections",
        "original",
        "one row per trading date and failed ticker; one row with no ticker on a date without failures",
        "What could not be collected, and why.",
        (
            _TRADING_DATE,
            _varchar("ticker", 10, "The line that failed; NULL on a date without failures."),
            _varchar("reason", 1_024, "Why it failed, or `No collection failures`.", nullable=False),
        ),
        (),
        ("trading_date",),
    ),
    Table(
        "sp500_constituents",
        "added",
        "one row per trading date and line of the index",
        "Every line behind the total.",
        (
            _TRADING_DATE,
            _TICKER,
            _varchar("symbol", 10, "The symbol it traded under on that day (FB before 2022-06-09).", nullable=False),
            _varchar("cik", 10, "The issuer's SEC number: lines that share it are one company."),
            _price("close_price", "Unadjusted close.", nullable=False),
            _shares(_COMPANY_SHARES, nullable=False),
            _money("market_cap", "Close x shares outstanding, of the whole company.", nullable=False),
            Column(
                "counted", "boolean", "True for the one line of each company that enters the total.", nullable=False
            ),
            _pct("pct_of_sp500", "Share of the index; NULL for lines that are not counted and on partial dates."),
            _money("market_cap_by_class", "The company with each class at its own close; NULL where it has one."),
        ),
        ("trading_date", "ticker"),
        ("trading_date", "ticker"),
    ),
    Table(
        "stock_splits",
        "added",
        "one row per execution date and ticker",
        "Splits of the index's lines, without the vendor's duplicates.",
        (
            Column(PARTITION, "date", "The execution date: the first session at the new price.", nullable=False),
            _TICKER,
            Column("split_from", "decimal", "Old shares.", nullable=False, unit="shares", precision=20, scale=6),
            Column("split_to", "decimal", "New shares for them.", nullable=False, unit="shares", precision=20, scale=6),
            Column("ratio", "double", "New shares for one old share.", nullable=False),
        ),
        ("trading_date", "ticker"),
        ("trading_date", "ticker"),
    ),
    Table(
        "daily_summary",
        "companion",
        "one row per trading date, partial dates too",
        "How each date was collected, how far it can be trusted, and how concentrated the index was.",
        (
            _TRADING_DATE,
            _varchar(
                "status",
                10,
                "`complete`, `suspect` (something is unexplained, or little failed) or `partial`.",
                nullable=False,
            ),
            _varchar("partial_reason", 1_024, "Why the date has no concentration figure."),
            _money("gross_market_cap", "Sum over lines, two-class companies twice: the console pipeline's total."),
            _money("total_mag7_market_cap_by_class", "The Mag 7 with each listed class at its own close."),
            _money("sp500_total_market_cap_by_class", "The index with each listed class at its own close."),
            _pct("mag7_pct_by_class", "The share with each listed class at its own close."),
            _count("companies_count", "Companies in the total."),
            _count("lines_count", "Lines valued."),
            _count("failed_count", "Lines that failed.", nullable=False),
            _count("not_listed_count", "Lines of the list that did not trade yet."),
            _count("corrections_count", "Values not taken as the vendor gave them.", nullable=False),
            _count("doubts_count", "Values that no rule explains, and that can show in the figure.", nullable=False),
            _pct("mag7_pct_low", "The share of the Mag 7 is at least this, in the worst case; NULL where unknown."),
            _pct("mag7_pct_high", "The share of the Mag 7 is at most this, in the worst case; NULL where unknown."),
            _pct("top1_pct", "Share of the largest company."),
            _pct("top5_pct", "Share of the five largest companies."),
            _pct("top10_pct", "Share of the ten largest companies."),
            Column("hhi", "double", "Herfindahl-Hirschman index of companies, 0 to 10,000."),
            Column("effective_n", "double", "Effective number of companies: 10,000 / hhi."),
            _varchar("membership_kind", 10, "How the list is known: `observed`, `history`, `nearest` or `bundled`."),
            Column("membership_as_of", "date", "Since when that list was in force."),
            _varchar("method", 20, "How shares were asked for: `grouped` or `details`."),
            Column("simulated", "boolean", "True if the figures are the sandbox's, not a market's."),
            _varchar("collected_at", 40, "When the document was collected, ISO 8601 with offset."),
        ),
        ("trading_date",),
        ("trading_date",),
    ),
    Table(
        "data_quality",
        "companion",
        "one row per trading date and event",
        "Everything about a date that a reader should know before quoting it.",
        (
            _TRADING_DATE,
            _varchar("ticker", 10, "The line concerned; NULL if it is the date."),
            _varchar(
                "kind", 40, "`correction`, `doubt`, `failed_lines`, `partial`, or what the guard saw.", nullable=False
            ),
            _varchar("severity", 10, "`info`, `suspect` or `error`.", nullable=False),
            _varchar("field", 40, "The field concerned."),
            Column("from_value", "decimal", "What it was, or the first candidate.", precision=38, scale=6),
            Column("to_value", "decimal", "What it became, or the other candidate.", precision=38, scale=6),
            _varchar("reason", 1_024, "Why, in a sentence.", nullable=False),
            _varchar("evidence", 4_096, "What it was decided on."),
        ),
        (),
        ("trading_date",),
    ),
)

TABLE: Final[dict[str, Table]] = {table.name: table for table in TABLES}

FUND_WEIGHTS: Final = Table(
    "fund_weights",
    "computed",
    "one row per trading date, fund and line of the Mag 7",
    "What a fund that can be bought holds of the Mag 7: float-adjusted, from the holdings files that the lake "
    "keeps, another number than the share by full market value. DuckDB computes it when it is asked for "
    "(`mag7 sql`, `mag7 export fund-weights`, `mag7cli.table`); for Athena and Redshift `mag7 load` writes it into "
    "the flat layout of a lake on S3.",
    (
        _TRADING_DATE,
        _varchar("fund", 20, "The fund's symbol.", nullable=False),
        _varchar("ticker", 10, "The line: GOOGL and GOOG apart.", nullable=False),
        _pct("weight_pct", "Part of the fund.", nullable=False),
        Column("as_of", "date", "The day of the holdings file, the earlier of two.", nullable=False),
        _varchar(
            "basis",
            12,
            "`file`: the file's own figure; `interpolated`: between two files, by prices; `carried`: after the "
            "last file, by prices.",
            nullable=False,
        ),
    ),
    ("trading_date", "fund", "ticker"),
    ("trading_date", "fund", "ticker"),
)

COMPUTED: Final[tuple[Table, ...]] = (FUND_WEIGHTS,)
"""Tables that are made when they are asked for, and for other engines by a load: in the flat layout alone."""

PUBLISHED: Final[tuple[Table, ...]] = (*TABLES, *COMPUTED)
"""Every table of a warehouse elsewhere."""

# Announced splits lie in the future: only those up to the last bar have happened. EXP(SUM(LN())) is the product
# that all three engines know; rounding takes its last digits away, so that ten for one divides by ten. Redshift may cut
# where the others round when a double becomes a decimal, hence the tenth of a last digit after ROUND: both end alike.
VIEWS: Final[tuple[View, ...]] = (
    View(
        "daily_trading_adjusted",
        "`daily_trading` in today's share units: prices divided, volume multiplied by every later split.",
        """\
SELECT
    t.trading_date,
    t.ticker,
    CAST(ROUND(t.open_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS open_price,
    CAST(ROUND(t.high_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS high_price,
    CAST(ROUND(t.low_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS low_price,
    CAST(ROUND(t.close_price / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS close_price,
    CAST(ROUND(t.volume * f.split_factor) AS BIGINT) AS volume,
    CAST(ROUND(t.vwap / f.split_factor, 6) + 0.0000001 AS DECIMAL(20,6)) AS vwap,
    f.split_factor
FROM market_data.daily_trading t
JOIN (
    SELECT
        d.trading_date,
        d.ticker,
        COALESCE(ROUND(EXP(SUM(LN(s.ratio))), 9), 1.0) AS split_factor
    FROM market_data.daily_trading d
    LEFT JOIN market_data.stock_splits s
        ON s.ticker = d.ticker
        AND s.trading_date > d.trading_date
        AND s.trading_date <= (SELECT MAX(trading_date) FROM market_data.daily_trading)
    GROUP BY d.trading_date, d.ticker
) f
    ON f.trading_date = t.trading_date
    AND f.ticker = t.ticker""",
    ),
    View(
        "company_rankings",
        "Every company of the index by size on each date: `ranking <= 10` is the ten largest of the day.",
        return_queries.COMPANY_RANKINGS,
    ),
    View(
        "company_returns",
        "Price return of each company since the date before, with its weight at that close, by market value and if all "
        "had been bought for the same sum at the last quarterly rebalancing; percent.",
        return_queries.COMPANY_RETURNS,
    ),
    View(
        "daily_returns",
        "Price returns since the date before, percent: the index, the Mag 7, the rest, and all companies alike.",
        return_queries.DAILY_RETURNS,
    ),
    View(
        "rolling_returns",
        "Price returns over the 21, 63 and 252 sessions (a month, a quarter, a year) that end on each date, chained "
        "from `daily_returns`; percent. `base_date` is the close that they begin at.",
        return_queries.ROLLING_RETURNS,
    ),
)


# Renderings


def arrow_schema(table: Table, *, partitioned: bool) -> "pa.Schema":
    """The schema inside the files of one layout. Physical types agree with every DDL below."""
    import pyarrow as pa

    return pa.schema(
        pa.field(column.name, arrow_type(column), column.nullable)
        for column in table.stored_columns(partitioned=partitioned)
    )


def arrow_type(column: Column) -> "pa.DataType":
    """The type of a column inside the files."""
    import pyarrow as pa

    if column.type == "decimal":
        return pa.decimal128(column.precision, column.scale)
    simple: dict[ColumnType, pa.DataType] = {
        "date": pa.date32(),
        "varchar": pa.string(),
        "double": pa.float64(),
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "boolean": pa.bool_(),
    }
    return simple[column.type]


def sql_type(column: Column, dialect: Dialect) -> str:
    """The type of a column in a CREATE TABLE of that dialect; Athena's is the Glue catalog's, in lower case."""
    if column.type == "decimal":
        name = f"DECIMAL({column.precision},{column.scale})"
    elif column.type == "varchar" and dialect != "athena":
        name = f"VARCHAR({column.max_bytes})"
    else:
        name = _SQL_TYPES[dialect].get(column.type, column.type)
    return name.lower() if dialect == "athena" else name.upper()


_SQL_TYPES: Final[dict[Dialect, dict[ColumnType, str]]] = {
    "duckdb": {},
    "redshift": {"double": "double precision"},
    # Hive spells a 32-bit integer `int`; its files bound no string.
    "athena": {"integer": "int", "varchar": "string"},
}


def create_schema_sql() -> str:
    """The statement that makes the schema (for Athena: the database) if it is not there."""
    return f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"


def create_sql(table: Table, dialect: Dialect, location: str | None = None) -> str:
    """The statement that creates the table if it is not there; only Athena needs the `location` of its files."""
    if dialect == "athena":
        if location is None:
            raise ValueError("an Athena table needs the location of its files")
        return _create_external_sql(table, location)
    clauses = [
        f"    {column.name} {sql_type(column, dialect)}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    ]
    # In DuckDB a primary key is an index, paid for on every load; validate looks for duplicates on every engine.
    if dialect == "redshift" and table.primary_key:
        clauses.append(f"    PRIMARY KEY ({', '.join(table.primary_key)})")
    return (
        f"CREATE TABLE IF NOT EXISTS {table.qualified_name} (\n" + ",\n".join(clauses) + f"\n){_keys(table, dialect)}"
    )


def _keys(table: Table, dialect: Dialect) -> str:
    if dialect != "redshift":
        return ""
    compound = "COMPOUND " if len(table.sort_key) > 1 else ""
    return f"\nDISTKEY({PARTITION})\n{compound}SORTKEY({', '.join(table.sort_key)})"


def _create_external_sql(table: Table, location: str) -> str:
    columns = ",\n".join(f"    `{column.name}` {sql_type(column, 'athena')}" for column in table.columns)
    properties = ",\n".join(f"    '{key}'='{value}'" for key, value in EXTERNAL_PROPERTIES.items())
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{SCHEMA}`.`{table.name}` (\n{columns}\n)\n"
        f"STORED AS PARQUET\nLOCATION '{location}'\nTBLPROPERTIES (\n{properties}\n)"
    )


EXTERNAL_PROPERTIES: Final[Mapping[str, str]] = {
    "EXTERNAL": "TRUE",
    "classification": "parquet",
    "parquet.compression": "SNAPPY",
}
"""What the catalog says of every table's files."""


def create_view_sql(view: View) -> str:
    """The statement that creates or replaces the view, in every dialect."""
    return f"CREATE OR REPLACE VIEW {view.qualified_name} AS\n{view.query}"


_ORIGINS: Final[dict[Origin, str]] = {
    "original": "Tables of the console pipeline",
    "added": "Added tables",
    "companion": "Companion tables",
    "computed": "Computed tables",
}


def data_model_markdown() -> str:
    """The page `docs/data-model.md`; `make docs` writes it and a test fails when it is stale."""
    sections: list[str] = [_MARKDOWN_INTRODUCTION]
    for origin, title in _ORIGINS.items():
        sections.append(f"## {title}\n")
        sections.extend(_table_markdown(table) for table in (*TABLES, *COMPUTED) if table.origin == origin)
    sections.append("## Views\n")
    sections.extend(f"### {view.name}\n\n{view.description}\n\n```sql\n{view.query}\n```\n" for view in VIEWS)
    return "\n".join(sections)


_MARKDOWN_INTRODUCTION: Final = """\
# Data model

This page is generated from `src/mag7cli/tables/schema.py` by `make docs`; the Parquet schemas and the DDL of DuckDB,
Athena and Redshift come from the same declarations.

**To read a table, open the folder `analytics/<table>/`** in whatever you like: its files, one a year, have every
column below in this order under one fixed schema, `trading_date` as a DATE. The lake holds each table a second time, in
`processed/<table>/trading_date=YYYY-MM-DD/part-0.parquet`, where the date is in the folder's name alone: for engines
that prune by folder (in the catalog it is the schema `market_data_by_date`), and a trap for others. One line for each
of sixteen readers, and what the obvious one gets wrong: [interop.md](interop.md).

Every table is in the schema `market_data`. To divide money, cast it to DOUBLE: engines differ on a quotient's digits.
Money is in USD, exact to the cent; percentages are 0 to 100; VARCHAR lengths count UTF-8 bytes.
"""


def _table_markdown(table: Table) -> str:
    rows = (
        f"| `{column.name}` | {sql_type(column, 'redshift')} | {'' if column.nullable else 'yes'} "
        f"| {column.unit or ''} | {column.description} |"
        for column in table.columns
    )
    return "\n".join(
        (
            f"### {table.name}\n",
            f"{table.description} Grain: {table.grain}.{_key_sentence(table.primary_key)}\n",
            "| column | type | not null | unit | meaning |",
            "|---|---|---|---|---|",
            *rows,
            "",
        )
    )


def _key_sentence(key: Iterable[str]) -> str:
    names = ", ".join(f"`{name}`" for name in key)
    return f" Key: {names}." if names else ""
