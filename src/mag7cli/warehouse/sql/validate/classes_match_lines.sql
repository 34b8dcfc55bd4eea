-- Dates on which the total with each class at its own close is not the sum of its companies.
-- grain: one row per trading_date
-- severity: error
SELECT
    d.trading_date,
    d.sp500_total_market_cap_by_class,
    SUM(COALESCE(s.market_cap_by_class, s.market_cap)) AS sum_of_companies
FROM market_data.daily_summary d
JOIN market_data.sp500_constituents s
    ON s.trading_date = d.trading_date
    AND s.counted
GROUP BY d.trading_date, d.sp500_total_market_cap_by_class
HAVING d.sp500_total_market_cap_by_class <> SUM(COALESCE(s.market_cap_by_class, s.market_cap))
ORDER BY d.trading_date
