-- Rows that only one of the two Parquet layouts has.
-- grain: one row per table and layout
-- severity: error
-- engines: duckdb
-- schema: partitioned
SELECT 'concentration_metrics' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.concentration_metrics
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.concentration_metrics
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'company_details' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.company_details
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.company_details
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'daily_trading' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.daily_trading
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.daily_trading
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'magnificent7_metrics' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.magnificent7_metrics
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.magnificent7_metrics
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'failed_collections' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.failed_collections
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.failed_collections
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'sp500_constituents' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.sp500_constituents
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.sp500_constituents
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'stock_splits' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.stock_splits
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.stock_splits
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'daily_summary' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.daily_summary
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.daily_summary
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
UNION ALL
SELECT 'data_quality' AS table_name, found_in, COUNT(*) AS row_count
FROM (
    SELECT * EXCLUDE (side), CASE WHEN SUM(side) > 0 THEN 'analytics only' ELSE 'processed only' END AS found_in
    FROM (
        SELECT *, 1 AS side FROM market_data.data_quality
        UNION ALL
        SELECT *, -1 AS side FROM partitioned.data_quality
    ) both_layouts
    GROUP BY ALL
    HAVING SUM(side) <> 0
) rows_apart
GROUP BY found_in
ORDER BY table_name, found_in
