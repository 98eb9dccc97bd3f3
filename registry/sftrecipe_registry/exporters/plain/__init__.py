"""Rows as they are, as JSON lines, Parquet or a data set of `datasets`."""
