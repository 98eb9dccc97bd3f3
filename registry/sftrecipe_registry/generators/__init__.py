"""Generators: rows written by a model, or made of others."""
