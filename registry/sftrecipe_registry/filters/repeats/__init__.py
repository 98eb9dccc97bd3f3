"""Filters that compare rows: what stands there twice, or in a test set."""
