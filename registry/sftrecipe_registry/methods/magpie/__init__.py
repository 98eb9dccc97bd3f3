"""Magpie: instructions that a model writes from an empty user turn."""
