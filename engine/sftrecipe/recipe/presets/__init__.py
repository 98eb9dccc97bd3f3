"""Presets: recipes, or parts of them, that other recipes extend."""
