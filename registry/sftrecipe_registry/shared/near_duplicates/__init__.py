"""Texts that nearly repeat one another: their sets of shingles, and an exact join of these."""
