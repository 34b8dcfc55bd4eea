-- Rows that only one of the two Parquet layouts has.
-- grain: one row per table and layout
-- severity: error
-- engines: duckdb
-- schema: partitioned
SELECT 'concentration_metrics' AS table_name, 'analytics only' AS found_in, COUNT(*) AS row_count
FROM (SELECT * FROM market_data.concentration_metrics EXCEPT ALL SELECT * FROM partitioned.concentration_metrics) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'concentration_metrics', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.concentration_metrics EXCEPT ALL SELECT * FROM market_data.concentration_metrics) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'company_details', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.company_details EXCEPT ALL SELECT * FROM partitioned.company_details) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'company_details', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.company_details EXCEPT ALL SELECT * FROM market_data.company_details) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'daily_trading', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.daily_trading EXCEPT ALL SELECT * FROM partitioned.daily_trading) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'daily_trading', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.daily_trading EXCEPT ALL SELECT * FROM market_data.daily_trading) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'magnificent7_metrics', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.magnificent7_metrics EXCEPT ALL SELECT * FROM partitioned.magnificent7_metrics) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'magnificent7_metrics', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.magnificent7_metrics EXCEPT ALL SELECT * FROM market_data.magnificent7_metrics) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'failed_collections', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.failed_collections EXCEPT ALL SELECT * FROM partitioned.failed_collections) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'failed_collections', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.failed_collections EXCEPT ALL SELECT * FROM market_data.failed_collections) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'sp500_constituents', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.sp500_constituents EXCEPT ALL SELECT * FROM partitioned.sp500_constituents) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'sp500_constituents', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.sp500_constituents EXCEPT ALL SELECT * FROM market_data.sp500_constituents) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'stock_splits', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.stock_splits EXCEPT ALL SELECT * FROM partitioned.stock_splits) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'stock_splits', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.stock_splits EXCEPT ALL SELECT * FROM market_data.stock_splits) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'daily_summary', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.daily_summary EXCEPT ALL SELECT * FROM partitioned.daily_summary) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'daily_summary', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.daily_summary EXCEPT ALL SELECT * FROM market_data.daily_summary) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'data_quality', 'analytics only', COUNT(*)
FROM (SELECT * FROM market_data.data_quality EXCEPT ALL SELECT * FROM partitioned.data_quality) rows_apart
HAVING COUNT(*) > 0
UNION ALL
SELECT 'data_quality', 'processed only', COUNT(*)
FROM (SELECT * FROM partitioned.data_quality EXCEPT ALL SELECT * FROM market_data.data_quality) rows_apart
HAVING COUNT(*) > 0
ORDER BY table_name, found_in
