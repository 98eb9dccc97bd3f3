"""Rows of several streams, drawn by weight."""
