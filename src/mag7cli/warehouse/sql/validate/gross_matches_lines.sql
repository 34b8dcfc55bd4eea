-- Dates on which the gross total is not the sum of all lines.
-- grain: one row per trading_date
-- severity: error
SELECT
    d.trading_date,
    d.gross_market_cap,
    SUM(s.market_cap) AS sum_of_lines
FROM market_data.daily_summary d
JOIN market_data.sp500_constituents s
    ON s.trading_date = d.trading_date
GROUP BY d.trading_date, d.gross_market_cap
HAVING d.gross_market_cap <> SUM(s.market_cap)
ORDER BY d.trading_date
