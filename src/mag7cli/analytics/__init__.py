"""What the tables say: the summary of a date, statistics, lineage, exposure, the state of a lake."""
