"""Sweeps: every variant trained and judged, and compared."""
