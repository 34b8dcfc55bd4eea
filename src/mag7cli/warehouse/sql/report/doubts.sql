-- What makes a date suspect or partial.
-- grain: one row per event, oldest first
-- parameters: since, until (both included)
SELECT trading_date, ticker, kind, severity, reason
FROM market_data.data_quality
WHERE severity <> 'info'
    AND trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date, ticker, kind
