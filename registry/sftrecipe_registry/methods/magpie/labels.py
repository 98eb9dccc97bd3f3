"""Magpie's rating scales, from the lowest label to the highest (arXiv 2406.08464, section 3)."""

DIFFICULTIES = ("very easy", "easy", "medium", "hard", "very hard")
QUALITIES = ("very poor", "poor", "average", "good", "excellent")
