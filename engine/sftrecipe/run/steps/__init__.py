"""Executing a step: one module a section of the recipe."""
