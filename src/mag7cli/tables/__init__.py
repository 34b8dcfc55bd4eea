"""From raw documents to Parquet: the schema, the rows, the files, and which of them are out of date."""
