"""From Parquet to answers in SQL: the engines, the loads, the checks, the catalog, the statements."""
