-- Companies of the Mag 7 whose market cap is not the same amount in every table that has it.
-- grain: one row per trading_date and ticker
-- severity: error
SELECT
    d.trading_date,
    d.ticker,
    d.market_cap,
    m.market_cap AS ranked_market_cap,
    s.market_cap AS line_market_cap
FROM market_data.company_details d
LEFT JOIN market_data.magnificent7_metrics m
    ON m.trading_date = d.trading_date
    AND m.ticker = d.ticker
LEFT JOIN market_data.sp500_constituents s
    ON s.trading_date = d.trading_date
    AND s.ticker = d.ticker
WHERE d.market_cap <> m.market_cap
    OR d.market_cap <> s.market_cap
ORDER BY d.trading_date, d.ticker
