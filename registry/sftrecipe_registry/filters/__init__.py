"""Filters: which rows stay."""
