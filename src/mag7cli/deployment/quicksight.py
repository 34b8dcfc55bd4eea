"""The dashboard of the console walk-through: data source, five data sets, and eight visuals on one sheet.

Columns and types are the declared tables'. Two visuals of the walk-through divided by totals that held Alphabet twice;
the figures here are the tables'. A data story has neither a resource nor an API to make it, so there is none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mag7cli.deployment.parts import sub
from mag7cli.tables.schema import PARTITION, SCHEMA, TABLE, Column, ColumnType, Table

Resource = Mapping[str, Any]

DATA_SETS: Final = (
    "concentration_metrics",
    "company_details",
    "daily_trading",
    "magnificent7_metrics",
    "failed_collections",
)
"""The tables of the walk-through's five data sets."""

# Source: QuickSight API reference, InputColumn.
_TYPES: Final[Mapping[ColumnType, str]] = {
    "date": "DATETIME",
    "varchar": "STRING",
    "decimal": "DECIMAL",
    "double": "DECIMAL",
    "bigint": "INTEGER",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
}
_CONCENTRATION, _, _TRADING, _METRICS, _FAILURES = DATA_SETS
_SHEET: Final = "concentration"
_MOMENT: Final = "moment"
_CALCULATED: Final = (
    (_CONCENTRATION, "rest_of_index", "{sp500_total_market_cap} - {total_mag7_market_cap}"),
    (_TRADING, "daily_change", "{close_price} - {open_price}"),
    (_FAILURES, "has_failed", "ifelse({reason} = 'No collection failures', 0, 1)"),
    (
        _METRICS,
        _MOMENT,
        f"ifelse({{{PARTITION}}} = maxOver({{{PARTITION}}}, [], PRE_FILTER), 'now', "
        f"{{{PARTITION}}} = minOver({{{PARTITION}}}, [], PRE_FILTER), 'then', 'between')",
    ),
)
_DATA_SOURCE_ACTIONS: Final = ("DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource")
_DATA_SET_ACTIONS: Final = ("DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion",
                            "ListIngestions", "CreateIngestion", "CancelIngestion")  # fmt: skip
_ANALYSIS_ACTIONS: Final = ("DescribeAnalysis", "DescribeAnalysisPermissions", "UpdateAnalysis", "DeleteAnalysis",
                            "QueryAnalysis", "RestoreAnalysis", "UpdateAnalysisPermissions")  # fmt: skip
_DASHBOARD_ACTIONS: Final = ("DescribeDashboard", "ListDashboardVersions", "QueryDashboard")


def resources() -> Iterator[tuple[str, Resource]]:
    """Data source, data sets, analysis and dashboard, by their names in the template."""
    yield "QuickSightSource", _data_source()
    for name in DATA_SETS:
        yield f"{_camel(name)}DataSet", _data_set(TABLE[name])
    yield "Analysis", _of_definition("Analysis", "concentration", _ANALYSIS_ACTIONS)
    yield "Dashboard", _of_definition("Dashboard", "dashboard", _DASHBOARD_ACTIONS)


def _data_source() -> Resource:
    athena = {"WorkGroup": {"Ref": "AthenaWorkgroup"}, "RoleArn": {"Fn::GetAtt": ["QuickSightRole", "Arn"]}}
    properties = {
        "AwsAccountId": {"Ref": "AWS::AccountId"},
        "DataSourceId": sub("${Name}-athena"),
        "Name": "magnificent7-analytics",
        "Type": "ATHENA",
        "DataSourceParameters": {"AthenaParameters": athena},
        "Permissions": _permissions(_DATA_SOURCE_ACTIONS),
    }
    return {"Type": "AWS::QuickSight::DataSource", "Properties": properties}


