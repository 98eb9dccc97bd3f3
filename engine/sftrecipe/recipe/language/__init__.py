"""The recipe language: its keys and its JSON Schemas."""
