"""Filters that judge a row by itself, without a model."""
