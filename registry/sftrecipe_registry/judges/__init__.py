"""Judges: how good a model is."""