def _data_set(table: Table) -> Resource:
    physical = {
        "DataSourceArn": {"Fn::GetAtt": ["QuickSightSource", "Arn"]},
        "Catalog": "AwsDataCatalog",
        "Schema": SCHEMA,
        "Name": table.name,
        "InputColumns": [_input_column(column) for column in table.columns],
    }
    properties = {
        "AwsAccountId": {"Ref": "AWS::AccountId"},
        "DataSetId": sub(f"${{Name}}-{table.name.replace('_', '-')}"),
        "Name": table.name.replace("_", " "),
        "ImportMode": {"Ref": "QuickSightMode"},
        "PhysicalTableMap": {"table": {"RelationalTable": physical}},
        "Permissions": _permissions(_DATA_SET_ACTIONS),
    }
    # A data set asks for its table when it is made.
    depends = [f"{_camel(table.name)}Table"]
    return {"Type": "AWS::QuickSight::DataSet", "DependsOn": depends, "Properties": properties}


def _input_column(column: Column) -> Mapping[str, str]:
    return {"Name": column.name, "Type": _TYPES[column.type]}


def _permissions(actions: Sequence[str]) -> Any:
    granted = {"Principal": {"Ref": "QuickSightUser"}, "Actions": [f"quicksight:{action}" for action in actions]}
    return {"Fn::If": ["NamedQuickSightUser", [granted], {"Ref": "AWS::NoValue"}]}


def _of_definition(kind: Literal["Analysis", "Dashboard"], suffix: str, actions: Sequence[str]) -> Resource:
    properties = {
        "AwsAccountId": {"Ref": "AWS::AccountId"},
        f"{kind}Id": sub(f"${{Name}}-{suffix}"),
        "Name": "Magnificent 7 concentration",
        "Definition": definition(),
        "Permissions": _permissions(actions),
    }
    return {"Type": f"AWS::QuickSight::{kind}", "Properties": properties}


def definition() -> dict[str, Any]:
    """The sheet with its visuals, calculated fields and filters: the same for analysis and dashboard."""
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": name, "DataSetArn": {"Fn::GetAtt": [f"{_camel(name)}DataSet", "Arn"]}} for name in DATA_SETS
        ],
        "CalculatedFields": [
            {"DataSetIdentifier": data_set, "Name": name, "Expression": expression}
            for data_set, name, expression in _CALCULATED
        ],
        "Sheets": [
            {
                "SheetId": _SHEET,
                "Name": "Concentration",
                "Visuals": list(_visuals()),
                "FilterControls": [_date_control()],
            }
        ],
        "FilterGroups": [_date_filter(), *(_moment_filter(moment) for moment in ("then", "now"))],
    }


# Fields


@dataclass(frozen=True, slots=True)
class _Visual:
    """One visual of one data set: its fields get ids of their own."""

    name: str
    data_set: str

    def _field(self, column: str) -> dict[str, Any]:
        identifier = {"DataSetIdentifier": self.data_set, "ColumnName": column}
        return {"FieldId": f"{self.name}-{column}", "Column": identifier}

    def day(self) -> list[Mapping[str, Any]]:
        return [{"DateDimensionField": {**self._field(PARTITION), "DateGranularity": "DAY"}}]

    def ticker(self) -> list[Mapping[str, Any]]:
        return [{"CategoricalDimensionField": self._field("ticker")}]

    def values(self, *columns: str, by: str = "MEDIAN") -> list[Mapping[str, Any]]:
        """Of each day there is one row, so the median of a longer step is a day's figure, not a sum of days."""
        aggregated = {"AggregationFunction": {"SimpleNumericalAggregation": by}}
        return [{"NumericalMeasureField": {**self._field(column), **aggregated}} for column in columns]

    def shown(self, kind: str, title: str, wells: Mapping[str, Any], **configuration: Any) -> Mapping[str, Any]:
        chart = {"FieldWells": {f"{kind}AggregatedFieldWells": wells}, **configuration}
        return {
            f"{kind}Visual": {
                "VisualId": self.name,
                "Title": {"Visibility": "VISIBLE", "FormatText": {"PlainText": title}},
                "ChartConfiguration": chart,
            }
        }


