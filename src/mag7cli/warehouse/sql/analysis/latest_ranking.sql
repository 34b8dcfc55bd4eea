-- The Mag 7 by size on the last date up to :as_of.
-- folder: Concentration Metrics
-- grain: one row per ticker
-- parameters: as_of
SELECT
    m.trading_date,
    m.ticker,
    c.company_name,
    m.market_cap,
    m.pct_of_mag7,
    m.pct_of_sp500,
    RANK() OVER (PARTITION BY m.trading_date ORDER BY m.market_cap DESC) AS size_rank
FROM market_data.magnificent7_metrics m
JOIN market_data.company_details c
    ON c.trading_date = m.trading_date
    AND c.ticker = m.ticker
WHERE m.trading_date = (
    SELECT MAX(trading_date)
    FROM market_data.magnificent7_metrics
    WHERE trading_date <= CAST(:as_of AS DATE)
)
ORDER BY size_rank, m.ticker
