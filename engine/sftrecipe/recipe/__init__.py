"""YAML with positions, checked into a recipe."""
