"""Turns as files and servers have them, read into the one form that `record` defines."""
