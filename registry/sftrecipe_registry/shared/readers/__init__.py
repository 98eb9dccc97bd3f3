"""Rows out of files of every form."""
