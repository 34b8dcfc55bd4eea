-- Dates on which a total with each class at its own close, of the index or of the Mag 7, is not the sum of its companies.
-- grain: one row per trading_date
-- severity: error
SELECT
    d.trading_date,
    d.sp500_total_market_cap_by_class,
    SUM(COALESCE(s.market_cap_by_class, s.market_cap)) AS sum_of_companies,
    d.total_mag7_market_cap_by_class,
    SUM(CASE WHEN m.ticker IS NOT NULL THEN COALESCE(s.market_cap_by_class, s.market_cap) END) AS sum_of_mag7
FROM market_data.daily_summary d
JOIN market_data.sp500_constituents s
    ON s.trading_date = d.trading_date
    AND s.counted
LEFT JOIN market_data.magnificent7_metrics m
    ON m.trading_date = s.trading_date
    AND m.ticker = s.ticker
GROUP BY d.trading_date, d.sp500_total_market_cap_by_class, d.total_mag7_market_cap_by_class
HAVING d.sp500_total_market_cap_by_class <> SUM(COALESCE(s.market_cap_by_class, s.market_cap))
    OR d.total_mag7_market_cap_by_class
        <> SUM(CASE WHEN m.ticker IS NOT NULL THEN COALESCE(s.market_cap_by_class, s.market_cap) END)
ORDER BY d.trading_date
