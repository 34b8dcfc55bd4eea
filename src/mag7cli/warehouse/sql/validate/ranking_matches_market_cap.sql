-- Pairs of the Mag 7 that are ranked against their market caps.
-- grain: one row per trading_date and pair
-- severity: error
SELECT
    larger.trading_date,
    larger.ticker,
    larger.ranking,
    smaller.ticker AS ranked_below,
    smaller.ranking AS lower_ranking
FROM market_data.magnificent7_metrics larger
JOIN market_data.magnificent7_metrics smaller
    ON smaller.trading_date = larger.trading_date
    AND smaller.ticker <> larger.ticker
WHERE (larger.ranking < smaller.ranking AND larger.market_cap < smaller.market_cap)
    OR (larger.ranking = smaller.ranking AND larger.ticker < smaller.ticker)
ORDER BY larger.trading_date, larger.ranking
