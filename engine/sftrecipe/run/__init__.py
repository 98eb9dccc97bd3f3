"""Executing a plan: executors, progress, resume."""
