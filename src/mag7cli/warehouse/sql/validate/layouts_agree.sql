-- Rows that only one of the two Parquet layouts has.
-- grain: one row per table, date and layout
-- severity: error
-- engines: duckdb
-- schema: partitioned
-- repeat: for each table
SELECT '{table}' AS table_name, trading_date, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.{table}
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.{table}
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY trading_date, found_in
