"""Artifacts of steps, rejected rows, lineage."""
