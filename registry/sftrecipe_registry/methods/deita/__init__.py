"""Deita and InsTag: rows chosen by complexity, quality and diversity."""
