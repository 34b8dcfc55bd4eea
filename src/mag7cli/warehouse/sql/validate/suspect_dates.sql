-- Dates with a value that no rule explains: their figures are shown, and marked.
-- grain: one row per trading_date and event
-- severity: warning
-- scope: all dates
SELECT
    trading_date,
    ticker,
    kind,
    field,
    from_value,
    to_value,
    reason
FROM market_data.data_quality
WHERE severity = 'suspect'
ORDER BY trading_date, ticker
