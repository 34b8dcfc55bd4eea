-- Why tickers could not be valued, and how often.
-- grain: one row per reason, the most frequent first
-- parameters: since, until (both included)
SELECT
    reason,
    COUNT(*) AS failures,
    COUNT(DISTINCT trading_date) AS dates,
    COUNT(DISTINCT ticker) AS tickers,
    MAX(trading_date) AS last_date
FROM market_data.failed_collections
WHERE ticker IS NOT NULL
    AND trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
GROUP BY reason
ORDER BY failures DESC, reason