def _visuals() -> Iterator[Mapping[str, Any]]:
    """The eight of the walk-through, in its order."""
    yield _over_time(
        _Visual("caps", _CONCENTRATION), "S&P 500 and Magnificent 7 by market cap",
        "total_mag7_market_cap", "rest_of_index", kind="STACKED_AREA",
    )  # fmt: skip
    share = _Visual("share", _CONCENTRATION)
    wells = {
        "Category": share.day(),
        "BarValues": share.values("sp500_total_market_cap"),
        "LineValues": share.values("mag7_pct_of_sp500"),
    }
    yield share.shown("ComboChart", "Share of the Magnificent 7 over the index's market cap", wells)
    for moment in ("then", "now"):
        pie = _Visual(moment, _METRICS)
        parts = {"Category": pie.ticker(), "Values": pie.values("market_cap")}
        yield pie.shown("PieChart", f"The Mag 7 by market cap, {moment}", parts)
    yield _by_ticker(_Visual("company-caps", _METRICS), "Market cap of each of the Mag 7", "market_cap")
    yield _by_ticker(_Visual("company-shares", _METRICS), "Each as a percentage of the S&P 500", "pct_of_sp500")
    yield _by_ticker(_Visual("daily-change", _TRADING), "Close less open, unadjusted", "daily_change")
    failures = _Visual("failures", _FAILURES)
    counted = {"Category": failures.day(), "Values": failures.values("has_failed", by="SUM")}
    yield failures.shown("BarChart", "Failed tickers by trading date", counted)


def _over_time(visual: _Visual, title: str, *columns: str, kind: str = "LINE") -> Mapping[str, Any]:
    return visual.shown("LineChart", title, {"Category": visual.day(), "Values": visual.values(*columns)}, Type=kind)


def _by_ticker(visual: _Visual, title: str, column: str) -> Mapping[str, Any]:
    wells = {"Category": visual.day(), "Values": visual.values(column), "Colors": visual.ticker()}
    return visual.shown("LineChart", title, wells, Type="LINE")


# Filters


def _date_filter() -> Mapping[str, Any]:
    """The period, on every data set; all of it until somebody chooses."""
    time_range = {
        "FilterId": "period-filter",
        "Column": {"DataSetIdentifier": _CONCENTRATION, "ColumnName": PARTITION},
        "IncludeMinimum": True,
        "IncludeMaximum": True,
        "RangeMinimumValue": {"StaticValue": "2021-01-01T00:00:00Z"},
        "NullOption": "NON_NULLS_ONLY",
        "TimeGranularity": "DAY",
    }
    everywhere: Mapping[str, Any] = {"AllSheets": {}}
    return _filter_group("period", "ALL_DATASETS", everywhere, {"TimeRangeFilter": time_range})


def _date_control() -> Mapping[str, Any]:
    options = {"FilterControlId": "period-control", "Title": "Period", "SourceFilterId": "period-filter"}
    return {"DateTimePicker": {**options, "Type": "DATE_RANGE"}}


def _moment_filter(moment: str) -> Mapping[str, Any]:
    """The first or the last date, for one of the two pies."""
    category = {
        "FilterId": f"{moment}-filter",
        "Column": {"DataSetIdentifier": _METRICS, "ColumnName": _MOMENT},
        "Configuration": {
            "FilterListConfiguration": {
                "MatchOperator": "CONTAINS",
                "CategoryValues": [moment],
            }
        },
    }
    visuals = {"SheetId": _SHEET, "Scope": "SELECTED_VISUALS", "VisualIds": [moment]}
    scope = {"SelectedSheets": {"SheetVisualScopingConfigurations": [visuals]}}
    return _filter_group(moment, "SINGLE_DATASET", scope, {"CategoryFilter": category})


def _filter_group(name: str, across: str, scope: Mapping[str, Any], content: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "FilterGroupId": name,
        "CrossDataset": across,
        "Status": "ENABLED",
        "ScopeConfiguration": scope,
        "Filters": [content],
    }


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
