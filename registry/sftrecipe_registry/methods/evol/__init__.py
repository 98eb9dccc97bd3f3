"""Evol-Instruct, and the evolution of answers."""
