-- Dates on which the total of the Mag 7 is not the sum of their market caps.
-- grain: one row per trading_date
-- severity: error
SELECT
    c.trading_date,
    c.total_mag7_market_cap,
    SUM(d.market_cap) AS sum_of_companies
FROM market_data.concentration_metrics c
JOIN market_data.company_details d
    ON d.trading_date = c.trading_date
GROUP BY c.trading_date, c.total_mag7_market_cap
HAVING c.total_mag7_market_cap <> SUM(d.market_cap)
ORDER BY c.trading_date
