-- Companies of which more than one line, or none, enters the total.
-- grain: one row per trading_date and cik
-- severity: error
SELECT
    trading_date,
    cik,
    SUM(CASE WHEN counted THEN 1 ELSE 0 END) AS lines_counted
FROM market_data.sp500_constituents
WHERE cik IS NOT NULL
GROUP BY trading_date, cik
HAVING SUM(CASE WHEN counted THEN 1 ELSE 0 END) <> 1
ORDER BY trading_date, cik
