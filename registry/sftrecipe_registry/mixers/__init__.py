"""Mixers: which rows are drawn, in which order."""
