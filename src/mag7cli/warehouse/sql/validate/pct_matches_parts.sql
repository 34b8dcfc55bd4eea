-- Dates on which the share of the Mag 7 is not what their market caps and the total make it.
-- grain: one row per trading_date
-- severity: error
SELECT
    c.trading_date,
    c.mag7_pct_of_sp500,
    SUM(CAST(m.market_cap AS DOUBLE PRECISION)) / CAST(c.sp500_total_market_cap AS DOUBLE PRECISION) * 100
        AS recomputed_pct
FROM market_data.concentration_metrics c
JOIN market_data.magnificent7_metrics m
    ON m.trading_date = c.trading_date
GROUP BY c.trading_date, c.mag7_pct_of_sp500, c.sp500_total_market_cap
HAVING ABS(
    c.mag7_pct_of_sp500
    - SUM(CAST(m.market_cap AS DOUBLE PRECISION)) / CAST(c.sp500_total_market_cap AS DOUBLE PRECISION) * 100
) > 0.000001
ORDER BY c.trading_date
