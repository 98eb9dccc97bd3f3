"""Generators that belong to no published method."""
