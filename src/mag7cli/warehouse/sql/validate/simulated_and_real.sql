-- A lake that mixes simulated dates with real ones.
-- grain: one row per kind
-- severity: error
-- scope: all dates
SELECT
    simulated,
    COUNT(*) AS dates,
    MIN(trading_date) AS earliest_date,
    MAX(trading_date) AS latest_date
FROM market_data.daily_summary
WHERE (SELECT COUNT(DISTINCT simulated) FROM market_data.daily_summary) > 1
GROUP BY simulated
ORDER BY earliest_date
