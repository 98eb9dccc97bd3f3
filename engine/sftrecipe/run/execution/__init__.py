"""Executing a plan: which steps when, what is made of them, rows that stream through several."""
