"""A recipe file read: YAML with places, layers, variables."""
